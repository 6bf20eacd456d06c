//! Rounds that were seen and had no place yet, when something came between.

use super::*;

/// A table whose collector was away for `rounds` rounds, and comes back.
fn away(table: &mut Table, rounds: usize) -> Vec<u64> {
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
    let first = away(&mut table, 30);
    assert_eq!(table.see_history(), [""; 0]);
    let second = away(&mut table, 40);
    let shown = table.shown();
    let written = table.insist(&shown);
    let expected = [
        vec!["Gap".to_owned()],
        filled_in(&first[5..]),
        vec!["Gap".to_owned()],
        filled_in(&second[15..]),
    ];
    assert_eq!(written, expected.concat());
}

#[test]
fn what_was_seen_and_not_written_is_kept_over_a_restart() {
    let mut table = Table::started();
    table.play(&[150]);
    table.now += 9.0;
    assert_eq!(table.see_history(), ["+150"]);
    let first = away(&mut table, 30);
    table.see_history();
    let unplaced = serde_json::to_value(table.deduplicator.unplaced().unwrap()).unwrap();
    let row = Round { time: wall(9.5), multiplier: Multiplier::from_cents(150).unwrap() };
    let seed = ResumePoint {
        rounds: vec![row],
        newest: Some(row.time),
        base_list: multipliers(&table.history[31..55]),
        unplaced: Some(serde_json::from_value(unplaced).unwrap()),
        ..ResumePoint::default()
    };
    table.deduplicator = Deduplicator::resuming(settings(), &seed);
    let second = away(&mut table, 40);
    let shown = table.shown();
    let written = table.insist(&shown);
    assert_eq!(written[..26], [vec!["Gap".to_owned()], filled_in(&first[5..])].concat());
    assert_eq!(written[26..], [vec!["Gap".to_owned()], filled_in(&second[15..])].concat());
}

#[test]
fn a_short_outage_after_a_long_one_joins_what_was_seen_between() {
    let mut table = Table::started();
    let first = away(&mut table, 30);
    table.see_history();
    let second = away(&mut table, 4);
    let shown = table.shown();
    let written = table.insist(&shown);
    let rows = [&first[5..], &second].concat();
    assert_eq!(written, [vec!["Gap".to_owned()], filled_in(&rows)].concat());
}

#[test]
fn a_history_with_ids_comes_behind_what_was_seen_before() {
    let mut table = Table::started();
    let first = away(&mut table, 30);
    table.see_history();
    away(&mut table, 40);
    let named: Vec<(String, u64)> =
        table.shown().into_iter().map(|c| (format!("i{c}"), c)).collect();
    let named: Vec<(&str, u64)> = named.iter().map(|(id, cents)| (&**id, *cents)).collect();
    let written = table.hear(said_ids(&named));
    assert_eq!(written[..26], [vec!["Gap".to_owned()], filled_in(&first[5..])].concat());
    assert_eq!(written[26], "Gap");
    assert_eq!(written.len(), 26 + 26);
}

#[test]
fn the_few_rounds_of_a_filling_page_are_written_if_it_goes_away() {
    let mut table = Table::started();
    let first = away(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.see(&shown[20..]), [""; 0]);
    away(&mut table, 40);
    let shown = table.shown();
    let written = table.insist(&shown);
    assert_eq!(written[..6], [vec!["Gap".to_owned()], filled_in(&first[5..10])].concat());
    assert_eq!(written.len(), 6 + 26);
}

#[test]
fn two_rounds_that_a_filling_page_shows_twice_are_not_four() {
    let mut table = Table::started();
    away(&mut table, 30);
    let shown = table.shown();
    let twice = [&shown[..2], &shown[..2]].concat();
    assert_eq!(table.see(&twice), [""; 0]);
    assert_eq!(table.deduplicator.unplaced(), None);
}

#[test]
fn what_the_window_holds_is_not_written_again_when_it_is_left() {
    let mut table = Table::started();
    let shown = table.shown();
    // A page that fills from its old end shows known rounds, and then is gone.
    assert_eq!(table.see(&shown[18..]), [""; 0]);
    let played = away(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.insist(&shown), [vec!["Gap".to_owned()], filled_in(&played[5..])].concat());
}

#[test]
fn rounds_that_end_while_another_table_is_not_believed_yet_are_written() {
    let mut table = Table::started();
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 20.0;
    assert_eq!(table.see_history(), [""; 0]);
    table.play(&[231]);
    let shown = table.shown();
    assert_eq!(table.insist(&shown), ["Reset", "~231"]);
}

#[test]
fn an_init_without_the_newest_rounds_of_the_list_gives_the_others_their_names() {
    let mut table = Table::started();
    let named: Vec<(String, u64)> =
        table.shown().into_iter().enumerate().map(|(i, cents)| (format!("i{i}"), cents)).collect();
    let named: Vec<(&str, u64)> = named.iter().map(|(id, cents)| (&**id, *cents)).collect();
    table.play(&[231, 100]);
    table.now += 9.0;
    assert_eq!(table.see_history(), ["~231", "+100"]);
    assert_eq!(table.hear(said_ids(&named)), [""; 0]);
    assert_eq!(table.hear(said_round(Some("new"), 231)), [""; 0], "its name only");
    assert_eq!(table.hear(said_round(Some("i0"), named[0].1)), [""; 0]);
}

#[test]
fn a_round_without_a_name_is_not_taken_for_a_newer_one_of_its_value() {
    let mut table = Table::started();
    let id = |index: usize| format!("i{index}");
    let known: Vec<(String, u64)> =
        table.shown().into_iter().enumerate().map(|(i, cents)| (id(100 - i), cents)).collect();
    let named: Vec<(&str, u64)> = known.iter().map(|(id, cents)| (&**id, *cents)).collect();
    table.hear(said_ids(&named));
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.see_history(), ["+100"]);
    // Its frame is lost. After an outage the history shows it, and a newer one of the same value.
    table.deduplicator.interrupted();
    table.play(&[231, 100, 417]);
    table.now += 69.0;
    let shown: Vec<(String, u64)> =
        table.shown().into_iter().enumerate().map(|(i, cents)| (id(104 - i), cents)).collect();
    let shown: Vec<(&str, u64)> = shown.iter().map(|(id, cents)| (&**id, *cents)).collect();
    assert_eq!(table.hear(said_ids(&shown)), ["~231", "~100", "~417"]);
}

#[test]
fn a_run_that_has_seen_a_list_and_no_round_tells_the_next_one_which_list() {
    let mut table = Table::started();
    let seed = ResumePoint {
        base_list: multipliers(&table.shown()),
        base_time: Some(wall(table.now)),
        ..ResumePoint::default()
    };
    table.deduplicator = Deduplicator::resuming(settings(), &seed);
    table.play(&[231, 100]);
    table.now += 46.0;
    assert_eq!(table.see_history(), ["~231", "~100"]);
}

#[test]
fn a_list_that_a_page_shows_only_while_it_loads_is_never_written() {
    let mut table = Table::started();
    let played = away(&mut table, 12);
    // Placeholders, as long as the list itself.
    let placeholders: Vec<u64> = (0..25).map(|index| 1000 + index).collect();
    assert_eq!(table.see(&placeholders), [""; 0]);
    assert_eq!(table.see_history(), filled_in(&played));
    // And after so long that nothing known is shown any more.
    let played = away(&mut table, 40);
    assert_eq!(table.see(&placeholders[..7]), [""; 0]);
    let shown = table.shown();
    let written = table.insist(&shown);
    assert_eq!(written, [vec!["Gap".to_owned()], filled_in(&played[15..])].concat());
}

#[test]
fn a_list_of_before_an_outage_that_what_is_known_leaves_no_room_for_is_never_written() {
    let mut table = Table::started();
    let mut played = away(&mut table, 10);
    let strange: Vec<u64> = (0..25).map(|index| 1000 + index).collect();
    table.now += 200.0;
    assert_eq!(table.see(&strange), [""; 0]);
    played.extend(away(&mut table, 10));
    assert_eq!(table.see_history(), filled_in(&played));
}
