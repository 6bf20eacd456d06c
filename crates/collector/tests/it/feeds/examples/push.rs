//! The examples of feeds with a protocol of their own around the JSON.

use serde_json::json;

use super::super::server::{Server, answer};
use super::super::{next, shown};
use super::{Socket, example_at, receive, received, send, wait_for_close};

#[tokio::test]
async fn sse() {
    let events = "retry: 1000\n\n: hello\n\nevent: history\ndata: {\"rounds\":[{\"id\":\"16\",\"x\":1.5}]}\n\n\
                  event: tick\ndata: {\"x\":1.2}\n\nevent: crash\nid: 17\ndata: {\"x\":2.31,\ndata: \"hash\":\"aa\"}\n\n";
    let server = Server::http(move |head, _| {
        assert!(head.contains("accept: text/event-stream\r\n"), "{head}");
        answer("200 OK", "Content-Type: text/event-stream; charset=utf-8", events)
    })
    .await;
    let mut source = example_at("sse.toml", &server);
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "[16=1.50]");
    assert_eq!(shown(&next(&mut source).await.unwrap()), "17=2.31");
}

#[tokio::test]
async fn signalr() {
    let script = |mut socket: Socket| async move {
        let handshake = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
        assert_eq!(receive(&mut socket).await, handshake);
        // A server may send its first messages with the answer to the handshake, and cut one in two.
        let history =
            json!({"type": 1, "target": "OnHistory", "arguments": [[{"l": 7, "f": 1.5}]]});
        send(
            &mut socket,
            format!("{{}}\u{1e}{history}\u{1e}{{\"type\":6}}\u{1e}{{\"type\":1,\"target\""),
        )
        .await;
        let join = "{\"type\":1,\"target\":\"Join\",\"arguments\":[\"crash\"]}\u{1e}";
        assert_eq!(receive(&mut socket).await, join);
        send(&mut socket, ":\"OnCrash\",\"arguments\":[{\"l\":8,\"f\":2.31}]}\u{1e}").await;
        wait_for_close(socket).await;
    };
    let (all, _) = received("signalr.toml", script, 2).await;
    assert_eq!(all, ["[7=1.50]", "8=2.31"]);
}

#[tokio::test]
async fn socketio_auth() {
    let script = |mut socket: Socket| async move {
        let open = r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
        send(&mut socket, open).await;
        let home = std::env::var("HOME").unwrap();
        assert_eq!(receive(&mut socket).await, format!("40/crash,{}", json!({"token": home})));
        send(&mut socket, r#"40/crash,{"sid":"t"}"#).await;
        send(&mut socket, r#"42/crash,["crash",{"id":9,"multiplier":"2.31x"}]"#).await;
        wait_for_close(socket).await;
    };
    let (all, _) = received("socketio-auth.toml", script, 1).await;
    assert_eq!(all, ["9=2.31"]);
}

#[tokio::test]
async fn graphql_history() {
    let games = json!([{"id": "b", "multiplier": 2.31}, {"id": "a", "multiplier": 1}]);
    let body = json!({"data": {"crashGames": games}}).to_string();
    let server = Server::http(move |head, _| {
        assert!(head.starts_with("POST /feed"), "{head}");
        answer("200 OK", "", &body)
    })
    .await;
    let mut source = example_at("graphql-history.toml", &server);
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "[b=2.31, a=1.00]");
}
