//! Rounds from a visible list.

use super::*;

#[test]
fn the_first_list_counts_as_the_past() {
    let mut table = Table::started();
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[track_caller]
fn check_baseline(baseline: Baseline, expected: usize) {
    let mut table = Table::new(Deduplicator::new(DedupSettings { baseline, ..settings() }));
    let newest = format!("~{}", table.history[0]);
    let written = table.poll_history();
    assert_eq!(written.len(), expected);
    assert_eq!(written.last(), (expected > 0).then_some(&newest));
    table.play(&[231]);
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn the_first_list_is_written_on_request() {
    check_baseline(Baseline::None, 0);
    check_baseline(Baseline::Newest, 1);
    check_baseline(Baseline::All, 25);
}

#[track_caller]
fn check_equal_neighbours(times: usize) {
    let mut table = Table::started();
    for _ in 0..times {
        table.play(&[100]);
        table.now += 9.0;
        assert_eq!(table.poll_history(), ["+100"]);
        assert_eq!(table.poll_history(), [""; 0]);
    }
}

#[test]
fn two_equal_neighbours_are_two_rounds() {
    check_equal_neighbours(2);
}

#[test]
fn three_equal_neighbours_are_three_rounds() {
    check_equal_neighbours(3);
}

#[test]
fn ten_equal_neighbours_are_ten_rounds() {
    check_equal_neighbours(10);
}

#[test]
fn two_equal_rounds_between_two_polls_are_two_rounds() {
    let mut table = Table::started();
    table.play(&[100, 100]);
    table.now += 19.0;
    assert_eq!(table.poll_history(), ["~100", "+100"]);
}

#[test]
fn a_list_of_equal_values_only_adds_no_round() {
    let mut table = Table::new(Deduplicator::new(settings()));
    table.history = vec![100; 30];
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), [""; 0], "the list does not show it");
    table.play(&[250]);
    table.now += 9.0;
    // One value that differs is a new round or a correction of the newest: the readings decide.
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), ["Weak", "+250"]);
}

#[test]
fn a_half_rendered_list_is_not_accepted() {
    let mut table = Table::started();
    let torn: Vec<u64> = table.shown()[1..].iter().rev().copied().collect();
    assert_eq!(table.poll(&torn), [""; 0]);
    assert_eq!(table.poll_history(), [""; 0]);
}

#[test]
fn a_list_that_grows_newest_first_after_a_reload_gives_each_round_once() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    let shown = table.shown();
    let mut written = Vec::new();
    for len in 1..=25 {
        written.extend(table.poll_twice(&shown[..len]));
    }
    assert_eq!(written, ["+231"]);
}

#[test]
fn a_list_that_grows_oldest_first_after_a_reload_gives_each_round_once() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    let shown = table.shown();
    let mut written = Vec::new();
    for len in 1..=25 {
        written.extend(table.poll_twice(&shown[25 - len..]));
    }
    assert_eq!(written, ["+231"]);
}

#[test]
fn a_page_that_shows_less_than_before_is_accepted_after_a_while() {
    let mut table = Table::started();
    table.now += 400.0;
    for _ in 0..12 {
        table.play_any();
    }
    // No value of the short list is known, so the page could still be filling.
    let short: Vec<u64> = table.history[..10].to_vec();
    assert_eq!(table.poll_until_accepted(&short), [""; 0]);
    table.now += 21.0;
    let written = table.poll_until_accepted(&short);
    assert_eq!(written.len(), 11);
    assert_eq!(written[0], "Gap");
}

#[test]
fn a_page_that_fills_from_its_old_end_after_an_outage_loses_no_round() {
    for missed in 1..=20_u32 {
        let mut table = Table::started();
        table.deduplicator.interrupted();
        let played: Vec<String> = (0..missed).map(|_| format!("~{}", table.play_any())).collect();
        table.now += 23.0 * f64::from(missed);
        let shown = table.shown();
        let mut written = Vec::new();
        for len in [5, 8, 12, 15, 18, 20, 22, 24, 25] {
            written.extend(table.poll_twice(&shown[25 - len..]));
        }
        assert_eq!(written, played, "{missed}");
    }
}

#[test]
fn a_page_with_a_short_list_is_recorded_too() {
    let mut table = Table::new(Deduplicator::new(settings()));
    for _ in 0..25 {
        let shown = table.history[..10].to_vec();
        assert_eq!(table.poll_twice(&shown), [""; 0]);
    }
    table.play(&[231]);
    table.now += 9.0;
    let shown = table.history[..10].to_vec();
    assert_eq!(table.poll_twice(&shown), ["+231"]);
}

#[test]
fn a_drop_down_that_shows_the_list_twice_changes_nothing() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    let shown = table.shown();
    let twice = [shown.clone(), shown.clone()].concat();
    assert_eq!(table.poll_twice(&twice), ["+231"]);
    assert_eq!(table.poll_twice(&[shown.clone(), shown[..12].to_vec()].concat()), [""; 0]);
    assert_eq!(table.poll_twice(&shown), [""; 0]);
    table.now += 3600.0;
    assert_eq!(table.poll_twice(&twice), [""; 0], "not even when there was time for 25 rounds");
}

#[test]
fn a_reversed_list_writes_nothing_and_its_reset_gives_advice() {
    let mut table = Table::started();
    let reversed: Vec<u64> = table.shown().into_iter().rev().collect();
    table.now += 9.0;
    for _ in 0..6 {
        let mono = table.origin + Duration::from_secs_f64(table.now);
        let report = Report::List(entries(&reversed));
        let observation = Observation { mono, wall: wall(table.now), report };
        assert_eq!(table.deduplicator.observe(&observation), []);
    }
    let mono = table.origin + Duration::from_secs_f64(table.now);
    let report = Report::List(entries(&reversed));
    let out = table.deduplicator.observe(&Observation { mono, wall: wall(table.now), report });
    let [Outcome::Note { kind: EventKind::Reset, detail }, _] = &out[..] else { panic!("{out:?}") };
    assert!(detail["hint"].as_str().unwrap().contains("--order"), "{detail}");
}

#[test]
fn a_value_that_scrolls_off_while_an_equal_one_appears_is_a_new_round() {
    let mut table = Table::started();
    for _ in 0..60 {
        let same = table.history[24];
        table.play(&[same]);
        table.now += 9.0;
        assert_eq!(table.poll_history(), [format!("+{same}")]);
    }
}

#[test]
fn a_periodic_sequence_gives_every_round_once() {
    let mut table = Table::started();
    for index in 0..80 {
        let cents = [100, 200][index % 2];
        table.play(&[cents]);
        table.now += 9.0;
        let mut written = table.poll_history();
        // Three new rounds would look the same, and there was time for them, so the join is weak.
        written.retain(|text| text != "Weak");
        assert_eq!(written, [format!("+{cents}")], "round {index}");
    }
}

/// Checks an outage of `rounds` rounds of about 23 s, of which `lost` scroll off, before the full list is seen again.
#[track_caller]
fn check_outage(rounds: usize, lost: usize, discontinuity: Option<&str>) {
    let mut table = Table::started();
    table.deduplicator.interrupted();
    let played: Vec<u64> = (0..rounds).map(|_| table.play_any()).collect();
    table.now += 23.0 * rounds as f64;
    let shown = table.shown();
    let written = table.poll_until_accepted(&shown);
    let rows = played[lost..].iter().map(|cents| format!("~{cents}"));
    let expected: Vec<String> = discontinuity.map(str::to_owned).into_iter().chain(rows).collect();
    assert_eq!(written, expected);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn an_outage_of_one_round_is_filled_in() {
    check_outage(1, 0, None);
}

#[test]
fn an_outage_of_ten_rounds_is_filled_in() {
    check_outage(10, 0, None);
}

#[test]
fn an_outage_of_twenty_two_rounds_is_filled_in() {
    check_outage(22, 0, None);
}

#[test]
fn an_outage_of_twenty_three_rounds_is_filled_in_after_a_weak_join() {
    check_outage(23, 0, Some("Weak"));
}

#[test]
fn an_outage_of_twenty_four_rounds_is_filled_in_after_a_weak_join() {
    check_outage(24, 0, Some("Weak"));
}

#[test]
fn an_outage_of_twenty_five_rounds_is_filled_in_after_a_gap() {
    check_outage(25, 0, Some("Gap"));
}

#[test]
fn an_outage_of_forty_rounds_loses_what_scrolled_off_and_records_a_gap() {
    check_outage(40, 15, Some("Gap"));
}

#[test]
fn rounds_that_scroll_off_before_the_list_is_accepted_are_written() {
    let mut table = Table::started();
    table.deduplicator.interrupted();
    let mut played: Vec<u64> = (0..30).map(|_| table.play_any()).collect();
    table.now += 700.0;
    let mut written = Vec::new();
    for _ in 0..3 {
        let shown = table.shown();
        written.extend(table.poll_twice(&shown));
        played.push(table.play_any());
    }
    let shown = table.shown();
    written.extend(table.poll_until_accepted(&shown));
    // Five rounds had scrolled off when the list was first seen again.
    let rows = played[5..].iter().map(|cents| format!("~{cents}"));
    assert_eq!(written, ["Gap".to_owned()].into_iter().chain(rows).collect::<Vec<_>>());
}

#[test]
fn rounds_seen_between_two_outages_are_written() {
    let mut table = Table::started();
    table.deduplicator.interrupted();
    let mut played: Vec<u64> = (0..30).map(|_| table.play_any()).collect();
    table.now += 700.0;
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown), [""; 0]);
    table.deduplicator.interrupted();
    played.extend((0..10).map(|_| table.play_any()));
    table.now += 230.0;
    let shown = table.shown();
    let mut written = Vec::new();
    for len in [5, 9, 14, 18, 22] {
        written.extend(table.poll_twice(&shown[25 - len..]));
    }
    written.extend(table.poll_until_accepted(&shown));
    let rows = played[5..].iter().map(|cents| format!("~{cents}"));
    assert_eq!(written, ["Gap".to_owned()].into_iter().chain(rows).collect::<Vec<_>>());
}

#[test]
fn another_table_after_twenty_seconds_is_a_reset_without_its_past() {
    let mut table = Table::started();
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 20.0;
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), ["Reset"]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn another_instance_is_a_reset_at_once() {
    let mut table = Table::started();
    assert_eq!(table.written_for(Report::OtherInstance("inst2".to_owned())), [""; 0]);
    assert_eq!(table.written_for(Report::OtherInstance("inst2".to_owned())), [""; 0]);
    assert_eq!(table.written_for(Report::OtherInstance("inst4".to_owned())), ["Reset"]);
    for _ in 0..25 {
        table.play_any();
    }
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn a_list_from_a_message_is_accepted_at_once() {
    let feed = DedupSettings { kind: SourceKind::Http, ..settings() };
    let mut table = Table::new(Deduplicator::new(feed));
    let shown = table.shown();
    assert_eq!(table.poll(&shown), [""; 0]);
    table.play(&[231, 100]);
    table.now += 29.0;
    let shown = table.shown();
    assert_eq!(table.poll(&shown), ["~231", "+100"]);
}

fn times(outcomes: &[Outcome]) -> Vec<DateTime<Utc>> {
    let time = |outcome: &Outcome| match outcome {
        Outcome::Accept { round, .. } => Some(round.time),
        Outcome::Note { .. } => None,
    };
    outcomes.iter().filter_map(time).collect()
}

/// Returns the times and outcomes of three rounds if the wall clock steps by `step` seconds after the first.
fn step_clock(step: f64) -> (Vec<DateTime<Utc>>, Vec<Outcome>) {
    let mut deduplicator =
        Deduplicator::new(DedupSettings { kind: SourceKind::WebSocket, ..settings() });
    let origin = Instant::now();
    let mut all = Vec::new();
    for (second, off) in [(0.0, 0.0), (20.0, step), (40.0, step)] {
        let mono = origin + Duration::from_secs_f64(second);
        let observation =
            Observation { mono, wall: wall(second + off), report: round_report(None, 231) };
        all.extend(deduplicator.observe(&observation));
    }
    (times(&all), all)
}

#[test]
fn a_clock_that_steps_forward_is_followed() {
    let (times, _) = step_clock(3600.0);
    assert_eq!(times, [wall(0.0), wall(3620.0), wall(3640.0)]);
}

#[test]
fn a_clock_that_steps_back_a_little_does_not_reorder_rounds() {
    let (times, _) = step_clock(-60.0);
    assert_eq!(times, [wall(0.0), wall(0.0), wall(0.0)]);
}

#[test]
fn a_clock_that_steps_back_five_minutes_is_followed() {
    assert_eq!(step_clock(-319.0).0[1], wall(0.0));
    assert_eq!(step_clock(-320.0).0[1], wall(-300.0));
}

#[test]
fn a_clock_that_steps_back_an_hour_is_followed_and_recorded() {
    let (times, all) = step_clock(-3600.0);
    assert_eq!(times, [wall(0.0), wall(-3580.0), wall(-3560.0)]);
    let Outcome::Accept { detail: Some(detail), .. } = &all[1] else { panic!("{all:?}") };
    assert_eq!(detail["clock_stepped_back_s"], 3580);
}

#[test]
fn a_clock_that_jumps_a_year_ahead_and_back_writes_each_round_once() {
    let mut table = Table::started();
    for (jump, cents) in [(0.0, 231), (31_536_000.0, 100), (31_536_000.0, 100), (0.0, 517)] {
        table.wall_offset = jump;
        table.play(&[cents]);
        table.now += 9.0;
        assert_eq!(table.poll_history(), [format!("+{cents}")]);
        assert_eq!(table.poll_history(), [""; 0]);
    }
}

#[test]
fn a_clock_change_for_daylight_saving_moves_nothing() {
    // Times are in UTC, which has no daylight saving time.
    let (times, _) = step_clock(0.0);
    assert_eq!(times[2] - times[0], chrono::TimeDelta::seconds(40));
}

#[test]
fn a_jump_of_the_wall_clock_adds_no_rounds_from_an_old_list() {
    let mut table = Table::started();
    table.wall_offset = 86_400.0;
    for _ in 0..25 {
        table.play_any();
    }
    table.now += 20.0;
    let shown = table.shown();
    // Only the monotonic clock counts: this is another table, not an outage of a day.
    assert_eq!(table.poll_until_accepted(&shown), ["Reset"]);
}

#[test]
fn rounds_of_an_outage_get_times_inside_it_in_order() {
    let mut table = Table::started();
    table.play(&[231]);
    table.poll_history();
    let before = wall(table.now);
    table.deduplicator.interrupted();
    table.play(&[101, 102, 103]);
    table.now += 69.0;
    let shown = table.shown();
    table.poll(&shown);
    let mono = table.origin + Duration::from_secs_f64(table.now);
    let report = Report::List(entries(&shown));
    let out = table.deduplicator.observe(&Observation { mono, wall: wall(table.now), report });
    let times = times(&out);
    assert_eq!(times.len(), 3);
    assert!(before < times[0] && times[0] < times[1] && times[1] < times[2]);
    assert!(times[2] < wall(table.now));
}
