use std::path::Path;

use rounds::{EventKind, Multiplier, Origin, last_rounds};
use tempfile::TempDir;
use test_support::{Fault, FaultyDisk};

use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600 + second, 0).unwrap()
}

fn row(number: i64) -> Entry {
    let cents = 100 + u64::try_from(number).unwrap();
    let round = Round { time: at(number), multiplier: Multiplier::from_cents(cents).unwrap() };
    Entry::Row(round, Event::new(EventKind::Live, "test"))
}

fn writer() -> (TempDir, FaultyDisk, Writer) {
    let (dir, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let log =
        RoundLog::open_on(Box::new(disk.clone()), dir.path(), Origin::Recorded, at(0)).unwrap();
    (dir, disk, Writer::start(log, Console::silent()).unwrap())
}

fn cents(dir: &Path) -> Vec<u64> {
    let rows = last_rounds(dir, usize::MAX).unwrap();
    rows.iter().map(|round| round.multiplier.cents()).collect()
}

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn rounds_are_written_in_order_and_counted() {
    let (dir, _, mut writer) = writer();
    for number in 0..100 {
        writer.try_put(row(number)).unwrap();
    }
    while writer.progress().rounds_written < 100 {
        writer.changed().await.unwrap();
    }
    let (unwritten, progress) = writer.stop(PATIENCE).await.unwrap();
    assert_eq!((unwritten, progress.rounds_written), (0, 100));
    assert_eq!(progress.last_round.unwrap().multiplier.cents(), 199);
    assert_eq!(cents(dir.path()), (100..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn rounds_that_arrive_while_the_disk_is_full_are_kept_in_order() {
    let (dir, disk, mut writer) = writer();
    disk.fail(Fault::Full, 1, u64::MAX);
    for number in 0..50 {
        writer.try_put(row(number)).unwrap();
    }
    while writer.progress().failing.is_none() {
        writer.changed().await.unwrap();
    }
    assert_eq!(writer.queued(), 50);
    assert_eq!(cents(dir.path()), [0; 0]);
    disk.heal();
    while writer.progress().rounds_written < 50 {
        writer.changed().await.unwrap();
    }
    assert_eq!(writer.progress().failing, None);
    assert_eq!(writer.stop(PATIENCE).await.unwrap().0, 0);
    assert_eq!(cents(dir.path()), (100..150).collect::<Vec<_>>());
}

#[tokio::test]
async fn rounds_that_the_disk_rejects_until_the_end_are_counted() {
    let (dir, disk, writer) = writer();
    disk.fail(Fault::Full, 1, u64::MAX);
    for number in 0..7 {
        writer.try_put(row(number)).unwrap();
    }
    let (unwritten, progress) = writer.stop(Duration::ZERO).await.unwrap();
    assert_eq!(unwritten, 7);
    assert!(progress.failing.is_some());
    assert!(disk.was_hit());
    assert_eq!(cents(dir.path()), [0; 0]);
}

#[tokio::test]
async fn a_disk_that_recovers_before_the_deadline_gets_everything() {
    let (dir, disk, mut writer) = writer();
    disk.fail(Fault::Full, 1, u64::MAX);
    for number in 0..7 {
        writer.try_put(row(number)).unwrap();
    }
    while writer.progress().failing.is_none() {
        writer.changed().await.unwrap();
    }
    let stopping = writer.stop(PATIENCE);
    disk.heal();
    assert_eq!(stopping.await.unwrap().0, 0);
    assert_eq!(cents(dir.path()).len(), 7);
}

#[tokio::test]
async fn a_full_queue_returns_the_round() {
    let (_dir, disk, writer) = writer();
    disk.fail(Fault::Full, 1, u64::MAX);
    let put = (0..20_000).take_while(|&number| writer.try_put(row(number % 1000)).is_ok()).count();
    // The thread may have taken one from the queue already.
    assert!((QUEUE_LEN..=QUEUE_LEN + 1).contains(&put), "{put}");
    assert_eq!(writer.stop(Duration::ZERO).await.unwrap().0, put);
}

#[tokio::test]
async fn a_round_is_acknowledged_only_after_it_is_in_the_file() {
    let (dir, _, mut writer) = writer();
    for number in 0..20 {
        writer.try_put(row(number)).unwrap();
        while writer.progress().rounds_written <= u64::try_from(number).unwrap() {
            writer.changed().await.unwrap();
        }
        assert_eq!(cents(dir.path()).len(), usize::try_from(number).unwrap() + 1);
    }
    writer.stop(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn an_event_that_cannot_be_written_is_reported_and_written_later() {
    let (dir, disk, mut writer) = writer();
    // The row takes three calls (stat, write, sync); the fourth is the event's.
    disk.fail(Fault::Broken, 4, 1);
    writer.try_put(row(0)).unwrap();
    while writer.progress().rounds_written < 1 {
        writer.changed().await.unwrap();
    }
    let progress = writer.progress();
    assert_eq!(progress.failing, None, "the row is on the disk");
    assert!(progress.events_failing.unwrap().contains("events.jsonl"));
    writer.try_put(row(1)).unwrap();
    while writer.progress().rounds_written < 2 {
        writer.changed().await.unwrap();
    }
    let (_, progress) = writer.stop(PATIENCE).await.unwrap();
    assert_eq!(progress.events_failing, None);
    let events = std::fs::read_to_string(progress.file.with_extension("events.jsonl")).unwrap();
    assert_eq!(events.lines().count(), 2);
    assert_eq!(cents(dir.path()), [100, 101]);
}

/// C9: a time that no row can hold must not keep the rounds behind it from the disk.
#[tokio::test]
async fn a_round_that_can_never_be_written_is_skipped_with_a_gap() {
    let (dir, _, mut writer) = writer();
    writer.try_put(row(0)).unwrap();
    let late = DateTime::<Utc>::MAX_UTC;
    let Entry::Row(round, event) = row(1) else { panic!("a row") };
    writer.try_put(Entry::Row(Round { time: late, ..round }, event)).unwrap();
    writer.try_put(row(2)).unwrap();
    while writer.progress().rounds_written < 2 {
        writer.changed().await.unwrap();
    }
    let (unwritten, progress) = writer.stop(PATIENCE).await.unwrap();
    assert_eq!((unwritten, progress.failing), (0, None));
    assert_eq!(cents(dir.path()), [100, 102]);
    let events = std::fs::read_to_string(progress.file.with_extension("events.jsonl")).unwrap();
    let kinds: Vec<bool> = events.lines().map(|line| line.contains("\"gap\"")).collect();
    assert_eq!(kinds, [false, true, false], "{events}");
    assert!(events.contains("outside the years 0 to 9999"), "{events}");
}

/// C5: an editor or a sync tool that replaces the event file does not take the later events with it.
#[tokio::test]
async fn an_event_file_that_was_replaced_is_opened_again() {
    let (dir, _, mut writer) = writer();
    writer.try_put(row(0)).unwrap();
    while writer.progress().rounds_written < 1 {
        writer.changed().await.unwrap();
    }
    let events = writer.progress().file.with_extension("events.jsonl");
    let copy = dir.path().join("copy");
    std::fs::copy(&events, &copy).unwrap();
    std::fs::rename(&copy, &events).unwrap();
    writer.try_put(row(1)).unwrap();
    while writer.progress().rounds_written < 2 {
        writer.changed().await.unwrap();
    }
    let (_, progress) = writer.stop(PATIENCE).await.unwrap();
    assert_eq!((progress.events_failing, cents(dir.path())), (None, vec![100, 101]));
    let events = std::fs::read_to_string(events).unwrap();
    assert_eq!(events.lines().filter(|line| !line.is_empty()).count(), 2, "{events}");
}
