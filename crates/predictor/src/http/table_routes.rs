//! The list of tables, and the routes of each: those below `/api/v1/tables/NAME` repeat those below
//! `/api`, which belong to the first table.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Route;
use super::etag::{Answer, Caching, answer, tag};
use crate::api_json;
use crate::events::Events;
use crate::snapshot::Snapshot;
use crate::table::Table;
use crate::table::TableHandle;

/// All tables, as application data for handlers.
pub(crate) struct ServedTables(Vec<(String, web::Data<TableHandle>, web::Data<Events>)>);

impl ServedTables {
    pub(super) fn new(tables: &[Table]) -> Self {
        let served = |table: &Table| {
            let (handle, events) = (table.handle.clone(), table.events.clone());
            (table.name.to_string(), web::Data::new(handle), web::Data::new(events))
        };
        Self(tables.iter().map(served).collect())
    }

    /// Returns the current state of each table.
    pub(super) fn states(&self) -> Vec<TableState> {
        let state =
            |(name, handle, events): &(String, web::Data<TableHandle>, web::Data<Events>)| {
                TableState {
                    name: name.clone(),
                    snapshot: handle.snapshot.load_full(),
                    streams: events.clients(),
                }
            };
        self.0.iter().map(state).collect()
    }

    /// Mounts the routes of each table with its data; all other routes get the data of the first table.
    pub(super) fn mount(&self, config: &mut web::ServiceConfig, routes: &[Route]) {
        for (name, handle, events) in &self.0 {
            let scope = web::scope(&format!("/api/v1/tables/{name}"))
                .app_data(handle.clone())
                .app_data(events.clone());
            let scope = routes
                .iter()
                .fold(scope, |scope, (path, methods)| scope.service(methods(web::resource(*path))));
            config.service(scope);
        }
        if let Some((_, handle, events)) = self.0.first() {
            config.app_data(handle.clone()).app_data(events.clone());
        }
    }
}

/// A table at one moment.
pub(super) struct TableState {
    pub(super) name: String,
    pub(super) snapshot: Arc<Snapshot>,
    /// Number of open event streams.
    pub(super) streams: usize,
}

#[derive(Serialize)]
struct TablesBody {
    success: bool,
    tables: Vec<TableEntry>,
}

/// A summary of a table.
#[derive(Serialize)]
struct TableEntry {
    name: String,
    status: String,
    records: u64,
    #[serde(serialize_with = "api_json::optional_time")]
    latest_timestamp: Option<DateTime<Utc>>,
    latest_multiplier: Option<f64>,
    model_trained: bool,
    training: bool,
    for_round: Option<u64>,
    predicted_multiplier: Option<f64>,
    calibrated_multiplier: Option<f64>,
    simulated: bool,
    verdict: Option<String>,
}

impl TableEntry {
    fn of(name: &str, snapshot: &Snapshot) -> Self {
        let prediction = snapshot.current_prediction.as_ref();
        Self {
            name: name.to_owned(),
            status: format!("api/v1/tables/{name}/status"),
            records: snapshot.csv_records,
            latest_timestamp: snapshot.latest_timestamp,
            latest_multiplier: snapshot.latest_multiplier,
            model_trained: snapshot.model_trained,
            training: snapshot.training.running,
            for_round: prediction.map(|it| it.for_round),
            predicted_multiplier: prediction.map(|it| it.predicted_multiplier),
            calibrated_multiplier: prediction.map(|it| it.calibrated_multiplier),
            simulated: snapshot.simulated,
            verdict: snapshot.verdict.as_ref().map(|it| it.sentence.clone()),
        }
    }
}

/// `GET /api/tables`: all tables, the one behind `/api` first.
pub(super) async fn list(request: HttpRequest, served: web::Data<ServedTables>) -> HttpResponse {
    let tables =
        served.0.iter().map(|(name, handle, _)| TableEntry::of(name, &handle.snapshot.load()));
    let body = Answer::json(&TablesBody { success: true, tables: tables.collect() });
    let mut hasher = DefaultHasher::new();
    body.body.hash(&mut hasher);
    answer(&request, &tag(&[hasher.finish()]), Caching::Revalidate, || body)
}
