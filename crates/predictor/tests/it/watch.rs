//! New rows are read soon, in order and once, whatever else is in the directory.

use std::fs;

use predictor::config::{Config, Watch};

use crate::test_app::{Data, FILE, TestApp, append_text, config, row};

async fn a_row_that_is_appended_is_announced(watch: Watch, shown: &str) {
    let data = Data::with_rounds(3);
    let app = TestApp::start(Config { watch, ..data.config() });
    app.look().await;
    let mut events = app.events().await;
    data.append(FILE, 3..4);
    let said = events.wait_for("new-round", |_| true).await;
    assert_eq!(said["round"], 4);
    let status = app.status().await;
    assert_eq!(status["csv_records"], 4);
    assert_eq!(status["data"]["watch"], shown);
}

#[tokio::test]
async fn a_row_is_seen_by_scanning_alone() {
    a_row_that_is_appended_is_announced(Watch::Scan, "scan").await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_row_is_seen_by_notification() {
    a_row_that_is_appended_is_announced(Watch::Notify, "notify").await;
}

#[tokio::test]
async fn a_directory_may_appear_later_and_may_be_replaced() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("data");
    let app = TestApp::start(Config { watch: Watch::Auto, ..config(&dir) });
    let status = app.look().await;
    assert_eq!(status["indicators"]["data_synced"], false);
    assert!(status["data"]["last_error"].is_string());

    fs::create_dir(&dir).unwrap();
    fs::write(dir.join(FILE), row(1) + &row(2)).unwrap();
    assert_eq!(app.look().await["csv_records"], 2);

    fs::rename(&dir, outer.path().join("old")).unwrap();
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join(FILE), row(7)).unwrap();
    let status = app.look().await;
    assert_eq!(status["csv_records"], 1);
    assert_eq!(status["indicators"]["data_synced"], true);

    let mut events = app.events().await;
    append_text(&dir.join(FILE), &row(8));
    events.wait_for("new-round", |said| said["round"] == 2).await;
}

#[tokio::test]
async fn a_row_without_its_newline_does_not_exist() {
    let data = Data::with_rounds(3);
    let app = TestApp::start(data.config());
    let whole = row(3);
    let (first, rest) = whole.split_at(whole.len() - 3);
    data.append_text(FILE, first);
    let status = app.look().await;
    assert_eq!(status["csv_records"], 3);
    assert_eq!(status["data"]["torn_bytes"], first.len());
    data.append_text(FILE, rest);
    let status = app.look().await;
    assert_eq!((&status["csv_records"], &status["data"]["torn_bytes"]), (&4.into(), &0.into()));
}

#[tokio::test]
async fn all_files_together_are_the_data_in_order_of_time() {
    let data = Data::empty();
    data.append("aviator_payouts_20260101_000100.csv", 10..20);
    let app = TestApp::start(data.config());
    assert_eq!(app.look().await["csv_records"], 10);

    data.append("aviator_payouts_20260101_000200.csv", 20..30);
    let status = app.look().await;
    assert_eq!((&status["csv_records"], &status["data"]["rebuilds"]), (&20.into(), &0.into()));
    assert_eq!(status["csv_file"], "aviator_payouts_20260101_000200.csv");

    data.append("aviator_payouts_20260101_000000.csv", 0..10);
    let status = app.look().await;
    assert_eq!((&status["csv_records"], &status["data"]["rebuilds"]), (&30.into(), &1.into()));
    let times: Vec<&str> = status["recent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|round| round["time"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn a_copy_of_a_file_is_left_out() {
    let data = Data::with_rounds(10);
    let app = TestApp::start(data.config());
    app.look().await;
    fs::copy(data.file(FILE), data.file("aviator_payouts_20260102_000000.csv")).unwrap();
    let status = app.look().await;
    assert_eq!(status["csv_records"], 10);
    assert_eq!(status["data"]["duplicates_removed"], 10);
    assert_eq!(status["data"]["rebuilds"], 0);
}

#[tokio::test]
async fn bad_files_are_reported_and_good_rows_are_used() {
    let data = Data::with_rounds(35);
    data.write("aviator_payouts_20260101_000001.csv", "");
    data.write("aviator_payouts_20260101_000002.csv", "timestamp,multiplier\n");
    let mut rubbish = (row(100) + &row(101)).into_bytes();
    rubbish.extend((0..=255).chain(0..=255).filter(|&byte| byte != b'\n'));
    rubbish.extend(b"\n2026-01-01T00:02:00.000Z,0.50\n");
    rubbish.extend(row(102).into_bytes());
    data.write("aviator_payouts_20260101_000003.csv", rubbish);
    data.write("aviator_notes.csv", "no rounds in here\n");
    let app = TestApp::start(data.manual());
    app.look().await;
    assert!(app.train().await.status().is_success());
    let status = app.status().await;
    assert_eq!(status["csv_records"], 38);
    assert_eq!(status["data"]["rejected_rows"], 2);
    let rejected = status["data"]["rejected_recent"].as_array().unwrap();
    assert!(rejected.iter().all(|it| it["file"] == "aviator_payouts_20260101_000003.csv"));
    assert!(rejected.iter().any(|it| it["line"] == 4), "{rejected:?}");
    assert_eq!(status["model_trained"], true);
}

#[tokio::test]
async fn the_origin_of_the_rounds_is_shown() {
    let data = Data::with_rounds(3);
    data.write("aviator_payouts.origin", "simulated\n");
    let app = TestApp::start(data.config());
    let status = app.look().await;
    assert_eq!((&status["simulated"], &status["origin"]), (&true.into(), &"simulated".into()));
}

#[tokio::test]
async fn the_status_of_the_collector_is_passed_on_with_its_age() {
    let data = Data::with_rounds(3);
    let word = r#"{"state":"connected","updated_at":"2026-01-01T00:00:00.000Z"}"#;
    data.write("status.json", word);
    let app = TestApp::start(data.config());
    let status = app.look().await;
    assert_eq!(status["collector"]["state"], "connected");
    assert!(status["collector"]["age_seconds"].as_f64().unwrap() > 0.0);
    data.write("status.json", r#"{"state":"#);
    assert!(app.look().await["collector"].is_null());
}

#[tokio::test]
async fn trainings_follow_the_rules_and_every_row_gets_a_forecast() {
    let data = Data::with_rounds(29);
    let app = TestApp::start(data.config());
    let status = app.look().await;
    assert!(!status["model_trained"].as_bool().unwrap());
    assert_eq!(status["training"]["next_at_records"], 30);
    let mut events = app.events().await;
    let mut trained_at = Vec::new();
    for number in 29..45 {
        data.append(FILE, number..number + 1);
        let status = app.look().await;
        if status["training"]["history"][0]["records"] == number + 1
            || status["training"]["running"] == true
        {
            events.training_ended().await;
        }
        let status = app.status().await;
        assert_eq!(status["current_prediction"]["for_round"], number + 2);
        assert_eq!(status["current_prediction"]["data_points_used"], number + 1);
        let last = status["training"]["history"][0]["records"].as_u64().unwrap();
        if trained_at.last() != Some(&last) {
            trained_at.push(last);
        }
    }
    assert_eq!(trained_at, [30, 32, 34, 36, 38, 40, 42, 45]);
}

#[tokio::test]
async fn without_auto_training_only_a_request_starts_a_training() {
    let data = Data::with_rounds(60);
    let app = TestApp::start(data.manual());
    let status = app.look().await;
    assert_eq!(status["auto_train_enabled"], false);
    assert_eq!((&status["model_trained"], &status["training"]["id"]), (&false.into(), &().into()));
    assert!(app.train().await.status().is_success());
    assert_eq!(app.status().await["current_prediction"]["for_round"], 61);
}
