//! `/metrics`, `/healthz` and `/readyz` over HTTP.

use std::collections::BTreeSet;

use collector::observation::SourceKind;
use collector::output::metrics;
use collector::output::status::{CollectorState, LastRound, Status, StatusWatch};
use reqwest::{Client, Method, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

struct TestServer {
    client: Client,
    address: String,
    status: StatusWatch,
    _server: JoinSet<()>,
}

impl TestServer {
    async fn new() -> Self {
        collector::tls::install();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let status = StatusWatch::default();
        let mut server = JoinSet::new();
        server.spawn(metrics::serve(listener, status.clone()));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, address, status, _server: server }
    }

    async fn request(&self, method: Method, path: &str) -> Response {
        self.client.request(method, format!("{}{path}", self.address)).send().await.unwrap()
    }
}

#[tokio::test]
async fn the_published_status_is_served() {
    let server = TestServer::new().await;
    assert_eq!(server.request(Method::GET, "/readyz").await.status(), 503);
    let mut status = Status::new(SourceKind::WebSocket, "2026-01-01T12:00:00Z".parse().unwrap());
    status.rounds_written = 41;
    status.set_state(CollectorState::Connected, status.started_at);
    server.status.post(&status);
    assert_eq!(server.request(Method::GET, "/readyz").await.status(), 200);
    assert_eq!(server.request(Method::HEAD, "/healthz").await.status(), 200);
    let metrics = server.request(Method::GET, "/metrics").await;
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = metrics.text().await.unwrap();
    assert!(
        text.contains("aviator_rounds_total{table=\"default\",source=\"websocket\"} 41\n"),
        "{text}"
    );
}

#[tokio::test]
async fn other_paths_methods_and_hosts_are_refused() {
    let server = TestServer::new().await;
    assert_eq!(server.request(Method::GET, "/").await.status(), 404);
    assert_eq!(server.request(Method::POST, "/metrics").await.status(), 405);
    let foreign = server.client.get(format!("{}/metrics", server.address));
    let response = foreign.header("host", "evil.example").send().await.unwrap();
    assert_eq!(response.status(), 421);
}

/// `docs/reference/metrics.md` lists every metric of the collector with its type.
#[test]
fn the_page_lists_every_metric_with_its_type() {
    let page = include_str!("../../../../docs/reference/metrics.md");
    let section = page.split("\n## Collector\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').take(3).collect::<Vec<_>>().join("|") + "|")
        .collect();
    let time = "2026-01-01T12:00:00Z".parse().unwrap();
    let mut status = Status::new(SourceKind::WebSocket, time);
    status.last_round = Some(LastRound { time, multiplier: "2.31".parse().unwrap() });
    let text = metrics::text(Some(&status));
    let exported: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| format!("| `{name}` | {kind} |"))
        .collect();
    assert!(exported.len() > 10, "{text}");
    assert_eq!(listed, exported);
}
