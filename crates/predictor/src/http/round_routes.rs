//! The routes of rounds, their distribution, the score history and the collector's events.

use actix_web::http::header::EntityTag;
use actix_web::{HttpRequest, HttpResponse, web};
use forecasting::score_history::{self, Columns};
use serde::Serialize;

use super::etag::{Answer, Caching, answer, tag};
use super::problem::Problem;
use crate::http::query::{LimitQuery, PointsQuery, RoundsQuery};
use crate::input::collector_events::{CollectorEvent, EVENTS_MAX, Totals};
use crate::snapshot::survival_curve::CurvePoint;
use crate::snapshot::{RecentRound, Snapshot};
use crate::table::TableHandle;

/// Maximum number of rounds sent; no plot has more columns.
const POINTS_MAX: usize = 2000;
/// Default number of points of the score history.
const HISTORY_POINTS: usize = 500;
/// Default number of events.
const EVENTS_DEFAULT: usize = 100;

#[derive(Serialize)]
struct RoundsBody {
    success: bool,
    first: u64,
    total: u64,
    step: u64,
    rounds: Vec<NumberedRound>,
}

#[derive(Serialize)]
struct NumberedRound {
    round: u64,
    #[serde(flatten)]
    row: RecentRound,
}

/// `GET /api/rounds`: the newest rounds, or those of a period, thinned if they are many.
pub(crate) async fn rounds(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
    query: web::Query<RoundsQuery>,
) -> Result<HttpResponse, Problem> {
    let (span, points) = (query.span()?, query.points(POINTS_MAX)?);
    let snapshot = handle.snapshot.load_full();
    Ok(answer(&request, &tag_of_rounds(&snapshot), Caching::Revalidate, || {
        let history = &snapshot.round_history;
        let range = span.of(history);
        let first = range.start as u64 + 1;
        let (step, indices) = history.thinned(range, points);
        let row = |&index: &usize| {
            history.row(index).map(|row| NumberedRound { round: index as u64 + 1, row: row.into() })
        };
        Answer::json(&RoundsBody {
            success: true,
            first,
            total: history.len() as u64,
            step: step as u64,
            rounds: indices.iter().filter_map(row).collect(),
        })
    }))
}

#[derive(Serialize)]
struct DistributionBody {
    success: bool,
    rounds: u64,
    points: Vec<CurvePoint>,
}

/// `GET /api/distribution`: the share of rounds that reached each multiplier.
pub(crate) async fn distribution(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
) -> HttpResponse {
    let snapshot = handle.snapshot.load_full();
    answer(&request, &tag_of_rounds(&snapshot), Caching::Revalidate, || {
        let distribution = &snapshot.survival_curve;
        let (rounds, points) = (distribution.rounds(), distribution.points(&snapshot.law));
        Answer::json(&DistributionBody { success: true, rounds, points })
    })
}

#[derive(Serialize)]
struct ScoreHistoryBody {
    success: bool,
    #[serde(flatten)]
    columns: Columns,
}

/// `GET /api/history`: skill, coverage and evidence over time.
pub(crate) async fn history(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
    points: web::Query<PointsQuery>,
) -> Result<HttpResponse, Problem> {
    let points = points.number(HISTORY_POINTS, score_history::POINTS_MAX)?;
    let snapshot = handle.snapshot.load_full();
    let past = &snapshot.score_history;
    let tag = tag(&[run(&snapshot), past.step(), past.len() as u64, snapshot.data.rebuilds]);
    Ok(answer(&request, &tag, Caching::Revalidate, || {
        Answer::json(&ScoreHistoryBody { success: true, columns: past.columns(points) })
    }))
}

#[derive(Serialize)]
struct RecorderBody<'a> {
    success: bool,
    totals: Totals,
    unreadable_lines: u64,
    events: Vec<&'a CollectorEvent>,
}

/// `GET /api/recorder`: the collector's events, newest first.
pub(crate) async fn recorder(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
    limit: web::Query<LimitQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = limit.number(EVENTS_DEFAULT, EVENTS_MAX)?;
    let snapshot = handle.snapshot.load_full();
    let log = &snapshot.collector_events;
    let tag = tag(&[run(&snapshot), log.change]);
    Ok(answer(&request, &tag, Caching::Revalidate, || {
        Answer::json(&RecorderBody {
            success: true,
            totals: log.totals,
            unreadable_lines: log.unreadable,
            events: log.newest.iter().rev().take(limit).collect(),
        })
    }))
}

/// Returns a tag of the rounds in this run: their number, the newest, and how often earlier ones have
/// changed.
pub(super) fn tag_of_rounds(snapshot: &Snapshot) -> EntityTag {
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
