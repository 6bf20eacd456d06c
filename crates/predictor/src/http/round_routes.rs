//! The routes of rounds, their distribution, the score history and the collector's events.

use actix_web::http::header::EntityTag;
use actix_web::{HttpRequest, HttpResponse, web};
use forecasting::score_history::{self, Columns};
use serde::Serialize;

use super::etag::{Answer, Keep, answer, tag};
use super::problem::Problem;
use crate::http::query::{Limit, Part, Points};
use crate::input::collector_events::{CollectorEvent, EVENTS_MAX, Totals};
use crate::snapshot::survival_curve::Point;
use crate::snapshot::{RecentRound, Snapshot};
use crate::table::TableHandle;

/// More points than any plot has columns.
const POINTS_MAX: usize = 2000;
/// Points of the past unless the client says how many.
const HISTORY: usize = 500;
/// Events sent unless the client says how many.
const EVENTS: usize = 100;

#[derive(Serialize)]
struct Listed {
    success: bool,
    first: u64,
    total: u64,
    step: u64,
    rounds: Vec<Numbered>,
}

#[derive(Serialize)]
struct Numbered {
    round: u64,
    #[serde(flatten)]
    row: RecentRound,
}

/// `GET /api/rounds`: the newest rounds, or all of a time, thinned where they are many.
pub(crate) async fn rounds(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
    part: web::Query<Part>,
) -> Result<HttpResponse, Problem> {
    let (span, points) = (part.span()?, part.points(POINTS_MAX)?);
    let snapshot = handle.snapshot.load_full();
    Ok(answer(&request, &tag_of_rounds(&snapshot), Keep::AndAsk, || {
        let roll = &snapshot.round_history;
        let range = span.of(roll);
        let first = range.start as u64 + 1;
        let (step, indices) = roll.thinned(range, points);
        let row = |&index: &usize| {
            roll.row(index).map(|row| Numbered { round: index as u64 + 1, row: row.into() })
        };
        Answer::json(&Listed {
            success: true,
            first,
            total: roll.len() as u64,
            step: step as u64,
            rounds: indices.iter().filter_map(row).collect(),
        })
    }))
}

#[derive(Serialize)]
struct Reached {
    success: bool,
    rounds: u64,
    points: Vec<Point>,
}

/// `GET /api/distribution`: the share of rounds that reached each multiplier.
pub(crate) async fn distribution(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
) -> HttpResponse {
    let snapshot = handle.snapshot.load_full();
    answer(&request, &tag_of_rounds(&snapshot), Keep::AndAsk, || {
        let distribution = &snapshot.survival_curve;
        let (rounds, points) = (distribution.rounds(), distribution.points());
        Answer::json(&Reached { success: true, rounds, points })
    })
}

#[derive(Serialize)]
struct ScoreHistoryBody {
    success: bool,
    #[serde(flatten)]
    columns: Columns,
}

/// `GET /api/history`: how skill, coverage and evidence went.
pub(crate) async fn history(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
    points: web::Query<Points>,
) -> Result<HttpResponse, Problem> {
    let points = points.number(HISTORY, score_history::POINTS_MAX)?;
    let snapshot = handle.snapshot.load_full();
    let past = &snapshot.score_history;
    let tag = tag(&[run(&snapshot), past.step(), past.len() as u64, snapshot.data.rebuilds]);
    Ok(answer(&request, &tag, Keep::AndAsk, || {
        Answer::json(&ScoreHistoryBody { success: true, columns: past.columns(points) })
    }))
}

#[derive(Serialize)]
struct Recorded<'a> {
    success: bool,
    totals: Totals,
    unreadable_lines: u64,
    events: Vec<&'a CollectorEvent>,
}

/// `GET /api/recorder`: the collector's events, newest first.
pub(crate) async fn recorder(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
    limit: web::Query<Limit>,
) -> Result<HttpResponse, Problem> {
    let limit = limit.number(EVENTS, EVENTS_MAX)?;
    let snapshot = handle.snapshot.load_full();
    let log = &snapshot.collector_events;
    let tag = tag(&[run(&snapshot), log.change]);
    Ok(answer(&request, &tag, Keep::AndAsk, || {
        Answer::json(&Recorded {
            success: true,
            totals: log.totals,
            unreadable_lines: log.unreadable,
            events: log.newest.iter().rev().take(limit).collect(),
        })
    }))
}

/// The rounds that were there in this run: their number, the newest, and how often earlier ones
/// have changed.
fn tag_of_rounds(snapshot: &Snapshot) -> EntityTag {
    let newest = snapshot.latest_timestamp.map_or(0, |time| time.timestamp_millis());
    tag(&[
        run(snapshot),
        snapshot.round_history.len() as u64,
        newest.cast_unsigned(),
        snapshot.data.rebuilds,
    ])
}

fn run(snapshot: &Snapshot) -> u64 {
    snapshot.started_at.timestamp_millis().cast_unsigned()
}
