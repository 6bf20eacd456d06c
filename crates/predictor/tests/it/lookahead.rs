//! A file of rounds is moved out of the directory and back: no model forecasts rounds on which it was trained.

use std::fs;

use predictor::config::Config;
use serde_json::Value;

use crate::test_app::{Data, Held, TestApp};

const EARLIER: &str = "aviator_payouts_20260101_000000.csv";
const LATER: &str = "aviator_payouts_20260101_010000.csv";
/// Rounds in each of the two files.
const ROUNDS: u64 = 450;

/// Two files of rounds, the second of which can be moved away.
struct TwoFiles {
    data: Data,
    elsewhere: tempfile::TempDir,
}

impl TwoFiles {
    fn new() -> Self {
        let data = Data::empty();
        for (file, rounds) in [(EARLIER, 0..ROUNDS), (LATER, ROUNDS..2 * ROUNDS)] {
            data.write(file, "timestamp,multiplier\n");
            data.append(file, rounds);
        }
        Self { data, elsewhere: tempfile::tempdir().unwrap() }
    }

    fn move_out(&self) {
        fs::rename(self.data.file(LATER), self.elsewhere.path().join(LATER)).unwrap();
    }

    fn move_back(&self) {
        fs::rename(self.elsewhere.path().join(LATER), self.data.file(LATER)).unwrap();
    }

    /// Checks that every forecast in the ledger is from a model that had not been trained on its round.
    #[track_caller]
    fn assert_no_forecast_by_a_model_that_saw_its_round(&self) {
        for line in self.data.ledger().iter().filter(|line| line["kind"] == "forecast") {
            let [round, trained_on] =
                ["round", "trained_on"].map(|key| line[key].as_u64().unwrap());
            assert!(trained_on < round, "a model of {trained_on} rounds forecast round {round}");
        }
    }
}

/// Waits until no training runs.
async fn idle(app: &TestApp) -> Value {
    let mut events = app.events().await;
    loop {
        let status = app.look().await;
        if status["training"]["running"] == false {
            return status;
        }
        events.training_ended().await;
    }
}

/// Takes the later file away and puts it back, and continues with five new rounds.
async fn move_out_and_back(files: &TwoFiles, config: impl Fn() -> Config, restarts: bool) {
    let mut app = TestApp::start(config());
    let is_manual = !config().auto_train_enabled;
    app.look().await;
    if is_manual {
        assert!(app.train().await.status().is_success());
    }
    assert_eq!(idle(&app).await["csv_records"], 2 * ROUNDS);
    files.move_out();
    let status = app.look().await;
    assert_eq!(status["csv_records"], ROUNDS);
    if is_manual {
        assert!(status["current_prediction"].is_null(), "the model has seen the next round");
        assert_eq!(status["model_trained"], false);
    }
    idle(&app).await;
    if restarts {
        app.stop().unwrap();
        app = TestApp::start(config());
        app.look().await;
        if is_manual {
            assert!(app.train().await.status().is_success());
        }
        assert_eq!(idle(&app).await["csv_records"], ROUNDS);
    }
    files.move_back();
    let status = app.look().await;
    assert_eq!(status["csv_records"], 2 * ROUNDS);
    assert_eq!(status["forecasts"]["settled"], 0, "all of these rounds had been read before");
    idle(&app).await;
    if restarts && is_manual {
        assert!(app.train().await.status().is_success());
    }
    for number in 2 * ROUNDS..2 * ROUNDS + 5 {
        files.data.append(LATER, number..number + 1);
        app.look().await;
        idle(&app).await;
    }
    let status = app.status().await;
    assert_eq!(status["forecasts"]["settled"], 5, "new rounds are forecast and scored");
    files.assert_no_forecast_by_a_model_that_saw_its_round();
    app.stop().unwrap();
    let app = TestApp::start(config());
    let restarted = app.look().await;
    assert_eq!(restarted["scorecard"], status["scorecard"]);
    assert_eq!(restarted["forecasts"]["settled"], 5);
}

#[tokio::test]
async fn trained_by_hand_a_model_does_not_forecast_rounds_that_it_has_seen() {
    let files = TwoFiles::new();
    move_out_and_back(&files, || files.data.manual(), false).await;
}

#[tokio::test]
async fn trained_automatically_a_model_does_not_forecast_rounds_that_it_has_seen() {
    let files = TwoFiles::new();
    move_out_and_back(&files, || files.data.config(), false).await;
}

#[tokio::test]
async fn after_a_restart_no_model_forecasts_rounds_that_were_read_before() {
    let files = TwoFiles::new();
    move_out_and_back(&files, || files.data.manual(), true).await;
    let files = TwoFiles::new();
    move_out_and_back(&files, || files.data.config(), true).await;
}

#[tokio::test]
async fn a_training_that_ends_after_its_rounds_were_moved_away_forecasts_none_of_them() {
    let files = TwoFiles::new();
    let (held, has_begun, go_on) = Held::new();
    let app = TestApp::with_learner(files.data.config(), Box::new(held));
    has_begun.recv().unwrap();
    let mut events = app.events().await;
    files.move_out();
    assert_eq!(app.look().await["csv_records"], ROUNDS);
    go_on.send(()).unwrap();
    events.training_ended().await;
    // The next training, on the rounds that are there, has been waiting.
    has_begun.recv().unwrap();
    let status = app.status().await;
    assert_eq!(status["training"]["history"][0]["records"], 2 * ROUNDS);
    assert!(status["current_prediction"].is_null(), "{}", status["current_prediction"]);
    go_on.send(()).unwrap();
    events.training_ended().await;
    assert_eq!(app.status().await["current_prediction"]["for_round"], ROUNDS + 1);
    files.assert_no_forecast_by_a_model_that_saw_its_round();
}
