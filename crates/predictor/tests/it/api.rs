//! The contract with clients of the API.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::test_app::{Broken, Data, Held, TestApp};

async fn problem(app: &TestApp, method: Method, path: &str) -> (StatusCode, Value) {
    let response = app.ask(method, path).await;
    let kind = response.headers()["content-type"].clone();
    assert_eq!(kind, "application/problem+json", "{path}");
    let status = response.status();
    let document: Value = response.json().await.unwrap();
    assert_eq!(document["status"], status.as_u16());
    assert_eq!(document["instance"], path);
    assert!(document["title"].is_string() && document["detail"].is_string(), "{document}");
    (status, document)
}

#[tokio::test]
async fn every_key_that_clients_of_the_original_read_is_there() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    let trained: Value = app.train().await.json().await.unwrap();
    assert_eq!(trained["success"], true);
    assert!(trained["message"].is_string());
    for key in [
        "mae",
        "rmse",
        "r2_score",
        "samples_trained",
        "samples_tested",
        "total_records",
        "trained_at",
    ] {
        assert!(!trained["accuracy"][key].is_null(), "accuracy.{key}");
    }
    assert_eq!(trained["accuracy"]["total_records"], 40);

    let loaded = app.get("/api/load_csv").await;
    assert_eq!(loaded["filename"], crate::test_app::FILE);
    assert_eq!(loaded["total_records"], 40);
    assert!(loaded["latest_multiplier"].is_number() && loaded["latest_timestamp"].is_string());
    assert_eq!(loaded["recent_data"].as_array().unwrap().len(), 20);
    for key in ["mean", "std", "min", "max", "median"] {
        assert!(loaded["statistics"][key].is_number(), "statistics.{key}");
    }

    let predicted = app.get("/api/predict").await;
    let prediction = &predicted["prediction"];
    for key in [
        "predicted_multiplier",
        "prediction_range",
        "confidence",
        "last_actual",
        "trend",
        "predicted_at",
        "data_points_used",
    ] {
        assert!(!prediction[key].is_null(), "prediction.{key}");
    }
    assert_eq!(prediction["confidence"], 80);
    assert_eq!(prediction["data_points_used"], 40);

    let status = app.status().await;
    for key in ["auto_sync_active", "model_trained", "auto_training", "data_synced"] {
        assert!(status["indicators"][key].is_boolean(), "indicators.{key}");
    }
    assert_eq!(status["model_trained"], true);
    assert_eq!(status["current_prediction"], *prediction);
    assert_eq!(status["model_accuracy"], trained["accuracy"]);
    assert_eq!(status["auto_train_enabled"], false);
    assert_eq!(status["csv_file"], crate::test_app::FILE);
    assert_eq!(status["csv_records"], 40);
    assert!(status["prediction_history"].is_array());
}

#[tokio::test]
async fn before_thirty_rounds_the_answer_says_how_many_are_missing() {
    let data = Data::with_rounds(12);
    let app = TestApp::start(data.config());
    let status = app.look().await;
    assert_eq!(status["training"]["needed"], serde_json::json!({ "have": 12, "need": 30 }));
    for (method, path) in [(Method::GET, "/api/predict"), (Method::POST, "/api/train")] {
        let (status, document) = problem(&app, method, path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(document["detail"], "12 of 30 rounds");
        assert_eq!(
            (&document["rounds_have"], &document["rounds_needed"]),
            (&12.into(), &30.into())
        );
    }
    let (status, _) = problem(&app, Method::GET, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.get("/healthz").await["status"], "ok");
}

#[tokio::test]
async fn without_data_there_is_nothing_to_load() {
    let data = Data::empty();
    let app = TestApp::start(data.config());
    let (status, _) = problem(&app, Method::GET, "/api/load_csv").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(app.status().await["csv_records"], 0);
}

#[tokio::test]
async fn a_second_training_at_the_same_time_is_refused_with_the_number_of_the_first() {
    let data = Data::with_rounds(40);
    let (held, has_begun, go_on) = Held::new();
    let app = TestApp::with_learner(data.config(), Box::new(held));
    has_begun.recv().unwrap();
    let status = app.status().await;
    assert_eq!(status["indicators"]["auto_training"], true);
    let (refused, document) = problem(&app, Method::POST, "/api/train").await;
    assert_eq!(refused, StatusCode::CONFLICT);
    assert_eq!(document["training_id"], status["training"]["id"]);
    let mut events = app.events().await;
    go_on.send(()).unwrap();
    events.training_ended().await;
    assert_eq!(app.status().await["model_trained"], true);
}

#[tokio::test]
async fn a_training_that_panics_is_reported_and_rounds_are_still_read() {
    let data = Data::with_rounds(40);
    let app = TestApp::with_learner(data.manual(), Box::new(Broken));
    app.look().await;
    for _ in 0..2 {
        let (status, document) = problem(&app, Method::POST, "/api/train").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(document["detail"].as_str().unwrap().contains("the forest burns"), "{document}");
    }
    data.append(crate::test_app::FILE, 40..41);
    let status = app.look().await;
    assert_eq!(status["csv_records"], 41);
    assert!(status["training"]["last_error"].is_string());
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let app = TestApp::start(Data::empty().config());
    let (status, _) = problem(&app, Method::GET, "/nothing/here").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for (method, path) in [
        (Method::PUT, "/api/status"),
        (Method::GET, "/api/train"),
        (Method::POST, "/api/predict"),
        (Method::DELETE, "/"),
    ] {
        let (status, _) = problem(&app, method, path).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let post = |body: Vec<u8>, kind: &'static str| {
        app.client.post(app.url("/api/train")).header("content-type", kind).body(body).send()
    };
    let large = post(vec![b' '; 100_000], "application/json").await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(large.headers()["content-type"], "application/problem+json");
    let form = post(b"a=b".to_vec(), "application/x-www-form-urlencoded").await.unwrap();
    assert_eq!(form.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let broken = post(b"{".to_vec(), "application/json").await.unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(data.config());
    app.look().await;
    for path in ["/", "/api/status", "/api/load_csv", "/healthz"] {
        let head = app.ask(Method::HEAD, path).await;
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_every_route() {
    let app = TestApp::start(Data::empty().config());
    for path in ["/", "/api/status", "/api/events", "/api/load_csv", "/healthz", "/nothing"] {
        let foreign = app.client.get(app.url(path)).header("host", "evil.example");
        let refused = foreign.send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::MISDIRECTED_REQUEST, "{path}");
        let document: Value = refused.json().await.unwrap();
        assert!(document["detail"].as_str().unwrap().contains("--allowed-host evil.example"));
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_start_a_training() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.config());
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let post = app.client.post(app.url("/api/train")).header(name, value);
        assert_eq!(post.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{name}");
    }
    let own = || app.client.post(app.url("/api/train")).header("origin", app.url(""));
    assert_eq!(own().send().await.unwrap().status(), StatusCode::FORBIDDEN, "without our header");
    let own = own().header("x-requested-with", "aviator");
    assert_ne!(own.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    // A tool on this machine needs neither: `curl -X POST` as ever.
    assert_ne!(app.train().await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let app = TestApp::start(Data::empty().config());
    for path in ["/", "/api/status", "/nothing"] {
        let response = app.ask(Method::GET, path).await;
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn events_arrive_at_once_even_where_answers_are_compressed() {
    let data = Data::with_rounds(3);
    let app = TestApp::start(data.config());
    app.look().await;
    let stream = app.client.get(app.url("/api/events")).header("accept-encoding", "br, gzip");
    let mut response = stream.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while !text.contains("event: ready") {
        let chunk = response.chunk().await.unwrap().expect("the stream goes on");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn more_event_streams_than_the_limit_are_refused() {
    let app = TestApp::start(Data::empty().config());
    let mut streams = Vec::new();
    for _ in 0..predictor::config::EVENT_STREAMS_MAX {
        streams.push(app.events().await);
    }
    let (status, _) = problem(&app, Method::GET, "/api/events").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_probability_of_any_target_is_returned() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    let predicted = app.get("/api/predict?targets=2,1.01,%204.5").await;
    let targets = predicted["targets"].as_array().unwrap();
    let five = &predicted["prediction"]["probabilities"];
    assert_eq!(targets.len(), 3);
    assert_eq!(targets[0]["probability"], five[1]["probability"], "2 is one of the five");
    assert_eq!(targets[0]["house"], 0.485);
    assert!(targets[1]["probability"].as_f64() > targets[2]["probability"].as_f64());
    for bad in ["targets=x", "targets=1", "targets=NaN", "targets=1e9", "target=2"] {
        let path = format!("/api/predict?{bad}");
        assert_eq!(app.ask(Method::GET, &path).await.status(), StatusCode::BAD_REQUEST, "{bad}");
    }
}
