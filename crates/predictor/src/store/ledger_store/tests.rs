use std::fs;
use std::path::Path;

use chrono::DateTime;
use forecasting::ledger::Settled;
use test_support::FaultyDisk;

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
