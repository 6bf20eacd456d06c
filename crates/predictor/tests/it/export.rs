//! CSV downloads and Prometheus metrics.

use reqwest::{Method, StatusCode};

use crate::test_app::{Data, FILE, TestApp, row};

async fn text(app: &TestApp, path: &str) -> String {
    let response = app.ask(Method::GET, path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.text().await.unwrap()
}

#[tokio::test]
async fn rounds_come_in_the_form_of_the_collectors_files() {
    let data = Data::with_rounds(3000);
    let app = TestApp::start(data.manual());
    app.look().await;
    let response = app.ask(Method::GET, "/api/rounds.csv").await;
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"rounds.csv\"");
    let all: String = (0..3000).map(row).collect();
    assert_eq!(response.text().await.unwrap(), format!("timestamp,multiplier\n{all}"));
    let few = text(&app, "/api/rounds.csv?limit=2&to=2026-01-01T00:00:10Z").await;
    assert_eq!(few, format!("timestamp,multiplier\n{}{}", row(8), row(9)));
    let none = text(&app, "/api/rounds.csv?from=2030-01-01T00:00:00Z").await;
    assert_eq!(none, "timestamp,multiplier\n");
    // What was taken away can be read again.
    let copy = Data::empty();
    copy.write(FILE, text(&app, "/api/v1/rounds.csv").await);
    let again = TestApp::start(copy.manual());
    assert_eq!(again.look().await["statistics"], app.status().await["statistics"]);
}

#[tokio::test]
async fn forecasts_come_with_their_rounds() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    data.append(FILE, 40..50);
    let status = app.look().await;
    let table = text(&app, "/api/predictions.csv").await;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert!(lines.iter().all(|line| line.len() == 22), "{table}");
    let column = |name: &str| lines[0].iter().position(|it| *it == name).unwrap();
    let numbers: Vec<&str> = lines[1..].iter().map(|line| line[0]).collect();
    assert_eq!(numbers, ["41", "42", "43", "44", "45", "46", "47", "48", "49", "50", "51"]);
    let history = status["prediction_history"].as_array().unwrap();
    assert_eq!(history.len(), 10);
    for (line, past) in lines[2..].iter().zip(history) {
        assert_eq!(line[0], past["round"].to_string());
        let number = |name: &str| line[column(name)].parse::<f64>();
        for key in ["predicted_multiplier", "lo"] {
            let shown = past[key].as_f64().unwrap();
            assert!((number(key).unwrap() - shown).abs() <= 0.000_05, "{key}: {line:?} {past}");
        }
        assert_eq!(number("multiplier").ok(), past["actual"].as_f64());
        let inside = past["inside"].as_bool().map_or(String::new(), |it| it.to_string());
        assert_eq!(line[column("inside")], inside);
    }
    let newest = text(&app, "/api/predictions.csv?limit=2").await;
    assert!(newest.ends_with(&table[table.find("\n50,").unwrap()..]), "{newest}");
    assert_eq!(newest.lines().count(), 3);
    let part =
        text(&app, "/api/predictions.csv?from=2026-01-01T00:00:42Z&to=2026-01-01T00:00:44Z").await;
    assert_eq!(part.lines().skip(1).map(|line| &line[..2]).collect::<Vec<_>>(), ["43", "44"]);
}

#[tokio::test]
async fn without_a_ledger_there_is_no_download_of_forecasts() {
    let data = Data::empty();
    let app = TestApp::start(data.config());
    let response = app.ask(Method::GET, "/api/predictions.csv").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        app.ask(Method::GET, "/api/rounds.csv?points=3").await.status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn metrics_agree_with_the_status() {
    let data = Data::with_rounds(40);
    data.append_text(FILE, "not a row\n");
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    drop(app.ask(Method::GET, "/nothing/here").await);
    let stream = app.events().await;
    let response = app.ask(Method::GET, "/metrics").await;
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let figures = response.text().await.unwrap();
    for line in [
        "aviator_rows_loaded{table=\"default\"} 40",
        "aviator_rows_rejected_total{table=\"default\",reason=\"too_few_fields\"} 1",
        "aviator_rows_rejected_total{table=\"default\",reason=\"multiplier\"} 0",
        "aviator_model_version{table=\"default\"} 1",
        "aviator_train_seconds_count{table=\"default\"} 1",
        "aviator_train_seconds_bucket{table=\"default\",le=\"+Inf\"} 1",
        "aviator_last_round_timestamp_seconds{table=\"default\"} 1767225639",
        "aviator_sse_clients{table=\"default\"} 1",
        "aviator_insecure 0",
        "aviator_http_requests_total{route=\"other\",status=\"404\"} 1",
        "aviator_http_requests_total{route=\"/api/train\",status=\"200\"} 1",
        "aviator_watch_events_total{table=\"default\",kind=\"request\"} 1",
    ] {
        assert!(figures.lines().any(|it| it == line), "{line} is missing:\n{figures}");
    }
    // Each figure is told of once, before its values.
    for line in figures.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family =
            ["_bucket", "_sum", "_count"].iter().fold(name, |it, end| it.trim_end_matches(end));
        assert_eq!(figures.matches(&format!("# TYPE {family} ")).count(), 1, "{family}");
        assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
    }
    drop(stream);
}

/// A stream that is closed is noticed when the next event cannot be sent.
#[tokio::test]
async fn closed_streams_are_not_counted() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(data.manual());
    app.look().await;
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(app.events().await);
    }
    let figures = text(&app, "/metrics").await;
    assert!(figures.contains("\naviator_sse_clients{table=\"default\"} 200\n"), "{figures}");
    drop(streams);
    let mut number = 5;
    while !text(&app, "/metrics").await.contains("\naviator_sse_clients{table=\"default\"} 0\n") {
        data.append(FILE, number..number + 1);
        number += 1;
        app.look().await;
        assert!(number < 500, "{}", text(&app, "/metrics").await);
    }
}
