//! What a scan reports.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use rounds::scan::{Change, ChangeKind, Directory};
use rounds::{Event, EventKind, Multiplier, Origin, ReadSettings, Round, RoundLog};

pub(crate) fn now() -> DateTime<Utc> {
    "2025-12-10T19:32:35Z".parse().unwrap()
}

/// Returns round number `n`; no two rounds are equal.
pub(crate) fn round(n: u64) -> Round {
    let time = now() + TimeDelta::milliseconds(i64::try_from(n).unwrap() * 12_345);
    // Spread as a crash game: multiples of the golden ratio fill the unit interval evenly.
    let unit = (n as f64 * 0.618_033_988_749_895).fract();
    let multiplier = Multiplier::new((97.0 / (1.0 - unit)).floor().max(100.0) / 100.0).unwrap();
    Round { time, multiplier }
}

struct Watched {
    dir: tempfile::TempDir,
    directory: Directory,
    writes: u64,
}

impl Watched {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let directory = Directory::new(dir.path());
        Self { dir, directory, writes: 0 }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("aviator_payouts_a.csv")
    }

    /// Overwrites the file in place and gives it a new modification time.
    fn write(&mut self, text: &str) {
        fs::write(self.path(), text).unwrap();
        self.touch();
    }

    fn touch(&mut self) {
        self.writes += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_765_395_155 + self.writes);
        OpenOptions::new().append(true).open(self.path()).unwrap().set_modified(time).unwrap();
    }

    #[track_caller]
    fn check(&mut self, kind: ChangeKind, rounds: &[u64], total: u64) -> Change {
        let mut changes = self.directory.scan().unwrap();
        assert_eq!(changes.len(), 1, "{changes:?}");
        let change = changes.remove(0);
        assert_eq!(change.kind, kind);
        assert_eq!(change.rounds, rounds.iter().map(|&n| round(n)).collect::<Vec<_>>());
        assert_eq!(change.total, total);
        assert_eq!(self.directory.scan().unwrap(), [], "nothing has happened since");
        change
    }
}

fn rows(rounds: &[u64]) -> String {
    let rows: String = rounds.iter().map(|&n| round(n).to_row()).collect();
    "timestamp,multiplier\n".to_owned() + &rows
}

#[test]
fn rounds_are_found_as_they_are_written() {
    let mut watched = Watched::new();
    let mut log = RoundLog::open(watched.dir.path(), Origin::Recorded, now()).unwrap();
    watched.check(ChangeKind::New, &[], 0);
    for n in 0..5 {
        log.append(&round(n), &Event::new(EventKind::Live, "test")).unwrap();
        watched.check(ChangeKind::Appended, &[n], n + 1);
    }
    assert_eq!(log.rounds_written(), 5);
}

#[test]
fn a_row_is_reported_once_its_newline_is_written() {
    let mut watched = Watched::new();
    let whole = rows(&[1, 2]);
    watched.write(&whole[..whole.len() - 1]);
    let change = watched.check(ChangeKind::New, &[1], 1);
    assert_eq!(change.torn_bytes, round(2).to_row().len() as u64 - 1);
    watched.write(&whole);
    let change = watched.check(ChangeKind::Appended, &[2], 2);
    assert_eq!(change.torn_bytes, 0);
    watched.write(&(whole.clone() + "2025"));
    let change = watched.check(ChangeKind::Touched, &[], 2);
    assert_eq!(change.torn_bytes, 4);
    // A starting collector cuts the torn row off.
    watched.write(&whole);
    let change = watched.check(ChangeKind::Touched, &[], 2);
    assert_eq!(change.torn_bytes, 0);
}

#[test]
fn a_truncated_rewritten_or_replaced_file_is_reported_in_full() {
    let mut watched = Watched::new();
    watched.write(&rows(&[1, 2, 3]));
    watched.check(ChangeKind::New, &[1, 2, 3], 3);
    watched.write(&rows(&[1, 2]));
    watched.check(ChangeKind::Replaced, &[1, 2], 2);
    // The same length.
    watched.write(&rows(&[1, 3]));
    watched.check(ChangeKind::Replaced, &[1, 3], 2);
    // In place and longer.
    watched.write(&rows(&[4, 5, 6, 7]));
    watched.check(ChangeKind::Replaced, &[4, 5, 6, 7], 4);
    let other = watched.dir.path().join("other");
    fs::write(&other, rows(&[8])).unwrap();
    fs::rename(other, watched.path()).unwrap();
    watched.check(ChangeKind::Replaced, &[8], 1);
    fs::remove_file(watched.path()).unwrap();
    watched.check(ChangeKind::Removed, &[], 0);
}

/// Someone edits a digit and the writer adds a row before the next scan. The end of the file alone
/// looks as if only the row had been added.
#[test]
fn a_change_further_up_is_noticed_even_if_rows_were_added() {
    let mut watched = Watched::new();
    watched.write(&rows(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    watched.check(ChangeKind::New, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 12);
    watched.write(&rows(&[0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]));
    watched.check(ChangeKind::Replaced, &[0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 13);
}

#[cfg(unix)]
#[test]
fn a_file_replaced_by_one_of_equal_length_and_time_is_reported_in_full() {
    let mut watched = Watched::new();
    watched.write(&rows(&[1, 2]));
    watched.check(ChangeKind::New, &[1, 2], 2);
    let other = watched.dir.path().join("other");
    fs::write(&other, rows(&[1, 3])).unwrap();
    let before = fs::metadata(watched.path()).unwrap();
    assert_eq!(fs::metadata(&other).unwrap().len(), before.len());
    let file = OpenOptions::new().append(true).open(&other).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    fs::rename(other, watched.path()).unwrap();
    watched.check(ChangeKind::Replaced, &[1, 3], 2);
}

/// All writes fall within one tick of the file system's clock.
#[test]
fn a_changed_file_is_read_even_if_its_modification_time_stays_the_same() {
    let mut watched = Watched::new();
    for (kind, told, all) in [
        (ChangeKind::New, &[1][..], &[1][..]),
        (ChangeKind::Appended, &[2], &[1, 2]),
        (ChangeKind::Appended, &[3, 4], &[1, 2, 3, 4]),
        (ChangeKind::Replaced, &[1, 2, 5], &[1, 2, 5]),
    ] {
        watched.writes = 0;
        watched.write(&rows(all));
        watched.check(kind, told, all.len() as u64);
    }
}

#[test]
fn a_file_whose_rows_are_unchanged_is_only_touched() {
    let mut watched = Watched::new();
    watched.write(&rows(&[1, 2]));
    watched.check(ChangeKind::New, &[1, 2], 2);
    watched.touch();
    watched.check(ChangeKind::Touched, &[], 2);
    // Replaced by a copy with other line endings, as an editor does.
    let other = watched.dir.path().join("other");
    fs::write(&other, rows(&[1, 2]).replace('\n', "\r\n")).unwrap();
    fs::rename(other, watched.path()).unwrap();
    watched.check(ChangeKind::Touched, &[], 2);
}

/// Only later rows reveal that there are two columns of numbers, so the first row is taken back.
#[test]
fn rows_are_reported_again_if_their_columns_turn_out_differently() {
    let mut watched = Watched::new();
    let time = "2025-12-10T19:32:35Z";
    watched.write(&format!("{time},1.00,a note\n"));
    watched.check(ChangeKind::New, &[0], 1);
    watched.write(&format!("{time},1.00,a note\n{time},1.00,7.5\n{time},1.00,8.5\n"));
    let change = watched.check(ChangeKind::Replaced, &[], 0);
    assert_eq!(change.rejections.total(), 3);
}

#[test]
fn rejected_lines_are_counted_over_the_whole_file() {
    let mut watched = Watched::new();
    watched.write(&(rows(&[1]) + "rubbish\n"));
    let change = watched.check(ChangeKind::New, &[1], 1);
    assert_eq!((change.rejected_count, change.rejections.total()), (1, 1));
    assert_eq!((change.rejected[0].line, change.rejected[0].text.as_str()), (3, "rubbish"));
    watched.write(&(rows(&[1]) + "rubbish\nmore\n"));
    let change = watched.check(ChangeKind::Appended, &[], 1);
    assert_eq!((change.rejected_count, change.rejections.total()), (1, 2));
    assert_eq!(change.rejected[0].line, 4);
}

/// The columns of a file without a header are not certain at first, so the file is read again from
/// its start; lines already reported are not reported twice.
#[test]
fn each_line_of_a_growing_file_without_a_header_is_reported_once() {
    let mut watched = Watched::new();
    let mut text = round(0).to_row() + "rubbish\n" + &[1, 2].map(|n| round(n).to_row()).concat();
    watched.write(&text);
    let change = watched.check(ChangeKind::New, &[0, 1, 2], 3);
    assert_eq!((change.rejected_count, change.rejections.total()), (1, 1));
    for n in 1..12 {
        let new = [2 * n + 1, 2 * n + 2];
        text += &(round(new[0]).to_row() + "more\n" + &round(new[1]).to_row());
        watched.write(&text);
        let change = watched.check(ChangeKind::Appended, &new, 2 * n + 3);
        assert_eq!((change.rejected_count, change.rejections.total()), (1, n + 1));
        let lines: Vec<u64> = change.rejected.iter().map(|rejected| rejected.line).collect();
        assert_eq!(lines, [3 * n + 3], "{text}");
    }
}

#[test]
fn a_file_whose_rows_change_places_is_reported_as_replaced() {
    let mut watched = Watched::new();
    watched.write(&rows(&[1, 2, 3]));
    watched.check(ChangeKind::New, &[1, 2, 3], 3);
    watched.write(&rows(&[1, 3, 2]));
    watched.check(ChangeKind::Replaced, &[1, 3, 2], 3);
    // A round has become a rejected line.
    watched.write(&(rows(&[1, 3]) + "rubbish\n"));
    watched.check(ChangeKind::Replaced, &[1, 3], 2);
}

/// The file is longer than the part that a scan compares; the change lies within that part.
#[test]
fn a_change_near_the_end_of_a_long_file_is_noticed_even_if_rows_were_added() {
    let mut watched = Watched::new();
    let mut all: Vec<u64> = (0..12_000).collect();
    watched.write(&rows(&all));
    watched.check(ChangeKind::New, &all, 12_000);
    all.push(12_000);
    watched.write(&rows(&all));
    watched.check(ChangeKind::Appended, &[12_000], 12_001);
    all[4_000] = 9;
    all.push(12_001);
    watched.write(&rows(&all));
    watched.check(ChangeKind::Replaced, &all, 12_002);
}

/// A symbolic link to itself, which not even root can read.
#[cfg(unix)]
#[test]
fn an_unreadable_file_is_reported_once_and_retried() {
    let mut watched = Watched::new();
    std::os::unix::fs::symlink(watched.path(), watched.path()).unwrap();
    let change = watched.check(ChangeKind::Unreadable, &[], 0);
    assert!(!change.error.unwrap().is_empty());
    assert_eq!(watched.directory.scan().unwrap(), []);
    fs::remove_file(watched.path()).unwrap();
    watched.write(&rows(&[1]));
    let change = watched.check(ChangeKind::New, &[1], 1);
    assert_eq!(change.error, None);
    // Its rounds still count while it cannot be read.
    let away = watched.dir.path().join("away");
    fs::rename(watched.path(), &away).unwrap();
    std::os::unix::fs::symlink(watched.path(), watched.path()).unwrap();
    watched.check(ChangeKind::Unreadable, &[], 1);
    fs::rename(&away, watched.path()).unwrap();
    watched.check(ChangeKind::Touched, &[], 1);
}

#[test]
fn anything_but_a_file_is_ignored() {
    let mut watched = Watched::new();
    fs::create_dir(watched.dir.path().join("aviator_payouts_dir.csv")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", watched.dir.path().join("aviator_payouts_link.csv"))
        .unwrap();
    assert_eq!(watched.directory.scan().unwrap(), []);
    watched.write(&rows(&[1]));
    watched.check(ChangeKind::New, &[1], 1);
}

#[test]
fn a_directory_may_appear_late_vanish_and_reappear() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut directory = Directory::new(&path);
    let error = directory.scan().unwrap_err();
    assert!(error.to_string().contains("data"), "{error}");
    fs::create_dir(&path).unwrap();
    assert_eq!(directory.scan().unwrap(), []);
    let file = path.join("aviator_payouts_a.csv");
    fs::write(&file, rows(&[1])).unwrap();
    assert_eq!(directory.scan().unwrap()[0].kind, ChangeKind::New);
    fs::remove_dir_all(&path).unwrap();
    directory.scan().unwrap_err();
    fs::create_dir(&path).unwrap();
    assert_eq!(directory.scan().unwrap()[0].kind, ChangeKind::Removed);
}

/// A reader may look at any moment during a write.
#[test]
fn a_file_growing_byte_by_byte_yields_each_row_once() {
    let mut watched = Watched::new();
    let text = rows(&[1, 2, 3]);
    let mut file = OpenOptions::new().create(true).append(true).open(watched.path()).unwrap();
    let mut found = Vec::new();
    for byte in text.bytes() {
        file.write_all(&[byte]).unwrap();
        for change in watched.directory.scan().unwrap() {
            assert!(matches!(
                change.kind,
                ChangeKind::New | ChangeKind::Appended | ChangeKind::Touched
            ));
            found.extend(change.rounds);
        }
    }
    assert_eq!(found, [1, 2, 3].map(round));
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_reported_once_and_keeps_no_other_file_out() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let mut watched = Watched::new();
    watched.write(&rows(&[1]));
    let odd = watched.dir.path().join(OsStr::from_bytes(b"aviator_payouts_\xff.csv"));
    fs::write(&odd, rows(&[2])).unwrap();
    let kinds = |changes: Vec<Change>| -> Vec<_> {
        changes.into_iter().map(|change| (change.kind, change.file, change.rounds.len())).collect()
    };
    let name = "aviator_payouts_\u{fffd}.csv".to_owned();
    assert_eq!(
        kinds(watched.directory.scan().unwrap()),
        [
            (ChangeKind::New, "aviator_payouts_a.csv".to_owned(), 1),
            (ChangeKind::Misnamed, name.clone(), 0)
        ]
    );
    assert_eq!(watched.directory.scan().unwrap(), []);
    fs::rename(&odd, watched.dir.path().join("aviator_payouts_b.csv")).unwrap();
    assert_eq!(
        kinds(watched.directory.scan().unwrap()),
        [(ChangeKind::Removed, name, 0), (ChangeKind::New, "aviator_payouts_b.csv".to_owned(), 1)]
    );
}

#[test]
fn rows_are_read_with_the_settings_of_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let text = "timestamp,multiplier\n2026-01-01 00:00:00,2.00\n2026-01-01 00:01:00,101.00\n";
    fs::write(dir.path().join("aviator_payouts_a.csv"), text).unwrap();
    let settings = ReadSettings {
        time_zone: "America/Sao_Paulo".parse().unwrap(),
        max_multiplier: "100".parse().unwrap(),
    };
    let change = Directory::with_settings(dir.path(), settings).scan().unwrap().remove(0);
    let times: Vec<_> = change.rounds.iter().map(|round| round.time.to_rfc3339()).collect();
    assert_eq!(
        (times.as_slice(), change.rejected_count),
        (&["2026-01-01T03:00:00+00:00".to_owned()][..], 1)
    );
}
