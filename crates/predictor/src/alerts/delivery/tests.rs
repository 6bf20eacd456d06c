use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use reqwest::Url;
use rounds::TableName;
use serde_json::Value;

use super::*;
use crate::alerts::AlertKind;

/// A request that a service received.
struct ReceivedRequest {
    target: String,
    headers: String,
    body: String,
}

/// Starts a service that answers one request with each of these codes; joining returns the requests.
fn service(codes: &'static [u16]) -> (SocketAddr, JoinHandle<Vec<ReceivedRequest>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let received =
        std::thread::spawn(move || codes.iter().map(|code| answer(&listener, *code)).collect());
    (address, received)
}

fn answer(listener: &TcpListener, code: u16) -> ReceivedRequest {
    let mut stream = listener.accept().unwrap().0;
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut headers).unwrap() > 0);
    }
    let headers = headers.to_lowercase();
    let length = headers.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let response = format!("HTTP/1.1 {code} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(response.as_bytes()).unwrap();
    let target = headers.split(' ').nth(1).unwrap().to_owned();
    ReceivedRequest { target, headers, body: String::from_utf8(body).unwrap() }
}

fn alert() -> Alert {
    Alert {
        table: TableName::default(),
        kind: AlertKind::SourceDown,
        text: "demo is gone — since 12:00".to_owned(),
        is_simulated: true,
        at: "2026-01-01T12:00:00Z".parse().unwrap(),
    }
}

fn at(address: SocketAddr, path: &str) -> Url {
    format!("http://{address}{path}").parse().unwrap()
}

/// Delivers without pauses.
async fn deliver(channel: Channel, attempts: usize) -> Result<(), String> {
    let pauses = vec![Duration::ZERO; attempts - 1];
    let delivery = Delivery { client: client(), channels: vec![channel], pauses };
    let mut outcomes = delivery.deliver(&alert()).await;
    outcomes.pop().unwrap().1
}

#[tokio::test]
async fn a_webhook_gets_json_that_says_the_rounds_are_simulated() {
    let (address, received) = service(&[204]);
    deliver(Channel::Webhook { url: at(address, "/secret") }, 1).await.unwrap();
    let received = received.join().unwrap().pop().unwrap();
    let body: Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(received.target, "/secret");
    assert_eq!(body["event"], "source_down");
    assert_eq!(body["title"], "Source down (simulated rounds)");
    assert_eq!(body["text"], "demo is gone — since 12:00");
    assert_eq!(body["simulated"], true);
    assert_eq!(body["at"], "2026-01-01T12:00:00.000Z");
}

#[tokio::test]
async fn ntfy_gets_the_access_token() {
    let (address, received) = service(&[200]);
    let channel = Channel::Ntfy { topic: at(address, "/topic"), token: Some("tk_x".to_owned()) };
    deliver(channel, 1).await.unwrap();
    let received = received.join().unwrap().pop().unwrap();
    assert_eq!(
        (received.target.as_str(), received.body.as_str()),
        ("/topic", "demo is gone — since 12:00")
    );
    assert!(
        received.headers.contains("title: source down (simulated rounds)\r\n"),
        "{}",
        received.headers
    );
    assert!(received.headers.contains("authorization: bearer tk_x\r\n"), "{}", received.headers);
}

#[tokio::test]
async fn telegram_gets_a_message_of_the_bot() {
    let (address, received) = service(&[200]);
    let channel = Channel::Telegram {
        api: at(address, "/"),
        token: "12:ab".to_owned(),
        chat: "-7".to_owned(),
    };
    deliver(channel, 1).await.unwrap();
    let received = received.join().unwrap().pop().unwrap();
    let body: Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(received.target, "/bot12:ab/sendmessage");
    assert_eq!(body["chat_id"], "-7");
    assert!(body["text"].as_str().unwrap().starts_with("Source down (simulated rounds)\ndemo"));
}

#[tokio::test]
async fn a_temporary_failure_is_retried() {
    let (address, received) = service(&[503, 429, 200]);
    deliver(Channel::Webhook { url: at(address, "/") }, 4).await.unwrap();
    assert_eq!(received.join().unwrap().len(), 3);
}

#[tokio::test]
async fn retries_are_limited() {
    let (address, received) = service(&[500, 502]);
    let problem = deliver(Channel::Webhook { url: at(address, "/") }, 2).await.unwrap_err();
    assert!(problem.contains("502"), "{problem}");
    assert_eq!(received.join().unwrap().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let (address, received) = service(&[404]);
    let problem = deliver(Channel::Webhook { url: at(address, "/") }, 4).await.unwrap_err();
    assert!(problem.contains("404"), "{problem}");
    assert_eq!(received.join().unwrap().len(), 1);
}

#[tokio::test]
async fn a_reported_failure_holds_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let channel = Channel::Telegram {
        api: at(address, "/"),
        token: "12:secret".to_owned(),
        chat: "7".to_owned(),
    };
    let name = channel.name();
    let problem = deliver(channel, 1).await.unwrap_err();
    assert!(!problem.contains("secret") && !name.contains("secret"), "{name}: {problem}");
    assert!(name.contains("127.0.0.1"), "{name}");
}
