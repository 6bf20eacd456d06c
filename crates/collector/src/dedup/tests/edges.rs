//! Where one rule ends and another begins.

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

/// A table of which the newest `count` rounds are in the files.
fn restarted(settings: DedupSettings, count: usize) -> Table {
    let mut table = Table::new(Deduplicator::new(settings));
    table.deduplicator = Deduplicator::resuming(settings, &rows(&table.history[..count]));
    table
}

/// The history with the names that `frame` gives.
fn init(table: &Table) -> Report {
    let name = |(index, &cents): (usize, &u64)| {
        let id = format!("id-{}", table.history.len() - index);
        (id, Multiplier::from_cents(cents).unwrap())
    };
    Report::Ids(table.history[..25].iter().enumerate().map(name).collect())
}

fn frame(table: &Table) -> Report {
    said_round(Some(&format!("id-{}", table.history.len())), table.history[0])
}

/// A round that a frame tells when it ends.
#[track_caller]
fn play_told(table: &mut Table, cents: u64) {
    table.play(&[cents]);
    table.now += 9.0;
    assert_eq!(table.hear(frame(table)), [format!("+{cents}")]);
}

#[test]
fn a_name_that_comes_late_is_another_round_where_no_list_is_read_any_more() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.see_history(), ["+231"]);
    table.now += 30.0;
    assert_eq!(table.hear(said_round(Some("late"), 231)), ["+231"]);
}

#[test]
fn a_page_that_fills_from_its_old_end_at_the_first_look_writes_nothing_of_the_past() {
    let mut table = Table::new(Deduplicator::new(settings()));
    let shown = table.shown();
    assert_eq!(table.see(&shown[15..]), [""; 0]);
    table.now += 300.0;
    assert_eq!(table.see_history(), [""; 0]);
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
fn a_first_list_says_from_where_recording_goes_on_unless_all_of_it_is_written() {
    for (baseline, report) in [(Baseline::None, 25), (Baseline::Newest, 24), (Baseline::All, 0)] {
        let mut table = Table::new(Deduplicator::new(DedupSettings { baseline, ..settings() }));
        let shown = table.shown();
        table.poll(&shown);
        let out = table.observe(Report::List(multipliers(&shown)));
        let bases: Vec<&Outcome> = out.iter().filter(|outcome| is_basis(outcome)).collect();
        if report == 0 {
            assert_eq!(bases, [&Outcome::Note { kind: EventKind::Start, detail: Value::Null }; 0]);
            continue;
        }
        let [Outcome::Note { detail, .. }] = bases[..] else { panic!("{out:?}") };
        assert_eq!(detail["list"], json!(multipliers(&shown[25 - report..])));
    }
}

#[test]
fn only_the_first_list_of_all_is_written_not_that_of_another_table() {
    for baseline in [Baseline::None, Baseline::Newest, Baseline::All] {
        let mut table = Table::new(Deduplicator::new(DedupSettings { baseline, ..settings() }));
        table.hear(Report::OtherInstance("one".to_owned()));
        table.see_history();
        assert_eq!(table.hear(Report::OtherInstance("two".to_owned())), ["Reset"]);
        for _ in 0..25 {
            table.play_any();
        }
        assert_eq!(table.see_history(), [""; 0], "{baseline:?}");
    }
}

#[test]
fn at_another_table_a_frame_waits_for_the_list_which_shows_its_round_as_past() {
    let mut table = Table::started();
    table.hear(Report::OtherInstance("one".to_owned()));
    assert_eq!(table.hear(Report::OtherInstance("two".to_owned())), ["Reset"]);
    for _ in 0..25 {
        table.play_any();
    }
    assert_eq!(table.hear(frame(&table)), [""; 0]);
    assert_eq!(table.see_history(), [""; 0]);
    play_told(&mut table, 231);
}

#[test]
fn a_list_that_shows_one_of_two_told_rounds_lags_and_is_no_other_list() {
    let mut table = Table::started();
    play_told(&mut table, 231);
    play_told(&mut table, 100);
    let lagging = table.history[1..26].to_vec();
    assert_eq!(table.insist(&lagging), [""; 0]);
    table.check_known(27);
    assert_eq!(table.see_history(), [""; 0]);
    table.check_known(27);
}

#[test]
fn a_list_that_lags_behind_a_history_with_ids_changes_nothing() {
    let mut table = Table::started();
    table.hear(init(&table));
    table.play(&[231, 100, 417]);
    table.now += 60.0;
    assert_eq!(table.hear(init(&table)), ["~231", "~100", "~417"]);
    for lag in [2, 1] {
        let lagging = table.history[lag..lag + 25].to_vec();
        assert_eq!(table.insist(&lagging), [""; 0], "{lag}");
        table.check_known(28);
    }
}

#[test]
fn three_rows_of_a_file_prove_the_place_and_two_do_not() {
    for (recorded, mark) in [(2, Some("Weak")), (3, None)] {
        let new = ["~101".to_owned(), "~102".to_owned()];
        let expected: Vec<String> = mark.map(str::to_owned).into_iter().chain(new).collect();
        let mut table = restarted(settings(), recorded);
        table.play(&[101, 102]);
        table.now += 46.0;
        assert_eq!(table.see_history(), expected, "a list, {recorded}");
        table.check_known(25);
        let mut table = restarted(settings(), recorded);
        table.play(&[101, 102]);
        table.now += 46.0;
        assert_eq!(table.hear(init(&table)), expected, "ids, {recorded}");
        table.check_known(25);
    }
}

#[test]
fn a_list_that_reaches_further_back_than_the_files_is_taken_over() {
    let feed = DedupSettings { kind: SourceKind::Http, ..settings() };
    let mut table = restarted(feed, 8);
    table.play(&[231]);
    table.now += 23.0;
    assert_eq!(table.hear(frame(&table)), ["Gap", "+231"]);
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
    assert_eq!(table.hear(frame(&table)), ["Gap", "+517"]);
    let shown = table.shown();
    assert_eq!(table.poll(&shown), [""; 0]);
    let out = table.observe(Report::List(multipliers(&shown)));
    let [Outcome::Note { kind: EventKind::Gap, detail }, _] = &out[..] else { panic!("{out:?}") };
    assert_eq!(detail["multipliers"], json!([2.31]));
    table.check_known(25);
    assert_eq!(table.hear(init(&table)), [""; 0]);
    table.check_known(25);
}

#[test]
fn a_round_that_only_the_init_knows_is_marked_once_with_its_value() {
    let mut table = Table::started();
    table.hear(init(&table));
    play_told(&mut table, 231);
    table.play(&[150]);
    table.now += 9.0;
    play_told(&mut table, 160);
    play_told(&mut table, 170);
    let out = table.observe(init(&table));
    let [Outcome::Note { kind: EventKind::Gap, detail }, _] = &out[..] else { panic!("{out:?}") };
    assert_eq!(detail["multipliers"], json!([1.5]));
    assert_eq!(table.observe(init(&table)), []);
    play_told(&mut table, 180);
    assert_eq!(table.hear(init(&table)), [""; 0]);
}

#[test]
fn after_a_marked_round_a_history_with_ids_still_finds_its_place() {
    let mut table = Table::started();
    table.play(&[231]);
    table.now += 9.0;
    play_told(&mut table, 517);
    let shown = table.shown();
    assert_eq!(table.insist(&shown), ["Gap"]);
    table.deduplicator.interrupted();
    table.play(&[101, 102]);
    table.now += 46.0;
    assert_eq!(table.hear(init(&table)), ["~101", "~102"]);
    table.check_known(25 + 2);
}

#[test]
fn a_first_history_with_ids_is_continued_by_its_ids() {
    let mut table = Table::new(Deduplicator::new(settings()));
    assert_eq!(table.hear(init(&table)), [""; 0]);
    table.deduplicator.interrupted();
    table.play(&[101, 102]);
    table.now += 46.0;
    assert_eq!(table.hear(init(&table)), ["~101", "~102"]);
    table.check_known(27);
}

#[test]
fn a_round_whose_name_was_lost_is_known_to_the_next_history() {
    let mut table = Table::started();
    table.hear(init(&table));
    table.play(&[231]);
    table.now += 9.0;
    assert_eq!(table.see_history(), ["+231"]);
    play_told(&mut table, 160);
    assert_eq!(table.hear(init(&table)), [""; 0]);
    table.check_known(27);
}

#[test]
fn an_init_that_lags_and_reaches_further_back_than_the_files_is_taken_over() {
    let mut table = restarted(settings(), 10);
    let late = init(&table);
    table.play(&[231, 100]);
    table.now += 46.0;
    let shown = table.history[..12].to_vec();
    assert_eq!(table.insist(&shown), ["~231", "~100"]);
    assert_eq!(table.hear(late), [""; 0]);
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
        written.extend(table.hear(frame(&table)));
    }
    let rows = (0..70).map(|index| format!("+{}", 200 + index));
    assert_eq!(written, ["Gap".to_owned()].into_iter().chain(rows).collect::<Vec<_>>());
}

#[test]
fn a_dated_round_is_known_only_by_its_time_and_value() {
    let newest = Round { time: wall(100.0), multiplier: Multiplier::from_cents(231).unwrap() };
    let feed = DedupSettings { kind: SourceKind::WebSocket, ..settings() };
    for (second, cents, is_new) in [
        (99.0, 500, false),
        (100.0, 231, false),
        (100.0, 232, true),
        (101.0, 231, true),
        (101.0, 500, true),
    ] {
        let seed = ResumePoint {
            rounds: vec![newest],
            newest: Some(newest.time),
            ..ResumePoint::default()
        };
        let mut table = Table::new(Deduplicator::resuming(feed, &seed));
        table.now = 200.0;
        let written = table.hear(Report::Round {
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
fn a_source_whose_clock_is_ahead_writes_our_time_and_no_remark() {
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
