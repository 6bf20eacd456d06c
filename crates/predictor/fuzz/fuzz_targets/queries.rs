//! Anything may stand behind the question mark of any route: no panic, and what is understood lies within its bounds.
#![no_main]

use actix_web::web::Query;
use libfuzzer_sys::fuzz_target;
use predictor::query::{ExportQuery, LimitQuery, PointsQuery, RoundsQuery, Span, TargetsQuery};

const MOST: usize = 2000;

fn check(span: Span) {
    assert!(span.limit >= 1);
    for time in [span.from, span.to].into_iter().flatten() {
        // As it is told to a client again.
        let text = time.to_rfc3339();
        if text.starts_with(['+', '-']) {
            // An offset moved it out of the years that RFC 3339 can write.
            continue;
        }
        let asked = format!("from={}", text.replace('+', "%2B"));
        let again = Query::<ExportQuery>::from_query(&asked).expect("it is one of the names");
        assert_eq!(again.span().map(|span| span.from), Ok(Some(time)), "{asked}");
    }
}

fuzz_target!(|text: &str| {
    if let Ok(part) = Query::<RoundsQuery>::from_query(text) {
        if let Ok(span) = part.span() {
            check(span);
        }
        if let Ok(points) = part.points(MOST) {
            assert!((2..=MOST).contains(&points));
        }
    }
    if let Ok(part) = Query::<ExportQuery>::from_query(text)
        && let Ok(span) = part.span()
    {
        check(span);
    }
    if let Ok(limit) = Query::<LimitQuery>::from_query(text)
        && let Ok(limit) = limit.number(100, MOST)
    {
        assert!((1..=MOST).contains(&limit));
    }
    if let Ok(points) = Query::<PointsQuery>::from_query(text)
        && let Ok(points) = points.number(500, MOST)
    {
        assert!((2..=MOST).contains(&points));
    }
    if let Ok(targets) = Query::<TargetsQuery>::from_query(text)
        && let Ok(targets) = targets.chosen()
    {
        assert!(targets.len() <= 20);
        assert!(targets.iter().all(|target| (1.01..=1e6).contains(target)));
    }
});
