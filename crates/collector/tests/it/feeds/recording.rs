//! Whole recordings: from a feed through the session and the deduplicator to the files.

use std::path::Path;

use collector::commands::doctor::check_source;
use collector::finding::FindingState;
use collector::output::status::StatusWatch;
use collector::session;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};
use tokio_util::sync::CancellationToken;

use super::config;
use super::server::{Server, answer};

type Socket = WebSocketStream<TcpStream>;

/// Returns the multipliers in the CSV files of a directory, and the text of its event files.
fn files(directory: &Path) -> (Vec<String>, String) {
    let (mut multipliers, mut events) = (Vec::new(), String::new());
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".events.jsonl") {
            events.push_str(&std::fs::read_to_string(&path).unwrap());
        } else if name.starts_with("aviator_payouts_2") {
            let text = std::fs::read_to_string(&path).unwrap();
            let rows = text.lines().skip(1).map(|row| row.split(',').nth(1).unwrap().to_owned());
            multipliers.extend(rows);
        }
    }
    (multipliers, events)
}

/// Records until `done`; returns the multipliers and events.
async fn recorded(toml: &str, done: CancellationToken) -> (Vec<String>, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(toml);
    config.data_dir = directory.path().to_owned();
    config.quiet = true;
    session::run(config, done, StatusWatch::default()).await.unwrap();
    files(directory.path())
}

async fn send(socket: &mut Socket, text: impl Into<String>) {
    socket.send(Message::text(text.into())).await.unwrap();
}

/// Waits until the client has read all messages: it answers the ping only after them.
async fn wait_until_read(socket: &mut Socket) {
    socket.send(Message::Ping(b"all?"[..].into())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if matches!(&message, Message::Pong(bytes) if bytes[..] == b"all?"[..]) {
            return;
        }
    }
}

/// Reports a list of two rounds and one more round, then disconnects.
async fn first_connection(mut socket: Socket) {
    send(&mut socket, r#"{"rows":[{"id":2,"x":1.5},{"id":1,"x":9}]}"#).await;
    send(&mut socket, r#"{"end":{"id":3,"x":2.5}}"#).await;
    wait_until_read(&mut socket).await;
}

/// Reports a list with two new rounds and a round that it contains, and ends the recording.
async fn second_connection(mut socket: Socket, end: &CancellationToken) {
    let rows = r#"[{"id":5,"x":1},{"id":4,"x":1},{"id":3,"x":2.5},{"id":2,"x":1.5}]"#;
    send(&mut socket, format!(r#"{{"rows":{rows}}}"#)).await;
    send(&mut socket, r#"{"end":{"id":5,"x":1}}"#).await;
    send(&mut socket, r#"{"end":{"id":6,"x":33.3}}"#).await;
    wait_until_read(&mut socket).await;
    end.cancel();
}

#[tokio::test]
async fn rounds_that_ended_without_a_connection_are_filled_in() {
    let done = CancellationToken::new();
    let end = done.clone();
    let server = Server::tcp(move |stream, number| {
        let end = end.clone();
        async move {
            let socket = accept_async(stream).await.unwrap();
            match number {
                0 => first_connection(socket).await,
                _ => second_connection(socket, &end).await,
            }
        }
    })
    .await;
    let toml = format!(
        "source = 'websocket'
        [feed]
        url = '{}'
        [[feed.rounds]]
        list = '/rows'
        value = '/x'
        id = '/id'
        filters = [{{ pointer = '/rows', exists = true }}]
        [[feed.rounds]]
        value = '/end/x'
        id = '/end/id'",
        server.url("ws")
    );
    let (multipliers, events) = recorded(&toml, done).await;
    assert_eq!(multipliers, ["2.50", "1.00", "1.00", "33.30"], "{events}");
    assert!(events.contains("\"backfill\"") && events.contains("\"reconnect\""), "{events}");
    assert!(!events.contains("\"gap\""), "{events}");
}

#[tokio::test]
async fn a_polled_list_is_recorded_once() {
    let done = CancellationToken::new();
    let end = done.clone();
    let server = Server::http(move |_, number| {
        let newest = match number {
            0 => 3,
            1 => 4,
            2 => 6,
            _ => {
                end.cancel();
                6
            }
        };
        let rows: Vec<_> =
            (1..=newest).map(|id| json!({"id": id, "x": f64::from(id) + 0.5})).collect();
        answer("200 OK", "", json!(rows).to_string())
    })
    .await;
    let toml = format!(
        "source = 'http'
        [feed]
        url = '{}'
        rounds = [{{ list = '', value = '/x', id = '/id', order = 'oldest-first' }}]
        [http]
        every = '1s'",
        server.url("http")
    );
    let (multipliers, events) = recorded(&toml, done).await;
    assert_eq!(multipliers, ["4.50", "5.50", "6.50"], "{events}");
}

/// Returns the doctor's findings for a feed: state and text of each.
async fn diagnosed(toml: &str) -> Vec<(FindingState, String)> {
    let findings = check_source(&config(toml)).await;
    findings
        .into_iter()
        .map(|finding| (finding.state, format!("{}: {}", finding.check, finding.message)))
        .collect()
}

#[tokio::test]
async fn the_doctor_shows_the_shape_of_messages() {
    let server = Server::websocket(|mut socket: Socket| async move {
        send(&mut socket, r#"{"type":"hello","token":"secret"}"#).await;
        send(&mut socket, r#"{"type":"end","x":2.5,"id":7}"#).await;
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let url = server.url("ws");
    let toml =
        |rule: &str| format!("source = 'websocket'\nfeed.url = '{url}'\nfeed.rounds = [{rule}]");
    let shown = url.split_once('?').unwrap().0;
    assert_eq!(
        diagnosed(&toml(
            "{ value = '/x', id = '/id', filters = [{ pointer = '/x', exists = true }] }"
        ))
        .await,
        [
            (FindingState::Ok, format!("feed: {shown} answers")),
            (
                FindingState::Ok,
                r#"message: the last one was {"id": number, "type": text, "x": number}"#.to_owned()
            ),
            (FindingState::Ok, "rounds: one round was read, with its id".to_owned()),
        ]
    );
}

#[tokio::test]
async fn the_doctor_reports_why_a_feed_cannot_be_connected() {
    let server = Server::http(|_, _| answer("403 Forbidden", "", "no")).await;
    for (source, scheme) in [("websocket", "ws"), ("http", "http")] {
        let url = server.url(scheme);
        let rounds = "feed.rounds = [{ value = '/x', id = '/id' }]";
        let found = diagnosed(&format!("source = '{source}'\nfeed.url = '{url}'\n{rounds}")).await;
        let [(FindingState::Failed, text)] = &found[..] else { panic!("{found:?}") };
        assert!(text.contains("answered 403 Forbidden"), "{text}");
        let found = diagnosed(&format!("source = '{source}'\nfeed.url = '{url}'")).await;
        let [(FindingState::Failed, text)] = &found[..] else { panic!("{found:?}") };
        assert!(text.starts_with("feed: feed.rounds: is missing"), "{text}");
    }
}

#[tokio::test]
async fn the_doctor_reads_a_list_over_http() {
    let server = Server::http(|_, _| answer("200 OK", "", "[[1,2.5],[2,3.5]]")).await;
    let url = server.url("http");
    let rounds = "feed.rounds = [{ list = '', value = '/1', id = '/0' }]";
    let found = diagnosed(&format!("source = 'http'\nfeed.url = '{url}'\n{rounds}")).await;
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(
        texts[1..],
        [
            "message: the answer was [2 of [2 of number]]",
            "rounds: a list of 2 rounds was read, with ids"
        ]
    );
}
