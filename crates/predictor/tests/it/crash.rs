//! The predictor is killed repeatedly while rounds arrive: every frozen forecast counts exactly once.

use std::collections::BTreeSet;
use std::process::Child;

use reqwest::Client;
use serde_json::Value;

use crate::program::serving;
use crate::test_app::{Data, FILE};

const KILLS: u64 = 50;
/// Before the first start.
const HISTORY: u64 = 40;

/// A predictor in a process of its own, whose model serves.
struct Run {
    child: Child,
    address: String,
    client: Client,
}

impl Run {
    async fn start(data: &Data) -> Self {
        let (child, address) = serving(data);
        let run = Self { child, address, client: Client::new() };
        let mut stream = run.client.get(run.url("events")).send().await.unwrap();
        // Whatever happens is said on the stream, so there is something to wait for until it is true.
        while run.status().await["current_prediction"].is_null() {
            stream.chunk().await.unwrap().unwrap();
        }
        run
    }

    fn url(&self, route: &str) -> String {
        format!("{}/api/{route}", self.address)
    }

    async fn get(&self, route: &str) -> Value {
        self.client.get(self.url(route)).send().await.unwrap().json().await.unwrap()
    }

    async fn status(&self) -> Value {
        self.get("status").await
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Rounds that a line of this kind in the ledger is about.
fn rounds_of(ledger: &[Value], kind: &str) -> Vec<u64> {
    let ours = ledger.iter().filter(|line| line["kind"] == kind);
    ours.map(|line| line["round"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn after_fifty_kills_every_frozen_forecast_counts_once() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let data = Data::with_rounds(HISTORY);
    let mut written = HISTORY;
    for cycle in 0..KILLS {
        let run = Run::start(&data).await;
        // The last of these rows may be read before the end, after it, or in the middle of it.
        for _ in 0..=cycle * 7 % 5 {
            run.get("load_csv").await;
            data.append(FILE, written..written + 1);
            written += 1;
        }
        run.kill();
    }
    let run = Run::start(&data).await;
    run.get("load_csv").await;
    let status = run.status().await;
    run.kill();

    let ledger = data.ledger();
    let frozen: BTreeSet<u64> =
        rounds_of(&ledger, "forecast").into_iter().filter(|&round| round <= written).collect();
    assert!(frozen.len() as u64 >= KILLS, "{} forecasts", frozen.len());
    assert_eq!(status["csv_records"], written);
    assert_eq!(status["forecasts"]["settled"], frozen.len());
    assert_eq!(status["scorecard"]["rounds"], frozen.len());
    let settled = rounds_of(&ledger, "settled");
    let distinct: BTreeSet<u64> = settled.iter().copied().collect();
    assert_eq!(distinct.len(), settled.len(), "a forecast is settled twice");
    assert!(distinct.is_subset(&frozen), "a round is settled that had no forecast");
}
