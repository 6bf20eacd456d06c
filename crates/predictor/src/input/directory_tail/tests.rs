//! Whatever happens to the files of a directory, the rounds in memory are those in the files, both
//! when scans follow only notifications and when there are no notifications.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rounds::{Cursor, FileRounds, Multiplier, Round};
use tempfile::TempDir;

use super::*;
use crate::input::file_stats::FileStats;
use crate::input::round_series::{RoundSeries, SeriesChange};

const FILES: usize = 4;

/// A step of a schedule.
#[derive(Debug, Clone)]
enum Step {
    /// Appends rows to a file, which is created if it does not exist; the last may be incomplete.
    Append(usize, Text),
    /// Replaces the file by renaming another one.
    Replace(usize, Text),
    /// Rewrites the file in place.
    Rewrite(usize, Text),
    /// Truncates the file to a number of thousandths of its length.
    Truncate(usize, u64),
    Delete(usize),
    Rename(usize, usize),
    /// Copies the file to another one.
    Copy(usize, usize),
    /// Makes the file unreadable, or readable again.
    Lock(usize),
    Unlock(usize),
    /// Moves the directory away and creates an empty one.
    Exchange,
    /// Lets both watchers scan.
    Settle,
}

/// Number of complete rows, and number of bytes of one more row, which is incomplete.
type Text = (usize, usize);

fn step() -> impl Strategy<Value = Step> {
    let (file, text) = (|| 0..FILES, || (0..12usize, 0..30usize));
    prop_oneof![
        10 => (file(), text()).prop_map(|(file, text)| Step::Append(file, text)),
        2 => (file(), text()).prop_map(|(file, text)| Step::Replace(file, text)),
        2 => (file(), text()).prop_map(|(file, text)| Step::Rewrite(file, text)),
        2 => (file(), 0..1000u64).prop_map(|(file, at)| Step::Truncate(file, at)),
        2 => file().prop_map(Step::Delete),
        2 => (file(), file()).prop_map(|(file, to)| Step::Rename(file, to)),
        1 => (file(), file()).prop_map(|(file, to)| Step::Copy(file, to)),
        2 => file().prop_map(Step::Lock),
        2 => file().prop_map(Step::Unlock),
        1 => Just(Step::Exchange),
        10 => Just(Step::Settle),
    ]
}

/// The files, a clock for their modification times, and a counter that makes every round different.
struct World {
    root: TempDir,
    ticks: u64,
    rounds: u64,
}

impl World {
    fn dir(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn path(&self, file: usize) -> PathBuf {
        self.dir().join(format!("aviator_payouts_2025121{file}_193235.csv"))
    }

    /// Returns where a locked file is kept while its own name cannot be read.
    fn aside(&self, file: usize) -> PathBuf {
        self.root.path().join(format!("aside {file}"))
    }

    fn text(&mut self, (rows, torn): Text) -> String {
        let mut text = String::new();
        for n in 0..=rows {
            self.rounds += 1;
            let time = DateTime::from_timestamp(1_767_225_600 + self.rounds.cast_signed(), 0);
            let multiplier = Multiplier::from_cents(100 + self.rounds * 379 % 990).unwrap();
            let row = Round { time: time.unwrap(), multiplier }.to_row();
            text += if n < rows { &row } else { row.get(..torn).unwrap_or_default() };
        }
        text
    }

    /// Sets a new modification time: no two writes share one, as if the clock of the file system
    /// were fine enough.
    fn stamp(&mut self, path: &Path) -> io::Result<()> {
        self.ticks += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + self.ticks);
        OpenOptions::new().append(true).open(path)?.set_modified(time)
    }

    /// Takes a step. One that is impossible because the file is missing or locked does nothing.
    fn take(&mut self, step: &Step) -> io::Result<()> {
        match *step {
            Step::Append(file, text) => {
                let path = self.path(file);
                let header = if path.exists() { "" } else { "timestamp,multiplier\n" };
                let text = header.to_owned() + &self.text(text);
                let mut end = OpenOptions::new().create(true).append(true).open(&path)?;
                end.write_all(text.as_bytes())?;
                self.stamp(&path)
            }
            Step::Replace(file, text) => {
                let text = "timestamp,multiplier\n".to_owned() + &self.text(text);
                let draft = self.dir().join("draft");
                fs::write(&draft, text)?;
                self.stamp(&draft)?;
                fs::rename(draft, self.path(file))
            }
            Step::Rewrite(file, text) => {
                let text = "timestamp,multiplier\n".to_owned() + &self.text(text);
                fs::write(self.path(file), text)?;
                self.stamp(&self.path(file))
            }
            Step::Truncate(file, at) => {
                let open = OpenOptions::new().append(true).open(self.path(file))?;
                open.set_len(open.metadata()?.len() * at / 1000)?;
                self.stamp(&self.path(file))
            }
            Step::Delete(file) => fs::remove_file(self.path(file)),
            Step::Rename(file, to) => fs::rename(self.path(file), self.path(to)),
            Step::Copy(file, to) if file == to => Ok(()),
            Step::Copy(file, to) => {
                fs::copy(self.path(file), self.path(to))?;
                self.stamp(&self.path(to))
            }
            // A link to itself cannot be followed, not even by root.
            Step::Lock(file) if !self.path(file).is_file() => Ok(()),
            Step::Lock(file) => {
                fs::rename(self.path(file), self.aside(file))?;
                symlink(self.path(file), self.path(file))
            }
            Step::Unlock(file) => fs::rename(self.aside(file), self.path(file)),
            Step::Exchange => {
                self.ticks += 1;
                fs::rename(self.dir(), self.root.path().join(format!("old {}", self.ticks)))?;
                fs::create_dir(self.dir())
            }
            Step::Settle => Ok(()),
        }
    }
}

/// The expected rounds: for each file, those it held when it could last be read.
#[derive(Default)]
struct Model(BTreeMap<String, Vec<Round>>);

impl Model {
    fn settle(&mut self, dir: &Path) {
        let names = rounds::csv_names(dir).unwrap();
        self.0.retain(|name, _| names.contains(name));
        for name in names {
            let found = File::open(dir.join(&name)).and_then(|mut file| {
                let length = file.metadata()?.len();
                Cursor::default().read(&mut file, length)
            });
            match found {
                Ok(chunk) => drop(self.0.insert(name, chunk.rounds)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.0.remove(&name);
                }
                Err(_) => {}
            }
        }
    }

    fn rounds(&self) -> Vec<Round> {
        let files: Vec<FileRounds<'_>> =
            self.0.iter().map(|(file, rounds)| FileRounds { file, rounds }).collect();
        rounds::merge(&files).rounds
    }

    fn records(&self) -> u64 {
        self.0.values().map(|rounds| rounds.len() as u64).sum()
    }
}

/// Everything between the files and the engine.
struct Watcher {
    tail: DirectoryTail,
    file_stats: FileStats,
    series: RoundSeries,
    /// The rounds as the engine would have them.
    rounds: Vec<Round>,
    hinted: Receiver<()>,
}

impl Watcher {
    fn new(dir: &Path, mode: Watch, watcher: &FsWatcher) -> Self {
        let (hint, hinted) = hint();
        let tail = DirectoryTail::new(Directory::new(dir), mode, watcher.clone(), hint);
        let (file_stats, series) = (FileStats::new(dir), RoundSeries::default());
        let mut watcher = Self { tail, file_stats, series, rounds: Vec::new(), hinted };
        watcher.scan();
        watcher
    }

    fn scan(&mut self) {
        let changes = self.tail.scan().unwrap();
        let changes = self.file_stats.record(changes);
        let change = self.series.apply(changes);
        let rounds = self.series.rounds();
        match change {
            SeriesChange::Unchanged => {}
            SeriesChange::From(first) => {
                assert_eq!(first, self.rounds.len(), "new rounds follow the known ones");
                self.rounds.extend(rounds.range(first..rounds.len()));
            }
            SeriesChange::Rebuilt => self.rounds = rounds.iter().collect(),
        }
        assert!(rounds.iter().eq(self.rounds.iter().copied()), "{change:?}");
    }

    #[track_caller]
    fn check(&self, model: &Model) {
        assert_eq!(self.rounds, model.rounds(), "{}", self.tail.watch());
        let data = self.file_stats.view();
        assert_eq!(data.files.iter().map(|file| file.records).sum::<u64>(), model.records());
    }
}

fn hint() -> (Hint, Receiver<()>) {
    let (wake, hinted) = channel();
    (Hint::new(move || wake.send(()).unwrap_or_default()), hinted)
}

/// Waits until all earlier events of the file system have been handled. Events arrive in order, so
/// the barrier causes one itself and waits for it.
struct Barrier {
    dir: TempDir,
    hint: Hint,
    reached: Receiver<()>,
    times: u32,
    _guard: WatchGuard,
}

impl Barrier {
    fn new(watcher: &FsWatcher) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (hint, reached) = hint();
        let guard = watcher.on(dir.path(), &hint).unwrap();
        Self { dir, hint, reached, times: 0, _guard: guard }
    }

    fn wait(&mut self) {
        self.times += 1;
        // Creating a directory is one event; writing a file is several.
        fs::create_dir(self.dir.path().join(format!("aviator_payouts_{}", self.times))).unwrap();
        self.reached.recv().unwrap();
        self.hint.reset();
    }
}

fn check(steps: &[Step], watcher: &FsWatcher, barrier: &mut Barrier) {
    let mut world = World { root: tempfile::tempdir().unwrap(), ticks: 0, rounds: 0 };
    fs::create_dir(world.dir()).unwrap();
    let mut model = Model::default();
    let mut notified = Watcher::new(&world.dir(), Watch::Notify, watcher);
    let mut scanning = Watcher::new(&world.dir(), Watch::Scan, watcher);
    assert_eq!((notified.tail.watch(), scanning.tail.watch()), ("notify", "scan"));
    for step in steps.iter().chain([&Step::Settle]) {
        // A step that is impossible in this state fails and changes nothing.
        drop(world.take(step));
        if !matches!(step, Step::Settle) {
            continue;
        }
        barrier.wait();
        model.settle(&world.dir());
        if notified.hinted.try_iter().count() > 0 {
            notified.scan();
        }
        scanning.scan();
        scanning.check(&model);
        notified.check(&model);
    }
}

/// Returns the number of schedules; `SCHEDULES=20000 cargo test -p predictor whatever_happens`
/// tries more.
fn schedules() -> u32 {
    std::env::var("SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(2000)
}

#[test]
fn whatever_happens_to_the_files_the_rounds_are_those_in_them_by_notification_and_by_scan() {
    let watcher = FsWatcher::default();
    let barrier = std::cell::RefCell::new(Barrier::new(&watcher));
    let config = Config { cases: schedules(), failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let schedules = prop::collection::vec(step(), 1..40);
    let tried = TestRunner::new_with_rng(config, rng).run(&schedules, |steps| {
        check(&steps, &watcher, &mut barrier.borrow_mut());
        Ok(())
    });
    tried.unwrap();
}
