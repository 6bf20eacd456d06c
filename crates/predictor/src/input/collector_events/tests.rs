use std::fs::File;
use std::io::Write as _;

use rounds::{EVENT_BYTES_MAX, Event, Multiplier, Origin, Round, RoundLog};

use super::*;

const FILE: &str = "aviator_payouts_20260101_000000.events.jsonl";

fn append(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn line(second: i64, kind: &str) -> String {
    let detail = r#""detail":{"after":"5 s"}"#;
    format!(
        "{{\"seq\":1,\"unix_ms\":{},\"kind\":\"{kind}\",\"source\":\"x\",{detail}}}\n",
        second * 1000
    )
}

fn scan(events: &mut CollectorEvents) -> Arc<EventLog> {
    events.scan();
    events.log()
}

#[test]
fn events_that_a_collector_writes_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let mut recording = RoundLog::open(dir.path(), Origin::Recorded, now).unwrap();
    recording.note(now, &Event::new(EventKind::Start, "browser")).unwrap();
    let round = Round { time: now, multiplier: Multiplier::new(2.0).unwrap() };
    recording.append(&round, &Event::new(EventKind::Live, "browser")).unwrap();
    recording.note(now, &Event::new(EventKind::Gap, "browser")).unwrap();
    let mut events = CollectorEvents::new(dir.path());
    let log = scan(&mut events);
    assert_eq!(log.totals, Totals { start: 1, live: 1, gap: 1, ..Totals::default() });
    let kinds: Vec<EventKind> = log.newest.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [EventKind::Start, EventKind::Gap]);
    assert_eq!(log.newest[1].source, "browser");
    assert_eq!(log.newest[1].time, now);
    assert_eq!(log.newest[1].file, "aviator_payouts_20260101_000000.csv");
}

#[test]
fn a_line_is_read_once_and_only_when_it_has_its_newline() {
    let dir = tempfile::tempdir().unwrap();
    let mut events = CollectorEvents::new(dir.path());
    assert_eq!(scan(&mut events).totals, Totals::default());
    let text = line(1, "gap");
    let (begin, end) = text.split_at(20);
    append(dir.path(), FILE, begin);
    assert_eq!(scan(&mut events).totals.gap, 0);
    append(dir.path(), FILE, end);
    let first = scan(&mut events);
    assert_eq!((first.totals.gap, first.newest.len(), first.unreadable), (1, 1, 0));
    let again = scan(&mut events);
    assert_eq!((again.totals.gap, again.change), (1, first.change));
}

#[test]
fn lines_that_are_not_events_are_counted_and_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let unknown = line(1, "eclipse");
    let text = format!("{{}}\nnonsense\n{unknown}\n\n{}", line(2, "weak"));
    append(dir.path(), FILE, &text);
    let log = scan(&mut CollectorEvents::new(dir.path()));
    assert_eq!((log.unreadable, log.totals.weak, log.newest.len()), (3, 1, 1));
}

#[test]
fn a_file_that_shrinks_or_goes_takes_its_events_with_it() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), FILE, &(line(1, "gap") + &line(2, "gap")));
    append(dir.path(), "aviator_payouts_20260102_000000.events.jsonl", &line(9, "reset"));
    let mut events = CollectorEvents::new(dir.path());
    assert_eq!(scan(&mut events).totals.gap, 2);
    fs::write(dir.path().join(FILE), line(3, "conflict")).unwrap();
    let log = scan(&mut events);
    let expected = Totals { conflict: 1, reset: 1, ..Totals::default() };
    assert_eq!((log.totals, log.newest.len()), (expected, 2));
    fs::remove_file(dir.path().join(FILE)).unwrap();
    let log = scan(&mut events);
    assert_eq!((log.totals, log.newest.len()), (Totals { reset: 1, ..Totals::default() }, 1));
}

#[test]
fn many_events_are_read_in_several_scans_and_only_the_newest_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (older, newer) = (FILE, "aviator_payouts_20260102_000000.events.jsonl");
    // The newer run's file is shorter than one scan reads, the older longer than two read.
    let lines = |seconds: std::ops::Range<i64>, kind| {
        seconds.map(|second| line(second, kind)).collect::<String>()
    };
    append(dir.path(), older, &lines(0..15_000, "live"));
    append(dir.path(), older, &lines(15_000..15_600, "backfill"));
    append(dir.path(), newer, &lines(20_000..20_010, "gap"));
    let mut events = CollectorEvents::new(dir.path());
    let mut scans = 1;
    events.scan();
    while events.is_behind() {
        events.scan();
        scans += 1;
    }
    assert!(scans > 2, "{scans}");
    let log = events.log();
    let expected = Totals { live: 15_000, backfill: 600, gap: 10, ..Totals::default() };
    assert_eq!((log.totals, log.unreadable), (expected, 0));
    assert_eq!(log.newest.len(), EVENTS_MAX);
    assert!(log.newest.is_sorted_by_key(|event| event.time));
    assert_eq!(log.newest.last().unwrap().time.timestamp(), 20_009);
}

#[test]
fn a_line_that_is_too_long_is_counted_and_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let text = "x".repeat(EVENT_BYTES_MAX * 2 + 10);
    append(dir.path(), FILE, &text);
    append(dir.path(), FILE, &format!("\n{}", line(5, "gap")));
    let mut events = CollectorEvents::new(dir.path());
    (0..4).for_each(|_| events.scan());
    assert!(!events.is_behind());
    let log = events.log();
    assert_eq!((log.unreadable, log.totals.gap), (1, 1));
}

/// A line without end may not delay the rounds: a scan reads a part of it, and what was read is not read again.
#[cfg(unix)]
#[test]
fn an_endless_line_is_read_in_parts_and_delays_no_scan() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), FILE, &line(1, "gap"));
    let file = File::options().write(true).open(dir.path().join(FILE)).unwrap();
    // A hole in the file: it takes no space, but to read it would take hours.
    file.set_len(1 << 42).unwrap();
    let mut events = CollectorEvents::new(dir.path());
    let mut before = 0;
    for _ in 0..5 {
        assert_eq!(scan(&mut events).totals.gap, 1);
        let read = events.files[FILE].read.bytes_read();
        let part = read - before;
        assert!((BYTES_AT_ONCE / 2..3 * BYTES_AT_ONCE).contains(&part), "{part}");
        assert!(events.is_behind());
        before = read;
    }
}
