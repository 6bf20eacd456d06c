//! Several tables in one program: each with its own rounds, model, forecasts and addresses.

use predictor::config::Config;
use reqwest::Method;
use rounds::TableName;
use serde_json::Value;

use crate::test_app::{Data, FILE, TestApp};

fn name(text: &str) -> TableName {
    text.parse().unwrap()
}

/// A data directory with 40 rounds of the default table and so many of `eu`.
fn two_tables(rounds: u64) -> (Data, Config) {
    let data = Data::with_rounds(40);
    std::fs::create_dir(data.file("eu")).unwrap();
    let file = format!("eu/{FILE}");
    data.write(&file, "timestamp,multiplier\n");
    data.append(&file, 0..rounds);
    let config = Config { tables: vec![TableName::default(), name("eu")], ..data.manual() };
    (data, config)
}

async fn look(app: &TestApp, table: &str) -> Value {
    app.ask(Method::GET, &format!("/api/v1/tables/{table}/load_csv")).await;
    app.get(&format!("/api/v1/tables/{table}/status")).await
}

#[tokio::test]
async fn each_table_has_its_own_rounds_model_and_ledger() {
    let (data, config) = two_tables(50);
    let app = TestApp::start(config);
    look(&app, "default").await;
    look(&app, "eu").await;
    let trained = app.ask(Method::POST, "/api/v1/tables/eu/train").await;
    assert_eq!(trained.status(), 200);

    let (plain, eu) = (app.status().await, look(&app, "eu").await);
    assert_eq!((&plain["table"], &plain["csv_records"]), (&"default".into(), &40.into()));
    assert_eq!((&eu["table"], &eu["csv_records"]), (&"eu".into(), &50.into()));
    assert_eq!((&plain["model_trained"], &eu["model_trained"]), (&false.into(), &true.into()));
    assert_eq!(eu["current_prediction"]["for_round"], 51);
    assert_eq!(eu["links"]["events"], "api/v1/tables/eu/events");
    assert_eq!(plain["links"]["events"], "api/events");
    assert!(data.ledger().iter().all(|line| line["kind"] == "read"));
    assert!(data.file("eu/.predictor/forecasts.jsonl").is_file());
}

#[tokio::test]
async fn the_list_has_every_table_with_its_state() {
    let (_data, config) = two_tables(35);
    let app = TestApp::start(config);
    look(&app, "default").await;
    look(&app, "eu").await;
    app.ask(Method::POST, "/api/v1/tables/eu/train").await;
    let list = app.get("/api/tables").await;
    assert_eq!(list, app.get("/api/v1/tables").await);
    let [plain, eu] = list["tables"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&plain["name"], &plain["records"]), (&"default".into(), &40.into()));
    assert_eq!((&eu["name"], &eu["for_round"]), (&"eu".into(), &36.into()));
    let status = app.get(&format!("/{}", eu["status"].as_str().unwrap())).await;
    assert_eq!(status["csv_records"], 35);
}

#[tokio::test]
async fn a_table_that_is_not_served_is_not_found() {
    let (_data, config) = two_tables(35);
    let app = TestApp::start(config);
    let response = app.ask(Method::GET, "/api/v1/tables/us/status").await;
    assert_eq!(response.status(), 404);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], 404);
}

#[tokio::test]
async fn addresses_without_a_table_mean_the_first_one() {
    let (_data, config) = two_tables(35);
    let app = TestApp::start(Config { tables: vec![name("eu"), TableName::default()], ..config });
    assert_eq!(app.look().await["csv_records"], 35);
}

#[tokio::test]
async fn events_of_one_table_do_not_reach_another() {
    let (data, config) = two_tables(35);
    let app = TestApp::start(config);
    look(&app, "default").await;
    look(&app, "eu").await;
    let mut plain = app.events().await;
    data.append(&format!("eu/{FILE}"), 35..36);
    look(&app, "eu").await;
    data.append(FILE, 40..41);
    app.look().await;
    let observed = plain.wait_for("new-round", |_| true).await;
    assert_eq!(observed["round"], 41, "the round of the other table, the 36th, came before");
}
