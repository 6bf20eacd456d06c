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

#[test]
fn audit_and_backtest_name_the_same_round_since_when_a_test_stands_out() {
    for scenario in
        [Scenario::Autoregressive(0.3), Scenario::Independent { r: 0.9, theta: 1.0 }, Scenario::Due]
    {
        let audited = Audited::new(scenario, 4000);
        let (_, audit) = audited.run(&[]);
        let file = audited.file.to_str().unwrap();
        let json = audited.file.with_extension("backtest.json");
        let to = json.to_str().unwrap();
        check(&["backtest", "--file", file, "--refit", "every=100%", "--json", to], 0, "");
        let backtest: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        let since = |result: &Value, test: usize| {
            let test = &result["evidence"][test];
            (test["name"].clone(), test["alarm_round"].clone())
        };
        // Order and law; the audit has no forecasts.
        for test in [0, 1] {
            assert_eq!(since(&audit, test), since(&backtest, test), "{scenario:?}");
        }
        let has_alarm = [0, 1].iter().any(|&test| !since(&audit, test).1.is_null());
        assert!(has_alarm, "{scenario:?}");
        assert_eq!(audit["epochs"], backtest["epochs"]);
    }
}

#[test]
fn the_game_on_the_command_line_is_the_one_that_is_tested() {
    let generous = Scenario::Independent { r: 0.99, theta: 1.0 };
    let audited = Audited::new(generous, 3000);
    let (text, json) = audited.run(&["--game", "stake"]);
    assert!(text.contains("P(M >= x) = 0.99/x"), "{text}");
    assert!((json["returns"][2]["stated"].as_f64().unwrap() - 0.99).abs() < 1e-12);
    let (text, _) = audited.run(&["--game", "stake", "--game-return", "0.985"]);
    assert!(text.contains("P(M >= x) = 0.985/x"), "{text}");
    let (text, json) = audited.run(&["--game-cap", "20"]);
    assert!(text.contains("Left out"), "{text}");
    assert!(json["rounds"].as_u64().unwrap() < 3000);
    let paced = ["--game-pause-seconds", "11.5", "--game-slope-seconds", "11.7"];
    assert_eq!(audited.run(&paced).1["recording"]["pace_source"], "game");
    assert_eq!(audited.run(&[]).1["recording"]["pace_source"], "fitted");
    let file = audited.file.to_str().unwrap();
    for (more, says) in [
        (["--game", "poker"], "aviator, stake, bustabit, 1xbet, roobet"),
        (["--game-return", "2"], "(0, 1], got 2"),
        (["--game-pause-seconds", "5"], "given together"),
        (["--game-cap", "1.01"], "above 1.02x"),
    ] {
        check(&[&["audit", "--file", file], &more[..]].concat(), 2, says);
    }
}

#[test]
fn the_parameters_that_fit_are_printed_as_a_section_to_paste() {
    let audited = Audited::new(Scenario::Independent { r: 0.95, theta: 1.0 }, 3000);
    let (text, json) = audited.run(&["--fit"]);
    let toml = json["toml"].as_str().unwrap();
    assert!(text.contains(toml) && text.contains("Nearest preset"), "{text}");
    let (lo, hi) = (json["return"]["lo"].as_f64().unwrap(), json["return"]["hi"].as_f64().unwrap());
    assert!((lo..=hi).contains(&0.95) && hi - lo < 0.03, "{lo} to {hi}");
    let pause = json["pause_seconds"]["value"].as_f64().unwrap();
    let slope = json["slope_seconds"]["value"].as_f64().unwrap();
    assert!((pause - 11.5).abs() < 0.01 && (slope - 11.7).abs() < 0.01, "{pause} + {slope} ln M");
    assert_eq!((&json["nearest"]["name"], &json["cap"]), (&"aviator".into(), &Value::Null));
    assert_eq!(
        (&json["nearest"]["agrees"], &json["nearest"]["return"]),
        (&false.into(), &false.into())
    );

    // The section is a configuration.
    let config = audited.file.with_extension("toml");
    std::fs::write(&config, toml).unwrap();
    let config = config.to_str().unwrap();
    let shown = check(&["--config", config, "--print-config"], 0, "");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("game.name = \"aviator\"") && shown.contains("game.slope_seconds = 11.7"),
        "{shown}"
    );
    assert!(!shown.contains("game.return = 0.97"), "{shown}");
}

#[test]
fn parameters_of_too_few_rounds_or_equal_ones_are_refused_in_one_line() {
    let audited = Audited::new(Scenario::Fair, 150);
    let file = audited.file.to_str().unwrap();
    check_complaint(
        &["audit", "--file", file, "--fit"],
        1,
        &["too few rounds", "150 of at least 200"],
    );
    check(&["audit", "--file", file, "--fit", "--snapshot", "1000"], 2, "--snapshot");
    let rows: Vec<String> = (0..300)
        .map(|second| format!("2026-01-01T00:{:02}:{:02}Z,2.05\n", second / 60, second % 60))
        .collect();
    std::fs::write(&audited.file, format!("timestamp,multiplier\n{}", rows.concat())).unwrap();
    check_complaint(
        &["audit", "--file", file, "--fit"],
        1,
        &["all rounds have the same multiplier"],
    );
}
