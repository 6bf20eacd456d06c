//! How connections of the websocket source end, or fail to open.

use std::time::Duration;

use collector::source_error::SourceError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::server::{Server, answer, respond};
use super::websocket::{Socket, connected, feed_source, wait_for_close};
use super::{error, source};

const REFUSED: Option<Duration> = Some(Duration::from_mins(5));

/// Returns the error of a connection on which the server sends these bytes and disconnects.
async fn after_bytes(bytes: &'static [u8]) -> SourceError {
    let server = Server::tcp(move |stream, _| async move {
        let mut socket = accept_async(stream).await.unwrap();
        socket.get_mut().write_all(bytes).await.unwrap();
        socket.get_mut().shutdown().await.unwrap();
        let mut rest = Vec::new();
        drop(socket.get_mut().read_to_end(&mut rest).await);
    })
    .await;
    error(&mut connected(&server).await).await
}

/// Returns the error of connecting to a server that answers the handshake with this status and these headers.
async fn handshake(status: &'static str, headers: &'static str) -> SourceError {
    let server = Server::http(move |_, _| answer(status, headers, "no")).await;
    feed_source(&server, "").connect().await.unwrap_err()
}

async fn after_close(code: u16) -> SourceError {
    let server = Server::websocket(move |mut socket: Socket| async move {
        let frame = CloseFrame { code: code.into(), reason: "because".into() };
        socket.close(Some(frame)).await.unwrap();
        wait_for_close(socket).await;
    })
    .await;
    let error = error(&mut connected(&server).await).await;
    let text = error.to_string();
    assert!(text.contains(&format!("/feed closed the connection with {code} (because)")), "{text}");
    assert!(!text.contains("secret"), "{text}");
    error
}

#[tokio::test]
async fn a_server_that_closes_for_its_own_reasons_is_reconnected() {
    for code in [1000, 1001, 1011, 1012, 1013, 4000] {
        let error = after_close(code).await;
        assert!(!error.is_permanent() && !error.is_suspect(), "{error}");
        assert_eq!(error.retry_after(), None, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_closes_to_refuse_the_client_gets_a_long_pause() {
    for code in [1008, 4001, 4401, 4403] {
        let error = after_close(code).await;
        assert_eq!(error.retry_after(), REFUSED, "{error}");
        assert!(error.to_string().contains("feed.headers"), "{error}");
    }
}

#[tokio::test]
async fn a_protocol_error_of_the_server_is_a_configuration_mistake() {
    for code in [1002, 1003, 1007, 1009] {
        let error = after_close(code).await;
        assert!(error.is_suspect(), "{error}");
        assert!(error.to_string().contains("websocket.framing"), "{error}");
    }
}

#[tokio::test]
async fn a_feed_that_ends_without_a_close_frame_is_noticed() {
    let error = after_bytes(b"").await;
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    assert!(
        error.to_string().ends_with("/feed ended the connection without a close frame"),
        "{error}"
    );
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_a_close() {
    let error = after_bytes(b"\x88\x00").await;
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
}

#[tokio::test]
async fn half_a_frame_is_not_a_round() {
    for cut in 1..12 {
        let error = after_bytes(&b"\x81\x0a{\"x\":2.31}"[..cut]).await;
        assert!(matches!(error, SourceError::Disconnected(_)), "{cut}: {error:?}");
    }
}

#[tokio::test]
async fn garbage_instead_of_frames_is_unusable() {
    for bytes in [&[0xff; 16][..], b"\xf1\x02hi", b"\x81\x02\xff\xfe"] {
        let error = after_bytes(bytes).await;
        assert!(error.is_suspect(), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_a_websocket_is_judged_by_its_status() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let error = handshake(status, "").await;
        assert_eq!(error.retry_after(), REFUSED, "{error}");
    }
    for status in ["200 OK", "404 Not Found", "410 Gone", "400 Bad Request"] {
        let error = handshake(status, "").await;
        assert!(error.is_suspect(), "{error}");
    }
    let error = handshake("301 Moved", "Location: https://elsewhere.example/?token=x").await;
    assert!(error.to_string().ends_with("which points to elsewhere.example: check feed.url"));
    for status in ["500 Oops", "502 Bad Gateway", "503 Service Unavailable"] {
        let error = handshake(status, "").await;
        assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    }
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let error = handshake(status, "Retry-After: 17").await;
        assert_eq!(error.retry_after(), Some(Duration::from_secs(17)), "{error}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_reported() {
    let server = Server::tcp(|_, _| async {}).await;
    let mut source = feed_source(&server, "");
    drop(server);
    let error = source.connect().await.unwrap_err();
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    let error = source.next().await.unwrap_err();
    assert!(error.to_string().ends_with("/feed is not connected"), "{error}");
}

#[tokio::test]
async fn a_server_that_accepts_and_stays_silent_times_out() {
    let server = Server::tcp(|mut stream, _| async move {
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    })
    .await;
    let url = server.url("ws");
    let mut source = source(&format!(
        "source = 'websocket'\n[feed]\nurl = '{url}'\ntimeout = '100ms'\nrounds = [{{ value = '/x' }}]"
    ))
    .unwrap();
    let error = source.connect().await.unwrap_err();
    assert!(error.to_string().ends_with("/feed did not answer within 0.1 s"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_cannot_be_reached_by_wss() {
    let server = Server::tcp(|stream, _| respond(stream, |_| answer("200 OK", "", ""))).await;
    let url = server.url("wss");
    let mut source = source(&format!(
        "source = 'websocket'\n[feed]\nurl = '{url}'\ntimeout = '2s'\nrounds = [{{ value = '/x' }}]"
    ))
    .unwrap();
    let error = source.connect().await.unwrap_err();
    assert!(!error.is_permanent() && !error.to_string().contains("secret"), "{error}");
}
