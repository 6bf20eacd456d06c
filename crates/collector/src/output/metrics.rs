//! `--metrics-listen`: serves `/metrics` for Prometheus, and `/healthz` and `/readyz` for supervisors. Loopback only; off by
//! default.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daemon::prometheus::{self, MetricKind, MetricsPage};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::output::status::{CollectorState, Status, StatusWatch};

/// Maximum number of open connections; further ones wait.
const CONNECTIONS_MAX: usize = 32;
/// Timeout for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum lifetime of a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_mins(1);
/// Pause after a failure to accept a connection.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(100);

const JSON: &str = "application/json";

/// Serves requests until dropped.
pub async fn serve(listener: TcpListener, status: StatusWatch) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let status = status.clone();
                connections.spawn(async move {
                    serve_connection(stream, status).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "A connection to the metrics was not accepted.");
                tokio::time::sleep(ACCEPT_RETRY_PAUSE).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, status: StatusWatch) {
    let service = service_fn(move |request| {
        let answer = answer(&request, status.latest().as_ref());
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // An error affects only the client, which notices it by itself.
    drop(timeout(CONNECTION_TIMEOUT, connection).await);
}

fn answer(request: &Request<Incoming>, status: Option<&Status>) -> Response<String> {
    let host = request.headers().get(header::HOST);
    if !host.is_some_and(is_this_machine) {
        return response(
            StatusCode::MISDIRECTED_REQUEST,
            JSON,
            refusal("not a name of this machine"),
        );
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return response(StatusCode::METHOD_NOT_ALLOWED, JSON, refusal("only GET and HEAD"));
    }
    match request.uri().path() {
        "/metrics" => response(StatusCode::OK, prometheus::CONTENT_TYPE, text(status)),
        "/healthz" => response(StatusCode::OK, JSON, json!({ "status": "ok" }).to_string()),
        "/readyz" => readiness(status),
        _ => response(
            StatusCode::NOT_FOUND,
            JSON,
            refusal("only /metrics, /healthz and /readyz are served"),
        ),
    }
}

/// Returns whether the `Host` header names this machine. Another site that points its own name at a loopback address (DNS
/// rebinding) must not read the answers.
fn is_this_machine(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn refusal(detail: &str) -> String {
    json!({ "detail": detail }).to_string()
}

fn response(code: StatusCode, kind: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Returns the answer of `/readyz`: ready while the collector is connected, even if no round
/// arrives.
fn readiness(status: Option<&Status>) -> Response<String> {
    let (code, state) = match status {
        Some(status)
            if matches!(status.state, CollectorState::Connected | CollectorState::Stalled) =>
        {
            (StatusCode::OK, status.state.name())
        }
        Some(status) => (StatusCode::SERVICE_UNAVAILABLE, status.state.name()),
        None => (StatusCode::SERVICE_UNAVAILABLE, CollectorState::Starting.name()),
    };
    let reason = status.and_then(|status| status.last_error.as_deref());
    response(code, JSON, json!({ "status": state, "reason": reason }).to_string())
}

/// Returns all metrics in the text format of Prometheus.
pub fn text(status: Option<&Status>) -> String {
    let mut page = MetricsPage::default();
    let build = [("program", "collector"), ("version", env!("CARGO_PKG_VERSION"))];
    let help = "Program and version.";
    page.metric("aviator_build_info", MetricKind::Gauge, help).sample(&build, 1);
    daemon::log::write_metric(&mut page);
    prometheus::write_process(&mut page);
    let Some(status) = status else { return page.into_text() };
    let table = ("table", status.table.as_str());
    let source = ("source", status.source);
    for (name, help, value) in [
        ("aviator_rounds_total", "Rounds written by this run.", status.rounds_written),
        ("aviator_gaps_total", "Places where rounds are missing.", status.gaps),
        ("aviator_weak_joins_total", "Places where rounds may not join.", status.weak),
        ("aviator_resets_total", "Changes to another game or table.", status.resets),
        ("aviator_backfilled_rounds_total", "Rounds taken from a history.", status.backfilled),
        (
            "aviator_reconnects_total",
            "Connections that were lost and came back.",
            status.reconnects,
        ),
    ] {
        page.metric(name, MetricKind::Counter, help).sample(&[table, source], value);
    }
    let help = "1 for the state the collector is in, 0 for the others.";
    let mut state_metric = page.metric("aviator_collector_state", MetricKind::Gauge, help);
    for state in CollectorState::ALL {
        state_metric.sample(&[table, ("state", state.name())], u8::from(state == status.state));
    }
    gauges(&mut page, status);
    page.into_text()
}

/// Writes the metrics that have no label but the table.
fn gauges(page: &mut MetricsPage, status: &Status) {
    let seconds = |time: DateTime<Utc>| time.timestamp_millis() as f64 / 1000.0;
    let mut gauge = |name, help, value: f64| {
        page.metric(name, MetricKind::Gauge, help)
            .sample(&[("table", status.table.as_str())], value);
    };
    if let Some(last) = status.last_round {
        let help = "When the newest round on the disk ended.";
        gauge("aviator_last_round_timestamp_seconds", help, seconds(last.time));
    }
    let help = "When the collector entered its state.";
    gauge("aviator_collector_state_since_timestamp_seconds", help, seconds(status.state_since));
    let help = "When the session last updated its status.";
    gauge("aviator_collector_moved_timestamp_seconds", help, seconds(status.updated_at));
    let help = "When this run began.";
    gauge("aviator_collector_start_timestamp_seconds", help, seconds(status.started_at));
    let help = "Rounds and discontinuities that wait for the disk.";
    gauge("aviator_collector_queued_rows", help, status.queued_rows as f64);
    let help = "1 if the rounds are simulated.";
    gauge("aviator_simulated", help, f64::from(u8::from(status.simulated)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::SourceKind;

    #[test]
    fn every_sample_follows_its_own_type_line() {
        let mut status = Status::new(SourceKind::Demo, "2026-01-01T12:00:00.500Z".parse().unwrap());
        status.rounds_written = 7;
        status.set_state(CollectorState::Connected, status.started_at);
        let text = text(Some(&status));
        let mut family = "";
        for line in text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(kind) => family = kind.split(' ').next().unwrap(),
                None if line.starts_with("# HELP ") => {}
                None => assert_eq!(line.split([' ', '{']).next().unwrap(), family, "{text}"),
            }
        }
        assert!(
            text.contains("aviator_rounds_total{table=\"default\",source=\"demo\"} 7\n"),
            "{text}"
        );
        assert!(
            text.contains("aviator_collector_state{table=\"default\",state=\"connected\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("aviator_collector_state{table=\"default\",state=\"stalled\"} 0\n"),
            "{text}"
        );
        assert!(text.contains("aviator_simulated{table=\"default\"} 1\n"), "{text}");
        assert!(
            text.contains("moved_timestamp_seconds{table=\"default\"} 1767268800.5\n"),
            "{text}"
        );
    }

    #[test]
    fn only_host_names_of_this_machine_are_accepted() {
        for host in ["localhost", "LOCALHOST:5002", "127.0.0.1:5002", "[::1]:5002", "127.1.2.3"] {
            assert!(is_this_machine(&HeaderValue::from_static(host)), "{host}");
        }
        for host in ["evil.example", "evil.example:5002", "localhost.evil.example", "10.0.0.1", ""]
        {
            assert!(!is_this_machine(&HeaderValue::from_static(host)), "{host}");
        }
    }

    #[test]
    fn readiness_needs_a_connection_and_a_working_disk() {
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        let mut status = Status::new(SourceKind::Demo, now);
        assert_eq!(readiness(None).status(), 503);
        assert_eq!(readiness(Some(&status)).status(), 503);
        status.set_state(CollectorState::Connected, now);
        assert_eq!(readiness(Some(&status)).status(), 200);
        status.set_state(CollectorState::WritingFailed, now);
        status.last_error = Some("no space left".to_owned());
        let response = readiness(Some(&status));
        assert_eq!(response.status(), 503);
        assert!(response.body().contains("no space left"));
    }
}
