//! Forecasts are on disk before their rounds are read, and survive restarts and changed files.

use chrono::{DateTime, Utc};
use predictor::config::Config;
use serde_json::Value;

use crate::test_app::{Data, FILE, TestApp};

const LEDGER: &str = ".predictor/forecasts.jsonl";

/// A model, and one forecast for each of so many rounds after the fortieth.
async fn forecast_rounds(data: &Data, app: &TestApp, rounds: std::ops::Range<u64>) {
    for number in rounds {
        data.append(FILE, number..number + 1);
        app.look().await;
    }
}

/// The forecasts and outcomes, without the marks of what has been read.
fn kinds(ledger: &[Value]) -> Vec<(&str, u64)> {
    let kind = |line: &'_ Value| line["kind"].as_str().map(str::len);
    assert!(ledger.iter().all(|line| kind(line).is_some()));
    ledger
        .iter()
        .filter(|line| line["kind"] != "read")
        .map(|line| (line["kind"].as_str().unwrap(), line["round"].as_u64().unwrap()))
        .collect()
}

/// Returns a time of the ledger or the API to the millisecond.
fn millis(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<DateTime<Utc>>().unwrap().timestamp_millis()
}

#[tokio::test]
async fn a_forecast_is_on_disk_before_its_round_is_there_and_settled_after() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    let open = app.status().await["current_prediction"].clone();
    let before = data.ledger();
    assert_eq!((&before[0]["kind"], &before[0]["rounds"]), (&"read".into(), &40.into()));
    assert_eq!(kinds(&before), [("forecast", 41)]);
    assert_eq!(before[1]["kappa"], open["models_guess"]["trust"]);
    assert_eq!(before[1]["interval80"][0], open["interval"]["lo"]);

    data.append(FILE, 40..41);
    let status = app.look().await;
    let after = data.ledger();
    assert_eq!(kinds(&after), [("forecast", 41), ("settled", 41), ("forecast", 42)]);
    assert_eq!(after[..2], before[..2], "what was said is not changed");
    assert_eq!(after[2]["actual"], status["latest_multiplier"]);
    let past = &status["prediction_history"][0];
    assert_eq!((&past["round"], &past["actual"]), (&41.into(), &status["latest_multiplier"]));
    assert_eq!(status["forecasts"]["settled"], 1);
}

#[tokio::test]
async fn a_forecast_that_a_new_model_replaces_does_not_count() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    app.train().await;
    forecast_rounds(&data, &app, 40..41).await;
    let lines = data.ledger();
    assert_eq!(kinds(&lines)[..3], [("forecast", 41), ("forecast", 41), ("settled", 41)]);
    let second = &lines.iter().filter(|line| line["kind"] == "forecast").nth(1).unwrap();
    assert_eq!(app.status().await["forecasts"]["settled"], 1);
    let past = &app.status().await["prediction_history"][0];
    assert_eq!(millis(&past["predicted_at"]), millis(&second["issued_at"]));
}

#[tokio::test]
async fn a_restart_continues_where_the_last_run_stopped() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    forecast_rounds(&data, &app, 40..110).await;
    let before = app.status().await;
    app.stop().unwrap();

    let app = TestApp::start(data.manual());
    let after = app.look().await;
    assert_eq!(before["scorecard"]["rounds"], 70);
    for key in ["scorecard", "evidence", "verdict", "recent", "prediction_history"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(after["forecasts"]["settled"], before["forecasts"]["settled"]);
    let open = before["current_prediction"].clone();
    app.train().await;
    let reissued = app.status().await["current_prediction"].clone();
    for key in ["kappa", "interval", "interval90", "probabilities", "for_round"] {
        assert_eq!(reissued[key], open[key], "{key}");
    }
    assert!(reissued["model_version"].as_u64() > open["model_version"].as_u64());
}

#[tokio::test]
async fn a_round_played_while_stopped_is_settled_by_its_forecast() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    app.stop().unwrap();
    data.append(FILE, 40..43);

    let app = TestApp::start(data.manual());
    let status = app.look().await;
    assert_eq!(status["forecasts"]["settled"], 1, "for the two after it there was no forecast");
    assert_eq!(kinds(&data.ledger()), [("forecast", 41), ("settled", 41)]);
    drop(app);

    let app = TestApp::start(data.manual());
    assert_eq!(app.look().await["forecasts"]["settled"], 1);
    assert_eq!(kinds(&data.ledger()).len(), 2, "nothing is settled twice");
}

#[tokio::test]
async fn an_incomplete_last_line_is_removed_and_unreadable_lines_stay() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    forecast_rounds(&data, &app, 40..43).await;
    let status = app.status().await;
    app.stop().unwrap();
    data.append_text(LEDGER, "not a line of ours\n{\"kind\":\"forecast\",\"rou");

    let app = TestApp::start(data.manual());
    assert_eq!(app.look().await["scorecard"], status["scorecard"]);
    forecast_rounds(&data, &app, 43..44).await;
    let text = std::fs::read_to_string(data.file(LEDGER)).unwrap();
    let (_, after) = text.split_once("not a line of ours\n").unwrap();
    assert!(after.contains("{\"kind\":\"settled\",\"round\":44,"), "{text}");
}

#[tokio::test]
async fn forecasts_whose_rounds_have_changed_do_not_count() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    forecast_rounds(&data, &app, 40..44).await;
    assert_eq!(app.status().await["forecasts"]["settled"], 4);

    let text = std::fs::read_to_string(data.file(FILE)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let other = lines[42].split_once(',').unwrap().0.to_owned() + ",77.77";
    let changed: Vec<&str> =
        lines.iter().enumerate().map(|(i, line)| if i == 42 { &other } else { *line }).collect();
    data.write(FILE, changed.join("\n") + "\n");
    let status = app.look().await;
    assert_eq!(status["csv_records"], 44);
    // The one for the changed round was made before anybody had read it. The two made after it and the
    // open one have lost their past.
    assert_eq!(
        (&status["forecasts"]["settled"], &status["forecasts"]["void"]),
        (&2.into(), &3.into())
    );
    assert!(status["current_prediction"].is_object(), "the model was trained on the rounds before");
}

#[tokio::test]
async fn of_two_predictors_on_one_directory_one_owns_the_ledger_and_both_serve() {
    let data = Data::with_rounds(40);
    let first = TestApp::start(data.manual());
    first.look().await;
    first.train().await;
    let second = TestApp::start(data.manual());
    second.look().await;
    assert!(second.train().await.status().is_success());
    assert!(first.status().await["forecasts"]["kept_in"].is_string());
    assert!(second.status().await["forecasts"]["kept_in"].is_null());
    data.append(FILE, 40..41);
    assert_eq!(first.look().await["forecasts"]["settled"], 1);
    assert_eq!(second.look().await["forecasts"]["settled"], 1);
    assert_eq!(kinds(&data.ledger()), [("forecast", 41), ("settled", 41), ("forecast", 42)]);
}

#[tokio::test]
async fn forecasts_can_be_stored_in_another_directory() {
    let (data, state) = (Data::with_rounds(40), tempfile::tempdir().unwrap());
    let state_dir = state.path().join("state");
    let app = TestApp::start(Config { state_dir: Some(state_dir.clone()), ..data.manual() });
    app.look().await;
    app.train().await;
    assert!(state_dir.join("forecasts.jsonl").exists());
    assert!(!data.file(".predictor").exists());
}
