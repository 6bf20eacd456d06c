//! The routes of rounds, distribution, history and recorder, and conditional requests.

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::test_app::{Data, FILE, TestApp};

async fn refused(app: &TestApp, path: &str) -> Value {
    let response = app.ask(Method::GET, path).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
    response.json().await.unwrap()
}

async fn conditional(app: &TestApp, path: &str, tag: &str) -> Response {
    app.client.get(app.url(path)).header("if-none-match", tag).send().await.unwrap()
}

fn tag(response: &Response) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_newest_rounds_come_with_their_forecasts() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    data.append(FILE, 40..42);
    let status = app.look().await;
    assert_eq!(status["links"]["rounds"], "api/rounds");
    let all = app.get("/api/rounds?limit=all").await;
    assert_eq!((&all["first"], &all["total"], &all["step"]), (&1.into(), &42.into(), &1.into()));
    let rounds = all["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 42);
    for (index, (round, recent)) in
        rounds.iter().zip(status["recent"].as_array().unwrap()).enumerate()
    {
        assert_eq!(round["round"], index + 1);
        for key in ["time", "multiplier", "lo", "hi", "point", "inside"] {
            assert_eq!(round[key], recent[key], "{key} of round {}", index + 1);
        }
        assert_eq!(round["lo"].is_number(), index >= 40, "round {}", index + 1);
    }
    let few = app.get("/api/v1/rounds?limit=3").await;
    assert_eq!(few["first"], 40);
    assert_eq!(few["rounds"].as_array().unwrap()[..], rounds[39..]);
}

#[tokio::test]
async fn a_period_includes_its_start_and_excludes_its_end() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    // Round 1 ended with the year, each other a second later.
    let path = "/api/rounds?from=2026-01-01T00:00:10Z&to=2026-01-01T01:00:15%2B01:00";
    let part = app.get(path).await;
    let numbers: Vec<u64> =
        part["rounds"].as_array().unwrap().iter().map(|it| it["round"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [11, 12, 13, 14, 15]);
    assert_eq!((&part["first"], &part["total"]), (&11.into(), &40.into()));
    let newest = app.get(&format!("{path}&limit=2")).await;
    assert_eq!(newest["first"], 14);
    let none = app.get("/api/rounds?from=2027-01-01T00:00:00Z").await;
    assert!(none["rounds"].as_array().unwrap().is_empty());
    assert!(
        app.get("/api/rounds?from=2026-01-01T00:00:20Z&to=2026-01-01T00:00:10Z").await["rounds"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn many_rounds_are_thinned_and_keep_their_extremes() {
    let data = Data::with_rounds(3000);
    data.append_text(FILE, "2026-01-02T00:00:00Z,54321.09\n");
    let app = TestApp::start(data.manual());
    app.look().await;
    let thinned = app.get("/api/rounds?limit=all&points=100").await;
    let rounds = thinned["rounds"].as_array().unwrap();
    assert!(rounds.len() <= 100 && rounds.len() > 80, "{}", rounds.len());
    assert_eq!((&thinned["first"], &thinned["total"]), (&1.into(), &3001.into()));
    assert!(thinned["step"].as_u64().unwrap() > 1);
    assert_eq!(rounds.last().unwrap()["multiplier"], 54321.09);
    let smallest = rounds.iter().map(|it| it["multiplier"].as_f64().unwrap()).fold(9.0, f64::min);
    assert_eq!(app.status().await["statistics"]["min"], smallest);
}

#[tokio::test]
async fn a_malformed_query_is_refused_with_the_accepted_form() {
    let app = TestApp::start(Data::with_rounds(5).config());
    for (path, says) in [
        ("/api/rounds?limit=0", "limit must be a whole number of at least 1, or all"),
        ("/api/rounds?points=2001", "points must be a whole number from 2 to 2000"),
        ("/api/rounds?from=yesterday", "from must be a time such as"),
        ("/api/rounds?form=2026-01-01T00:00:00Z", "unknown field `form`"),
        ("/api/rounds?limit=1&limit=2", "duplicate field `limit`"),
        ("/api/history?points=1", "points must be a whole number from 2 to 1024"),
        ("/api/recorder?limit=501", "limit must be a whole number from 1 to 500"),
        ("/api/predict?target=2", "unknown field `target`"),
    ] {
        let document = refused(&app, path).await;
        assert_eq!(document["type"], "/problems/bad-query", "{path}");
        assert!(document["detail"].as_str().unwrap().contains(says), "{path}: {document}");
    }
}

#[tokio::test]
async fn the_distribution_is_of_all_rounds_beside_the_house() {
    let data = Data::with_rounds(990);
    let app = TestApp::start(data.manual());
    app.look().await;
    let distribution = app.get("/api/distribution").await;
    assert_eq!(distribution["rounds"], 990);
    let points = distribution["points"].as_array().unwrap();
    assert_eq!(points.len(), 60);
    // The rounds end at 1.00, 1.01, … 10.89, each once.
    let first = &points[0];
    assert_eq!((&first["multiplier"], &first["observed"]), (&1.01.into(), &0.999.into()));
    assert!((first["house"].as_f64().unwrap() - 0.97 / 1.01).abs() <= 0.000_05);
    assert!(first["lo"].as_f64() < first["observed"].as_f64());
    assert!(points.last().unwrap()["multiplier"].as_f64().unwrap() > 10.6);
}

#[tokio::test]
async fn the_score_history_has_columns_of_equal_length() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    data.append(FILE, 40..60);
    app.look().await;
    let history = app.get("/api/history?points=20").await;
    let rounds = history["rounds"].as_array().unwrap();
    assert_eq!((rounds.len(), rounds.last().unwrap()), (20, &60.into()));
    for column in [
        "skill/value",
        "skill/lo",
        "skill/hi",
        "coverage",
        "evidence/order",
        "evidence/law",
        "evidence/forecast",
    ] {
        assert_eq!(
            history.pointer(&format!("/{column}")).unwrap().as_array().unwrap().len(),
            20,
            "{column}"
        );
    }
    assert!(history["coverage"][19].is_number());
    assert_eq!(app.get("/api/history").await["rounds"].as_array().unwrap().len(), 60);
}

#[tokio::test]
async fn collector_events_are_returned_newest_first() {
    let data = Data::with_rounds(5);
    let line = |second: u64, kind: &str| {
        format!(
            "{{\"seq\":{second},\"unix_ms\":{second}000,\"kind\":\"{kind}\",\"source\":\"browser\"}}\n"
        )
    };
    let events = FILE.replace(".csv", ".events.jsonl");
    data.write(&events, line(1, "start") + &line(2, "live") + &line(3, "gap") + &line(4, "reset"));
    let app = TestApp::start(data.config());
    app.look().await;
    let recorder = app.get("/api/recorder?limit=2").await;
    assert_eq!(recorder["totals"]["gap"], 1);
    assert_eq!(recorder["totals"]["live"], 1);
    let kinds: Vec<&Value> =
        recorder["events"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["reset", "gap"]);
    assert_eq!(recorder["events"][0]["time"], "1970-01-01T00:00:04.000+00:00");
    assert_eq!(recorder["events"][0]["file"], FILE);
    let before = app.ask(Method::GET, "/api/recorder").await;
    data.append_text(&events, &line(5, "reconnect"));
    app.look().await;
    let after = conditional(&app, "/api/recorder", &tag(&before)).await;
    assert_eq!(after.status(), StatusCode::OK);
    let after: Value = after.json().await.unwrap();
    assert_eq!(after["events"][0]["kind"], "reconnect");
}

#[tokio::test]
async fn a_client_with_the_current_answer_gets_304_until_it_changes() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(data.manual());
    app.look().await;
    for path in ["/api/rounds", "/api/distribution", "/api/recorder", "/api/history", "/api/status"]
    {
        let first = app.ask(Method::GET, path).await;
        let known = tag(&first);
        let head = app.ask(Method::HEAD, path).await;
        assert_eq!(tag(&head), known, "{path}");
        assert!(head.bytes().await.unwrap().is_empty());
        let again = conditional(&app, path, &known).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(tag(&again), known, "{path}");
        assert!(again.bytes().await.unwrap().is_empty(), "{path}");
    }
    let paths = ["/api/rounds", "/api/distribution", "/api/status"];
    let mut known = Vec::new();
    for path in paths {
        known.push(tag(&app.ask(Method::GET, path).await));
    }
    data.append(FILE, 5..6);
    app.look().await;
    for (path, known) in paths.into_iter().zip(known) {
        assert_eq!(conditional(&app, path, &known).await.status(), StatusCode::OK, "{path}");
    }
}

/// Ages move with every second: a browser that kept the status would show old ones.
#[tokio::test]
async fn the_status_is_never_cached_and_the_rest_is_revalidated() {
    let app = TestApp::start(Data::with_rounds(5).config());
    for (path, keep) in
        [("/api/status", "no-store"), ("/api/rounds", "no-cache"), ("/healthz", "no-store")]
    {
        let response = app.ask(Method::GET, path).await;
        assert_eq!(response.headers()["cache-control"], keep, "{path}");
    }
}

#[tokio::test]
async fn the_api_is_served_below_v1_too() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    let trained = app.ask(Method::POST, "/api/v1/train").await;
    assert_eq!(trained.status(), StatusCode::OK);
    for path in ["status", "load_csv", "predict", "rounds", "distribution", "recorder", "history"] {
        let both =
            (app.get(&format!("/api/v1/{path}")).await, app.get(&format!("/api/{path}")).await);
        let keys = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&both.0), keys(&both.1), "{path}");
    }
}
