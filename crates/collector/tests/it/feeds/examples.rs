//! Every feed of docs/examples, run against a server that behaves as public clients of such a feed expect.

mod binary;
mod push;

use std::path::{Path, PathBuf};

use collector::config::{Config, Options};
use collector::observation::{Report, SourceKind};
use collector::sources::Source;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::server::{Server, answer};
use super::{next, shown};

type Socket = WebSocketStream<TcpStream>;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples")
}

/// Returns the configuration of an example.
fn example(name: &str) -> Config {
    Config::load(&Options::default(), Some(&directory().join(name))).unwrap()
}

/// Returns the source of an example, with the URL of `server` instead of its own.
fn example_at(name: &str, server: &Server) -> Source {
    let mut config = example(name);
    let scheme = if config.source == SourceKind::WebSocket { "ws" } else { "http" };
    config.feed.url = Some(server.url(scheme).parse().unwrap());
    config.build_source().unwrap()
}

/// Returns the first `n` rounds or lists of a WebSocket example as text, and the last one as a report.
async fn received<F, S>(name: &str, script: F, n: usize) -> (Vec<String>, Option<Report>)
where
    F: Fn(Socket) -> S + Clone + Send + Sync + 'static,
    S: Future<Output = ()> + Send,
{
    let server = Server::tcp(move |stream, _| {
        let script = script.clone();
        async move { script(accept(stream).await).await }
    })
    .await;
    let mut source = example_at(name, &server);
    source.connect().await.unwrap();
    let (mut all, mut last) = (Vec::new(), None);
    for _ in 0..n {
        let report = next(&mut source).await.unwrap();
        all.push(shown(&report));
        last = Some(report);
    }
    source.close().await;
    (all, last)
}

/// Accepts a client with any subprotocol that it asks for.
async fn accept(stream: TcpStream) -> Socket {
    #[expect(clippy::result_large_err, reason = "the type of the callback is given")]
    let callback = |request: &Request, mut response: Response| {
        if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
            response.headers_mut().insert("sec-websocket-protocol", protocol.clone());
        }
        Ok(response)
    };
    accept_hdr_async(stream, callback).await.unwrap()
}

/// Returns the first round or list of an HTTP example as text, if the server answers with this body.
async fn polled(name: &str, body: String) -> String {
    let server = Server::http(move |_, _| answer("200 OK", "", &body)).await;
    let mut source = example_at(name, &server);
    source.connect().await.unwrap();
    shown(&next(&mut source).await.unwrap())
}

async fn send(socket: &mut Socket, text: impl Into<String>) {
    socket.send(Message::text(text.into())).await.unwrap();
}

async fn receive(socket: &mut Socket) -> String {
    socket.next().await.unwrap().unwrap().into_text().unwrap().to_string()
}

async fn wait_for_close(mut socket: Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test]
async fn graphql_ws() {
    let event = |id: &str, status: &str, multiplier: Option<f64>| {
        let hash = json!({"hash": format!("hash of {id}")});
        let event = json!({"id": id, "status": status, "multiplier": multiplier, "hash": hash});
        json!({"id": "1", "type": "next", "payload": {"data": {"crash": {"event": event}}}})
    };
    let script = move |mut socket: Socket| async move {
        assert_eq!(receive(&mut socket).await, r#"{"type":"connection_init","payload":{}}"#);
        send(&mut socket, r#"{"type":"connection_ack"}"#).await;
        assert!(receive(&mut socket).await.contains("subscription { crash { event {"));
        send(&mut socket, r#"{"type":"ping"}"#).await;
        assert_eq!(receive(&mut socket).await, r#"{"type":"pong"}"#);
        for (id, status, multiplier) in [
            ("a", "in_progress", Some(1.2)),
            ("a", "crash", Some(1.29)),
            ("b", "starting", None),
            ("b", "crash", None),
            ("c", "starting", None),
            ("c", "in_progress", Some(3.0)),
            ("c", "in_progress", Some(4.01)),
            ("c", "crash", None),
        ] {
            send(&mut socket, event(id, status, multiplier).to_string()).await;
        }
        wait_for_close(socket).await;
    };
    let (all, last) = received("graphql-ws.toml", script, 3).await;
    assert_eq!(all, ["a=1.29", "b=1.00", "c=4.01"]);
    let Some(Report::Round { detail: Some(detail), .. }) = last else { unreachable!("{last:?}") };
    assert_eq!(
        detail,
        json!({"hash": "hash of c", "multiplier_from": "the last one reported in flight"})
    );
}

#[tokio::test]
async fn socketio_hundredths() {
    let script = |mut socket: Socket| async move {
        send(&mut socket, r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":60000}"#)
            .await;
        send(&mut socket, "40").await;
        assert_eq!(receive(&mut socket).await, r#"420["join", {"api_version": 1}]"#);
        let history = json!([null, {
            "state": "IN_PROGRESS", "game_id": 502, "elapsed": 3000,
            "table_history": [
                {"game_id": 501, "game_crash": 1043, "hash": "cc", "player_info": {}},
                {"game_id": 500, "game_crash": 100, "hash": "bb", "player_info": {}}
            ]
        }]);
        send(&mut socket, format!("430{history}")).await;
        send(&mut socket, r#"42["game_tick",4120]"#).await;
        send(&mut socket, r#"42["cashed_out",{"username":"x","stopped_at":140}]"#).await;
        send(&mut socket, r#"42["game_crash",{"game_crash":198,"elapsed":11400,"hash":"dd"}]"#)
            .await;
        send(&mut socket, r#"42["game_starting",{"game_id":503,"time_till_start":5000}]"#).await;
        send(&mut socket, r#"42["game_started",{}]"#).await;
        send(&mut socket, r#"42["game_crash",{"game_crash":0,"elapsed":0,"hash":"ee"}]"#).await;
        wait_for_close(socket).await;
    };
    let (all, last) = received("socketio-hundredths.toml", script, 3).await;
    assert_eq!(all, ["[501=10.43, 500=1.00]", "502=1.98", "503=1.00"]);
    let Some(Report::Round { detail, .. }) = last else { unreachable!("{last:?}") };
    assert_eq!(detail, Some(json!({"hash": "ee"})));
}

#[tokio::test]
async fn engineio_namespace() {
    let script = |mut socket: Socket| async move {
        send(&mut socket, r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":60000}"#)
            .await;
        send(&mut socket, "40").await;
        assert_eq!(receive(&mut socket).await, "40/crash,");
        send(&mut socket, "40/crash,").await;
        // The state is also sent as binary messages, which are ignored.
        send(&mut socket, r#"451-/crash,["stateUpdate",{"_placeholder":true,"num":0}]"#).await;
        socket.send(Message::binary(vec![4, 0, 255, 254])).await.unwrap();
        for update in [
            json!({"id": "g1", "state": "Running", "crashPoint": null}),
            json!({"id": "g1", "state": "Over", "crashPoint": 2.31, "hash": "aa"}),
            json!({"id": "g2", "state": "Betting"}),
            json!({"id": "g2", "state": "Over", "crashPoint": 1, "hash": "bb"}),
        ] {
            send(&mut socket, format!("42/crash,{}", json!(["crashGameUpdate", update]))).await;
        }
        wait_for_close(socket).await;
    };
    let (all, _) = received("engineio-namespace.toml", script, 2).await;
    assert_eq!(all, ["g1=2.31", "g2=1.00"]);
}

#[tokio::test]
async fn resold_feed() {
    let script = |mut socket: Socket| async move {
        for (house, value) in [("roulette", "7"), ("aviator", "1.04"), ("aviator-2", "12.9")] {
            let data = json!({"valor": value, "createdAt": "2026-03-01T12:30:00.250Z"});
            send(&mut socket, format!("{}\n", json!({"casa": house, "data": data}))).await;
        }
        wait_for_close(socket).await;
    };
    let (all, last) = received("resold-feed.toml", script, 2).await;
    assert_eq!(all, ["1.04", "12.90"]);
    let Some(Report::Round { ended_at: Some(time), .. }) = last else { unreachable!("{last:?}") };
    assert_eq!(time.to_rfc3339(), "2026-03-01T12:30:00.250+00:00");
}

#[tokio::test]
async fn history_post() {
    let detail = |rate: &str| json!({"hash": "aa", "rate": rate, "endTime": 1_772_368_200_250_u64});
    let body = json!({"code": 0, "msg": null, "data": {"list": [
        {"gameId": "7801", "gameDetail": detail("1.55").to_string()},
        {"gameId": "7800", "gameDetail": detail("23.04").to_string()}
    ]}});
    let server = Server::http(move |head, _| {
        assert!(head.starts_with("POST /feed"), "{head}");
        assert!(head.contains("content-type: application/json\r\n"), "{head}");
        answer("200 OK", "", body.to_string())
    })
    .await;
    let mut source = example_at("history-post.toml", &server);
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "[7801=1.55, 7800=23.04]");
}

#[tokio::test]
async fn json_list() {
    let rounds = [1.5, 2.0, 1.0, 33.33].map(|crash| json!({"crash": crash}));
    let body = json!({"history": rounds, "updated": "now"}).to_string();
    assert_eq!(polled("json-list.toml", body).await, "[33.33, 1.00, 2.00, 1.50]");
}

#[tokio::test]
async fn html_page() {
    let page = r#"<div id="crash-history">
        <a class="round" data-game-id="41"><i>#41</i> <b class="multiplier">1,55x</b></a>
        <a class="round" data-game-id="42"><i>#42</i> <b class="multiplier">1.00x</b></a>
        </div><a class="round" data-game-id="1"><b class="multiplier">9.99x</b></a>"#;
    assert_eq!(polled("html-page.toml", page.to_owned()).await, "[42=1.00, 41=1.55]");
}

#[test]
fn every_example_of_a_feed_is_tested_here() {
    let tried = [
        include_str!("examples.rs"),
        include_str!("examples/binary.rs"),
        include_str!("examples/push.rs"),
    ]
    .concat();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.extension() != Some("toml".as_ref()) || !example(name).source.is_live() {
            continue;
        }
        if example(name).source != SourceKind::Browser {
            assert!(tried.contains(&format!("\"{name}\"")), "{name} is not tried");
            names.push(name.to_owned());
        }
    }
    assert!(names.len() >= 14, "{names:?}");
}
