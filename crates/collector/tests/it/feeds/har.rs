//! The network log of a browser as a source.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use collector::observation::Report;
use serde_json::{Value, json};

use super::{quoted, shown, source};
use crate::simulator::sfs2x::Field::{Double, Int, List, Object};
use crate::simulator::sfs2x::{call, packet};

/// Second 0 of the messages.
const BEGAN: f64 = 1_772_368_200.0;

/// Returns the observations of a HAR file with these entries: reports as text, and the seconds at which rounds ended.
async fn read(entries: Value, more: &str) -> Result<(Vec<String>, Vec<f64>), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.har");
    std::fs::write(&path, json!({"log": {"entries": entries}}).to_string()).unwrap();
    read_file(&path, more).await
}

async fn read_file(path: &Path, more: &str) -> Result<(Vec<String>, Vec<f64>), String> {
    let toml = format!("source = 'har'\nreplay.file = {}\n{more}", quoted(path));
    let mut source = source(&toml)?;
    source.connect().await.map_err(|error| error.to_string())?;
    let (mut all, mut seconds) = (Vec::new(), Vec::new());
    loop {
        let report = source.next().await.unwrap().report;
        if report == Report::End {
            return Ok((all, seconds));
        }
        all.push(shown(&report));
        if let Report::Round { ended_at: Some(time), .. } = report {
            seconds.push(time.timestamp_micros() as f64 / 1e6 - BEGAN);
        }
    }
}

fn socket(url: &str, messages: &[Value]) -> Value {
    json!({"request": {"url": url}, "_webSocketMessages": messages})
}

fn text(second: f64, data: &str) -> Value {
    json!({"type": "receive", "time": BEGAN + second, "opcode": 1, "data": data})
}

fn binary(second: f64, data: &[u8]) -> Value {
    json!({"type": "receive", "time": BEGAN + second, "opcode": 2, "data": STANDARD.encode(data)})
}

#[tokio::test]
async fn the_messages_of_the_game_need_no_rules() {
    let round = |id, x| vec![("roundId", Int(id)), ("maxMultiplier", Double(x))];
    let history = List(vec![Object(round(4, 1.5)), Object(round(2, 9.0))]);
    let messages = vec![
        binary(1.0, &packet(&call("init", vec![("roundsInfo", history)]))),
        json!({"type": "send", "time": BEGAN + 2.0, "opcode": 2, "data": STANDARD.encode(packet(&call("roundChartInfo", round(1, 7.0))))}),
        binary(20.5, &packet(&call("roundChartInfo", round(7, 2.31)))),
    ];
    let entries = json!([{"request": {"url": "https://a.example/"}, "response": {"content": {}}}, socket("wss://a.example/BlueBox/websocket", &messages)]);
    let (all, seconds) = read(entries, "").await.unwrap();
    assert_eq!(all, ["[4=1.50, 2=9.00]", "7=2.31"]);
    assert_eq!(seconds, [20.5]);
}

#[tokio::test]
async fn the_rules_of_a_feed_read_its_log_too() {
    let messages = vec![
        text(1.0, "40"),
        text(9.0, r#"42["crash",{"id":1,"x":2.5}]"#),
        text(3.0, r#"42["tick",{"x":9}]"#),
    ];
    let entries = json!([
        socket("wss://other.example/socket.io/", &[text(2.0, r#"42["crash",{"id":8,"x":8}]"#)]),
        socket("wss://feed.example/socket.io/?EIO=4&sid=secret", &messages),
    ]);
    let rules = "feed.url = 'wss://feed.example/socket.io/'\nfeed.rounds = [{ event = 'crash', value = '/1/x', id = '/1/id' }]\nwebsocket.framing = 'socketio4'";
    assert_eq!(read(entries, rules).await.unwrap(), (vec!["1=2.50".to_owned()], vec![9.0]));
}

#[tokio::test]
async fn a_list_that_was_requested_repeatedly_is_read_in_order() {
    let answer = |second: u32, rows: Value| {
        let content = json!({"text": STANDARD.encode(rows.to_string()), "encoding": "base64"});
        json!({"request": {"url": "https://a.example/h"}, "startedDateTime": format!("2026-03-01T12:30:{second:02}.000Z"), "time": 120, "response": {"content": content}})
    };
    let entries = json!([answer(20, json!([3, 2, 1.5])), answer(10, json!([2, 1.5]))]);
    let (all, _) = read(entries, "feed.rounds = [{ list = '', value = '' }]").await.unwrap();
    assert_eq!(all, ["[2.00, 1.50]", "[3.00, 2.00, 1.50]"]);
}

#[tokio::test]
async fn a_log_without_rounds_is_shown_with_its_last_message() {
    let entries = || json!([socket("wss://a.example/", &[text(1.0, r#"{"secret":"a","y":2}"#)])]);
    let error = read(
        entries(),
        "feed.rounds = [{ value = '/x', filters = [{ pointer = '/x', exists = true }] }]",
    )
    .await
    .unwrap_err();
    assert!(error.ends_with(r#"holds no rounds; the last message was {"secret": text, "y": number}; feed.rounds[0]: the pointer "/x" matches nothing: the message has the keys "secret", "y""#), "{error}");
    let error = read(entries(), "").await.unwrap_err();
    assert!(error.contains("holds no message of the game's socket"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.har");
    for (text, expected) in [("{}", "has no log.entries"), ("a,b", "is not JSON")] {
        std::fs::write(&path, text).unwrap();
        let error = read_file(&path, "").await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(source("source = 'har'").unwrap_err().starts_with("--file: a HAR file is needed"));
}
