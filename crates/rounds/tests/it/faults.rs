//! A disk on which any call may fail: acknowledged rows are kept, and no row is written twice.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use rounds::scan::Directory;
use rounds::{Event, EventKind, EventLine, LogError, Origin, Round, RoundLog};
use tempfile::TempDir;
use test_support::{Fault, FaultyDisk};

use crate::directory::{now, round};

/// More calls than any workload here makes.
const CALLS_MAX: u64 = 1000;

fn files(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Returns all rounds that a reader finds, file by file, in row order.
fn readable(dir: &Path) -> Vec<Round> {
    let changes = Directory::new(dir).scan().unwrap();
    assert!(changes.iter().all(|change| change.rejected_count == 0), "{changes:?}");
    changes.into_iter().flat_map(|change| change.rounds).collect()
}

/// Opens the log, retrying as long as faults are still planned.
fn open(disk: &FaultyDisk, dir: &Path) -> RoundLog {
    loop {
        let is_over = disk.is_over();
        let opened = RoundLog::open_on(Box::new(disk.clone()), dir, Origin::Recorded, now());
        if is_over || opened.is_ok() {
            return opened.unwrap();
        }
    }
}

/// Returns a directory that already has its marker: writing the marker would wait for the real
/// disk.
fn marked_dir() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(rounds::ORIGIN_FILE), "recorded\n").unwrap();
    dir
}

/// Checks that each row has exactly one event, which names that row.
fn check_events(dir: &Path, written: &[Round]) {
    let mut found = Vec::new();
    let mut seqs = Vec::new();
    for path in files(dir) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(stem) = name.strip_suffix(".events.jsonl") else { continue };
        for line in fs::read_to_string(&path).unwrap().lines() {
            let line: EventLine = serde_json::from_str(line).unwrap();
            seqs.push(line.seq);
            let Some(row) = line.row else { continue };
            let csv = line.file.unwrap_or(format!("{stem}.csv"));
            let rows = fs::read_to_string(dir.join(csv)).unwrap();
            let row = rows.lines().nth(usize::try_from(row).unwrap()).unwrap().to_owned();
            found.push((line.unix_ms, row));
        }
    }
    found.sort();
    let expected: Vec<(i64, String)> = written
        .iter()
        .map(|round| (round.time.timestamp_millis(), round.to_row().trim_end().to_owned()))
        .collect();
    assert_eq!(found, expected);
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), written.len() + 1, "each event has a number of its own");
}

const ROUNDS: u64 = 5;

/// Writes some rounds, retrying each until it is written; returns false if no fault occurred.
fn survives(fault: Fault, first: u64, count: u64) -> bool {
    let dir = marked_dir();
    let disk = FaultyDisk::new(fault, first, first + count - 1);
    let mut log = open(&disk, dir.path());
    let mut written = Vec::new();
    for n in 0..ROUNDS {
        let event = Event::new(EventKind::Live, "test");
        loop {
            let is_over = disk.is_over();
            let result = log.append(&round(n), &event);
            let found = readable(dir.path());
            if result.is_ok() {
                written.push(round(n));
                assert_eq!(found, written, "what is acknowledged is there, once");
                break;
            }
            assert!(!is_over, "once nothing fails the next append succeeds: {result:?}");
            let unacknowledged = found.strip_prefix(written.as_slice()).unwrap();
            assert!(unacknowledged.is_empty() || unacknowledged == [round(n)]);
        }
        assert_eq!(log.rounds_written(), n + 1);
    }
    let was_hit = disk.was_hit();
    disk.heal();
    log.note(now(), &Event::new(EventKind::Stop, "test")).unwrap();
    assert_eq!(log.events_waiting(), 0);
    assert_eq!(readable(dir.path()), written);
    check_events(dir.path(), &written);
    drop(log);
    disk.lose_power(dir.path()).unwrap();
    assert_eq!(readable(dir.path()), written, "it is on the disk, once");
    was_hit
}

#[test]
fn whichever_calls_fail_acknowledged_rows_are_there_once_and_writing_resumes() {
    for fault in Fault::ALL {
        for count in [1, 2, 8] {
            let tried = (1..CALLS_MAX).take_while(|&first| survives(fault, first, count)).count();
            assert!(tried > 30, "{fault:?} was tried at {tried} calls only");
        }
    }
}

/// Fails every call from `first` on and then loses what was not synced; returns false if the
/// workload ended before that call.
fn survives_loss_of_power(fault: Fault, first: u64, keeps_unsynced: bool) -> bool {
    let dir = marked_dir();
    let disk = FaultyDisk::new(fault, first, u64::MAX);
    let mut written = Vec::new();
    if let Ok(mut log) =
        RoundLog::open_on(Box::new(disk.clone()), dir.path(), Origin::Recorded, now())
    {
        for n in 0..ROUNDS {
            if log.append(&round(n), &Event::new(EventKind::Live, "test")).is_err() {
                break;
            }
            written.push(round(n));
        }
    }
    if !keeps_unsynced {
        disk.lose_power(dir.path()).unwrap();
    }
    let mut log = open(&FaultyDisk::default(), dir.path());
    let found = readable(dir.path());
    let more = found.strip_prefix(written.as_slice()).unwrap();
    assert!(more.len() <= 1, "only the row in hand may be there unacknowledged");
    log.append(&round(100), &Event::new(EventKind::Live, "test")).unwrap();
    assert_eq!(readable(dir.path()), [found, vec![round(100)]].concat());
    disk.was_hit()
}

#[test]
fn whenever_the_power_fails_acknowledged_rows_are_there_once() {
    // A write that is always interrupted is retried forever.
    for fault in Fault::ALL.iter().filter(|fault| **fault != Fault::Interrupted) {
        for keeps_unsynced in [false, true] {
            let tried = (1..CALLS_MAX)
                .take_while(|&first| survives_loss_of_power(*fault, first, keeps_unsynced))
                .count();
            assert!(tried > 30, "{fault:?} was tried at {tried} calls only");
        }
    }
}

/// Rows added by someone else are neither cut off nor appended to.
#[test]
fn a_file_that_someone_else_changes_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let mut log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    let event = Event::new(EventKind::Live, "test");
    log.append(&round(0), &event).unwrap();
    let first = log.path().to_owned();
    let mut theirs = OpenOptions::new().append(true).open(&first).unwrap();
    theirs.write_all(b"2025-12-10T20:00:00.000Z,7").unwrap();
    log.append(&round(1), &event).unwrap();
    assert_ne!(log.path(), first);
    let text = fs::read_to_string(&first).unwrap();
    assert!(text.ends_with(&format!("{}2025-12-10T20:00:00.000Z,7", round(0).to_row())), "{text}");
    assert_eq!(readable(dir.path()), [round(0), round(1)]);
    check_row_events(dir.path(), 2);
}

fn check_row_events(dir: &Path, count: usize) {
    let lines: usize = files(dir)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .map(|path| fs::read_to_string(path).unwrap().lines().count())
        .sum();
    assert_eq!(lines, count);
}

#[cfg(unix)]
#[test]
fn events_continue_when_someone_else_changes_or_deletes_their_file() {
    let dir = TempDir::new().unwrap();
    let mut log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    let side = log.path().with_extension("events.jsonl");
    let kinds = || {
        let text = fs::read_to_string(&side).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<EventLine>(line).ok());
        lines.map(|line| line.event.kind).collect::<Vec<_>>()
    };
    log.note(now(), &Event::new(EventKind::Start, "test")).unwrap();
    OpenOptions::new().append(true).open(&side).unwrap().write_all(b"my own note").unwrap();
    log.note(now(), &Event::new(EventKind::Gap, "test")).unwrap();
    assert_eq!(kinds(), [EventKind::Start, EventKind::Gap]);
    assert!(fs::read_to_string(&side).unwrap().contains("my own note\n"));
    fs::remove_file(&side).unwrap();
    log.note(now(), &Event::new(EventKind::Stop, "test")).unwrap();
    assert_eq!(kinds(), [EventKind::Stop]);
}

#[cfg(unix)]
#[test]
fn rounds_go_to_a_new_file_when_the_current_one_is_deleted() {
    let dir = TempDir::new().unwrap();
    let mut log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    let event = Event::new(EventKind::Live, "test");
    log.append(&round(0), &event).unwrap();
    fs::remove_file(log.path()).unwrap();
    log.append(&round(1), &event).unwrap();
    assert_eq!(readable(dir.path()), [round(1)]);
}

#[test]
fn a_disk_that_never_accepts_a_first_row_accumulates_no_files() {
    let dir = TempDir::new().unwrap();
    let disk = FaultyDisk::default();
    // The header can be synced.
    disk.fail(Fault::UnsyncedBeyond(21), 1, u64::MAX);
    let mut log =
        RoundLog::open_on(Box::new(disk.clone()), dir.path(), Origin::Recorded, now()).unwrap();
    let event = Event::new(EventKind::Live, "test");
    for _ in 0..100 {
        log.append(&round(0), &event).unwrap_err();
    }
    assert_eq!(files(dir.path()).len(), 4, "rows, events, lock and origin");
    disk.heal();
    log.append(&round(0), &event).unwrap();
    assert_eq!(readable(dir.path()), [round(0)]);
}

/// A pull that was restarted while its disk was full ended with an error instead of waiting for space.
#[test]
fn a_log_opens_on_a_full_disk_and_writes_as_soon_as_there_is_space() {
    // The first call creates the file, which takes no space.
    for first in 2..5 {
        let dir = marked_dir();
        let disk = FaultyDisk::new(Fault::Full, first, u64::MAX);
        let mut log =
            RoundLog::open_on(Box::new(disk.clone()), dir.path(), Origin::Recorded, now()).unwrap();
        let event = Event::new(EventKind::Live, "test");
        for _ in 0..3 {
            assert!(log.append(&round(0), &event).unwrap_err().is_full_disk());
        }
        disk.heal();
        log.append(&round(0), &event).unwrap();
        assert_eq!(readable(dir.path()), [round(0)]);
        assert_eq!(files(dir.path()).len(), 4, "rows, events, lock and origin");
    }
}

/// A torn row could not be removed, and then someone else appended to it.
#[test]
fn nothing_is_cut_when_someone_else_has_written_after_a_torn_row() {
    let dir = TempDir::new().unwrap();
    let disk = FaultyDisk::default();
    let mut log =
        RoundLog::open_on(Box::new(disk.clone()), dir.path(), Origin::Recorded, now()).unwrap();
    let event = Event::new(EventKind::Live, "test");
    log.append(&round(0), &event).unwrap();
    let first = log.path().to_owned();
    // The write after the `stat` is short, and every later call fails.
    disk.fail(Fault::Short, 2, u64::MAX);
    log.append(&round(1), &event).unwrap_err();
    disk.heal();
    let torn = fs::read_to_string(&first).unwrap();
    assert!(!torn.ends_with('\n'), "{torn}");
    let theirs = "\n2025-12-10T20:00:00.000Z,7.00\n";
    OpenOptions::new().append(true).open(&first).unwrap().write_all(theirs.as_bytes()).unwrap();
    log.append(&round(1), &event).unwrap();
    assert_ne!(log.path(), first);
    assert_eq!(fs::read_to_string(&first).unwrap(), torn + theirs);
}

#[test]
fn an_event_file_without_its_csv_file_is_not_reused() {
    let dir = TempDir::new().unwrap();
    let log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    fs::remove_file(log.path()).unwrap();
    drop(log);
    let log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    assert_eq!(log.path().file_name().unwrap(), "aviator_payouts_20251210_193235_1.csv");
}

/// Like `/dev/full`: every write fails forever, and retries leave no files behind.
#[test]
fn a_disk_that_stays_full_accumulates_no_files() {
    let dir = TempDir::new().unwrap();
    let disk = FaultyDisk::default();
    let mut log =
        RoundLog::open_on(Box::new(disk.clone()), dir.path(), Origin::Recorded, now()).unwrap();
    let event = Event::new(EventKind::Live, "test");
    log.append(&round(0), &event).unwrap();
    disk.fail(Fault::Full, 1, u64::MAX);
    for _ in 0..100 {
        let error = log.append(&round(1), &event).unwrap_err();
        assert!(matches!(error, LogError::Io { .. }));
    }
    assert!(log.note(now(), &event).is_err());
    assert_eq!(readable(dir.path()), [round(0)]);
    assert_eq!(files(dir.path()).len(), 4, "rows, events, lock and origin");
    // If only syncing fails, the row goes to a second file, and there are no more after it.
    disk.fail(Fault::Unsynced, 1, u64::MAX);
    for _ in 0..100 {
        log.append(&round(1), &event).unwrap_err();
    }
    assert!(files(dir.path()).len() <= 5, "{:?}", files(dir.path()));
    assert_eq!(readable(dir.path()), [round(0)]);
}
