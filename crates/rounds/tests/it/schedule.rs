//! Whatever happens to the files of a directory, the reported changes add up to their contents.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::SecondsFormat;
use proptest::prelude::*;
use rounds::scan::{Change, ChangeKind, Directory};
use rounds::{Chunk, Cursor, Round};

use crate::directory::round;

/// One change to the files, or a scan. `file` and `at` are taken modulo what exists.
#[derive(Debug, Clone)]
enum Step {
    /// Rows are appended to a file, which is created if it does not exist.
    Append {
        file: usize,
        rows: usize,
        torn: usize,
    },
    /// A file is truncated.
    Truncate {
        file: usize,
        at: usize,
    },
    /// Another file is renamed over it.
    Replace {
        file: usize,
        rows: usize,
        torn: usize,
    },
    /// It is overwritten in place.
    Rewrite {
        file: usize,
        rows: usize,
        torn: usize,
    },
    /// One byte of it is changed, in place.
    Edit {
        file: usize,
        at: usize,
    },
    Delete {
        file: usize,
    },
    Rename {
        file: usize,
        to: usize,
    },
    /// Only its modification time changes.
    Touch {
        file: usize,
    },
    Scan,
}

const FILES: usize = 5;

fn step() -> impl Strategy<Value = Step> {
    let file = 0..FILES;
    let content = || (0..FILES, 0usize..25, 0usize..30);
    prop_oneof![
        6 => content().prop_map(|(file, rows, torn)| Step::Append { file, rows, torn }),
        2 => (file.clone(), any::<usize>()).prop_map(|(file, at)| Step::Truncate { file, at }),
        2 => content().prop_map(|(file, rows, torn)| Step::Replace { file, rows, torn }),
        2 => content().prop_map(|(file, rows, torn)| Step::Rewrite { file, rows, torn }),
        2 => (file.clone(), any::<usize>()).prop_map(|(file, at)| Step::Edit { file, at }),
        1 => file.clone().prop_map(|file| Step::Delete { file }),
        1 => (file.clone(), 0..FILES).prop_map(|(file, to)| Step::Rename { file, to }),
        1 => file.prop_map(|file| Step::Touch { file }),
        6 => Just(Step::Scan),
    ]
}

/// The files, a clock for their modification times, and a counter that makes every round different.
struct World {
    dir: tempfile::TempDir,
    ticks: u64,
    rounds: u64,
}

impl World {
    fn path(&self, file: usize) -> PathBuf {
        self.dir.path().join(format!("aviator_payouts_2025121{file}_193235.csv"))
    }

    /// Each file has its own format.
    fn header(file: usize) -> &'static str {
        match file % FILES {
            0 => "timestamp,multiplier\n",
            1 => "id;crash;time;\r\n",
            _ => "",
        }
    }

    fn row(file: usize, round: &Round) -> String {
        let time = round.time.to_rfc3339_opts(SecondsFormat::Millis, true);
        match file % FILES {
            0 => round.to_row(),
            1 => format!("17;{};{time};\r\n", round.multiplier.to_string().replace('.', ",")),
            2 => format!("{}x,\"rgb(1, 2, 3)\",{time}\n", round.multiplier),
            3 if round.multiplier.cents().is_multiple_of(5) => "a note of mine\n".to_owned(),
            _ => format!("{time},{}\n", round.multiplier),
        }
    }

    fn rows(&mut self, file: usize, rows: usize, torn: usize) -> String {
        let mut text = String::new();
        for n in 0..=rows {
            self.rounds += 1;
            let row = Self::row(file, &round(self.rounds));
            text += if n < rows { &row } else { row.get(..torn).unwrap_or_default() };
        }
        text
    }

    /// Gives a file a new modification time. No two writes share one, as if the file system's clock
    /// were fine enough.
    fn stamp(&mut self, path: &Path) {
        self.ticks += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + self.ticks);
        if let Ok(file) = OpenOptions::new().append(true).open(path) {
            file.set_modified(time).unwrap();
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Append { file, rows, torn } => {
                let path = self.path(file);
                let mut text = if path.exists() { "" } else { Self::header(file) }.to_owned();
                text += &self.rows(file, rows, torn);
                let mut end = OpenOptions::new().create(true).append(true).open(&path).unwrap();
                end.write_all(text.as_bytes()).unwrap();
                self.stamp(&path);
            }
            Step::Replace { file, rows, torn } => {
                let text = Self::header(file).to_owned() + &self.rows(file, rows, torn);
                let draft = self.dir.path().join("draft");
                fs::write(&draft, text).unwrap();
                self.stamp(&draft);
                fs::rename(draft, self.path(file)).unwrap();
            }
            Step::Rewrite { file, rows, torn } => {
                let text = Self::header(file).to_owned() + &self.rows(file, rows, torn);
                fs::write(self.path(file), text).unwrap();
                self.stamp(&self.path(file));
            }
            Step::Truncate { file, at } => self.change(file, |bytes| {
                bytes.truncate(at % (bytes.len() + 1));
            }),
            Step::Edit { file, at } => self.change(file, |bytes| {
                let at = at % bytes.len().max(1);
                if let Some(byte @ b'0'..=b'9') = bytes.get_mut(at) {
                    *byte ^= 1;
                }
            }),
            Step::Touch { file } => self.stamp(&self.path(file)),
            // The file may not exist.
            Step::Delete { file } => drop(fs::remove_file(self.path(file))),
            Step::Rename { file, to } => drop(fs::rename(self.path(file), self.path(to))),
            Step::Scan => {}
        }
    }

    fn change(&mut self, file: usize, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.path(file);
        let Ok(mut bytes) = fs::read(&path) else { return };
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        self.stamp(&path);
    }
}

/// The rounds and rejected lines of each file, according to the reported changes.
#[derive(Debug, Default)]
struct Listener(BTreeMap<String, (Vec<Round>, u64)>);

impl Listener {
    fn hear(&mut self, change: Change) {
        let (rounds, rejected) = (change.rounds, change.rejected_count);
        match change.kind {
            ChangeKind::New => {
                let before = self.0.insert(change.file.clone(), (rounds, rejected));
                assert!(before.is_none(), "{} is not new", change.file);
            }
            ChangeKind::Appended => {
                assert!(rejected > 0 || !rounds.is_empty(), "nothing was appended");
                let held = self.0.get_mut(&change.file).unwrap();
                held.0.extend(rounds);
                held.1 += rejected;
            }
            ChangeKind::Replaced => {
                let held = self.0.get_mut(&change.file).unwrap();
                assert_ne!(*held, (rounds.clone(), rejected), "nothing was replaced");
                *held = (rounds, rejected);
            }
            ChangeKind::Removed => drop(self.0.remove(&change.file).unwrap()),
            ChangeKind::Touched => assert!(rounds.is_empty() && rejected == 0),
            kind => unreachable!("{kind:?} {:?}", change.error),
        }
        let total = self.0.get(&change.file).map_or(0, |held| held.0.len() as u64);
        assert_eq!(change.total, total, "the total of {}", change.file);
    }
}

/// Reads a whole file at once, with a new cursor.
fn read(path: &Path) -> Chunk {
    let mut file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    Cursor::default().read(&mut file, length).unwrap()
}

fn check(steps: &[Step]) {
    let mut world = World { dir: tempfile::tempdir().unwrap(), ticks: 0, rounds: 0 };
    let mut directory = Directory::new(world.dir.path());
    let mut listener = Listener::default();
    for step in steps.iter().chain([&Step::Scan]) {
        world.take(step);
        if !matches!(step, Step::Scan) {
            continue;
        }
        for change in directory.scan().unwrap() {
            listener.hear(change);
        }
        let there = (0..FILES).map(|file| world.path(file)).filter(|path| path.exists());
        let expected: BTreeMap<String, (Vec<Round>, u64)> = there
            .map(|path| {
                let piece = read(&path);
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, (piece.rounds, piece.rejected_count))
            })
            .collect();
        assert_eq!(listener.0, expected);
        assert_eq!(directory.scan().unwrap(), [], "nothing has happened since");
    }
}

/// Returns the number of schedules; `SCHEDULES=100000 cargo test -p rounds schedule` tries more.
fn schedules() -> u32 {
    std::env::var("SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(schedules()))]

    #[test]
    fn the_reported_changes_add_up_to_what_is_in_the_files(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        check(&steps);
    }
}
