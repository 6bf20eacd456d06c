//! Pages that draw entries late, stand still, or show entries that are no rounds.

use super::*;

/// A table whose page has not shown yet how it draws entries.
fn unfamiliar() -> Table {
    let settings = DedupSettings { settling: SETTLING_TIME, ..settings() };
    let mut table = Table::new(Deduplicator::new(settings));
    let shown = table.shown();
    assert_eq!(table.poll_for(5.0, &shown), [""; 0]);
    table
}

impl Table {
    /// Polls a list twice a second for this many seconds.
    fn poll_for(&mut self, seconds: f64, cents: &[u64]) -> Vec<String> {
        let until = self.now + seconds;
        let mut written = Vec::new();
        while self.now < until {
            written.extend(self.poll(cents));
        }
        written
    }

    /// Polls a list whose newest entry shows another value.
    fn poll_drawing(&mut self, seconds: f64, newest: u64) -> Vec<String> {
        let shown = [&[newest], &self.shown()[1..]].concat();
        self.poll_for(seconds, &shown)
    }

    /// Plays rounds and returns their texts as backfilled rows, the last one live.
    fn play_burst(&mut self, rounds: usize) -> Vec<String> {
        let mut played: Vec<String> =
            (0..rounds).map(|_| format!("~{}", self.play_any())).collect();
        if let Some(last) = played.last_mut() {
            *last = last.replace('~', "+");
        }
        played
    }
}

/// A list that stood still for 20 s and then showed three or more new rounds was a reset, and none
/// of them was written.
#[test]
fn a_burst_after_a_pause_is_written() {
    for seconds in [0.5, 5.0, 20.0, 200.0] {
        for rounds in 1..=20 {
            let mut table = Table::started();
            let shown = table.shown();
            assert_eq!(table.poll_for(seconds, &shown), [""; 0]);
            let played = table.play_burst(rounds);
            let mut written = table.poll_history();
            assert_eq!(written.pop().map(|text| text.replace('~', "+")), played.last().cloned());
            assert_eq!(written, played[..rounds - 1], "{rounds} rounds after {seconds} s");
        }
    }
}

#[test]
fn a_burst_of_all_but_one_or_two_rounds_is_marked() {
    for rounds in 23..=25 {
        let mut table = Table::started();
        let shown = table.shown();
        assert_eq!(table.poll_for(20.0, &shown), [""; 0]);
        table.play_burst(rounds);
        let shown = table.shown();
        let written = table.poll_until_accepted(&shown);
        assert!(["Reset", "Weak"].contains(&&*written[0]), "{rounds}: {written:?}");
    }
}

/// A placeholder was written as a round.
#[test]
fn a_placeholder_is_never_written() {
    for seconds in [0.5, 1.0, 2.0, 3.0, 4.0] {
        for placeholder in [100, 0] {
            let mut table = unfamiliar();
            let (mut written, mut played) = (Vec::new(), Vec::new());
            for _ in 0..40 {
                let cents = table.play_any();
                played.push(format!("+{cents}"));
                table.now += 4.0;
                written.extend(table.poll_drawing(seconds, placeholder));
                assert_eq!(written[..], played[..written.len()], "{seconds}");
                let shown = table.shown();
                written.extend(table.poll_for(15.0, &shown));
                // One that looks like the placeholder may wait for the next round.
                let is_unchanged = cents == placeholder;
                assert!(written.len() + usize::from(is_unchanged) >= played.len(), "{seconds}");
            }
        }
    }
}

#[test]
fn an_entry_that_counts_up_is_written_when_it_stands() {
    let mut table = unfamiliar();
    for _ in 0..40 {
        let cents = table.play_any();
        for step in 0..8 {
            assert_eq!(table.poll_drawing(0.5, 100 + 7 * step), [""; 0]);
        }
        let shown = table.shown();
        assert_eq!(table.poll_for(7.0, &shown), [format!("+{cents}")]);
    }
}

#[test]
fn an_entry_that_is_drawn_until_the_next_round_ends_is_written_then() {
    let mut table = unfamiliar();
    let mut written = Vec::new();
    let mut played = Vec::new();
    for _ in 0..40 {
        played.push(format!("+{}", table.play_any()));
        table.now += 6.0;
        written.extend(table.poll_drawing(2.0, 100));
        written.extend(table.poll_drawing(0.5, 143));
    }
    let written: Vec<String> = written.iter().map(|text| text.replace('~', "+")).collect();
    assert_eq!(written, played[..39]);
}

#[test]
fn a_page_without_changes_costs_three_seconds_at_first_and_one_poll_later() {
    let mut table = unfamiliar();
    for round in 0..40 {
        // Another value than 1.00x, which waits longer at first.
        let cents = 200 + round;
        table.play(&[cents]);
        table.now += 9.0;
        let shown = table.shown();
        let row = [format!("+{cents}")];
        // The newest entry of the first list counts too.
        if round < 29 {
            assert_eq!(table.poll_for(3.0, &shown), [""; 0], "{round}");
            assert_eq!(table.poll(&shown), row, "{round}");
        } else {
            assert_eq!(table.poll(&shown), [""; 0], "{round}");
            assert_eq!(table.poll(&shown), row, "{round}");
        }
    }
}

#[test]
fn a_message_confirms_the_newest_entry() {
    let mut table = unfamiliar();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), [""; 0]);
    assert_eq!(table.written_for(round_report(Some("a"), 231)), ["+231"]);
    let shown = table.shown();
    assert_eq!(table.poll_for(5.0, &shown), [""; 0]);
}

#[test]
fn a_row_that_the_page_corrects_is_a_conflict_not_a_reset() {
    let mut table = Table::started();
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+100"]);
    table.history[0] = 231;
    let shown = table.shown();
    assert_eq!(table.poll_for(5.0, &shown), ["Conflict"]);
    table.play(&[517]);
    table.now += 9.0;
    let shown = table.shown();
    assert_eq!(table.poll_for(5.0, &shown), ["+517"]);
}

/// A round that had not settled when the program stopped was lost without a mark.
#[test]
fn an_entry_that_is_not_final_at_the_end_is_marked_and_left_to_the_next_run() {
    let mut table = unfamiliar();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), [""; 0]);
    let out = table.observe(Report::End);
    let [Outcome::Note { kind: EventKind::Gap, .. }, Outcome::Note { detail, .. }] = &out[..]
    else {
        panic!("{out:?}")
    };
    let resume_point = ResumePoint {
        base_list: serde_json::from_value(detail["list"].clone()).unwrap(),
        base_time: Some(wall(table.now)),
        ..ResumePoint::default()
    };
    table.deduplicator = Deduplicator::resuming(settings(), &resume_point);
    table.play(&[517]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["~231", "~517"]);
}

/// The time of a round is when its final value was first shown, not when it was believed.
#[test]
fn a_round_has_the_time_at_which_its_value_appeared() {
    let mut table = unfamiliar();
    table.play(&[231]);
    table.now += 9.0;
    let shown = table.shown();
    let first = table.now + 0.5;
    assert_eq!(table.poll_for(3.0, &shown), [""; 0]);
    table.now += 0.5;
    let out = table.observe(Report::List(entries(&shown)));
    let [Outcome::Accept { round, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!(round.time, wall(first));
}

/// The recording stopped in silence at an entry that could not be read.
#[test]
fn an_entry_that_cannot_be_read_is_a_gap_and_the_others_are_written() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
    table.play(&[0]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), [""; 0], "it may still be drawn");
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["Gap", "+231"]);
    for cents in [517, 100, 143] {
        table.play(&[cents]);
        table.now += 9.0;
        assert_eq!(table.poll_history(), [format!("+{cents}")]);
    }
}

#[test]
fn several_entries_that_cannot_be_read_leave_the_others_in_order() {
    let mut table = Table::started();
    table.play(&[231, 0, 0, 517, 0, 100]);
    table.now += 60.0;
    assert_eq!(table.poll_history(), ["~231", "Gap", "Gap", "~517", "Gap", "+100"]);
    assert_eq!(table.poll_history(), [""; 0]);
}

#[test]
fn an_entry_that_becomes_readable_while_it_is_the_newest_is_written() {
    let mut table = unfamiliar();
    let cents = table.play_any();
    table.now += 9.0;
    assert_eq!(table.poll_drawing(2.0, 0), [""; 0]);
    let shown = table.shown();
    assert_eq!(table.poll_for(7.0, &shown), [format!("+{cents}")]);
}

#[test]
fn a_hole_in_the_first_list_does_no_harm() {
    let mut table = Table::new(Deduplicator::new(settings()));
    table.history[3] = 0;
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn a_table_that_is_left_and_opened_again_writes_each_round_once() {
    let mut table = Table::started();
    let home = table.shown();
    let other: Vec<u64> = home.iter().rev().map(|cents| cents + 7).collect();
    assert_eq!(table.poll_for(5.0, &other), ["Reset"]);
    let other = [&[143], &other[..24]].concat();
    assert_eq!(table.poll_for(5.0, &other), ["+143"]);
    table.play(&[231, 517]);
    let shown = table.shown();
    assert_eq!(table.poll_for(5.0, &shown), ["Reset"]);
    table.play(&[100]);
    assert_eq!(table.poll_history(), ["+100"]);
}
