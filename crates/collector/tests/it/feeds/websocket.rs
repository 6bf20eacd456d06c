use collector::source_error::SourceError;
use collector::sources::Source;
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_async, accept_hdr_async};

use super::server::{Authority, Seen, Server};
use super::{error, next, quoted, shown, source};

pub(super) type Socket = WebSocketStream<TcpStream>;

/// Returns a source for messages such as `{"x":2.31}` of `server`, with more lines of configuration.
pub(super) fn feed_source(server: &Server, more: &str) -> Source {
    let url = server.url("ws");
    source(&format!(
        "source = 'websocket'\n{more}\n[feed]\nurl = '{url}'\nrounds = [{{ value = '/x' }}]"
    ))
    .unwrap()
}

pub(super) async fn connected(server: &Server) -> Source {
    let mut source = feed_source(server, "");
    source.connect().await.unwrap();
    source
}

async fn send(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

/// Reads until the client disconnects.
pub(super) async fn wait_for_close(mut socket: Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test]
async fn rounds_are_read_from_text_and_from_bytes() {
    let server = Server::websocket(|mut socket: Socket| async move {
        send(&mut socket, r#"{"x":2.31}"#).await;
        socket.send(Message::binary(&br#"{"x":"1.00x"}"#[..])).await.unwrap();
        wait_for_close(socket).await;
    })
    .await;
    let mut source = connected(&server).await;
    assert_eq!(shown(&next(&mut source).await.unwrap()), "2.31");
    assert_eq!(shown(&next(&mut source).await.unwrap()), "1.00");
    source.close().await;
}

#[tokio::test]
async fn a_fragmented_message_is_joined() {
    /// A text frame that is not final, a ping, and the final frame.
    const BYTES: &[u8] = b"\x01\x03{\"x\x89\x00\x80\x06\":4.5}\x88\x02\x03\xe8";
    let server = Server::tcp(|stream, _| async move {
        let mut socket = accept_async(stream).await.unwrap();
        for byte in BYTES {
            socket.get_mut().write_all(&[*byte]).await.unwrap();
            socket.get_mut().flush().await.unwrap();
        }
        wait_for_close(socket).await;
    })
    .await;
    let mut source = connected(&server).await;
    assert_eq!(shown(&next(&mut source).await.unwrap()), "4.50");
    assert!(error(&mut source).await.to_string().contains("closed the connection with 1000"));
}

#[tokio::test]
async fn a_feed_without_any_json_is_unusable() {
    let server = Server::websocket(|mut socket: Socket| async move {
        for n in 0..5_u8 {
            socket.send(Message::binary(vec![0xff, n])).await.unwrap();
        }
        wait_for_close(socket).await;
    })
    .await;
    let error = error(&mut connected(&server).await).await;
    assert!(error.is_suspect(), "{error:?}");
    assert_eq!(
        error.to_string(),
        "no message can be decoded (a binary message of 2 bytes that is not text); check websocket.framing and feed.format"
    );
}

#[tokio::test]
async fn a_little_garbage_does_not_stop_a_feed() {
    let server = Server::websocket(|mut socket: Socket| async move {
        send(&mut socket, "hello").await;
        for _ in 0..20 {
            send(&mut socket, r#"{"x":1.5}"#).await;
            send(&mut socket, "pong").await;
            send(&mut socket, r#"{"x":0.2}"#).await;
            send(&mut socket, "null").await;
        }
        wait_for_close(socket).await;
    })
    .await;
    let mut source = connected(&server).await;
    for _ in 0..20 {
        assert_eq!(shown(&next(&mut source).await.unwrap()), "1.50");
    }
}

#[tokio::test]
async fn a_pointer_that_matches_nothing_fails_with_the_keys_that_exist() {
    let server = Server::websocket(|mut socket: Socket| async move {
        for _ in 0..5 {
            send(&mut socket, r#"{"multiplier":2.31,"token":"secret"}"#).await;
        }
        wait_for_close(socket).await;
    })
    .await;
    let error = error(&mut connected(&server).await).await;
    assert!(error.is_permanent(), "{error:?}");
    assert_eq!(
        error.to_string(),
        r#"5 messages in a row cannot be read; feed.rounds[0].value: the pointer "/x" matches nothing: the message has the keys "multiplier", "token""#
    );
}

#[tokio::test]
async fn a_message_that_is_too_long_is_discarded() {
    let server = Server::websocket(|mut socket: Socket| async move {
        let long = format!(r#"{{"x":2.31,"pad":"{}"}}"#, "p".repeat(2000));
        drop(socket.send(Message::text(long)).await);
        wait_for_close(socket).await;
    })
    .await;
    let url = server.url("ws");
    let mut source = source(&format!(
        "source = 'websocket'\n[feed]\nurl = '{url}'\nmax_message_bytes = 1024\nrounds = [{{ value = '/x' }}]"
    ))
    .unwrap();
    source.connect().await.unwrap();
    let error = error(&mut source).await;
    assert!(error.is_suspect(), "{error:?}");
    assert!(error.to_string().ends_with("check feed.max_message_bytes"), "{error}");
}

/// Notes what a client sends before the server sends a round.
async fn note_first_messages(stream: TcpStream, seen: Seen) {
    let note = seen.clone();
    #[expect(clippy::result_large_err, reason = "the type of the callback is given")]
    let callback = move |request: &Request, mut response: Response| {
        for name in ["origin", "x-key", "sec-websocket-protocol"] {
            note.note(request.headers()[name].to_str().unwrap());
        }
        note.note(request.uri().to_string());
        let protocol = request.headers()["sec-websocket-protocol"].clone();
        response.headers_mut().insert("sec-websocket-protocol", protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, callback).await.unwrap();
    for _ in 0..2 {
        seen.note(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str());
    }
    send(&mut socket, r#"{"x":3}"#).await;
}

#[tokio::test]
async fn headers_and_first_messages_are_sent_on_every_connection() {
    let seen = Seen::default();
    let noted = seen.clone();
    let server = Server::tcp(move |stream, _| note_first_messages(stream, noted.clone())).await;
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "{\"token\":\"t0ken\"}\n").unwrap();
    let mut source = source(&format!(
        "source = 'websocket'
        [feed]
        url = '{}'
        headers = {{ Origin = 'https://game.example', X-Key = 'env:PATH' }}
        rounds = [{{ value = '/x' }}]
        [websocket]
        subprotocol = 'graphql-transport-ws'
        on_connect = ['{{\"type\":\"connection_init\"}}', 'file:{}']",
        server.url("ws"),
        token.display()
    ))
    .unwrap();
    assert!(!format!("{source:?}").contains("t0ken"), "{source:?}");
    for _ in 0..2 {
        source.connect().await.unwrap();
        assert_eq!(shown(&next(&mut source).await.unwrap()), "3.00");
        assert!(matches!(error(&mut source).await, SourceError::Disconnected(_)));
    }
    let path = std::env::var("PATH").unwrap();
    let once = [
        "https://game.example",
        &path,
        "graphql-transport-ws",
        "/feed?token=secret",
        "{\"type\":\"connection_init\"}",
        "{\"token\":\"t0ken\"}",
    ];
    assert_eq!(seen.all(), [once, once].concat());
}

#[tokio::test]
async fn a_subprotocol_that_the_server_does_not_accept_is_reported() {
    let server = Server::websocket(wait_for_close).await;
    let error = feed_source(&server, "websocket.subprotocol = 'chat'").connect().await.unwrap_err();
    assert!(error.is_suspect(), "{error:?}");
    assert!(error.to_string().ends_with("check websocket.subprotocol"), "{error}");
}

/// Starts a server on `wss://` that sends one round.
async fn encrypted(authority: &Authority) -> Server {
    let acceptor = authority.acceptor.clone();
    Server::tcp(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let mut socket = accept_async(stream).await.unwrap();
            socket.send(Message::text(r#"{"x":7.77}"#)).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        }
    })
    .await
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_configured() {
    let authority = Authority::new();
    let server = encrypted(&authority).await;
    let toml = |more: &str| {
        let url = server.url("wss");
        format!(
            "source = 'websocket'\n[feed]\nurl = '{url}'\nrounds = [{{ value = '/x' }}]\n{more}"
        )
    };
    let mut stranger = source(&toml("")).unwrap();
    let error = stranger.connect().await.unwrap_err();
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    assert!(error.to_string().contains("feed.ca_file"), "{error}");

    let named = format!("ca_file = {}", quoted(&authority.file));
    let mut friend = source(&toml(&named)).unwrap();
    friend.connect().await.unwrap();
    assert_eq!(shown(&next(&mut friend).await.unwrap()), "7.77");
    friend.close().await;
}

#[track_caller]
fn refused(toml: &str, expected: &str) {
    let toml = format!("source = 'websocket'\nfeed.url = 'wss://feed.example/'\n{toml}");
    assert_eq!(source(&toml).unwrap_err(), expected);
}

#[test]
fn unusable_settings_are_reported_by_name() {
    refused(
        "",
        "feed.rounds: is missing: say where in a message the multiplier is, [[feed.rounds]] with value = \"/…\"",
    );
    let rounds = "feed.rounds = [{ value = '/x' }]\n";
    let refused = |line: &str, expected: &str| refused(&format!("{rounds}{line}"), expected);
    refused(
        "websocket.namespace = '/crash'",
        "--namespace: applies only to the framings socketio3 and socketio4",
    );
    refused(
        "websocket = { framing = 'socketio4', namespace = 'crash' }",
        "--namespace: begins with a slash and has no comma, such as /crash",
    );
    refused("websocket.idle_timeout = '0s'", "--idle-timeout: must be from 1s to 1h");
    refused("websocket.ping = { every = '1ms' }", "websocket.ping.every: must be from 1s to 1h");
    refused(
        "websocket = { framing = 'socketio3', on_connect = ['42[\"join\"]'] }",
        "websocket.on_connect[0]: is not an event such as [\"join\", {}]; the 42 before it is added",
    );
    refused(
        "websocket.on_connect = ['{}', 'env:NO_SUCH_VARIABLE_IS_SET']",
        "websocket.on_connect[1]: the environment variable NO_SUCH_VARIABLE_IS_SET is not set or is not valid Unicode",
    );
    refused(
        "websocket = { framing = 'signalr', on_connect = ['[\"join\"]'] }",
        "websocket.on_connect[0]: is not a message such as {\"type\":1,\"target\":\"Join\",\"arguments\":[]}; the separator after it is added",
    );
    refused(
        "websocket = { framing = 'socketio3', auth = { token = 'x' } }",
        "websocket.auth: applies only to the framing socketio4; other feeds take a token in feed.url, feed.headers or websocket.on_connect",
    );
    refused(
        "websocket = { framing = 'socketio4', auth = { token = 'env:NO_SUCH_VARIABLE_IS_SET' } }",
        "websocket.auth.token: the environment variable NO_SUCH_VARIABLE_IS_SET is not set or is not valid Unicode",
    );
    refused(
        "feed.format = 'cbor'\nwebsocket.framing = 'nul'",
        "feed.format: a binary format has no framing: leave out websocket.framing",
    );
    refused(
        "feed.format = 'msgpack'\nwebsocket.on_connect = ['join']",
        "websocket.on_connect[0]: is not JSON, which is sent as MessagePack",
    );
    refused("websocket.subprotocol = \"a\\nb\"", "--subprotocol: is not a protocol name");
}
