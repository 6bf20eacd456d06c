//! Parts of lists, from pages that were still filling and from tables that the user left again.

use super::*;

/// Plays `rounds` rounds during an outage; returns their values.
fn miss_rounds(table: &mut Table, rounds: usize) -> Vec<u64> {
    table.deduplicator.interrupted();
    table.now += 23.0 * rounds as f64;
    (0..rounds).map(|_| table.play_any()).collect()
}

/// Returns the texts of a discontinuity and backfilled rows after it.
fn backfilled_after(kind: &str, cents: &[u64]) -> Vec<String> {
    let rows = cents.iter().map(|cents| format!("~{cents}"));
    [kind.to_owned()].into_iter().chain(rows).collect()
}

/// Returns a list of values that the game never shows.
fn foreign_list() -> Vec<u64> {
    (0..25).map(|index| 100_001 + index).collect()
}

#[test]
fn a_list_is_aligned_together_with_what_has_scrolled_off_if_neither_suffices() {
    let mut table = Table::started();
    let mut played = miss_rounds(&mut table, 23);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[17..]), [""; 0]);
    played.extend([table.play_any(), table.play_any()]);
    table.now += 46.0;
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), backfilled_after("Weak", &played));
}

#[test]
fn rounds_of_a_filling_page_count_as_seen_when_the_connection_is_lost() {
    let mut table = Table::started();
    let played = miss_rounds(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[20..]), [""; 0]);
    table.deduplicator.interrupted();
    let mut later = played[11..].to_vec();
    later.extend((0..6).map(|_| table.play_any()));
    table.now += 100.0;
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    assert_eq!(
        written,
        [backfilled_after("Gap", &played[5..10]), backfilled_after("Gap", &later)].concat()
    );
}

#[test]
fn a_round_that_scrolls_off_a_filling_page_is_written() {
    for fresh_after_scroll in [1, 2] {
        let mut table = Table::started();
        let mut played = miss_rounds(&mut table, 30);
        let shown = table.shown();
        assert_eq!(table.poll_twice(&shown[22..]), [""; 0]);
        played.extend((0..fresh_after_scroll).map(|_| table.play_any()));
        table.now += 23.0;
        let shown = table.shown();
        assert_eq!(
            table.poll_until_accepted(&shown),
            backfilled_after("Gap", &played[5..]),
            "{fresh_after_scroll}"
        );
    }
}

#[test]
fn a_single_equal_value_does_not_join_the_lists_of_two_tables() {
    let mut table = Table::started();
    let played = miss_rounds(&mut table, 30);
    assert_eq!(table.poll_history(), [""; 0]);
    let mut other = foreign_list();
    other[24] = table.history[0];
    table.now += 10.0;
    // So many new rounds cannot have ended in the time, so this is another table; its past rounds
    // do not count.
    let expected = [backfilled_after("Gap", &played[5..]), backfilled_after("Reset", &[])].concat();
    assert_eq!(table.poll_until_accepted(&other), expected);
}

#[test]
fn a_briefly_covered_list_joins_what_was_seen_before() {
    let mut table = Table::started();
    let mut played = miss_rounds(&mut table, 30);
    assert_eq!(table.poll_history(), [""; 0]);
    assert_eq!(table.poll_twice(&foreign_list()[..7]), [""; 0]);
    played.extend((0..4).map(|_| table.play_any()));
    table.now += 92.0;
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), backfilled_after("Gap", &played[5..]));
}

#[test]
fn rounds_observed_live_at_another_table_count_although_its_list_was_covered() {
    let mut table = Table::started();
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 20.0;
    assert_eq!(table.poll_history(), [""; 0]);
    assert_eq!(table.poll_twice(&foreign_list()[..7]), [""; 0]);
    let ended = [table.play_any(), table.play_any()];
    table.now += 12.0;
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), backfilled_after("Reset", &ended));
}

#[test]
fn a_table_that_is_left_again_leaves_only_the_rounds_observed_live() {
    for ended in 0..3_usize {
        let mut table = Table::started();
        for _ in 0..25 {
            table.play_any();
        }
        table.now += 20.0;
        assert_eq!(table.poll_history(), [""; 0]);
        let seen: Vec<u64> = (0..ended).map(|_| table.play_any()).collect();
        assert_eq!(table.poll_history(), [""; 0]);
        table.deduplicator.interrupted();
        for _ in 0..25 {
            table.play_any();
        }
        table.now += 20.0;
        let shown = table.shown();
        let first = if ended > 0 { backfilled_after("Reset", &seen) } else { Vec::new() };
        assert_eq!(
            table.poll_until_accepted(&shown),
            [first, backfilled_after("Reset", &[])].concat(),
            "{ended}"
        );
        table.check_known(25);
    }
}

#[test]
fn a_piece_that_overlaps_what_is_known_is_written_without_the_overlap() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 23);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[17..]), [""; 0]);
    let second = miss_rounds(&mut table, 40);
    let shown = table.shown();
    let expected =
        [backfilled_after("Weak", &first[..6]), backfilled_after("Gap", &second[15..])].concat();
    assert_eq!(table.poll_until_accepted(&shown), expected);
}

#[test]
fn the_longer_piece_of_a_page_that_filled_from_both_ends_is_written() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[..5]), [""; 0]);
    assert_eq!(table.poll_twice(&shown[15..]), [""; 0]);
    let second = miss_rounds(&mut table, 40);
    let shown = table.shown();
    let expected =
        [backfilled_after("Gap", &first[5..15]), backfilled_after("Gap", &second[15..])].concat();
    assert_eq!(table.poll_until_accepted(&shown), expected);
}

#[test]
fn pieces_of_two_connections_are_both_written() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[20..]), [""; 0]);
    let second = miss_rounds(&mut table, 40);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[18..]), [""; 0]);
    let third = miss_rounds(&mut table, 40);
    let shown = table.shown();
    let expected = [
        backfilled_after("Gap", &first[5..10]),
        backfilled_after("Gap", &second[15..22]),
        backfilled_after("Gap", &third[15..]),
    ];
    assert_eq!(table.poll_until_accepted(&shown), expected.concat());
}

/// 25 rounds hardly end within 131 s, at 23 s each, but may well within 500 s.
#[test]
fn a_briefly_shown_list_belongs_to_this_table_if_there_was_time_for_its_rounds() {
    for (seconds, is_possible) in [(131.0, false), (500.0, true)] {
        let mut table = Table::started();
        let first: Vec<u64> = (0..25).map(|_| table.play_any()).collect();
        table.now += seconds;
        assert_eq!(table.poll_history(), [""; 0]);
        table.deduplicator.interrupted();
        for _ in 0..25 {
            table.play_any();
        }
        table.now += 20.0;
        let shown = table.shown();
        // The rounds of the second list cannot all have ended after the first.
        let expected = if is_possible {
            [backfilled_after("Gap", &first), backfilled_after("Reset", &[])].concat()
        } else {
            backfilled_after("Reset", &[])
        };
        assert_eq!(table.poll_until_accepted(&shown), expected, "{seconds}");
    }
}

#[test]
fn rounds_in_the_window_are_not_written_again_however_long_it_took() {
    let mut table = Table::started();
    let shown = table.shown();
    table.now += 200.0;
    assert_eq!(table.poll_twice(&shown[18..]), [""; 0]);
    let played = miss_rounds(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), backfilled_after("Gap", &played[5..]));
}

/// Returns the newest 25 rounds with ids.
fn named(table: &Table) -> Report {
    let name = |(index, &cents): (usize, &u64)| {
        let id = format!("id-{}", table.history.len() - index);
        (id, Multiplier::from_cents(cents).unwrap())
    };
    Report::Ids(table.history[..25].iter().enumerate().map(name).collect())
}

#[test]
fn a_history_with_ids_continues_what_was_seen_before_and_has_scrolled_off() {
    let mut table = Table::started();
    let mut played = miss_rounds(&mut table, 30);
    assert_eq!(table.poll_history(), [""; 0]);
    played.extend(miss_rounds(&mut table, 4));
    let report = named(&table);
    assert_eq!(table.written_for(report), backfilled_after("Gap", &played[5..]));
}

#[test]
fn a_history_with_ids_that_shows_all_that_was_seen_is_written_by_itself() {
    let mut table = Table::started();
    let played = miss_rounds(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[20..]), [""; 0]);
    let report = named(&table);
    assert_eq!(table.written_for(report), backfilled_after("Gap", &played[5..]));
}

#[test]
fn an_older_round_is_never_written_after_a_newer_one() {
    let mut table = Table::started();
    let first = miss_rounds(&mut table, 30);
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    assert_eq!(table.written_for(round_report(Some("new"), 231)), [""; 0]);
    table.now += 11.0;
    assert_eq!(table.written_for(Report::Alive), ["Gap", "+231"]);
    let second = miss_rounds(&mut table, 40);
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    assert_eq!(written, backfilled_after("Gap", &second[15..]), "none of {first:?}");
}
