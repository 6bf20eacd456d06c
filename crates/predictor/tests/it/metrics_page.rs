//! `docs/reference/metrics.md` lists every metric of the predictor with its type.

use std::collections::BTreeSet;

use reqwest::Method;

use crate::test_app::{Data, TestApp};

const PAGE: &str = include_str!("../../../../docs/reference/metrics.md");

/// The figures of the process are those that Linux gives.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_page_lists_every_metric_with_its_type() {
    let data = Data::with_rounds(12);
    let app = TestApp::start(data.config());
    let text = app.ask(Method::GET, "/metrics").await.text().await.unwrap();
    let exported: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| format!("| `{name}` | {kind} |"))
        .collect();
    let section = PAGE.split("\n## Predictor\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').take(3).collect::<Vec<_>>().join("|") + "|")
        .collect();
    assert!(exported.len() > 20, "{text}");
    assert_eq!(listed, exported);
}
