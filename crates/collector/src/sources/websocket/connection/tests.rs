//! Tests connections over an in-memory pipe and on a paused clock, where minutes of silence take no
//! time.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::feed::message_format::{MessageCodec, MessageFormat};
use crate::feed::rule::RuleOptions;
use crate::order::Order;

const IDLE: Duration = Duration::from_mins(5);

type Socket = WebSocketStream<DuplexStream>;

async fn pair() -> (Socket, Socket) {
    let (ours, theirs) = duplex(1 << 16);
    (
        WebSocketStream::from_raw_socket(ours, Role::Client, None).await,
        WebSocketStream::from_raw_socket(theirs, Role::Server, None).await,
    )
}

fn settings(framing: Framing) -> ConnectionSettings {
    ConnectionSettings {
        framing,
        namespace: "/".to_owned(),
        auth: BTreeMap::new(),
        codec: MessageCodec::default(),
        on_connect: Vec::new(),
        answers: Vec::new(),
        ping: None,
        idle: IDLE,
        bytes_max: 1 << 16,
        peer: "the feed".to_owned(),
    }
}

fn reader() -> Reader {
    let options: RuleOptions = toml::from_str("event = 'crash'\nvalue = '/1'").unwrap();
    Reader::new(vec![options.check(0, Order::NewestFirst).unwrap()])
}

async fn say(server: &mut Socket, text: &str) {
    server.send(Message::text(text)).await.unwrap();
}

async fn hear(server: &mut Socket) -> String {
    loop {
        match server.next().await.unwrap().unwrap() {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Reads messages, so that the library answers pings.
async fn answer_pings(server: &mut Socket) {
    while server.next().await.is_some() {}
}

/// Returns the reports of the connection, its error, and the time until then.
async fn until_it_ends(
    connection: &mut Connection<DuplexStream>,
) -> (Vec<Report>, SourceError, Duration) {
    let (mut reader, mut health, start) = (reader(), FeedHealth::default(), Instant::now());
    let mut report = Vec::new();
    loop {
        match connection.next(&mut reader, &mut health).await {
            Ok(one) => report.push(one),
            Err(error) => return (report, error, start.elapsed()),
        }
    }
}

/// Opens a connection to `server`, and returns the same as [`until_it_ends`].
async fn run_with(
    client: Socket,
    settings: &ConnectionSettings,
    server: impl Future<Output = ()>,
) -> (Vec<Report>, SourceError, Duration) {
    let client = async {
        let mut connection = Connection::open(client, settings).await.unwrap();
        until_it_ends(&mut connection).await
    };
    tokio::select! {
        ended = client => ended,
        () = server => panic!("the server was left"),
    }
}

fn rounds(report: &[Report]) -> Vec<String> {
    report
        .iter()
        .filter_map(|report| match report {
            Report::Round { multiplier, .. } => Some(multiplier.to_string()),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_a_ping_is_disconnected() {
    let (client, _server) = pair().await;
    let mut connection = Connection::open(client, &settings(Framing::None)).await.unwrap();
    let (report, error, after) = until_it_ends(&mut connection).await;
    assert_eq!(report, []);
    assert_eq!(
        error,
        SourceError::Silent {
            peer: "the feed (after a ping)".to_owned(),
            after: Duration::from_secs(10)
        }
    );
    assert_eq!(after, Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_answers_pings_is_silent() {
    let (client, mut server) = pair().await;
    let mut connection = Connection::open(client, &settings(Framing::None)).await.unwrap();
    let (report, error, after) = tokio::select! {
        ended = until_it_ends(&mut connection) => ended,
        () = answer_pings(&mut server) => panic!("the server was left"),
    };
    assert!(report.iter().all(|report| *report == Report::Alive), "{report:?}");
    assert_eq!(report.len(), 14, "one for each answer");
    assert_eq!(
        (error, after),
        (SourceError::Silent { peer: "the feed".to_owned(), after: IDLE }, IDLE)
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_without_a_close_frame_is_noticed_at_once() {
    let (client, server) = pair().await;
    let mut connection = Connection::open(client, &settings(Framing::None)).await.unwrap();
    drop(server);
    let (_, error, after) = until_it_ends(&mut connection).await;
    assert_eq!(
        error,
        SourceError::Disconnected("the feed ended the connection without a close frame".to_owned())
    );
    assert_eq!(after, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_accepted_ends_the_connection() {
    let (client, server) = duplex(8);
    let client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let mut settings = settings(Framing::None);
    settings.on_connect = vec!["x".repeat(1000)];
    let error = Connection::open(client, &settings).await.unwrap_err();
    assert_eq!(
        error,
        SourceError::TimedOut {
            peer: "the feed (while a message was sent)".to_owned(),
            after: SEND_TIMEOUT
        }
    );
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_configured_text_is_sent_at_its_interval() {
    let (client, mut server) = pair().await;
    let every = Duration::from_secs(30);
    let ping = Ping::Text { every, text: "ping".to_owned(), is_answered: false };
    let settings = ConnectionSettings { ping: Some(ping), ..settings(Framing::None) };
    let mut connection = Connection::open(client, &settings).await.unwrap();
    let start = Instant::now();
    let server = async {
        for n in 1..=5 {
            assert_eq!(hear(&mut server).await, "ping");
            assert_eq!(start.elapsed(), every * n);
        }
    };
    tokio::select! {
        ended = until_it_ends(&mut connection) => panic!("{ended:?}"),
        () = server => {}
    }
}

const OPEN: &str = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;

#[tokio::test(start_paused = true)]
async fn a_socket_io_3_client_pings_and_disconnects_without_an_answer() {
    let (client, mut server) = pair().await;
    let start = Instant::now();
    let server = async {
        say(&mut server, OPEN).await;
        say(&mut server, "40").await;
        assert_eq!(hear(&mut server).await, "2");
        assert_eq!(start.elapsed(), Duration::from_secs(25));
        say(&mut server, "3").await;
        say(&mut server, r#"42["crash",2.5]"#).await;
        assert_eq!(hear(&mut server).await, "2");
        assert_eq!(start.elapsed(), Duration::from_secs(50));
        answer_pings(&mut server).await;
    };
    let settings = settings(Framing::SocketIo3);
    let (report, error, after) = run_with(client, &settings, server).await;
    assert_eq!(rounds(&report), ["2.50"]);
    assert!(matches!(error, SourceError::Silent { .. }), "{error:?}");
    assert_eq!(after, Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn a_socket_io_4_client_joins_then_subscribes_and_answers_pings() {
    let (client, mut server) = pair().await;
    let server = async {
        say(&mut server, OPEN).await;
        assert_eq!(hear(&mut server).await, "40");
        say(&mut server, r#"40{"sid":"b"}"#).await;
        assert_eq!(hear(&mut server).await, r#"420["join","crash"]"#);
        for _ in 0..4 {
            tokio::time::advance(Duration::from_secs(25)).await;
            say(&mut server, "2").await;
            assert_eq!(hear(&mut server).await, "3");
        }
        say(&mut server, r#"42["crash",1.01]"#).await;
        answer_pings(&mut server).await;
    };
    let mut settings = settings(Framing::SocketIo4);
    settings.on_connect = vec![r#"["join","crash"]"#.to_owned()];
    let (report, error, after) = run_with(client, &settings, server).await;
    assert_eq!(rounds(&report), ["1.01"]);
    let limit = Duration::from_secs(45);
    assert_eq!(
        error,
        SourceError::Silent { peer: "the feed (after a ping)".to_owned(), after: limit }
    );
    assert_eq!(after, Duration::from_secs(100) + limit);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_joined_in_both_versions() {
    for framing in [Framing::SocketIo3, Framing::SocketIo4] {
        let (client, mut server) = pair().await;
        let mut settings = settings(framing);
        settings.namespace = "/crash".to_owned();
        let server = async {
            say(&mut server, OPEN).await;
            say(&mut server, "40").await;
            assert_eq!(hear(&mut server).await, "40/crash,");
            say(&mut server, "40/crash,").await;
            say(&mut server, r#"42["crash",9]"#).await;
            say(&mut server, r#"42/crash,["crash",3]"#).await;
            server.close(None).await.unwrap();
        };
        let client = async {
            let mut connection = Connection::open(client, &settings).await.unwrap();
            until_it_ends(&mut connection).await
        };
        let ((report, error, _), ()) = tokio::join!(client, server);
        assert_eq!(rounds(&report), ["3.00"], "{framing:?}");
        assert_eq!(error, SourceError::Disconnected("the feed closed the connection".to_owned()));
    }
}

/// Returns the result of opening a connection to a server that begins with `texts`.
async fn opening(texts: &[&str]) -> SourceError {
    let (client, mut server) = pair().await;
    for text in texts {
        say(&mut server, text).await;
    }
    Connection::open(client, &settings(Framing::SocketIo4)).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_refusal_within_the_protocol_is_recognized() {
    assert_eq!(
        opening(&[OPEN, r#"44{"message":"no token"}"#]).await,
        SourceError::Refused(
            "the feed refuses this client (no token); check feed.headers, websocket.namespace and websocket.auth"
                .to_owned()
        )
    );
    assert_eq!(
        opening(&[OPEN, "41"]).await,
        SourceError::Disconnected("the feed ended the session".to_owned())
    );
    assert_eq!(
        opening(&["1"]).await,
        SourceError::Disconnected("the feed ended the session".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_without_engine_io_is_recognized() {
    let error = opening(&[r#"{"type":"hello"}"#]).await;
    assert_eq!(
        error,
        SourceError::Unusable(
            "the feed does not speak Engine.IO (not an Engine.IO packet); check websocket.framing"
                .to_owned()
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_busy_feed_is_reported_alive_once_a_second() {
    let (client, mut server) = pair().await;
    let mut connection = Connection::open(client, &settings(Framing::None)).await.unwrap();
    let server = async {
        for tenth in 0..100 {
            say(&mut server, &json!(["tick", tenth]).to_string()).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(server);
    };
    let ((report, _, _), ()) = tokio::join!(until_it_ends(&mut connection), server);
    assert_eq!(report, vec![Report::Alive; 10]);
}

#[tokio::test(start_paused = true)]
async fn several_rounds_in_one_message_are_reported_in_order() {
    let (client, mut server) = pair().await;
    let mut connection = Connection::open(client, &settings(Framing::Ndjson)).await.unwrap();
    say(&mut server, "[\"crash\",2]\n[\"tick\",1]\n[\"crash\",3]\n[\"cra").await;
    say(&mut server, "sh\",4]\n").await;
    drop(server);
    let (report, _, _) = until_it_ends(&mut connection).await;
    assert_eq!(rounds(&report), ["2.00", "3.00", "4.00"]);
}

#[tokio::test(start_paused = true)]
async fn a_signalr_client_shakes_hands_pings_and_gives_up_a_silent_server() {
    let (client, mut server) = pair().await;
    let start = Instant::now();
    let server = async {
        assert_eq!(hear(&mut server).await, "{\"protocol\":\"json\",\"version\":1}\u{1e}");
        say(&mut server, "{}\u{1e}").await;
        assert_eq!(hear(&mut server).await, "[\"join\"]\u{1e}");
        for n in 1..=4 {
            assert_eq!(hear(&mut server).await, "{\"type\":6}\u{1e}");
            assert_eq!(start.elapsed(), Duration::from_secs(15) * n);
            say(&mut server, "{\"type\":6}\u{1e}[\"crash\",2.5]\u{1e}").await;
        }
        answer_pings(&mut server).await;
    };
    let mut settings = settings(Framing::SignalR);
    settings.on_connect = vec!["[\"join\"]".to_owned()];
    let (report, error, after) = run_with(client, &settings, server).await;
    assert_eq!(rounds(&report), ["2.50"; 4]);
    assert!(matches!(error, SourceError::Silent { .. }), "{error:?}");
    assert_eq!(after, Duration::from_secs(90));
}

/// A feed that sends `nul` documents to a client that expects lines spoke, but nothing was ever read.
#[tokio::test(start_paused = true)]
async fn bytes_that_never_become_a_document_are_counted_after_ten_seconds() {
    let (client, mut server) = pair().await;
    let mut connection = Connection::open(client, &settings(Framing::Ndjson)).await.unwrap();
    let server = async {
        for _ in 0..1000 {
            say(&mut server, "{\"x\":").await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let (_, error, after) = tokio::select! {
        ended = until_it_ends(&mut connection) => ended,
        () = server => panic!("the bytes were not reported"),
    };
    assert!(error.to_string().contains("bytes without the end of a document"), "{error}");
    assert!(after <= Duration::from_secs(10) * 6, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn binary_messages_are_read_and_sent_in_the_format_of_the_feed() {
    for format in ["msgpack", "cbor"] {
        let format: MessageFormat = serde_json::from_value(format.into()).unwrap();
        let codec = MessageCodec::new(format, &BTreeMap::new(), &[]).unwrap();
        let (client, mut server) = pair().await;
        let mut settings = settings(Framing::None);
        settings.codec = codec.clone();
        settings.on_connect = vec![r#"{"join":1}"#.to_owned()];
        let mut connection = Connection::open(client, &settings).await.unwrap();
        let joined = server.next().await.unwrap().unwrap().into_data();
        assert_eq!(codec.decode(&joined).unwrap(), [json!({"join": 1})]);
        let crash = codec.encode(r#"["crash",2.31]"#).unwrap();
        server.send(Message::binary(crash)).await.unwrap();
        say(&mut server, "[\"crash\",9]").await;
        drop(server);
        let (report, _, _) = until_it_ends(&mut connection).await;
        assert_eq!(rounds(&report), ["2.31"], "{format:?}");
    }
}
