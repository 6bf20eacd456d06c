//! Clients written for the Python original: what they read, in the forms that they parse.

use chrono::NaiveDateTime;
use predictor::config::ApiFormat;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::test_app::{Data, TestApp};

/// Returns whether `datetime.fromisoformat` of Python 3.7 to 3.10 parses this text: three or six decimals, and an offset
/// in digits.
fn parses_in_python_3_7(text: &str) -> bool {
    let (date, offset) = text.split_at_checked(text.len().saturating_sub(6)).unwrap_or((text, ""));
    let is_offset = offset.starts_with(['+', '-']) && offset.as_bytes().get(3) == Some(&b':');
    let time = if is_offset { date } else { text };
    let decimals = time.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let form = if time.contains('T') { "%Y-%m-%dT%H:%M:%S%.f" } else { "%Y-%m-%d %H:%M:%S%.f" };
    [0, 3, 6].contains(&decimals) && NaiveDateTime::parse_from_str(time, form).is_ok()
}

/// Returns whether `strptime(text, "%Y-%m-%d %H:%M:%S")` parses this text.
fn parses_with_strptime(text: &str) -> bool {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_ok()
}

/// Returns the times that clients of the original read from these three answers.
fn times<'a>(status: &'a Value, loaded: &'a Value, predicted: &'a Value) -> Vec<&'a str> {
    let history = status["prediction_history"].as_array().unwrap();
    let rows = loaded["recent_data"].as_array().unwrap();
    let mut times = vec![
        &status["latest_timestamp"],
        &status["model_accuracy"]["trained_at"],
        &status["current_prediction"]["predicted_at"],
        &loaded["latest_timestamp"],
        &predicted["prediction"]["predicted_at"],
    ];
    times.extend(history.iter().map(|past| &past["predicted_at"]));
    times.extend(rows.iter().map(|row| &row["timestamp"]));
    times.into_iter().map(|time| time.as_str().unwrap()).collect()
}

async fn trained(data: &Data, format: ApiFormat) -> TestApp {
    let app = TestApp::start(predictor::config::Config { api_format: format, ..data.manual() });
    app.look().await;
    app.train().await;
    data.append(crate::test_app::FILE, 40..45);
    app.look().await;
    app
}

#[tokio::test]
async fn every_time_is_parsed_by_old_pythons() {
    let data = Data::with_rounds(40);
    let app = trained(&data, ApiFormat::Rfc3339).await;
    let (status, loaded, predicted) =
        (app.status().await, app.get("/api/load_csv").await, app.get("/api/predict").await);
    for time in times(&status, &loaded, &predicted) {
        assert!(parses_in_python_3_7(time) && time.ends_with("+00:00"), "{time}");
    }
    let (status, loaded, predicted) = (
        app.get("/api/status?format=legacy").await,
        app.get("/api/load_csv?format=legacy").await,
        app.get("/api/predict?format=legacy&targets=2").await,
    );
    assert_eq!(predicted["targets"][0]["target"], 2.0);
    for time in times(&status, &loaded, &predicted) {
        assert!(parses_in_python_3_7(time) && parses_with_strptime(time), "{time}");
    }
    let refused = app.ask(Method::GET, "/api/status?format=iso").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn with_the_format_of_the_original_its_clients_run_unchanged() {
    let data = Data::with_rounds(40);
    let app = trained(&data, ApiFormat::Legacy).await;
    let (status, loaded, predicted) = (
        app.get("/api/status?_=1764356400").await,
        app.get("/api/load_csv").await,
        app.get("/api/predict").await,
    );
    for time in times(&status, &loaded, &predicted) {
        assert!(parses_with_strptime(time), "{time}");
    }
    let trained: Value = app.train().await.json().await.unwrap();
    assert!(parses_with_strptime(trained["accuracy"]["trained_at"].as_str().unwrap()));
    for key in ["mae", "rmse", "cv_mae", "cv_std"] {
        assert!(trained["accuracy"][key].as_f64().unwrap() > 0.0, "accuracy.{key}");
    }
    // The dashboard and newer clients are not affected.
    let status = app.get("/api/v1/status").await;
    assert!(status["latest_timestamp"].as_str().unwrap().ends_with("+00:00"), "{status}");
}

#[tokio::test]
async fn the_history_is_oldest_first_with_the_keys_of_the_original() {
    let data = Data::with_rounds(40);
    let app = trained(&data, ApiFormat::Rfc3339).await;
    let status = app.status().await;
    let history = status["prediction_history"].as_array().unwrap();
    let rounds: Vec<u64> = history.iter().map(|past| past["round"].as_u64().unwrap()).collect();
    assert_eq!(rounds, [41, 42, 43, 44, 45, 46]);
    for past in history {
        assert_eq!(past["confidence"], 80);
        let (point, last) = (&past["predicted_multiplier"], &past["last_actual"]);
        let change = point.as_f64().unwrap() / last.as_f64().unwrap() - 1.0;
        let trend = match change {
            change if change > 0.01 => "increasing",
            change if change < -0.01 => "decreasing",
            _ => "stable",
        };
        assert_eq!(past["trend"], trend, "{past}");
    }
    let actual = |index: usize| &history[index]["actual"];
    assert!((1..5).all(|index| history[index]["last_actual"] == *actual(index - 1)), "{history:?}");
}

#[tokio::test]
async fn failures_have_the_keys_of_the_original() {
    let data = Data::with_rounds(12);
    let app = TestApp::start(data.manual());
    app.look().await;
    for (method, path, status) in [
        (Method::GET, "/api/predict", StatusCode::SERVICE_UNAVAILABLE),
        (Method::POST, "/api/train", StatusCode::SERVICE_UNAVAILABLE),
        (Method::GET, "/api/betting_history", StatusCode::GONE),
        (Method::POST, "/api/reset_betting", StatusCode::GONE),
        (Method::GET, "/api/unknown", StatusCode::NOT_FOUND),
    ] {
        let response = app.ask(method, path).await;
        assert_eq!(response.status(), status, "{path}");
        let document: Value = response.json().await.unwrap();
        assert_eq!(document["success"], false, "{path}");
        assert_eq!(
            (&document["error"], &document["message"]),
            (&document["detail"], &document["detail"])
        );
    }
}
