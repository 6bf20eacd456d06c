//! A new process resumes where the files end.

use rounds::{Event, Origin, RoundLog, last_rounds};

use super::*;

/// Returns rounds of these values, newest last, one every 23 s up to second zero.
fn rows(cents: &[u64]) -> Vec<Round> {
    let row = |(age, &cents): (usize, &u64)| Round {
        time: wall(-23.0 * age as f64),
        multiplier: Multiplier::from_cents(cents).unwrap(),
    };
    let mut rows: Vec<Round> = cents.iter().rev().enumerate().map(row).collect();
    rows.reverse();
    rows
}

fn resume_point(rounds: Vec<Round>) -> ResumePoint {
    ResumePoint { newest: rounds.last().map(|round| round.time), rounds, ..ResumePoint::default() }
}

/// Returns a table whose last 40 rounds are in the files, with a deduplicator that resumes from them.
fn restarted() -> Table {
    let mut table = Table::new(Deduplicator::new(settings()));
    for _ in 0..40 {
        table.play_any();
    }
    let mut recorded: Vec<u64> = table.history[..40].to_vec();
    recorded.reverse();
    table.deduplicator = Deduplicator::resuming(settings(), &resume_point(rows(&recorded)));
    table
}

#[test]
fn rounds_played_while_the_collector_was_down_are_filled_in() {
    let mut table = restarted();
    table.play(&[101, 102, 103]);
    table.now += 69.0;
    assert_eq!(table.poll_history(), ["~101", "~102", "~103"]);
}

#[test]
fn nothing_is_written_twice_after_a_restart() {
    let mut table = restarted();
    assert_eq!(table.poll_history(), [""; 0]);
}

#[test]
fn a_long_stop_is_marked() {
    let mut table = restarted();
    let played: Vec<u64> = (0..60).map(|_| table.play_any()).collect();
    table.now += 60.0 * 23.0;
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    assert_eq!(written[0], "Gap");
    assert_eq!(written[1], format!("~{}", played[35]));
    assert_eq!(written.len(), 26);
}

#[test]
fn the_files_of_another_table_are_recognized() {
    let mut table = restarted();
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 30.0;
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), ["Reset"]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn an_empty_file_is_a_first_start() {
    let mut table = Table::new(Deduplicator::resuming(settings(), &ResumePoint::default()));
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn a_clock_set_back_since_the_last_run_does_not_hide_rounds() {
    let mut table = restarted();
    table.wall_offset = -7200.0;
    table.play(&[101, 102, 103, 104, 105]);
    table.now += 115.0;
    let written = table.poll_history();
    assert_eq!(written, ["~101", "~102", "~103", "~104", "~105"]);
}

#[test]
fn one_or_two_rows_are_joined_weakly() {
    for recorded in 1..=2 {
        let mut table = Table::new(Deduplicator::new(settings()));
        let mut tail: Vec<u64> = table.history[..recorded].to_vec();
        tail.reverse();
        table.deduplicator = Deduplicator::resuming(settings(), &resume_point(rows(&tail)));
        table.play(&[101, 102]);
        table.now += 46.0;
        assert_eq!(table.poll_history(), ["Weak", "~101", "~102"]);
        table.play(&[103]);
        table.now += 9.0;
        assert_eq!(table.poll_history(), ["+103"]);
    }
}

#[test]
fn a_torn_last_row_is_written_again_from_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = Table::new(Deduplicator::new(settings()));
    let mut recorded: Vec<u64> = table.history[..25].to_vec();
    recorded.reverse();
    let mut log = RoundLog::open(dir.path(), Origin::Recorded, wall(-900.0)).unwrap();
    for round in rows(&recorded) {
        log.append(&round, &Event::new(EventKind::Live, "browser")).unwrap();
    }
    let path = log.path().to_owned();
    drop(log);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 2]).unwrap();

    let log = RoundLog::open(dir.path(), Origin::Recorded, wall(0.0)).unwrap();
    let rows = last_rounds(dir.path(), WINDOW).unwrap();
    assert_eq!(rows.len(), 24);
    table.deduplicator = Deduplicator::resuming(settings(), &resume_point(rows));
    table.play(&[101]);
    table.now += 23.0;
    let torn = format!("~{}", table.history[1]);
    assert_eq!(table.poll_history(), [torn, "~101".to_owned()]);
    drop(log);
}

#[test]
fn a_reset_while_frames_come_writes_no_round_twice() {
    let mut table = Table::started();
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 20.0;
    // The message of the other table arrives first, then the table's list, which shows the same
    // round.
    let newest = table.history[0];
    assert_eq!(table.written_for(round_report(Some("new"), newest)), [format!("+{newest}")]);
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), ["Reset"]);
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn files_with_a_missing_older_round_are_continued() {
    let mut table = restarted();
    let mut recorded: Vec<u64> = table.history[..40].to_vec();
    recorded.reverse();
    // Another recorder dropped the second of two equal neighbours six rounds ago.
    recorded.remove(33);
    table.deduplicator = Deduplicator::resuming(settings(), &resume_point(rows(&recorded)));
    table.play(&[101, 102]);
    table.now += 46.0;
    assert_eq!(table.poll_history(), ["~101", "~102"]);
}

#[test]
fn no_rows_after_the_last_discontinuity_is_a_start_without_a_baseline() {
    let ended = ResumePoint { newest: Some(wall(-60.0)), ..ResumePoint::default() };
    let all = DedupSettings { baseline: Baseline::All, ..settings() };
    let mut table = Table::new(Deduplicator::resuming(all, &ended));
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}
