use std::fs;
use std::path::Path;

use chrono::DateTime;
use forecasting::ledger::Settled;
use rounds::disk::faulty::FaultyDisk;

use super::*;

fn entry(round: u64) -> Entry {
    let time = DateTime::UNIX_EPOCH;
    Entry::Settled(Settled { round, time, actual: 2.0, settled_at: time })
}

fn keeper(dir: &Path) -> LedgerStore {
    let mut keeper = LedgerStore::new(dir.to_owned(), Arc::new(FaultyDisk::default()));
    keeper.read(&[]);
    keeper
}

#[test]
fn a_place_is_given_only_while_the_ledger_says_all_that_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut keeper = keeper(dir.path());
    assert!(keeper.position().is_some());
    keeper.append(&entry(1)).unwrap();
    assert_eq!(keeper.position(), None, "it is not on the disk yet");
    keeper.sync().unwrap();
    assert!(keeper.position().is_some());
    // The directory is replaced under it.
    fs::remove_file(dir.path().join("forecasts.jsonl")).unwrap();
    keeper.append(&entry(2)).unwrap();
    keeper.sync().unwrap();
    assert_eq!(keeper.position(), None);
    keeper.read(&[]);
    assert!(keeper.position().is_some());
}

#[test]
fn without_a_ledger_nothing_is_kept_and_nothing_fails() {
    let dir = tempfile::tempdir().unwrap();
    let first = keeper(dir.path());
    let mut second = keeper(dir.path());
    assert_eq!(second.append(&entry(1)), Ok(()));
    assert_eq!(second.sync(), Ok(()));
    assert_eq!(second.position(), None);
    assert_eq!(second.path(), None);
    assert!(!second.is_checkpoint_due(1_000_000));
    drop(first);
}
