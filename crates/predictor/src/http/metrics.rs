//! `GET /metrics`: the text format of Prometheus, written from the snapshots.
//!
//! The snapshots hold all figures, so there is no registry; only requests are counted separately.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use daemon::prometheus::{CONTENT_TYPE, MetricKind, MetricsPage, write_process};
use forecasting::scorecard::{ENSEMBLE, Row};
use rounds::RejectReason;

use super::guard::Guard;
use super::request_log::RequestLog;
use super::table_routes::{ServedTables, TableState};
use crate::snapshot::Snapshot;
use crate::snapshot::evidence::EvidenceView;
use crate::training::report::Accuracy;

const HOUSE: &str = "house";

/// `GET /metrics`.
pub(crate) async fn metrics(
    tables: web::Data<ServedTables>,
    request_log: web::Data<RequestLog>,
    guard: web::Data<Guard>,
) -> HttpResponse {
    let tables = tables.states();
    let mut page = MetricsWriter { metrics: MetricsPage::default(), tables: &tables };
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    let help = "Always 1; the version is the label.";
    page.metrics.metric("aviator_build_info", MetricKind::Gauge, help).sample(&version, 1);
    page.data();
    page.training();
    page.forecasts();
    page.streams();
    let help = "1 while other machines can use the API without a token.";
    let is_insecure = u8::from(guard.is_insecure());
    page.metrics.metric("aviator_insecure", MetricKind::Gauge, help).sample(&[], is_insecure);
    page.requests(&request_log);
    write_process(&mut page.metrics);
    daemon::log::write_metric(&mut page.metrics);
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, CONTENT_TYPE))
        .body(page.metrics.into_text())
}

struct MetricsWriter<'a> {
    metrics: MetricsPage,
    tables: &'a [TableState],
}

impl MetricsWriter<'_> {
    fn data(&mut self) {
        self.gauge("aviator_rows_loaded", "Rounds in use.", |it| Some(it.csv_records as f64));
        self.by("aviator_rows_rejected", "reason", "Rows that are not rounds, by reason.", |it| {
            let rejected = &it.data.rejected_by_reason;
            let count =
                |word| rejected.iter().find(|it| it.reason == word).map_or(0, |it| it.count);
            RejectReason::WORDS.map(|word| (word, count(word))).to_vec()
        });
        self.gauge("aviator_files_refused", "Files of which no row is read.", |it| {
            Some(it.data.refused.len() as f64)
        });
        self.gauge("aviator_torn_bytes", "Bytes of unfinished rows.", |it| {
            Some(it.data.torn_bytes as f64)
        });
        self.total("aviator_rebuilds", "Number of times that earlier rounds changed.", |it| {
            it.data.rebuilds
        });
        self.gauge("aviator_last_round_timestamp_seconds", "When the newest round ended.", |it| {
            it.latest_timestamp.map(seconds)
        });
        self.gauge("aviator_data_readable", "1 while the directory can be read.", |it| {
            Some(f64::from(it.indicators.auto_sync_active))
        });
        self.by("aviator_watch_events", "kind", "Scans of the directory, by cause.", |it| {
            let scans = it.scan_counts;
            [("hint", scans.hinted), ("timer", scans.timed), ("request", scans.requested)].to_vec()
        });
        let help = "Scans by the timer that found changes without a notification.";
        self.total("aviator_scan_recovered", help, |it| it.scan_counts.recovered);
    }

    fn training(&mut self) {
        let help = "How long trainings took.";
        let mut metric = self.metrics.metric("aviator_train_seconds", MetricKind::Histogram, help);
        for TableState { name: table, snapshot, .. } in self.tables {
            snapshot.training_durations.write(&mut metric, &[("table", table)]);
        }
        self.gauge("aviator_training_running", "1 while a model is trained.", |it| {
            Some(f64::from(it.training.running))
        });
        self.gauge("aviator_training_failed", "1 after a training that failed.", |it| {
            Some(f64::from(it.training.last_error.is_some()))
        });
        self.gauge("aviator_model_version", "The model in use; 0 before the first.", |it| {
            Some(model(it).map_or(0.0, |model| model.version as f64))
        });
        let help = "When the model in use was trained.";
        self.gauge("aviator_model_trained_timestamp_seconds", help, |it| {
            model(it).map(|model| seconds(model.trained_at))
        });
    }

    fn forecasts(&mut self) {
        self.by("aviator_forecasts", "kind", "Forecasts, by outcome.", |it| {
            let it = &it.forecasts;
            let in_time = it.settled.saturating_sub(it.late);
            [("in_time", in_time), ("late", it.late), ("missed", it.missed), ("void", it.void)]
                .to_vec()
        });
        let help = "Mean absolute error of the ensemble's point over the last 500 forecasts.";
        self.gauge("aviator_prediction_mae_rolling", help, |it| mae(it, ENSEMBLE));
        self.gauge("aviator_baseline_mae_rolling", "The same of the constant 1.94.", |it| {
            mae(it, HOUSE)
        });
        let help = "Evidence of each test as ln e: the logarithm of what one euro bet against its claim has become.";
        let mut metric = self.metrics.metric("aviator_evidence_ln_e", MetricKind::Gauge, help);
        for TableState { name: table, snapshot, .. } in self.tables {
            for (test, ln_e) in snapshot.evidence.iter().flat_map(EvidenceView::ln_e) {
                metric.sample(&[("table", table), ("test", test)], ln_e);
            }
        }
    }

    fn streams(&mut self) {
        let help = "Open event streams.";
        let mut metric = self.metrics.metric("aviator_sse_clients", MetricKind::Gauge, help);
        for TableState { name: table, streams, .. } in self.tables {
            metric.sample(&[("table", table)], streams);
        }
    }

    fn requests(&mut self, request_log: &RequestLog) {
        let help = "Requests answered.";
        let mut metric =
            self.metrics.metric("aviator_http_requests_total", MetricKind::Counter, help);
        let routes = request_log.routes();
        for (route, answers) in &routes {
            for (status, count) in &answers.by_status {
                metric.sample(&[("route", route), ("status", &status.to_string())], count);
            }
        }
        let help = "Time until the head of the answer.";
        let mut metric =
            self.metrics.metric("aviator_http_request_seconds", MetricKind::Histogram, help);
        for (route, answers) in &routes {
            answers.seconds.write(&mut metric, &[("route", route)]);
        }
    }

    /// Writes a gauge. An unknown value is left out, because 0 would look like a measurement.
    fn gauge(&mut self, name: &str, help: &str, of: impl Fn(&Snapshot) -> Option<f64>) {
        let mut metric = self.metrics.metric(name, MetricKind::Gauge, help);
        for TableState { name: table, snapshot, .. } in self.tables {
            if let Some(value) = of(snapshot) {
                metric.sample(&[("table", table)], value);
            }
        }
    }

    fn total(&mut self, name: &str, help: &str, of: impl Fn(&Snapshot) -> u64) {
        let name = format!("{name}_total");
        let mut metric = self.metrics.metric(&name, MetricKind::Counter, help);
        for TableState { name: table, snapshot, .. } in self.tables {
            metric.sample(&[("table", table)], of(snapshot));
        }
    }

    /// Writes a counter with one more label.
    fn by(
        &mut self,
        name: &str,
        label: &str,
        help: &str,
        of: impl Fn(&Snapshot) -> Vec<(&'static str, u64)>,
    ) {
        let name = format!("{name}_total");
        let mut metric = self.metrics.metric(&name, MetricKind::Counter, help);
        for TableState { name: table, snapshot, .. } in self.tables {
            for (kind, count) in of(snapshot) {
                metric.sample(&[("table", table), (label, kind)], count);
            }
        }
    }
}

fn model(snapshot: &Snapshot) -> Option<&Accuracy> {
    snapshot.model_accuracy.as_ref()
}

/// Returns the mean absolute error over the last 500 forecasts.
fn mae(snapshot: &Snapshot, name: &str) -> Option<f64> {
    let recent: &[Row] = snapshot.scorecard.as_ref().map_or(&[], |report| &report.recent);
    recent.iter().find(|row| row.name == name).and_then(|row| row.mae)
}

fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}
