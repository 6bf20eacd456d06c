use std::fs;
use std::path::Path;

use chrono::DateTime;
use forecasting::ledger::Settled;
use test_support::{FaultyDisk, capture_logs};

use super::*;

fn entry(round: u64) -> Entry {
    let time = DateTime::UNIX_EPOCH;
    Entry::Settled(Settled { round, time, actual: 2.0, settled_at: time })
}

fn open(dir: &Path) -> LedgerStore {
    let mut store =
        LedgerStore::new(dir.to_owned(), Arc::new(FaultyDisk::default()), HouseLaw::default());
    store.read(&[]);
    store
}

#[test]
fn a_place_is_given_only_while_the_ledger_says_all_that_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    assert!(store.position().is_some());
    store.append(&entry(1)).unwrap();
    assert_eq!(store.position(), None, "it is not on the disk yet");
    store.sync().unwrap();
    assert!(store.position().is_some());
    // Replace the directory while the ledger is open.
    fs::remove_file(dir.path().join("forecasts.jsonl")).unwrap();
    store.append(&entry(2)).unwrap();
    store.sync().unwrap();
    assert_eq!(store.position(), None);
    store.read(&[]);
    assert!(store.position().is_some());
}

#[test]
fn without_a_ledger_nothing_is_kept_and_nothing_fails() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let mut second = open(dir.path());
    assert_eq!(second.append(&entry(1)), Ok(()));
    assert_eq!(second.sync(), Ok(()));
    assert_eq!(second.position(), None);
    assert_eq!(second.path(), None);
    assert!(!second.is_checkpoint_due(1_000_000));
    drop(first);
}

/// R11: whatever happens to the ledger is said with the next entry, once.
#[test]
fn a_ledger_that_another_program_changes_is_reported_once() {
    let cut = |file: &Path| fs::write(file, b"").unwrap();
    let delete = |file: &Path| fs::remove_file(file).unwrap();
    let move_away = |file: &Path| {
        let dir = file.parent().unwrap();
        fs::rename(dir, dir.with_extension("away")).unwrap();
    };
    let changes: [&dyn Fn(&Path); 3] = [&cut, &delete, &move_away];
    for change in changes {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let mut store = open(&state);
        store.append(&entry(1)).unwrap();
        store.sync().unwrap();
        change(&state.join("forecasts.jsonl"));
        let logs = capture_logs(|| {
            for round in 2..5 {
                store.append(&entry(round)).unwrap();
                store.sync().unwrap();
            }
        });
        assert_eq!(logs.matches("truncated, moved or deleted the ledger").count(), 1, "{logs}");
        let written = fs::read_to_string(state.join("forecasts.jsonl")).unwrap();
        assert_eq!(written.lines().count(), 3);
    }
}
