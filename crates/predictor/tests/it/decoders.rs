//! Query strings of any content are either parsed or refused.

use std::path::Path;

use actix_web::web::Query;
use predictor::query::{ExportQuery, LimitQuery, PointsQuery, RoundsQuery, TargetsQuery};

/// The files of a corpus, by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus");
    test_support::files_in(&corpora.join(name))
}

/// Which of the five kinds of query a text is.
fn understood(text: &str) -> Vec<&'static str> {
    let part = Query::<RoundsQuery>::from_query(text);
    let is_part = part.is_ok_and(|part| part.span().is_ok() && part.points(2000).is_ok());
    let is_export = Query::<ExportQuery>::from_query(text).is_ok_and(|part| part.span().is_ok());
    let is_limit =
        Query::<LimitQuery>::from_query(text).is_ok_and(|limit| limit.number(1, 9).is_ok());
    let is_points =
        Query::<PointsQuery>::from_query(text).is_ok_and(|points| points.number(2, 2000).is_ok());
    let is_targets = Query::<TargetsQuery>::from_query(text).is_ok_and(|it| it.chosen().is_ok());
    [
        ("part", is_part),
        ("export", is_export),
        ("limit", is_limit),
        ("points", is_points),
        ("targets", is_targets),
    ]
    .into_iter()
    .filter_map(|(name, is_it)| is_it.then_some(name))
    .collect()
}

#[test]
fn of_the_corpus_only_unambiguous_queries_are_answered() {
    let told: Vec<(String, Vec<&str>)> = corpus("queries")
        .into_iter()
        .map(|(name, bytes)| (name, understood(std::str::from_utf8(&bytes).unwrap())))
        .filter(|(_, kinds)| !kinds.is_empty())
        .collect();
    let expected = [
        ("all", vec!["part", "export"]),
        ("leap-second", vec!["part", "export"]),
        ("limit", vec!["part", "export"]),
        ("nothing", vec!["part", "export", "limit", "points", "targets"]),
        ("offset-escaped", vec!["part"]),
        ("offset-unescaped", vec!["part", "export"]),
        ("points", vec!["part", "points"]),
        ("targets", vec!["targets"]),
        ("times", vec!["part", "export"]),
    ];
    assert_eq!(told, expected.map(|(name, kinds)| (name.to_owned(), kinds)));
}
