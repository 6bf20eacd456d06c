//! `predictor backtest`: the engine of serving, no look-ahead, reproducible results, no skill from
//! overfitting, and one clear line for unusable input.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use evaluation::score_sheet::{ForecastRecord, ScoreSheet};
use evaluation::{HouseLaw, house_law};
use features::FeatureRow;
use forecasting::dataset::{DatasetSnapshot, Rows};
use forecasting::engine::Effect;
use forecasting::forecast::{Forecast, Forecaster, Means};
use forecasting::replay::{Refit, drive};
use rounds::{Multiplier, Round};
use serde_json::Value;
use test_support::simulate::Scenario;

use crate::program::check;

/// When the first round ended.
const START: DateTime<Utc> = DateTime::from_timestamp(1_577_836_800, 0).unwrap();

fn rounds(scenario: Scenario, count: usize) -> Vec<Round> {
    let round = |(number, cents)| Round {
        time: START + TimeDelta::seconds(30) * number,
        multiplier: Multiplier::from_cents(cents).unwrap(),
    };
    (0..).zip(scenario.rounds(count, 5)).map(round).collect()
}

/// Says what followed the most similar round it has learnt: no error at all on what it has seen.
#[derive(Debug)]
struct Memoriser(Rows, Vec<f64>);

impl Forecaster for Memoriser {
    fn means(&self, row: &FeatureRow) -> Means {
        let row = Rows::of(row).row(0);
        let distance = |index: usize| -> f32 {
            self.0.row(index).iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let nearest = (0..self.1.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        let mean = self.1[nearest.unwrap()];
        Means { members: [mean; 3], mean }
    }
}

fn memorise(rows: &DatasetSnapshot) -> Arc<dyn Forecaster> {
    let (rows, targets) = rows.every(0, 1);
    Arc::new(Memoriser(rows, targets))
}

/// The forecasts that were settled, and the rounds at which models were fitted.
fn driven(rounds: &[Round], refit: Refit) -> (Vec<Forecast>, Vec<u64>) {
    let (mut forecasts, mut fitted) = (Vec::new(), Vec::new());
    drive(rounds, refit, &|rows| Ok(memorise(rows)), &mut |engine, effects| {
        let version = engine.installed().map_or(0, |installed| installed.version);
        if version > fitted.len() as u64 {
            fitted.push(engine.rounds());
        }
        for effect in effects {
            if let Effect::Settled(settlement) = effect {
                forecasts.push(settlement.forecast);
            }
        }
    })
    .unwrap();
    (forecasts, fitted)
}

#[test]
fn models_are_fitted_by_the_rules_of_serving_or_by_a_given_schedule() {
    let rounds = rounds(Scenario::Fair, 130);
    let first = |refit: &str| driven(&rounds, refit.parse().unwrap()).1;
    assert_eq!(first("rules")[..6], [30, 32, 34, 36, 38, 40]);
    assert!(first("rules").ends_with(&[118, 123, 128]));
    assert_eq!(first("every=40"), [30, 70, 110]);
    assert_eq!(first("every=50%"), [30, 45, 68, 102]);
}

/// Changing round 90 changes no forecast for the rounds up to and including it, to the bit, and
/// does change those after it.
#[test]
fn no_forecast_knows_its_own_round_or_a_later_one() {
    let rounds = rounds(Scenario::Fair, 130);
    let mut changed = rounds.clone();
    changed[89].multiplier = Multiplier::from_cents(98_765).unwrap();
    for refit in ["rules", "every=20%"] {
        let refit = refit.parse().unwrap();
        let (before, after) = (driven(&rounds, refit).0, driven(&changed, refit).0);
        // Text tells all bits of a number apart.
        let text = |forecasts: &[Forecast]| serde_json::to_string(forecasts).unwrap();
        let known = before.iter().position(|forecast| forecast.round == 91).unwrap();
        assert_eq!(known, 60);
        assert_eq!(text(&before[..known]), text(&after[..known]));
        assert_ne!(text(&before[known..=known]), text(&after[known..=known]));
    }
}

#[test]
fn overfitting_shows_no_skill() {
    let rounds = rounds(Scenario::Fair, 1500);
    let house = HouseLaw::default();
    let mut sheets = ["own", "house"].map(|name| ScoreSheet::new(name, &house));
    let engine =
        drive(&rounds, Refit::Percent(20.0), &|rows| Ok(memorise(rows)), &mut |_, effects| {
            for effect in effects {
                let Effect::Settled(settlement) = effect else { continue };
                let (mean, cents) =
                    (settlement.forecast.means.mean, settlement.round.multiplier.cents());
                let scale = house_law::scale_from_mean_ln(mean);
                sheets[0].record(
                    &ForecastRecord::law(house_law::point_from_mean_ln(mean), scale),
                    cents,
                );
                sheets[1].record(&ForecastRecord::law(house_law::MEDIAN, 1.0), cents);
            }
        })
        .unwrap();
    let skill = sheets[0].all_time().skill_against(&sheets[1].all_time());
    assert!(skill.log_crps.unwrap() < -10.0, "{skill:?}");
    let report = engine.scorecard().report();
    assert_eq!(report.rounds, 1470);
    let served = report.skill.house;
    assert!(served.scores.brier_mean.unwrap() < 0.05, "{served:?}");
    assert!(served.shown.unwrap().lo < 0.0, "{served:?}");
    assert!(!engine.scorecard().verdict().forecast);
}

fn csv(rounds: &[Round]) -> String {
    let mut text = "timestamp,multiplier\n".to_owned();
    for round in rounds {
        let time = round.time.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        writeln!(text, "{time},{}", round.multiplier).unwrap();
    }
    text
}

/// A directory with one file of rounds.
fn data(rounds: &[Round]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("aviator_payouts_20251210_193235.csv"), csv(rounds)).unwrap();
    dir
}

struct Results {
    text: String,
    json: String,
    html: String,
}

fn backtest(dir: &Path, more: &[&str]) -> Results {
    let [json, html] = ["result.json", "result.html"].map(|name| path(dir, name));
    let source = path(dir, "");
    let mut args = vec!["backtest", "--refit", "every=100%", "--json", &json, "--html", &html];
    if !more.contains(&"--file") {
        args.extend(["--data-dir", &source]);
    }
    args.extend(more);
    let output = check(&args, 0, "");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Results {
        text: String::from_utf8(output.stdout).unwrap(),
        json: std::fs::read_to_string(json).unwrap(),
        html: std::fs::read_to_string(html).unwrap(),
    }
}

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().unwrap().to_owned()
}

#[test]
fn the_same_rounds_give_the_same_result_and_a_page_that_stands_alone() {
    let dir = data(&rounds(Scenario::Fair, 320));
    let results = backtest(dir.path(), &["--target", "2", "--target", "3.5"]);
    let again = backtest(dir.path(), &["--target", "2", "--target", "3.5"]);
    assert_eq!(results.json, again.json);
    assert_eq!(results.html, again.html);

    let json: Value = serde_json::from_str(&results.json).unwrap();
    assert_eq!(json["data"]["rounds"], 320);
    assert_eq!(json["scorecard"]["rounds"], 290);
    // 30, 60, 120, 240.
    assert_eq!(json["models"], 4);
    assert_eq!(json["curve"].as_array().unwrap().last().unwrap()["round"], 320);
    let stakes = &json["flat_stakes"][1];
    assert_eq!((&stakes["target"], &stakes["every_round"]["count"]), (&3.5.into(), &290.into()));
    let edge = stakes["house_edge_percent"].as_f64().unwrap();
    assert!((edge - 3.0).abs() < 1e-9);
    let names: Vec<&str> = json["scorecard"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    let learners = ["served", "candidate", "ensemble", "random_forest", "gradient_boosting"];
    assert_eq!(names[..5], learners);
    assert_eq!(names.len(), 6 + 7, "{names:?}");

    let sentence = json["verdict"]["sentence"].as_str().unwrap();
    assert!(results.text.contains(sentence) && results.html.contains(sentence), "{sentence}");
    for name in names {
        assert!(results.text.contains(name), "{name}");
    }
    for outside in ["<script", "http:", "https:", "src=", "@import", "url("] {
        assert!(!results.html.contains(outside), "{outside}");
    }
    assert_eq!(results.html.matches("<figure>").count(), 4);
    assert!(!results.html.contains("NaN") && !results.html.contains("inf,"));
}

#[test]
fn a_file_of_any_accepted_form_is_read_and_cut_to_the_given_times() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for round in rounds(Scenario::Fair, 120) {
        let time = round.time.format("%Y-%m-%dT%H:%M:%SZ");
        rows.push(format!("{}x,\"rgb(1, 2, 3)\",{time}\n", round.multiplier));
    }
    rows.reverse();
    let file = path(dir.path(), "strip.csv");
    std::fs::write(&file, rows.concat()).unwrap();
    let of = |more: &[&str]| -> Value {
        let results = backtest(dir.path(), &[&["--file", &file], more].concat());
        serde_json::from_str(&results.json).unwrap()
    };
    let whole = of(&[]);
    assert_eq!(whole["data"]["rounds"], 120);
    assert_eq!(whole["data"]["first"], "2020-01-01T00:00:00Z");
    let part = of(&["--from", "2020-01-01T00:05:00Z", "--to", "2020-01-01T00:55:00Z"]);
    assert_eq!(part["data"]["rounds"], 100);
    assert_eq!(part["data"]["first"], "2020-01-01T00:05:00Z");
}

#[test]
fn a_backtest_is_that_of_the_game_that_is_named() {
    let dir = data(&rounds(Scenario::Independent { r: 0.99, theta: 1.0 }, 320));
    let results = backtest(dir.path(), &["--game", "stake"]);
    let json: Value = serde_json::from_str(&results.json).unwrap();
    let edge = json["flat_stakes"][0]["house_edge_percent"].as_f64().unwrap();
    assert!((edge - 1.0).abs() < 1e-9, "{edge}");
    assert!(!json["verdict"]["sentence"].as_str().unwrap().contains("3 %"));
}

#[test]
fn a_recorder_that_dropped_repeats_is_reported() {
    let mut rounds = rounds(Scenario::Fair, 2600);
    rounds.dedup_by_key(|round| round.multiplier.cents());
    let dir = data(&rounds);
    let results = backtest(dir.path(), &[]);
    let json: Value = serde_json::from_str(&results.json).unwrap();
    assert_eq!(json["quality"]["state"], "suspect");
    assert_eq!(json["verdict"]["suspect"], true);
    for text in [&results.text, &results.html] {
        assert!(text.contains("say nothing about the game: the recorder drops repeats"), "{text}");
        assert!(text.contains("Record anew with a recorder that keeps a round equal to"), "{text}");
        assert!(text.contains("every figure below describes the recording and not the game"));
        assert!(!text.contains("fixed odds (over") && !text.contains("every 100 staked"), "{text}");
    }
}

#[test]
fn simulated_rounds_are_called_simulated() {
    let dir = data(&rounds(Scenario::Fair, 60));
    std::fs::write(dir.path().join(rounds::ORIGIN_FILE), "simulated\n").unwrap();
    let results = backtest(dir.path(), &[]);
    assert!(results.text.contains("60 simulated rounds"), "{}", results.text);
    assert!(results.html.contains("Simulated rounds"));
    assert!(results.json.contains("\"simulated\": true"));
}

/// One line on stderr, and the flag to use.
#[track_caller]
pub(crate) fn check_complaint(args: &[&str], code: i32, says: &[&str]) {
    let output = check(args, code, says[0]);
    let said = String::from_utf8_lossy(&output.stderr);
    for says in says {
        assert!(said.contains(says), "{args:?}: {said}");
    }
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
}

#[test]
fn unusable_input_gets_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| path(dir.path(), name);
    for command in ["backtest", "audit"] {
        check_complaint(&[command, "--data-dir", &at("none")], 2, &["--data-dir", "none"]);
        check_complaint(&[command, "--file", &at("none.csv")], 2, &["--file", "none.csv"]);
        let empty = PathBuf::from(at(&format!("{command}_empty")));
        std::fs::create_dir(&empty).unwrap();
        let empty = empty.to_str().unwrap();
        check_complaint(
            &[command, "--data-dir", empty],
            1,
            &["no aviator_payouts_*.csv", "--file"],
        );
    }
    let file = at("aviator_payouts_20251210_193235.csv");
    std::fs::write(&file, "timestamp,multiplier\n").unwrap();
    let needed = ["too few rounds in", "0 of at least 31"];
    let of_file = [needed[0], needed[1], "predictor import", "--dry-run"];
    check_complaint(&["backtest", "--file", &file], 1, &of_file);
    let of_directory = [needed[0], needed[1], "--data-dir"];
    check_complaint(&["backtest", "--data-dir", &at("")], 1, &of_directory);
    std::fs::write(&file, "timestamp,multiplier\n2025-12-10 19:32:35,zwei\n").unwrap();
    check_complaint(&["backtest", "--file", &file], 1, &["1 row that is not a round", "line 2"]);
    std::fs::write(&file, csv(&rounds(Scenario::Fair, 30))).unwrap();
    check_complaint(&["backtest", "--file", &file], 1, &["too few rounds in", "30 of at least 31"]);
    check_complaint(&["audit", "--file", &file], 1, &["too few rounds in", "30 of at least 100"]);
    let cut = ["backtest", "--file", &file, "--from", "2021-01-01"];
    check_complaint(&cut, 1, &["too few rounds between --from and --to", ": 0 of at least 31"]);
    std::fs::write(&file, csv(&rounds(Scenario::Fair, 31))).unwrap();
    let nowhere = at("none/result.html");
    let unwritable = ["backtest", "--file", &file, "--html", &nowhere];
    check_complaint(&unwritable, 2, &["--html", "cannot be written"]);
    for bad in [["--refit", "often"], ["--target", "1"], ["--from", "noon"]] {
        let [flag, value] = bad;
        check(&["backtest", "--file", &file, flag, value], 2, flag);
    }
}
