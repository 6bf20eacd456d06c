//! The four JSON routes of the original and the health checks, each answered from one snapshot.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::oneshot;

use super::body;
use super::etag::{Answer, Caching, answer, tag};
use super::format;
use super::problem::Problem;
use crate::api_json;
use crate::config::ApiFormat;
use crate::http::query::{FormatQuery, TargetsQuery};
use crate::snapshot::{Prediction, Probability, RecentRound, Snapshot, Statistics};
use crate::table::TableHandle;
use crate::training::report::Accuracy;
use crate::training::status::NoTraining;

/// Number of rounds that `load_csv` lists.
const RECENT_DATA: usize = 20;
/// Time limit of a scan; after it `load_csv` answers from the last snapshot.
const SCAN_WITHIN: Duration = Duration::from_secs(5);

/// `GET /api/status`.
///
/// Caches must not store the answer, because it contains ages. A request with the tag of an earlier
/// answer gets 304 if nothing but the ages has changed.
pub(crate) async fn status(
    request: HttpRequest,
    query: web::Query<FormatQuery>,
    handle: web::Data<TableHandle>,
) -> HttpResponse {
    let snapshot = handle.snapshot.load_full();
    let format = format::chosen(&request, query.format);
    let tag = tag(&[snapshot.hash(), format as u64]);
    answer(&request, &tag, Caching::NoStore, || {
        let (shared, own) = snapshot.status((handle.now)());
        match format {
            ApiFormat::Rfc3339 => Answer::from((shared, own)),
            ApiFormat::Legacy => {
                let text = [&shared[..], own.as_bytes()].concat();
                Answer::json_text(format::in_format(format, text))
            }
        }
    })
}

#[derive(Serialize)]
struct Loaded<'a> {
    success: bool,
    filename: &'a str,
    total_records: u64,
    latest_multiplier: f64,
    #[serde(serialize_with = "api_json::time")]
    latest_timestamp: DateTime<Utc>,
    statistics: Statistics,
    recent_data: Vec<Row>,
    simulated: bool,
}

#[derive(Serialize)]
struct Row {
    #[serde(serialize_with = "api_json::time")]
    timestamp: DateTime<Utc>,
    multiplier: f64,
}

impl From<&RecentRound> for Row {
    fn from(round: &RecentRound) -> Self {
        Self { timestamp: round.time, multiplier: round.multiplier }
    }
}

/// `GET /api/load_csv`: scans the directory now and returns a summary of its rounds.
pub(crate) async fn load_csv(
    request: HttpRequest,
    query: web::Query<FormatQuery>,
    handle: web::Data<TableHandle>,
) -> Result<HttpResponse, Problem> {
    if let Some(scanned) = handle.loop_handle.scan() {
        // Even after a timeout the answer comes from the latest snapshot.
        drop(tokio::time::timeout(SCAN_WITHIN, scanned).await);
    }
    let snapshot = handle.snapshot.load_full();
    let (Some(filename), Some(latest_multiplier), Some(latest_timestamp), Some(statistics)) = (
        snapshot.csv_file.as_deref(),
        snapshot.latest_multiplier,
        snapshot.latest_timestamp,
        snapshot.statistics,
    ) else {
        let detail = format!("no rounds in aviator_payouts_*.csv of {}", snapshot.data_dir);
        return Err(Problem::new("no-data", StatusCode::NOT_FOUND, detail));
    };
    let from = snapshot.recent.len().saturating_sub(RECENT_DATA);
    let loaded = Loaded {
        success: true,
        filename,
        total_records: snapshot.csv_records,
        latest_multiplier,
        latest_timestamp,
        statistics,
        recent_data: snapshot.recent[from..].iter().map(Row::from).collect(),
        simulated: snapshot.simulated,
    };
    Ok(format::json(&request, query.format, &loaded))
}

#[derive(Serialize)]
struct Predicted<'a> {
    success: bool,
    prediction: &'a Prediction,
    targets: Vec<Probability>,
}

/// `GET /api/predict`: the open forecast.
pub(crate) async fn predict(
    request: HttpRequest,
    query: web::Query<TargetsQuery>,
    handle: web::Data<TableHandle>,
) -> Result<HttpResponse, Problem> {
    let chosen = query
        .chosen()
        .map_err(|error| Problem::new("bad-targets", StatusCode::BAD_REQUEST, error.to_string()))?;
    let snapshot = handle.snapshot.load_full();
    match &snapshot.current_prediction {
        Some(prediction) => {
            let targets = prediction.chances(&chosen);
            let predicted = Predicted { success: true, prediction, targets };
            Ok(format::json(&request, query.format, &predicted))
        }
        None => Err(match snapshot.training.needed {
            Some(needed) => Problem::too_few_rounds(needed.have, needed.need),
            None => not_trained(&snapshot),
        }),
    }
}

fn not_trained(snapshot: &Snapshot) -> Problem {
    let detail = if snapshot.training.running {
        "the first model is being trained"
    } else if let Some(error) = &snapshot.training.last_error {
        return Problem::new("training-failed", StatusCode::SERVICE_UNAVAILABLE, error.clone());
    } else {
        "no model has been trained yet; POST /api/train starts a training"
    };
    Problem::new("not-trained", StatusCode::SERVICE_UNAVAILABLE, detail)
}

#[derive(Serialize)]
struct Trained<'a> {
    success: bool,
    message: String,
    accuracy: &'a Accuracy,
}

/// `POST /api/train`: trains on all rounds and answers when done.
pub(crate) async fn train(
    request: HttpRequest,
    query: web::Query<FormatQuery>,
    payload: web::Payload,
    handle: web::Data<TableHandle>,
) -> Result<HttpResponse, Problem> {
    check_body(&request, &body::read(payload).await?)?;
    let (reply, answer) = oneshot::channel();
    if !handle.loop_handle.train(reply) {
        return Err(Problem::stopping());
    }
    match answer.await {
        Ok(Ok(accuracy)) => {
            let message = format!("Model trained on {} records", accuracy.total_records);
            let trained = Trained { success: true, message, accuracy: &accuracy };
            Ok(format::json(&request, query.format, &trained))
        }
        Ok(Err(NoTraining::Running { id })) => {
            let detail = format!("training {id} is running; /api/status shows when it is done");
            Err(Problem::new("training-runs", StatusCode::CONFLICT, detail).with("training_id", id))
        }
        Ok(Err(NoTraining::TooFewRounds { have, need })) => {
            Err(Problem::too_few_rounds(have, need))
        }
        Ok(Err(NoTraining::Failed(error))) => {
            Err(Problem::new("training-failed", StatusCode::INTERNAL_SERVER_ERROR, error))
        }
        Err(_) => Err(Problem::stopping()),
    }
}

/// Checks that there is no body or a JSON one. Its contents are ignored: a training has no options.
fn check_body(request: &HttpRequest, body: &[u8]) -> Result<(), Problem> {
    if body.is_empty() {
        return Ok(());
    }
    if !body::is(request, "application/json") {
        let detail = "a body must be application/json";
        return Err(Problem::new("not-json", StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(body).map(|_| ()).map_err(|error| {
        Problem::new("not-json", StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))
    })
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok", reason: None })
}

/// `GET /readyz`: ready once there is a model; data that cannot be read only degrade the state.
pub(crate) async fn readyz(handle: web::Data<TableHandle>) -> Result<HttpResponse, Problem> {
    let snapshot = handle.snapshot.load_full();
    if !snapshot.model_trained {
        return Err(match snapshot.training.needed {
            Some(needed) => Problem::too_few_rounds(needed.have, needed.need),
            None => not_trained(&snapshot),
        });
    }
    let is_synced = snapshot.indicators.data_synced;
    Ok(HttpResponse::Ok().json(if is_synced {
        Health { status: "ok", reason: None }
    } else {
        Health { status: "degraded", reason: Some("the data directory cannot be read") }
    }))
}
