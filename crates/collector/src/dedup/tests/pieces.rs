//! Pieces of lists, of pages that were filling and of tables that were left, and what becomes of each.

use super::*;

/// A table whose collector was away for `rounds` rounds, and comes back.
fn away(table: &mut Table, rounds: usize) -> Vec<u64> {
    table.deduplicator.interrupted();
    table.now += 23.0 * rounds as f64;
    (0..rounds).map(|_| table.play_any()).collect()
}

/// Rows behind a mark.
fn behind(mark: &str, cents: &[u64]) -> Vec<String> {
    let rows = cents.iter().map(|cents| format!("~{cents}"));
    [mark.to_owned()].into_iter().chain(rows).collect()
}

/// Values that no game shows, as long as a list.
fn strange() -> Vec<u64> {
    (0..25).map(|index| 100_001 + index).collect()
}

#[test]
fn a_list_that_proves_its_place_only_with_what_has_scrolled_off_is_placed_by_both() {
    let mut table = Table::started();
    let mut played = away(&mut table, 23);
    let shown = table.shown();
    assert_eq!(table.see(&shown[17..]), [""; 0]);
    played.extend([table.play_any(), table.play_any()]);
    table.now += 46.0;
    let shown = table.shown();
    assert_eq!(table.insist(&shown), behind("Weak", &played));
}

#[test]
fn rounds_of_a_filling_page_count_as_seen_when_the_connection_is_lost() {
    let mut table = Table::started();
    let played = away(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.see(&shown[20..]), [""; 0]);
    table.deduplicator.interrupted();
    let mut later = played[11..].to_vec();
    later.extend((0..6).map(|_| table.play_any()));
    table.now += 100.0;
    let shown = table.shown();
    let written = table.insist(&shown);
    assert_eq!(written, [behind("Gap", &played[5..10]), behind("Gap", &later)].concat());
}

#[test]
fn a_round_that_scrolls_off_a_filling_page_is_written() {
    for fresh_after_scroll in [1, 2] {
        let mut table = Table::started();
        let mut played = away(&mut table, 30);
        let shown = table.shown();
        assert_eq!(table.see(&shown[22..]), [""; 0]);
        played.extend((0..fresh_after_scroll).map(|_| table.play_any()));
        table.now += 23.0;
        let shown = table.shown();
        assert_eq!(table.insist(&shown), behind("Gap", &played[5..]), "{fresh_after_scroll}");
    }
}

#[test]
fn one_equal_value_does_not_join_the_lists_of_two_tables() {
    let mut table = Table::started();
    let played = away(&mut table, 30);
    assert_eq!(table.see_history(), [""; 0]);
    let mut other = strange();
    other[24] = table.history[0];
    table.now += 10.0;
    // Too soon for so many new rounds: it is another table, of which only the future counts.
    let expected = [behind("Gap", &played[5..]), behind("Reset", &[])].concat();
    assert_eq!(table.insist(&other), expected);
}

#[test]
fn a_list_that_is_covered_for_a_moment_joins_what_was_seen_before() {
    let mut table = Table::started();
    let mut played = away(&mut table, 30);
    assert_eq!(table.see_history(), [""; 0]);
    assert_eq!(table.see(&strange()[..7]), [""; 0]);
    played.extend((0..4).map(|_| table.play_any()));
    table.now += 92.0;
    let shown = table.shown();
    assert_eq!(table.insist(&shown), behind("Gap", &played[5..]));
}

#[test]
fn rounds_that_end_before_our_eyes_at_another_table_count_although_its_list_was_covered() {
    let mut table = Table::started();
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 20.0;
    assert_eq!(table.see_history(), [""; 0]);
    assert_eq!(table.see(&strange()[..7]), [""; 0]);
    let ended = [table.play_any(), table.play_any()];
    table.now += 12.0;
    let shown = table.shown();
    assert_eq!(table.insist(&shown), behind("Reset", &ended));
}

#[test]
fn another_table_that_is_left_again_leaves_only_what_ended_before_our_eyes() {
    for ended in 0..3_usize {
        let mut table = Table::started();
        for _ in 0..25 {
            table.play_any();
        }
        table.now += 20.0;
        assert_eq!(table.see_history(), [""; 0]);
        let seen: Vec<u64> = (0..ended).map(|_| table.play_any()).collect();
        assert_eq!(table.see_history(), [""; 0]);
        table.deduplicator.interrupted();
        for _ in 0..25 {
            table.play_any();
        }
        table.now += 20.0;
        let shown = table.shown();
        let first = if ended > 0 { behind("Reset", &seen) } else { Vec::new() };
        assert_eq!(table.insist(&shown), [first, behind("Reset", &[])].concat(), "{ended}");
        table.check_known(25);
    }
}

#[test]
fn a_piece_that_overlaps_what_is_known_is_written_without_the_overlap() {
    let mut table = Table::started();
    let first = away(&mut table, 23);
    let shown = table.shown();
    assert_eq!(table.see(&shown[17..]), [""; 0]);
    let second = away(&mut table, 40);
    let shown = table.shown();
    let expected = [behind("Weak", &first[..6]), behind("Gap", &second[15..])].concat();
    assert_eq!(table.insist(&shown), expected);
}

#[test]
fn of_a_page_that_filled_from_both_ends_the_longer_piece_is_written() {
    let mut table = Table::started();
    let first = away(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.see(&shown[..5]), [""; 0]);
    assert_eq!(table.see(&shown[15..]), [""; 0]);
    let second = away(&mut table, 40);
    let shown = table.shown();
    let expected = [behind("Gap", &first[5..15]), behind("Gap", &second[15..])].concat();
    assert_eq!(table.insist(&shown), expected);
}

#[test]
fn pieces_of_two_connections_are_both_written() {
    let mut table = Table::started();
    let first = away(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.see(&shown[20..]), [""; 0]);
    let second = away(&mut table, 40);
    let shown = table.shown();
    assert_eq!(table.see(&shown[18..]), [""; 0]);
    let third = away(&mut table, 40);
    let shown = table.shown();
    let expected =
        [behind("Gap", &first[5..10]), behind("Gap", &second[15..22]), behind("Gap", &third[15..])];
    assert_eq!(table.insist(&shown), expected.concat());
}

/// Rounds take six seconds at least: 25 of them cannot have ended in 131 s.
#[test]
fn a_list_that_was_left_again_is_of_this_table_if_there_was_time_for_its_rounds() {
    for (seconds, is_possible) in [(131.0, false), (138.0, true)] {
        let mut table = Table::started();
        let first: Vec<u64> = (0..25).map(|_| table.play_any()).collect();
        table.now += seconds;
        assert_eq!(table.see_history(), [""; 0]);
        table.deduplicator.interrupted();
        let second: Vec<u64> = (0..25).map(|_| table.play_any()).collect();
        table.now += 20.0;
        let shown = table.shown();
        // Behind the first list there was no time for the second.
        let expected = if is_possible {
            [behind("Gap", &first), behind("Reset", &[])].concat()
        } else {
            behind("Gap", &second)
        };
        assert_eq!(table.insist(&shown), expected, "{seconds}");
    }
}

#[test]
fn what_the_window_holds_is_not_written_again_however_long_it_took() {
    let mut table = Table::started();
    let shown = table.shown();
    table.now += 200.0;
    assert_eq!(table.see(&shown[18..]), [""; 0]);
    let played = away(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.insist(&shown), behind("Gap", &played[5..]));
}

/// The newest 25 rounds with names.
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
    let mut played = away(&mut table, 30);
    assert_eq!(table.see_history(), [""; 0]);
    played.extend(away(&mut table, 4));
    let report = named(&table);
    assert_eq!(table.hear(report), behind("Gap", &played[5..]));
}

#[test]
fn a_history_with_ids_that_shows_all_that_was_seen_is_written_by_itself() {
    let mut table = Table::started();
    let played = away(&mut table, 30);
    let shown = table.shown();
    assert_eq!(table.see(&shown[20..]), [""; 0]);
    let report = named(&table);
    assert_eq!(table.hear(report), behind("Gap", &played[5..]));
}

#[test]
fn what_a_newer_round_has_passed_is_never_written_behind_it() {
    let mut table = Table::started();
    let first = away(&mut table, 30);
    assert_eq!(table.see_history(), [""; 0]);
    table.play(&[231]);
    assert_eq!(table.hear(said_round(Some("new"), 231)), [""; 0]);
    table.now += 11.0;
    assert_eq!(table.hear(Report::Alive), ["Gap", "+231"]);
    assert_eq!(table.deduplicator.unplaced(), None);
    let second = away(&mut table, 40);
    let shown = table.shown();
    let written = table.insist(&shown);
    assert_eq!(written, behind("Gap", &second[15..]), "none of {first:?}");
}
