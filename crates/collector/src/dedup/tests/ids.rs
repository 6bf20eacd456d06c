//! Rounds with ids, and rounds reported in several ways.

use super::*;

/// Returns the history with ids, newest first.
fn init(table: &Table) -> Report {
    let name = |(index, &cents): (usize, &u64)| {
        let id = format!("id-{}", table.history.len() - index);
        (id, Multiplier::from_cents(cents).unwrap())
    };
    Report::Ids(table.history[..25].iter().enumerate().map(name).collect())
}

fn frame(table: &Table) -> Report {
    let id = format!("id-{}", table.history.len());
    round_report(Some(&id), table.history[0])
}

/// Checks that a round is written once if list (l), frame (f) and init (i) report it in this order.
#[track_caller]
fn check_order(order: &str) {
    let mut table = Table::started();
    table.written_for(init(&table));
    let mut written = Vec::new();
    for cents in [231, 100, 100, 517] {
        table.play(&[cents]);
        table.now += 9.0;
        for way in order.chars() {
            table.now += 0.4;
            let report = match way {
                'l' => {
                    written.extend(table.poll_history());
                    continue;
                }
                'f' => frame(&table),
                _ => init(&table),
            };
            written.extend(table.written_for(report));
        }
    }
    assert_eq!(written, ["+231", "+100", "+100", "+517"], "{order}");
}

#[test]
fn a_round_from_list_frame_and_init_is_one_round_in_every_order() {
    for order in
        ["lfi", "lif", "fli", "fil", "ilf", "ifl", "l", "f", "i", "ll", "ff", "lflf", "fllf"]
    {
        check_order(order);
    }
}

#[test]
fn a_list_that_lags_behind_the_frames_changes_nothing() {
    let mut table = Table::started();
    let old = table.shown();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+231"]);
    assert_eq!(table.poll_twice(&old), [""; 0]);
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+100"]);
    assert_eq!(table.poll_twice(&old), [""; 0]);
    assert_eq!(table.poll_until_accepted(&old), [""; 0]);
    assert_eq!(table.poll_history(), [""; 0]);
}

#[test]
fn equal_neighbours_from_frames_and_a_lagging_list_stay_two_rounds() {
    let mut table = Table::started();
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+100"]);
    assert_eq!(table.written_for(frame(&table)), [""; 0], "the name of the round the list gave");
    let lagging = table.shown();
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+100"]);
    assert_eq!(table.poll_twice(&lagging), [""; 0]);
    assert_eq!(table.poll_history(), [""; 0]);
}

#[test]
fn a_late_or_repeated_frame_is_not_a_new_round() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    let late = frame(&table);
    assert_eq!(table.written_for(late.clone()), ["+231"]);
    assert_eq!(table.written_for(late.clone()), [""; 0]);
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+100"]);
    assert_eq!(table.written_for(late), [""; 0]);
}

#[test]
fn a_frame_long_after_the_list_showed_its_round_is_not_a_new_round() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
    for _ in 0..5 {
        table.now += 5.0;
        assert_eq!(table.poll_history(), [""; 0]);
    }
    assert_eq!(table.written_for(frame(&table)), [""; 0]);
    // If the id belonged to another round of the same value, the list would show both.
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn an_id_that_changes_its_value_is_a_conflict_and_the_first_stands() {
    let mut table = Table::started();
    table.poll_history();
    assert_eq!(table.written_for(round_report(Some("a"), 231)), ["+231"]);
    assert_eq!(table.written_for(round_report(Some("a"), 232)), ["Conflict"]);
    assert_eq!(table.written_for(ids_report(&[("a", 233)])), ["Conflict"]);
}

/// Every poll of a history with a corrected value wrote the same conflict again.
#[test]
fn a_conflict_is_recorded_once_for_each_value() {
    let mut table = Table::started();
    assert_eq!(table.written_for(round_report(Some("a"), 231)), ["+231"]);
    assert_eq!(table.written_for(ids_report(&[("a", 232)])), ["Conflict"]);
    for _ in 0..3 {
        assert_eq!(table.written_for(ids_report(&[("a", 232)])), [""; 0]);
        assert_eq!(table.written_for(round_report(Some("a"), 232)), [""; 0]);
    }
    assert_eq!(table.written_for(ids_report(&[("a", 233)])), ["Conflict"]);
    assert_eq!(table.written_for(ids_report(&[("a", 231)])), [""; 0]);
}

/// Round 9 was written twice when the history arrived after the ids 6, 7, 9, 8.
#[test]
fn a_history_after_ids_out_of_order_writes_no_known_id_again() {
    for order in [[6, 7, 9, 8], [9, 8, 7, 6], [7, 6, 9, 8], [6, 9, 7, 8]] {
        let feed = DedupSettings { kind: SourceKind::WebSocket, ..settings() };
        let mut table = Table::new(Deduplicator::new(feed));
        for id in order {
            table.now += 9.0;
            assert_eq!(table.written_for(round_report(Some(&id.to_string()), 200 + id)).len(), 1);
        }
        table.deduplicator.interrupted();
        table.now += 30.0;
        let history: Vec<(String, u64)> =
            (4..=11).rev().map(|id| (id.to_string(), 200 + id)).collect();
        let history: Vec<(&str, u64)> = history.iter().map(|(id, cents)| (&**id, *cents)).collect();
        let mut written = table.written_for(ids_report(&history));
        written.retain(|text| text != "Gap");
        assert_eq!(written, ["~210", "~211"], "{order:?}");
        assert_eq!(table.written_for(ids_report(&history)), [""; 0], "{order:?}");
    }
}

/// Rounds that messages had reported before the history arrived were taken for the past.
#[test]
fn rounds_reported_before_the_first_history_are_written() {
    let mut table = Table::new(Deduplicator::new(settings()));
    table.play(&[231]);
    assert_eq!(table.written_for(frame(&table)), [""; 0]);
    table.play(&[517]);
    table.now += 9.0;
    table.deduplicator.interrupted();
    table.play(&[100]);
    table.now += 0.5;
    assert_eq!(table.written_for(frame(&table)), [""; 0]);
    table.play(&[417]);
    assert_eq!(table.written_for(init(&table)), ["~231", "~517", "~100", "~417"]);
    assert_eq!(table.written_for(init(&table)), [""; 0]);
}

#[test]
fn ids_that_are_not_consecutive_leave_no_gap() {
    let mut table = Table::started();
    table.poll_history();
    for (id, cents) in [("8241964", 120), ("8241965", 150), ("8241969", 231), ("8241979", 100)] {
        table.now += 20.0;
        assert_eq!(table.written_for(round_report(Some(id), cents)), [format!("+{cents}")]);
    }
}

#[test]
fn an_init_after_an_outage_fills_in_by_id() {
    let mut table = Table::started();
    table.written_for(init(&table));
    table.deduplicator.interrupted();
    table.play(&[101, 102, 103]);
    table.now += 70.0;
    assert_eq!(table.written_for(init(&table)), ["~101", "~102", "~103"]);
    assert_eq!(table.poll_history(), [""; 0]);
}

#[test]
fn an_init_without_a_known_id_is_a_gap_after_a_long_time_and_a_reset_after_a_short_one() {
    for (seconds, kind, rows) in [(600.0, "Gap", 25), (20.0, "Reset", 0)] {
        let mut table = Table::started();
        table.written_for(init(&table));
        table.deduplicator.interrupted();
        for _ in 0..30 {
            table.play_any();
        }
        table.now += seconds;
        let written = table.written_for(init(&table));
        assert_eq!((written[0].as_str(), written.len()), (kind, rows + 1));
        assert_eq!(table.poll_history(), [""; 0]);
        table.play(&[231]);
        table.now += 9.0;
        assert_eq!(table.written_for(frame(&table)), ["+231"]);
    }
}

#[test]
fn an_init_older_than_the_known_rounds_adds_nothing() {
    let mut table = Table::started();
    let old = init(&table);
    table.written_for(old.clone());
    table.play(&[231]);
    table.now += 9.0;
    table.written_for(frame(&table));
    assert_eq!(table.written_for(old), [""; 0]);
}

#[test]
fn a_round_that_only_the_init_knows_in_between_is_marked_and_not_written_out_of_order() {
    let mut table = Table::started();
    table.written_for(init(&table));
    table.play(&[231]);
    table.now += 9.0;
    table.play(&[517]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+517"]);
    assert_eq!(table.written_for(init(&table)), ["Gap"]);
    assert_eq!(table.written_for(init(&table)), [""; 0]);
}

#[test]
fn a_round_that_only_the_list_knows_in_between_is_marked_and_not_written_out_of_order() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    table.play(&[517]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+517"]);
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), ["Gap"]);
    table.play(&[100]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+100"]);
}

#[test]
fn a_frame_right_after_connecting_waits_for_the_list_so_that_rounds_stay_in_order() {
    let mut table = Table::started();
    table.deduplicator.interrupted();
    table.play(&[101, 102]);
    table.now += 60.0;
    table.play(&[103]);
    assert_eq!(table.written_for(frame(&table)), [""; 0]);
    assert_eq!(table.poll_history(), ["~101", "~102", "~103"]);
    table.play(&[104]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+104"]);
}

#[test]
fn a_frame_after_connecting_is_written_after_a_gap_if_no_list_arrives() {
    let mut table = Table::started();
    table.deduplicator.interrupted();
    table.now += 60.0;
    assert_eq!(table.written_for(round_report(Some("x"), 231)), [""; 0]);
    table.now += 5.0;
    assert_eq!(table.written_for(Report::Alive), [""; 0]);
    table.now += 6.0;
    assert_eq!(table.written_for(Report::Alive), ["Gap", "+231"]);
}

#[test]
fn a_feed_without_history_records_a_gap_at_each_reconnect() {
    let mut table =
        Table::new(Deduplicator::new(DedupSettings { kind: SourceKind::WebSocket, ..settings() }));
    assert_eq!(table.written_for(round_report(None, 231)), ["+231"]);
    assert_eq!(table.written_for(round_report(None, 231)), ["+231"], "a message is a round");
    table.deduplicator.interrupted();
    assert_eq!(table.written_for(round_report(None, 100)), ["Gap", "+100"]);
    assert_eq!(table.written_for(round_report(None, 100)), ["+100"]);
}

#[test]
fn frames_before_the_first_list_are_written_once() {
    let mut table = Table::new(Deduplicator::new(settings()));
    assert_eq!(table.written_for(frame(&table)), [""; 0]);
    table.now += 11.0;
    let newest = table.history[0];
    assert_eq!(table.written_for(Report::Alive), [format!("+{newest}")]);
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
}

#[test]
fn a_dated_history_is_continued_from_where_the_files_end() {
    let newest = Round { time: wall(100.0), multiplier: Multiplier::from_cents(231).unwrap() };
    let feed = DedupSettings { kind: SourceKind::Demo, ..settings() };
    let resume_point =
        ResumePoint { rounds: vec![newest], newest: Some(newest.time), ..ResumePoint::default() };
    let mut table = Table::new(Deduplicator::resuming(feed, &resume_point));
    table.now = 200.0;
    let mut written = Vec::new();
    for (second, cents) in [(50.0, 150), (100.0, 231), (120.0, 170), (150.0, 180)] {
        written.extend(table.written_for(Report::Round {
            id: Some(format!("{second}")),
            multiplier: Multiplier::from_cents(cents).unwrap(),
            ended_at: Some(wall(second)),
            backfill: true,
            detail: None,
        }));
    }
    assert_eq!(written, ["~170", "~180"]);
}

#[test]
fn a_replay_keeps_its_times_even_if_they_step_back() {
    let mut deduplicator =
        Deduplicator::new(DedupSettings { kind: SourceKind::Replay, ..settings() });
    for second in [50.0, 20.0, 20.0] {
        let multiplier = Multiplier::from_cents(231).unwrap();
        let ended_at = Some(wall(second));
        let report =
            Report::Round { id: None, multiplier, ended_at, backfill: false, detail: None };
        let observation = Observation { mono: Instant::now(), wall: wall(900.0), report };
        let out = deduplicator.observe(&observation);
        let round = Round { time: wall(second), multiplier };
        let kind = EventKind::Live;
        assert_eq!(out, [Outcome::Accept { round, id: None, kind, detail: None }]);
    }
}

/// Ids arrive in the order of the rounds: once a newer round has its id, the next id cannot belong
/// to an older one.
#[test]
fn an_id_is_not_given_to_a_round_older_than_one_that_has_a_newer_id() {
    let fast = DedupSettings { round_min: Duration::from_millis(10), ..settings() };
    let mut table = Table::new(Deduplicator::new(fast));
    assert_eq!(table.poll_history(), [""; 0]);
    table.play(&[231]);
    assert_eq!(table.poll_history(), ["+231"]);
    for (cents, written) in [(517, "+517"), (231, "+231")] {
        table.play(&[cents]);
        table.now += 0.2;
        assert_eq!(table.written_for(frame(&table)), [written]);
    }
}

#[test]
fn after_an_interruption_single_rounds_wait_for_the_history() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(&table)), ["+231"]);
    assert_eq!(
        table.written_for(Report::Interrupted("the tab was reloaded".to_owned())),
        ["Reconnect"]
    );
    table.play(&[517, 100]);
    table.now += 20.0;
    assert_eq!(table.written_for(frame(&table)), [""; 0]);
    assert_eq!(table.poll_history(), ["~517", "~100"]);
}
