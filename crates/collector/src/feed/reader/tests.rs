use rounds::Multiplier;
use serde_json::json;

use super::*;
use crate::feed::rule::RuleOptions;
use crate::order::Order;

fn reader(toml: &str) -> Reader {
    #[derive(serde::Deserialize)]
    struct Rules {
        rounds: Vec<RuleOptions>,
    }
    let Rules { rounds } = toml::from_str(toml).unwrap();
    let rules = rounds
        .into_iter()
        .enumerate()
        .map(|(index, options)| options.check(index, Order::NewestFirst).unwrap());
    Reader::new(rules.collect())
}

fn x(text: &str) -> Multiplier {
    text.parse().unwrap()
}

fn round(id: Option<&str>, multiplier: &str, detail: Option<Value>) -> Report {
    let id = id.map(str::to_owned);
    Report::Round { id, multiplier: x(multiplier), ended_at: None, backfill: false, detail }
}

/// Returns all reports and problems that follow from `messages`.
fn read(reader: &mut Reader, messages: &[Value]) -> (Vec<Report>, Vec<String>) {
    let (mut report, mut problems) = (Vec::new(), Vec::new());
    for message in messages {
        let parsed = reader.read(message);
        report.extend(parsed.report);
        problems.extend(parsed.problem.map(|problem| problem.to_string()));
    }
    (report, problems)
}

#[track_caller]
fn check(toml: &str, messages: &[Value], expected: &[Report]) {
    assert_eq!(read(&mut reader(toml), messages), (expected.to_vec(), Vec::new()));
}

#[track_caller]
fn fails(toml: &str, messages: &[Value], expected: &str) {
    let (report, problems) = read(&mut reader(toml), messages);
    assert_eq!((report, problems), (Vec::new(), vec![expected.to_owned()]));
}

const GRAPHQL: &str = r#"
[[rounds]]
filters = [{ pointer = "/crash/status", equals = "crash" }]
value = "/crash/multiplier"
id = "/crash/id"
[rounds.when_null]
filters = [{ pointer = "/crash/status", equals = "in_progress" }]
otherwise = 1.0
"#;

fn crash(id: &str, status: &str, multiplier: Option<f64>) -> Value {
    json!({"crash": {"id": id, "status": status, "multiplier": multiplier}})
}

/// Returns a report of a list.
fn list(rounds: &[&str]) -> Report {
    Report::List(rounds.iter().map(|text| x(text).into()).collect())
}

#[test]
fn only_messages_that_match_the_filters_end_a_round() {
    check(
        GRAPHQL,
        &[
            json!({"type": "connection_ack"}),
            crash("a", "starting", None),
            crash("a", "in_progress", Some(1.5)),
            crash("a", "crash", Some(2.31)),
            json!({"cashout": {"status": "crash", "multiplier": 7}}),
        ],
        &[round(Some("a"), "2.31", None)],
    );
}

#[test]
fn a_null_multiplier_becomes_the_last_one_in_flight() {
    let detail = json!({"multiplier_from": "the last one reported in flight"});
    check(
        GRAPHQL,
        &[
            crash("a", "in_progress", Some(1.0)),
            crash("a", "in_progress", Some(1.72)),
            crash("a", "crash", None),
        ],
        &[round(Some("a"), "1.72", Some(detail))],
    );
}

#[test]
fn a_null_multiplier_without_one_in_flight_is_1_00_if_the_start_was_observed() {
    let detail = json!({"multiplier_from": "none reported"});
    check(
        GRAPHQL,
        &[crash("a", "crash", Some(2.5)), crash("b", "crash", None)],
        &[round(Some("a"), "2.50", None), round(Some("b"), "1.00", Some(detail))],
    );
}

#[test]
fn the_first_round_observed_is_left_out_rather_than_taken_as_1_00() {
    fails(
        GRAPHQL,
        &[crash("a", "crash", None)],
        "feed.rounds[0].when_null: the round has no multiplier, and its start was not received: it is skipped",
    );
}

#[test]
fn a_flight_before_a_lost_connection_does_not_count_for_the_next_round() {
    let mut reader = reader(GRAPHQL);
    let before = [crash("a", "crash", Some(2.0)), crash("b", "in_progress", Some(3.3))];
    assert_eq!(read(&mut reader, &before).0.len(), 1);
    reader.forget();
    let (report, problems) = read(&mut reader, &[crash("c", "crash", None)]);
    assert_eq!((report.len(), problems.len()), (0, 1), "{problems:?}");
}

#[test]
fn the_flight_of_another_round_does_not_count() {
    let messages = [crash("a", "in_progress", Some(3.3)), crash("b", "crash", None)];
    let (report, problems) = read(&mut reader(GRAPHQL), &messages);
    assert_eq!((report.len(), problems.len()), (0, 1), "{problems:?}");
}

#[test]
fn an_omitted_multiplier_counts_as_null() {
    let toml = "[[rounds]]\nevent = 'crash'\nvalue = '/1/x'\nwhen_null = { event = 'tick' }\n";
    let detail = json!({"multiplier_from": "the last one reported in flight"});
    check(
        toml,
        &[json!(["tick", {"x": 1.44}]), json!(["crash", {}])],
        &[round(None, "1.44", Some(detail))],
    );
}

const BUSTABIT: &str = r#"
[[rounds]]
event = "game_crash"
value = "/1/game_crash"
scale = 0.01
detail = { hash = "/1/hash", seed = "/1/seed" }
id_from = { event = "game_starting", id = "/1/game_id" }
"#;

#[test]
fn a_round_takes_its_id_from_the_message_before_it() {
    check(
        BUSTABIT,
        &[
            json!(["game_crash", {"game_crash": 100}]),
            json!(["game_starting", {"game_id": 7_812_345, "max_win": 1}]),
            json!(["game_tick", 150]),
            json!(["game_crash", {"game_crash": 231, "hash": "ab"}]),
            json!(["game_crash", {"game_crash": 115}]),
        ],
        &[
            round(None, "1.00", None),
            round(Some("7812345"), "2.31", Some(json!({"hash": "ab"}))),
            round(None, "1.15", None),
        ],
    );
}

#[test]
fn a_detail_that_is_too_long_is_not_kept() {
    check(
        BUSTABIT,
        &[json!(["game_crash", {"game_crash": 231, "hash": "a".repeat(5000), "seed": "s"}])],
        &[round(None, "2.31", Some(json!({"seed": "s"})))],
    );
}

#[test]
fn a_list_is_returned_newest_first_whatever_its_order() {
    let toml = |order: &str| {
        format!("[[rounds]]\nlist = '/rows'\nvalue = '/x'\nid = '/n'\norder = '{order}'\n")
    };
    let rows = json!({"rows": [{"n": 3, "x": "2.31x"}, {"n": "2", "x": 1}, {"n": 1, "x": 9.5}]});
    let ids =
        vec![("3".to_owned(), x("2.31")), ("2".to_owned(), x("1.00")), ("1".to_owned(), x("9.50"))];
    check(&toml("newest-first"), std::slice::from_ref(&rows), &[Report::Ids(ids.clone())]);
    let reversed = ids.into_iter().rev().collect();
    check(&toml("oldest-first"), &[rows], &[Report::Ids(reversed)]);
}

#[test]
fn a_message_may_be_a_plain_list_of_numbers() {
    let toml = "[[rounds]]\nlist = ''\nvalue = ''\nscale = 0.01\n";
    check(toml, &[json!([231, 100, 950])], &[list(&["2.31", "1", "9.5"])]);
    check(toml, &[json!([])], &[]);
}

#[test]
fn a_round_in_flight_at_the_new_end_of_a_list_is_left_out() {
    let toml = "[[rounds]]\nlist = ''\nvalue = '/x'\norder = 'oldest-first'\n";
    check(toml, &[json!([{"x": 2}, {"x": 3}, {"x": null}])], &[list(&["3", "2"])]);
}

#[test]
fn a_list_ends_at_an_unreadable_entry() {
    let toml = "[[rounds]]\nlist = ''\nvalue = '/x'\n";
    let (report, problems) =
        read(&mut reader(toml), &[json!([{"x": 2}, {"x": 3}, {"y": 1}, {"x": 4}])]);
    assert_eq!(report, [list(&["2", "3"])]);
    assert_eq!(
        problems,
        [r#"feed.rounds[0].value: the pointer "/x" matches nothing: the message has the key "y""#]
    );
}

#[test]
fn a_list_is_not_read_beyond_the_window_of_the_deduplicator() {
    let many: Value = (0..500).map(|n| json!(2 + n)).collect();
    let toml = "[[rounds]]\nlist = ''\nvalue = ''\norder = 'oldest-first'\n";
    let (report, _) = read(&mut reader(toml), &[many]);
    let [Report::List(list)] = &report[..] else { panic!("{report:?}") };
    assert_eq!((list.len(), &list[0]), (200, &x("501").into()));
}

#[test]
fn the_first_rule_that_matches_a_message_reads_it() {
    let toml = "
[[rounds]]
event = 'history'
list = '/1'
value = ''
[[rounds]]
filters = [{ pointer = '/0', in = ['crash', 'end'] }]
value = '/1'
";
    check(
        toml,
        &[json!(["history", [2, 3]]), json!(["end", 4]), json!(["tick", 9]), json!(["crash", 5])],
        &[list(&["2", "3"]), round(None, "4.00", None), round(None, "5.00", None)],
    );
}

#[test]
fn a_time_is_kept_and_an_invalid_one_does_not_lose_the_round() {
    let toml = "[[rounds]]\nvalue = '/x'\ntime = '/at'\ntime_format = 'unix_ms'\n";
    let message = |at: Value| json!({"x": 2, "at": at});
    let (report, problems) = read(
        &mut reader(toml),
        &[message(json!(1_772_368_200_250_u64)), message(json!("noon")), json!({"x": 2})],
    );
    let times: Vec<Option<String>> = report
        .iter()
        .map(|report| match report {
            Report::Round { ended_at, .. } => ended_at.map(|time| time.to_rfc3339()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(times, [Some("2026-03-01T12:30:00.250+00:00".to_owned()), None, None]);
    assert_eq!(
        problems,
        [
            r#"feed.rounds[0].time: it is not a time in this time_format, at the pointer "/at""#,
            r#"feed.rounds[0].time: the pointer "/at" matches nothing: the message has the key "x""#
        ]
    );
}

#[test]
fn a_message_that_contradicts_its_rule_is_reported_by_key_and_pointer() {
    let toml = "[[rounds]]\nevent = 'crash'\nvalue = '/1/crash'\nid = '/1/id'\n";
    fails(
        toml,
        &[json!(["crash", {"id": 1, "multiplier": 2}])],
        r#"feed.rounds[0].value: the pointer "/1/crash" matches nothing: "/1" has the keys "id", "multiplier", and the message has a list of 2"#,
    );
    fails(
        toml,
        &[json!(["crash", {"crash": 2}])],
        r#"feed.rounds[0].id: the pointer "/1/id" matches nothing: "/1" has the key "crash", and the message has a list of 2"#,
    );
    fails(
        toml,
        &[json!(["crash", {"crash": {"secret": 1}, "id": 1}])],
        r#"feed.rounds[0].value: expected a number, found the key "secret", at the pointer "/1/crash""#,
    );
    for id in [json!(""), json!("  "), json!("a".repeat(129))] {
        fails(
            toml,
            &[json!(["crash", {"crash": 2, "id": id}])],
            "feed.rounds[0].id: an id must have 1 to 128 characters",
        );
    }
    fails(
        "[[rounds]]\nlist = '/rows'\nvalue = ''\n",
        &[json!({"rows": {"a": 1}})],
        "feed.rounds[0].list: the value is not a list",
    );
}

#[test]
fn the_reason_why_no_rule_matches_is_available() {
    let reader = reader(BUSTABIT);
    assert_eq!(
        reader.mismatch_reason(&json!(["crash", {}])),
        r#"feed.rounds[0]: the filter on "/0" requires another value"#
    );
    assert_eq!(
        reader.mismatch_reason(&json!({"type": "next"})),
        r#"feed.rounds[0]: the pointer "/0" matches nothing: the message has the key "type""#
    );
}
