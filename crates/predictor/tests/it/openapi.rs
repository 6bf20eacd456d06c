//! docs/openapi.json against the program: every described route answers as described, with every
//! described key and no other.

use std::collections::BTreeSet;

use evaluation::HouseLaw;
use evaluation::returns::TargetCounts;
use evaluation::sequential::Epoch;
use reqwest::{Client, Method, Response, redirect};
use serde_json::{Map, Value};

use crate::test_app::{Data, FILE, TestApp};

pub(crate) fn document() -> Value {
    serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap()
}

/// Every path with its methods.
pub(crate) fn operations() -> Vec<(String, Method, Value)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap();
        let one = |(method, it): (&String, &Value)| {
            (path.clone(), method.to_uppercase().parse().unwrap(), it.clone())
        };
        methods.iter().map(one).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

/// Where a value is not what its schema says.
fn mismatches(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return mismatches(document, schema, value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let all = any.iter().map(|schema| mismatches(document, schema, value, at));
        return all.min_by_key(Vec::len).unwrap();
    }
    let mut found = Vec::new();
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_allowed = |it: &Value| *it == kind || (*it == "number" && kind == "integer");
    let is_of_kind = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is_allowed),
        one => is_allowed(one),
    };
    if !is_of_kind {
        found.push(format!("{at} is {kind}, not {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        found.push(format!("{at} is {value}, not one of {}", schema["enum"]));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        found.push(format!("{at} is {value}, not {}", schema["const"]));
    }
    let number = |key: &str| schema[key].as_f64();
    if let Some(it) = value.as_f64()
        && (number("minimum").is_some_and(|low| it < low)
            || number("maximum").is_some_and(|high| it > high))
    {
        found.push(format!("{at} is {it}, out of its range"));
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                found.extend(mismatches(
                    document,
                    &schema["items"],
                    item,
                    &format!("{at}/{index}"),
                ));
            }
        }
        Value::Object(fields) => found.extend(of_object(document, schema, fields, at)),
        _ => {}
    }
    found
}

fn of_object(
    document: &Value,
    schema: &Value,
    fields: &Map<String, Value>,
    at: &str,
) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let mut found = Vec::new();
    for (key, value) in fields {
        match properties.get(key) {
            Some(schema) => {
                found.extend(mismatches(document, schema, value, &format!("{at}/{key}")));
            }
            None if schema["additionalProperties"] == true => {}
            None => found.push(format!("{at}/{key} is not described in docs/openapi.json")),
        }
    }
    for key in schema["required"].as_array().unwrap() {
        if !fields.contains_key(key.as_str().unwrap()) {
            found.push(format!("{at}/{} is missing", key.as_str().unwrap()));
        }
    }
    found
}

/// Holds an answer against what its operation says of this status.
async fn check(document: &Value, operation: &Value, path: &str, response: Response) {
    let status = response.status().as_u16().to_string();
    let mut described = &operation["responses"][&status];
    if let Some(reference) = described["$ref"].as_str() {
        described = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    assert!(described.is_object(), "{path} answers {status}, which is not described");
    let kind = response.headers().get("content-type").map(|it| it.to_str().unwrap().to_owned());
    let body = response.bytes().await.unwrap();
    let Some(content) = described["content"].as_object() else {
        assert!(body.is_empty(), "{path} answers {status} with a body");
        return;
    };
    let kind = kind.unwrap_or_default();
    let media = kind.split(';').next().unwrap();
    assert!(content.contains_key(media), "{path} answers {status} as {media}");
    let schema = &content[media]["schema"];
    if media.ends_with("json") {
        let value: Value = serde_json::from_slice(&body).unwrap();
        let found = mismatches(document, schema, &value, "");
        assert!(found.is_empty(), "{path} {status}: {found:#?}");
    }
}

async fn ask_everything(app: &TestApp) {
    let document = document();
    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    for (path, method, operation) in operations() {
        if path == "/api/events" {
            continue;
        }
        let response = client.request(method.clone(), app.url(&path)).send().await.unwrap();
        if method == Method::HEAD {
            let status = response.status().as_u16().to_string();
            assert!(operation["responses"][&status].is_object(), "HEAD {path}: {status}");
            assert!(response.bytes().await.unwrap().is_empty(), "HEAD {path}");
        } else {
            check(&document, &operation, &path, response).await;
        }
    }
}

#[tokio::test]
async fn without_a_file_every_answer_is_as_described() {
    let data = Data::empty();
    ask_everything(&TestApp::start(data.config())).await;
}

#[tokio::test]
async fn with_few_rounds_every_answer_is_as_described() {
    let data = Data::with_rounds(12);
    data.append_text(FILE, "not a row\n");
    let app = TestApp::start(data.config());
    app.look().await;
    ask_everything(&app).await;
}

#[tokio::test]
async fn with_a_model_a_collector_and_scores_every_answer_is_as_described() {
    let data = Data::with_rounds(40);
    data.write("status.json", r#"{"state":"connected","updated_at":"2026-01-01T00:00:00Z"}"#);
    let gap = r#"{"seq":1,"unix_ms":1000,"kind":"gap","source":"x","detail":{"a":1}}"#;
    data.write(&FILE.replace(".csv", ".events.jsonl"), format!("{gap}\n"));
    let app = TestApp::start(data.manual());
    app.look().await;
    app.train().await;
    data.append(FILE, 40..200);
    let status = app.look().await;
    assert!(status["scorecard"].is_object() && status["collector"].is_object());
    assert_eq!(app.get("/api/recorder").await["totals"]["gap"], 1);
    ask_everything(&app).await;
}

/// No test waits for a change of the game, so the epoch that it ends is written here.
#[test]
fn an_epoch_that_has_ended_is_as_described() {
    let mut counts = TargetCounts::new();
    counts.update(210);
    let returns = counts.rows(&HouseLaw::default());
    let epoch = Epoch { number: 0, first_round: 1, last_round: 500, noticed_at: 700, returns };
    let (document, epoch) = (document(), serde_json::to_value(epoch).unwrap());
    let schema = &document["components"]["schemas"]["Epoch"];
    assert_eq!(mismatches(&document, schema, &epoch, ""), [""; 0]);
}

/// Clients may rely on what is described: nothing in an answer comes and goes, but in a problem.
#[test]
fn every_key_of_an_answer_is_always_there() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if matches!(name.as_str(), "Problem" | "Health") || schema["type"] != "object" {
            continue;
        }
        let keys: BTreeSet<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let required = schema["required"].as_array().unwrap();
        assert_eq!(keys, required.iter().map(|it| it.as_str().unwrap()).collect(), "{name}");
    }
}

#[tokio::test]
async fn the_description_and_its_page_are_served() {
    let app = TestApp::start(Data::empty().config());
    assert_eq!(app.get("/api/openapi.json").await, document());
    let first = app.get("/api/v1/openapi.json").await;
    assert_eq!(first["servers"][0]["url"], "../..");
    assert_eq!(first["paths"], document()["paths"]);
    let page = app.ask(Method::GET, "/api/v1/docs").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await.unwrap().contains("/api/predictions.csv"));
}
