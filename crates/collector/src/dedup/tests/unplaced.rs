//! Rounds that were seen but could not be placed yet when something else happened.

use super::*;

/// Plays `rounds` rounds during an outage; returns their values.
fn miss_rounds(table: &mut Table, rounds: usize) -> Vec<u64> {
    table.deduplicator.interrupted();
    table.now += 23.0 * rounds as f64;
    (0..rounds).map(|_| table.play_any()).collect()
}

fn filled_in(cents: &[u64]) -> Vec<String> {
    cents.iter().map(|cents| format!("~{cents}")).collect()
}

#[test]
fn a_list_that_was_seen_between_two_long_outages_is_written_between_two_gaps() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 30);
    assert_eq!(table.poll_history(), [""; 0]);
    let second = miss_rounds(&mut table, 40);
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    let expected = [
        vec!["Gap".to_owned()],
        filled_in(&first[5..]),
        vec!["Gap".to_owned()],
        filled_in(&second[15..]),
    ];
    assert_eq!(written, expected.concat());
}

/// Rounds that were seen but not placed when the program stopped were lost without a mark.
#[test]
fn unplaced_rounds_are_written_at_the_end() {
    let mut table = Table::started();
    let played = miss_rounds(&mut table, 30);
    assert_eq!(table.poll_history(), [""; 0]);
    let expected = [vec!["Gap".to_owned()], filled_in(&played[5..])].concat();
    assert_eq!(table.written_for(Report::End), expected);
}

#[test]
fn a_short_outage_after_a_long_one_joins_what_was_seen_between() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 30);
    table.poll_history();
    let second = miss_rounds(&mut table, 4);
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    let rows = [&first[5..], &second].concat();
    assert_eq!(written, [vec!["Gap".to_owned()], filled_in(&rows)].concat());
}

#[test]
fn a_history_with_ids_follows_what_was_seen_before() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 30);
    table.poll_history();
    miss_rounds(&mut table, 40);
    let named: Vec<(String, u64)> =
        table.shown().into_iter().map(|c| (format!("i{c}"), c)).collect();
    let named: Vec<(&str, u64)> = named.iter().map(|(id, cents)| (&**id, *cents)).collect();
    let written = table.written_for(ids_report(&named));
    assert_eq!(written[..26], [vec!["Gap".to_owned()], filled_in(&first[5..])].concat());
    assert_eq!(written[26], "Gap");
    assert_eq!(written.len(), 26 + 26);
}

#[test]
fn the_few_rounds_of_a_filling_page_are_written_if_it_disappears() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[20..]), [""; 0]);
    miss_rounds(&mut table, 40);
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    assert_eq!(written[..6], [vec!["Gap".to_owned()], filled_in(&first[5..10])].concat());
    assert_eq!(written.len(), 6 + 26);
}

#[test]
fn two_rounds_that_a_filling_page_shows_twice_are_not_four() {
    let mut table = Table::started();
    miss_rounds(&mut table, 30);
    let shown = table.shown();
    let twice = [&shown[..2], &shown[..2]].concat();
    assert_eq!(table.poll_twice(&twice), [""; 0]);
    assert_eq!(table.written_for(Report::End), [""; 0]);
}

#[test]
fn rounds_in_the_window_are_not_written_again_when_the_table_is_left() {
    let mut table = Table::started();
    let shown = table.shown();
    // A page that fills up from the oldest round shows known rounds and then disappears.
    assert_eq!(table.poll_twice(&shown[18..]), [""; 0]);
    let played = miss_rounds(&mut table, 30);
    let shown = table.shown();
    assert_eq!(
        table.poll_until_accepted(&shown),
        [vec!["Gap".to_owned()], filled_in(&played[5..])].concat()
    );
}

#[test]
fn rounds_that_end_before_another_table_is_accepted_are_written() {
    let mut table = Table::started();
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 20.0;
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), ["Reset", "~231"]);
}

#[test]
fn an_init_without_the_newest_rounds_of_the_list_gives_the_others_their_ids() {
    let mut table = Table::started();
    let named: Vec<(String, u64)> =
        table.shown().into_iter().enumerate().map(|(i, cents)| (format!("i{i}"), cents)).collect();
    let named: Vec<(&str, u64)> = named.iter().map(|(id, cents)| (&**id, *cents)).collect();
    table.play(&[231, 100]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["~231", "+100"]);
    assert_eq!(table.written_for(ids_report(&named)), [""; 0]);
    assert_eq!(table.written_for(round_report(Some("new"), 231)), [""; 0], "its name only");
    assert_eq!(table.written_for(round_report(Some("i0"), named[0].1)), [""; 0]);
}

#[test]
fn a_round_without_an_id_is_not_taken_for_a_newer_one_of_its_value() {
    let mut table = Table::started();
    let id = |index: usize| format!("i{index}");
    let known: Vec<(String, u64)> =
        table.shown().into_iter().enumerate().map(|(i, cents)| (id(100 - i), cents)).collect();
    let named: Vec<(&str, u64)> = known.iter().map(|(id, cents)| (&**id, *cents)).collect();
    table.written_for(ids_report(&named));
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+100"]);
    // Its frame is lost. After an outage the history shows it and a newer round of the same value.
    table.deduplicator.interrupted();
    table.play(&[231, 100, 417]);
    table.now += 69.0;
    let shown: Vec<(String, u64)> =
        table.shown().into_iter().enumerate().map(|(i, cents)| (id(104 - i), cents)).collect();
    let shown: Vec<(&str, u64)> = shown.iter().map(|(id, cents)| (&**id, *cents)).collect();
    assert_eq!(table.written_for(ids_report(&shown)), ["~231", "~100", "~417"]);
}

#[test]
fn a_run_with_a_list_but_no_round_passes_the_list_to_the_next_run() {
    let mut table = Table::started();
    let resume_point = ResumePoint {
        base_list: entries(&table.shown()),
        base_time: Some(wall(table.now)),
        ..ResumePoint::default()
    };
    table.deduplicator = Deduplicator::resuming(settings(), &resume_point);
    table.play(&[231, 100]);
    table.now += 46.0;
    assert_eq!(table.poll_history(), ["~231", "~100"]);
}

#[test]
fn a_list_that_a_page_shows_only_while_it_loads_is_never_written() {
    let mut table = Table::started();
    let played = miss_rounds(&mut table, 12);
    // A full list of placeholders.
    let placeholders: Vec<u64> = (0..25).map(|index| 1000 + index).collect();
    assert_eq!(table.poll_twice(&placeholders), [""; 0]);
    assert_eq!(table.poll_history(), filled_in(&played));
    // The same after so many rounds that the list no longer shows a known one.
    let played = miss_rounds(&mut table, 40);
    assert_eq!(table.poll_twice(&placeholders[..7]), [""; 0]);
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    assert_eq!(written, [vec!["Gap".to_owned()], filled_in(&played[15..])].concat());
}

#[test]
fn a_list_from_before_an_outage_without_room_for_its_rounds_is_never_written() {
    let mut table = Table::started();
    let mut played = miss_rounds(&mut table, 10);
    let strange: Vec<u64> = (0..25).map(|index| 1000 + index).collect();
    table.now += 200.0;
    assert_eq!(table.poll_twice(&strange), [""; 0]);
    played.extend(miss_rounds(&mut table, 10));
    assert_eq!(table.poll_history(), filled_in(&played));
}
