//! `predictor audit` on recorded rounds.

use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use test_support::simulate::Scenario;

use crate::backtest::check_complaint;
use crate::program::check;

/// Rounds on the clock of the game, with an hour's hole before round 700.
fn recorded(scenario: Scenario, count: usize) -> String {
    let mut text = "timestamp,multiplier\n".to_owned();
    let mut now: DateTime<chrono::Utc> = "2025-12-10T19:32:35Z".parse().unwrap();
    for (number, cents) in (1..).zip(scenario.rounds(count, 8)) {
        let millis = 1000.0 * (11.5 + 11.7 * evaluation::ln_multiplier(cents));
        now += TimeDelta::milliseconds(format!("{millis:.0}").parse().unwrap());
        if number == 700 {
            now += TimeDelta::hours(1);
        }
        let time = now.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        writeln!(text, "{time},{}.{:02}", cents / 100, cents % 100).unwrap();
    }
    text
}

struct Audited {
    _dir: tempfile::TempDir,
    file: PathBuf,
}

impl Audited {
    fn new(scenario: Scenario, count: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rounds.csv");
        std::fs::write(&file, recorded(scenario, count)).unwrap();
        Self { _dir: dir, file }
    }

    fn run(&self, more: &[&str]) -> (String, Value) {
        let json = self.file.with_extension("json");
        let (file, to) = (self.file.to_str().unwrap(), json.to_str().unwrap());
        let output = check(&[&["audit", "--file", file, "--json", to], more].concat(), 0, "");
        let text = String::from_utf8(output.stdout).unwrap();
        (text, serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap())
    }
}

#[test]
fn fair_rounds_pass_and_a_gap_in_the_recording_is_reported() {
    let (text, json) = Audited::new(Scenario::Fair, 1500).run(&[]);
    assert!(text.contains("Nothing stands out"), "{text}");
    assert!(text.contains("gap before round 700 (2025-12-1"), "{text}");
    assert_eq!(json["tests"].as_array().unwrap().len(), 12);
    assert_eq!(json["returns"].as_array().unwrap().len(), 6);
    assert_eq!(json["recording"]["gaps_too_long"], 1);
    let missing = json["recording"]["rounds_missing"].as_f64().unwrap();
    assert!((missing - 3600.0 / 22.8).abs() < 2.0, "{missing}");
    assert!(json["evidence"].as_array().unwrap().iter().all(|test| test["level"] == "quiet"));
}

#[test]
fn dependence_and_a_wrong_law_are_told_apart() {
    let stands_out = |scenario| -> Vec<String> {
        let (_, json) = Audited::new(scenario, 3000).run(&[]);
        let tests = json["tests"].as_array().unwrap().iter();
        let found = tests.filter(|test| test["stands_out"] == true);
        found.map(|test| test["about"].as_str().unwrap().to_owned()).collect()
    };
    let order = stands_out(Scenario::Autoregressive(0.3));
    assert!(order.contains(&"order".to_owned()), "{order:?}");
    let law = stands_out(Scenario::Independent { r: 0.97, theta: 0.8 });
    assert!(law.contains(&"law".to_owned()) && !law.contains(&"order".to_owned()), "{law:?}");
}

#[test]
fn a_snapshot_is_an_announced_number_of_rounds_with_its_share_of_the_error() {
    let audited = Audited::new(Scenario::Fair, 1500);
    let (text, json) = audited.run(&["--snapshot", "1000"]);
    assert!(text.contains("Audit of 1,000 rounds"), "{text}");
    assert_eq!((&json["rounds"], &json["snapshot"]), (&1000.into(), &1000.into()));
    assert_eq!(json["options"]["alpha"], 0.025);
    let file = audited.file.to_str().unwrap();
    check_complaint(
        &["audit", "--file", file, "--snapshot", "1234"],
        2,
        &["--snapshot 1234", "1000, 2000, 5000"],
    );
    check_complaint(
        &["audit", "--file", file, "--snapshot", "2000"],
        1,
        &["too few rounds in", "1500 of at least 2000"],
    );
}
