//! Who may write to a directory, and under which file name.

use std::collections::BTreeSet;
use std::fs;

use chrono::TimeDelta;
use rounds::{
    Event, EventKind, LOCK_FILE, LogError, ORIGIN_FILE, Origin, Round, RoundLog, last_rounds,
};

use crate::directory::{now, round};

fn open(dir: &tempfile::TempDir, origin: Origin) -> Result<RoundLog, LogError> {
    RoundLog::open(dir.path(), origin, now())
}

#[test]
fn a_second_writer_is_told_who_writes_until_the_first_has_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir, Origin::Recorded).unwrap();
    let error = open(&dir, Origin::Recorded).unwrap_err();
    assert!(
        matches!(&error, LogError::Locked { pid: Some(pid), .. } if *pid == std::process::id()),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains(&format!("(process {}, since 2025-12-10T19:32:35Z)", std::process::id()))
    );
    assert!(text.contains("stop it first"), "{text}");
    assert_eq!(text.lines().count(), 1);
    drop(log);
    assert!(dir.path().join(LOCK_FILE).exists(), "the file is not the lock");
    open(&dir, Origin::Recorded).unwrap();
}

/// A refused writer changes nothing, not even the origin or the row that the first one is writing.
#[test]
fn a_second_writer_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir, Origin::Recorded).unwrap();
    fs::write(log.path(), "timestamp,multiplier\n2025-").unwrap();
    let files = || {
        let mut all: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        all.sort();
        all
    };
    let before = files();
    open(&dir, Origin::Simulated).unwrap_err();
    assert_eq!(files(), before);
}

#[test]
fn rounds_of_another_origin_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir, Origin::Simulated).unwrap());
    assert_eq!(Origin::of(dir.path()).unwrap(), Some(Origin::Simulated));
    for wanted in [Origin::Recorded, Origin::Replayed] {
        let error = open(&dir, wanted).unwrap_err();
        assert!(
            matches!(&error, LogError::Mixed { found: Origin::Simulated, wanted: w, .. } if *w == wanted),
            "{error}"
        );
        assert!(error.to_string().contains("choose another directory"), "{error}");
    }
    open(&dir, Origin::Simulated).unwrap();
}

#[test]
fn files_without_a_marker_count_as_recorded() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Origin::of(dir.path()).unwrap(), None);
    let own = dir.path().join("aviator_payouts_mine.csv");
    fs::write(&own, "timestamp,multiplier\n2025-12-09T00:00:00Z,2.31\n").unwrap();
    assert_eq!(Origin::of(dir.path()).unwrap(), Some(Origin::Recorded));
    assert!(matches!(open(&dir, Origin::Simulated), Err(LogError::Mixed { .. })));
    drop(open(&dir, Origin::Recorded).unwrap());
    let marker = fs::read_to_string(dir.path().join(ORIGIN_FILE)).unwrap();
    assert_eq!(marker, "recorded\n");
}

#[test]
fn a_marker_with_an_unknown_word_is_an_error_that_quotes_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(ORIGIN_FILE), "dreamt\n").unwrap();
    let error = open(&dir, Origin::Recorded).unwrap_err().to_string();
    assert!(
        error.contains("expected one of recorded, replayed, simulated, found `dreamt`"),
        "{error}"
    );
}

#[test]
fn runs_that_start_in_the_same_second_have_separate_files() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..12)
        .map(|n| {
            let mut log = open(&dir, Origin::Replayed).unwrap();
            log.append(&round(n), &Event::new(EventKind::Live, "test")).unwrap();
            log.path().file_name().unwrap().to_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names[0], "aviator_payouts_20251210_193235.csv");
    assert_eq!(names[11], "aviator_payouts_20251210_193235_11.csv");
    let all: Vec<_> = (0..12).map(round).collect();
    assert_eq!(last_rounds(dir.path(), 100).unwrap(), all);
    assert_eq!(last_rounds(dir.path(), 3).unwrap(), all[9..]);
    assert_eq!(last_rounds(dir.path(), 0).unwrap(), []);
}

/// Names use UTC, so a change to or from daylight saving time does not affect them.
#[test]
fn a_run_after_a_clock_jump_gets_a_new_file_and_leaves_the_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    let hour = TimeDelta::hours(1);
    let starts = [now(), now() - hour, now() + hour * 24 * 365, now() - hour, now()];
    let mut names = Vec::new();
    for (n, start) in (0..).zip(starts) {
        let mut log = RoundLog::open(dir.path(), Origin::Recorded, start).unwrap();
        log.append(&round(n), &Event::new(EventKind::Live, "test")).unwrap();
        names.push(log.path().file_name().unwrap().to_string_lossy().into_owned());
    }
    let expected = [
        "aviator_payouts_20251210_193235.csv",
        "aviator_payouts_20251210_183235.csv",
        "aviator_payouts_20261210_193235.csv",
        "aviator_payouts_20251210_183235_1.csv",
        "aviator_payouts_20251210_193235_1.csv",
    ];
    assert_eq!(names, expected);
    assert_eq!(last_rounds(dir.path(), usize::MAX).unwrap().len(), starts.len());
}

#[test]
fn the_last_rounds_are_the_newest_over_all_files() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, rounds: &[u64]| {
        let rows: String = rounds.iter().map(|&n| round(n).to_row()).collect();
        let path = dir.path().join(format!("aviator_payouts_{name}.csv"));
        fs::write(path, "timestamp,multiplier\n".to_owned() + &rows).unwrap();
    };
    write("a", &[9, 8, 7]);
    write("b", &[4, 5, 6]);
    write("copy_of_b", &[5, 6]);
    assert_eq!(last_rounds(dir.path(), 4).unwrap(), [6, 7, 8, 9].map(round));
    assert_eq!(last_rounds(dir.path(), 9).unwrap(), [4, 5, 6, 7, 8, 9].map(round));
    assert!(last_rounds(&dir.path().join("none"), 4).is_err());
}

#[test]
fn the_row_and_its_event_hold_what_was_passed() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(&dir, Origin::Recorded).unwrap();
    log.note(now(), &Event::new(EventKind::Start, "demo")).unwrap();
    let event = Event {
        round_id: Some("17".to_owned()),
        detail: Some(serde_json::json!({"server_seed": "abc"})),
        ..Event::new(EventKind::Backfill, "demo")
    };
    log.append(&round(1), &event).unwrap();
    assert_eq!(
        fs::read_to_string(log.path()).unwrap(),
        "timestamp,multiplier\n2025-12-10T19:32:47.345Z,2.53\n"
    );
    let side = fs::read_to_string(log.path().with_extension("events.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        side.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines,
        [
            serde_json::json!({"seq": 1, "unix_ms": 1_765_395_155_000i64, "kind": "start", "source": "demo"}),
            serde_json::json!({
                "seq": 2, "unix_ms": 1_765_395_167_345i64, "kind": "backfill", "source": "demo",
                "round_id": "17", "row": 1, "detail": {"server_seed": "abc"},
            }),
        ]
    );
}

#[test]
fn the_error_names_a_directory_that_cannot_be_created() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = RoundLog::open(&file.join("data"), Origin::Recorded, now()).unwrap_err();
    assert!(error.to_string().starts_with("cannot create the directory"), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

/// RFC 3339 has four digits for the year, so this row could be written but never read back.
#[test]
fn a_time_that_cannot_be_read_back_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(&dir, Origin::Recorded).unwrap();
    let time = chrono::DateTime::from_timestamp(253_402_300_800, 0).unwrap();
    let late = Round { time, ..round(1) };
    let error = log.append(&late, &Event::new(EventKind::Live, "test")).unwrap_err();
    assert!(error.is_permanent());
    assert!(error.to_string().contains("10000"), "{error}");
    log.append(&round(1), &Event::new(EventKind::Live, "test")).unwrap();
    assert_eq!(last_rounds(dir.path(), 9).unwrap(), [round(1)]);
}

/// Back an hour, a hundred days ahead and back again, twice the same second: as at the end of summer time.
#[test]
fn whatever_the_clock_shows_a_run_gets_a_new_file_and_no_row_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let starts = [0, -3600, 100 * 86_400, 1, -3600, 0, 0];
    let mut written = Vec::new();
    let mut names = BTreeSet::new();
    for (n, second) in (0..).zip(starts) {
        let started = now() + TimeDelta::seconds(second);
        let mut log = RoundLog::open(dir.path(), Origin::Recorded, started).unwrap();
        let round = Round { time: started, ..round(n) };
        log.append(&round, &Event::new(EventKind::Live, "test")).unwrap();
        written.push(round);
        assert!(names.insert(log.path().to_owned()), "{:?}", log.path());
    }
    let mut found = last_rounds(dir.path(), usize::MAX).unwrap();
    let order = |round: &Round| (round.time, round.multiplier.cents());
    found.sort_by_key(order);
    written.sort_by_key(order);
    assert_eq!(found, written);
}
