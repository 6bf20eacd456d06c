//! The limits at which one rule takes over from another.

use super::*;

fn rows(cents: &[u64]) -> ResumePoint {
    let row = |(age, &cents): (usize, &u64)| Round {
        time: wall(-23.0 * age as f64),
        multiplier: Multiplier::from_cents(cents).unwrap(),
    };
    let mut rounds: Vec<Round> = cents.iter().enumerate().map(row).collect();
    rounds.reverse();
    ResumePoint { newest: rounds.last().map(|round| round.time), rounds, ..ResumePoint::default() }
}

/// Returns a table whose newest `count` rounds are in the files.
fn restarted(settings: DedupSettings, count: usize) -> Table {
    let mut table = Table::new(Deduplicator::new(settings));
    table.deduplicator = Deduplicator::resuming(settings, &rows(&table.history[..count]));
    table
}

/// Returns the history with the ids that `frame` uses.
fn init(table: &Table) -> Report {
    let name = |(index, &cents): (usize, &u64)| {
        let id = format!("id-{}", table.history.len() - index);
        (id, Multiplier::from_cents(cents).unwrap())
    };
    Report::Ids(table.history[..25].iter().enumerate().map(name).collect())
}

fn frame(table: &Table) -> Report {
    round_report(Some(&format!("id-{}", table.history.len())), table.history[0])
}

/// Plays a round that a frame reports when it ends.
#[track_caller]
fn play_with_frame(table: &mut Table, cents: u64) {
    table.play(&[cents]);
    table.now += 9.0;
    assert_eq!(table.written_for(frame(table)), [format!("+{cents}")]);
}

#[test]
fn a_late_id_is_another_round_once_no_list_is_read() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
    table.now += 30.0;
    assert_eq!(table.written_for(round_report(Some("late"), 231)), ["+231"]);
}

#[test]
fn a_page_that_fills_from_its_old_end_at_first_writes_nothing_of_the_past() {
    let mut table = Table::new(Deduplicator::new(settings()));
    let shown = table.shown();
    assert_eq!(table.poll_twice(&shown[15..]), [""; 0]);
    table.now += 300.0;
    assert_eq!(table.poll_history(), [""; 0]);
    table.check_known(25);
}

#[test]
fn four_values_are_too_few_for_a_first_list_and_five_are_enough() {
    let feed = DedupSettings { kind: SourceKind::Http, ..settings() };
    for (len, expected) in [(4, 0), (5, 5)] {
        let mut table = Table::new(Deduplicator::new(feed));
        let shown = table.shown();
        assert_eq!(table.poll(&shown[..len]), [""; 0]);
        table.check_known(expected);
    }
}

#[test]
fn the_first_list_is_recorded_as_the_start_unless_all_of_it_is_written() {
    for (baseline, report) in [(Baseline::None, 25), (Baseline::Newest, 24), (Baseline::All, 0)] {
        let mut table = Table::new(Deduplicator::new(DedupSettings { baseline, ..settings() }));
        let shown = table.shown();
        table.poll(&shown);
        let out = table.observe(Report::List(entries(&shown)));
        let bases: Vec<&Outcome> = out.iter().filter(|outcome| is_start(outcome)).collect();
        if report == 0 {
            assert_eq!(bases, [&Outcome::Note { kind: EventKind::Start, detail: Value::Null }; 0]);
            continue;
        }
        let [Outcome::Note { detail, .. }] = bases[..] else { panic!("{out:?}") };
        assert_eq!(detail["list"], json!(entries(&shown[25 - report..])));
    }
}

#[test]
fn only_the_very_first_list_is_written_not_that_of_another_table() {
    for baseline in [Baseline::None, Baseline::Newest, Baseline::All] {
        let mut table = Table::new(Deduplicator::new(DedupSettings { baseline, ..settings() }));
        table.written_for(Report::OtherInstance("one".to_owned()));
        table.poll_history();
        assert_eq!(table.written_for(Report::OtherInstance("two".to_owned())), ["Reset"]);
        for _ in 0..25 {
            table.play_any();
        }
        assert_eq!(table.poll_history(), [""; 0], "{baseline:?}");
    }
}

#[test]
fn at_another_table_a_frame_waits_for_the_list_that_shows_its_round() {
    let mut table = Table::started();
    table.written_for(Report::OtherInstance("one".to_owned()));
    assert_eq!(table.written_for(Report::OtherInstance("two".to_owned())), ["Reset"]);
    for _ in 0..25 {
        table.play_any();
    }
    assert_eq!(table.written_for(frame(&table)), [""; 0]);
    assert_eq!(table.poll_history(), [""; 0]);
    play_with_frame(&mut table, 231);
}

#[test]
fn a_list_that_shows_one_of_two_reported_rounds_is_only_late() {
    let mut table = Table::started();
    play_with_frame(&mut table, 231);
    play_with_frame(&mut table, 100);
    let lagging = table.history[1..26].to_vec();
    assert_eq!(table.poll_until_accepted(&lagging), [""; 0]);
    table.check_known(27);
    assert_eq!(table.poll_history(), [""; 0]);
    table.check_known(27);
}

#[test]
fn a_list_that_lags_behind_a_history_with_ids_changes_nothing() {
    let mut table = Table::started();
    table.written_for(init(&table));
    table.play(&[231, 100, 417]);
    table.now += 60.0;
    assert_eq!(table.written_for(init(&table)), ["~231", "~100", "~417"]);
    for lag in [2, 1] {
        let lagging = table.history[lag..lag + 25].to_vec();
        assert_eq!(table.poll_until_accepted(&lagging), [""; 0], "{lag}");
        table.check_known(28);
    }
}

#[test]
fn three_rows_of_a_file_prove_an_alignment_and_two_do_not() {
    for (recorded, mark) in [(2, Some("Weak")), (3, None)] {
        let new = ["~101".to_owned(), "~102".to_owned()];
        let expected: Vec<String> = mark.map(str::to_owned).into_iter().chain(new).collect();
        let mut table = restarted(settings(), recorded);
        table.play(&[101, 102]);
        table.now += 46.0;
        assert_eq!(table.poll_history(), expected, "a list, {recorded}");
        table.check_known(25);
        let mut table = restarted(settings(), recorded);
        table.play(&[101, 102]);
        table.now += 46.0;
        assert_eq!(table.written_for(init(&table)), expected, "ids, {recorded}");
        table.check_known(25);
    }
}

#[test]
fn a_list_that_reaches_further_back_than_the_files_is_adopted() {
    let feed = DedupSettings { kind: SourceKind::Http, ..settings() };
    let mut table = restarted(feed, 8);
    table.play(&[231]);
    table.now += 23.0;
    assert_eq!(table.written_for(frame(&table)), ["Gap", "+231"]);
    let lagging = table.history[1..26].to_vec();
    assert_eq!(table.poll(&lagging), [""; 0]);
    table.check_known(26);
}

#[test]
fn a_round_that_only_the_list_knows_is_marked_with_its_value_where_the_files_are_short() {
    let feed = DedupSettings { kind: SourceKind::Http, ..settings() };
    let mut table = restarted(feed, 8);
    table.play(&[231, 517]);
    table.now += 46.0;
    assert_eq!(table.written_for(frame(&table)), ["Gap", "+517"]);
    let shown = table.shown();
    assert_eq!(table.poll(&shown), [""; 0]);
    let out = table.observe(Report::List(entries(&shown)));
    let [Outcome::Note { kind: EventKind::Gap, detail }, _] = &out[..] else { panic!("{out:?}") };
    assert_eq!(detail["multipliers"], json!([2.31]));
    table.check_known(25);
    assert_eq!(table.written_for(init(&table)), [""; 0]);
    table.check_known(25);
}

#[test]
fn a_round_that_only_the_init_knows_is_marked_once_with_its_value() {
    let mut table = Table::started();
    table.written_for(init(&table));
    play_with_frame(&mut table, 231);
    table.play(&[150]);
    table.now += 9.0;
    play_with_frame(&mut table, 160);
    play_with_frame(&mut table, 170);
    let out = table.observe(init(&table));
    let [Outcome::Note { kind: EventKind::Gap, detail }, _] = &out[..] else { panic!("{out:?}") };
    assert_eq!(detail["multipliers"], json!([1.5]));
    assert_eq!(table.observe(init(&table)), []);
    play_with_frame(&mut table, 180);
    assert_eq!(table.written_for(init(&table)), [""; 0]);
}

#[test]
fn after_a_marked_round_a_history_with_ids_is_still_aligned() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    play_with_frame(&mut table, 517);
    let shown = table.shown();
    assert_eq!(table.poll_until_accepted(&shown), ["Gap"]);
    table.deduplicator.interrupted();
    table.play(&[101, 102]);
    table.now += 46.0;
    assert_eq!(table.written_for(init(&table)), ["~101", "~102"]);
    table.check_known(25 + 2);
}

#[test]
fn a_first_history_with_ids_is_continued_by_its_ids() {
    let mut table = Table::new(Deduplicator::new(settings()));
    assert_eq!(table.written_for(init(&table)), [""; 0]);
    table.deduplicator.interrupted();
    table.play(&[101, 102]);
    table.now += 46.0;
    assert_eq!(table.written_for(init(&table)), ["~101", "~102"]);
    table.check_known(27);
}

#[test]
fn a_round_whose_id_was_lost_is_recognized_in_the_next_history() {
    let mut table = Table::started();
    table.written_for(init(&table));
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.poll_history(), ["+231"]);
    play_with_frame(&mut table, 160);
    assert_eq!(table.written_for(init(&table)), [""; 0]);
    table.check_known(27);
}

#[test]
fn a_late_init_that_reaches_further_back_than_the_files_is_adopted() {
    let mut table = restarted(settings(), 10);
    let late = init(&table);
    table.play(&[231, 100]);
    table.now += 46.0;
    let shown = table.history[..12].to_vec();
    assert_eq!(table.poll_until_accepted(&shown), ["~231", "~100"]);
    assert_eq!(table.written_for(late), [""; 0]);
    table.check_known(27);
}

#[test]
fn more_rounds_than_can_wait_for_a_history_are_written_in_their_order() {
    let mut table = Table::started();
    table.deduplicator.interrupted();
    table.now += 600.0;
    let mut written = Vec::new();
    for index in 0..70 {
        table.play(&[200 + index]);
        table.now += 0.1;
        written.extend(table.written_for(frame(&table)));
    }
    let rows = (0..70).map(|index| format!("+{}", 200 + index));
    assert_eq!(written, ["Gap".to_owned()].into_iter().chain(rows).collect::<Vec<_>>());
}

#[test]
fn a_dated_round_is_recognized_only_by_time_and_value() {
    let newest = Round { time: wall(100.0), multiplier: Multiplier::from_cents(231).unwrap() };
    let feed = DedupSettings { kind: SourceKind::WebSocket, ..settings() };
    for (second, cents, is_new) in [
        (99.0, 500, false),
        (100.0, 231, false),
        (100.0, 232, true),
        (101.0, 231, true),
        (101.0, 500, true),
    ] {
        let resume_point = ResumePoint {
            rounds: vec![newest],
            newest: Some(newest.time),
            ..ResumePoint::default()
        };
        let mut table = Table::new(Deduplicator::resuming(feed, &resume_point));
        table.now = 200.0;
        let written = table.written_for(Report::Round {
            id: None,
            multiplier: Multiplier::from_cents(cents).unwrap(),
            ended_at: Some(wall(second)),
            backfill: true,
            detail: None,
        });
        let expected = is_new.then(|| vec!["Gap".to_owned(), format!("~{cents}")]);
        assert_eq!(written, expected.unwrap_or_default(), "{second} {cents}");
    }
}

#[test]
fn a_source_whose_clock_is_ahead_gets_our_time_without_a_note() {
    let mut deduplicator =
        Deduplicator::new(DedupSettings { kind: SourceKind::WebSocket, ..settings() });
    let mut times = Vec::new();
    for (now, ended) in [(0.0, 0.0), (20.0, 3600.0), (40.0, 35.0)] {
        let multiplier = Multiplier::from_cents(231).unwrap();
        let ended_at = Some(wall(ended));
        let report =
            Report::Round { id: None, multiplier, ended_at, backfill: false, detail: None };
        let out =
            deduplicator.observe(&Observation { mono: Instant::now(), wall: wall(now), report });
        let [Outcome::Accept { round, detail: None, .. }] = &out[..] else { panic!("{out:?}") };
        times.push(round.time);
    }
    assert_eq!(times, [wall(0.0), wall(20.0), wall(35.0)]);
}
