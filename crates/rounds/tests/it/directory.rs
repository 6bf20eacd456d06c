use chrono::{DateTime, TimeDelta, Utc};
use rounds::scan::{ChangeKind, Directory};
use rounds::{Event, EventKind, LogError, Multiplier, Origin, Round, RoundLog, last_rounds};

pub(crate) fn now() -> DateTime<Utc> {
    "2025-12-10T19:32:35Z".parse().unwrap()
}

pub(crate) fn round(n: u64) -> Round {
    let time = now() + TimeDelta::milliseconds(i64::try_from(n).unwrap() * 12_345);
    Round { time, multiplier: Multiplier::from_cents(100 + n * 7).unwrap() }
}

#[test]
fn rounds_that_are_written_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    let mut directory = Directory::new(dir.path());
    assert_eq!(directory.scan().unwrap()[0].kind, ChangeKind::New);
    let event = Event::new(EventKind::Live, "demo");
    for n in 0..5 {
        log.append(&round(n), &event).unwrap();
        let changes = directory.scan().unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].kind, ChangeKind::Appended);
        assert_eq!(changes[0].rounds, [round(n)]);
        assert_eq!(changes[0].total, n + 1);
    }
    assert_eq!(directory.scan().unwrap(), []);
    assert_eq!(last_rounds(dir.path(), 2).unwrap(), [round(3), round(4)]);
    assert_eq!(log.path().file_name().unwrap(), "aviator_payouts_20251210_193235.csv");
    let side = std::fs::read_to_string(log.path().with_extension("events.jsonl")).unwrap();
    assert_eq!(side.lines().count(), 5);
}

#[test]
fn a_second_writer_is_told_who_writes() {
    let dir = tempfile::tempdir().unwrap();
    let _log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    let error = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap_err();
    let LogError::Locked { pid, .. } = &error else { panic!("{error}") };
    assert_eq!(*pid, Some(std::process::id()));
}
