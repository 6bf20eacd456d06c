//! Answers that the http source refuses.

use std::time::Duration;

use collector::observation::Report;
use collector::source_error::SourceError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::http::{LIST, ROWS, after_interval, first, list_source};
use super::server::{Seen, Server, answer, head_of};
use super::{next, shown};

#[tokio::test]
async fn not_modified_without_a_condition_is_unusable() {
    let error = first(answer("304 Not Modified", "", "")).await.unwrap_err();
    assert!(error.is_suspect(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_gets_one() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let error = first(answer(status, "Retry-After: 42", "")).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(42)), "{error}");
    }
    let dated = "Date: Sun, 01 Mar 2026 12:00:00 GMT\nRetry-After: Sun, 01 Mar 2026 12:01:30 GMT";
    let error = first(answer("429 Too Many Requests", dated, "")).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)), "{error}");
}

#[tokio::test]
async fn a_server_may_ask_for_a_pause_at_any_time() {
    let server = Server::http(|_, number| match number {
        0 => answer("200 OK", "", ROWS),
        1 => answer("429 Too Many Requests", "Retry-After: 42", ""),
        2 => answer("404 Not Found", "", ""),
        _ => answer("200 OK", "", "{\"rows\":[]}"),
    })
    .await;
    let mut source = list_source(&server, LIST);
    source.connect().await.unwrap();
    next(&mut source).await.unwrap();
    let error = after_interval(&mut source).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(42)), "{error}");
    let error = source.connect().await.unwrap_err();
    assert!(!error.is_suspect() && error.retry_after().is_some(), "it worked before: {error:?}");
    source.connect().await.unwrap();
    assert_eq!(source.next().await.unwrap().report, Report::Alive);
}

#[tokio::test]
async fn each_status_is_mapped_to_an_error() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let error = first(answer(status, "", "")).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_mins(5)), "{error}");
        assert!(error.to_string().contains("feed.headers"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for status in ["404 Not Found", "410 Gone"] {
        let error = first(answer(status, "", "")).await.unwrap_err();
        assert!(error.is_suspect(), "{error}");
    }
    for status in ["500 Oops", "502 Bad Gateway", "504 Gateway Timeout"] {
        let error = first(answer(status, "", "")).await.unwrap_err();
        assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_truncated_or_invalid_http_answer_is_refused() {
    for bytes in [
        &b""[..],
        b"hello\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"rows\":[]}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"rows\":\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ] {
        let error = first(bytes.to_vec()).await.unwrap_err();
        assert!(matches!(error, SourceError::Disconnected(_)), "{bytes:?}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_reported_with_its_type() {
    let html = answer("200 OK", "Content-Type: text/html; charset=utf-8", "<p>Log in</p>");
    let error = first(html).await.unwrap_err();
    assert!(error.is_suspect(), "{error:?}");
    let expected =
        "/feed sent text/html; charset=utf-8 instead of JSON; a page is read with --selector";
    assert!(error.to_string().ends_with(expected), "{error}");
    let error = first(answer("200 OK", "", "")).await.unwrap_err();
    assert!(error.to_string().ends_with("/feed sent nothing instead of JSON"), "{error}");
}

/// Returns an answer with a body of this many bytes, with or without a Content-Length header.
async fn long(bytes: usize, has_length: bool) -> Result<String, SourceError> {
    let body = format!("{:<bytes$}", r#"{"rows":[{"n":1,"x":2}]}"#);
    let body = if has_length {
        answer("200 OK", "", body)
    } else {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (start, end) = body.split_at(1000);
        let (a, b) = (start.len(), end.len());
        format!("{head}{a:x}\r\n{start}\r\n{b:x}\r\n{end}\r\n0\r\n\r\n").into_bytes()
    };
    let server = Server::http(move |_, _| body.clone()).await;
    let mut source = list_source(&server, &format!("max_message_bytes = 2048\n{LIST}"));
    source.connect().await?;
    Ok(shown(&source.next().await.unwrap().report))
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_discarded() {
    for has_length in [true, false] {
        assert_eq!(long(2048, has_length).await.unwrap(), "[1=2.00]");
        let error = long(2049, has_length).await.unwrap_err();
        assert!(error.is_suspect(), "{error:?}");
        let expected = "/feed sent more than 2048 bytes; check feed.max_message_bytes";
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_and_a_loop_is_not() {
    let server = Server::http(|head, _| {
        if head.starts_with("GET /feed") {
            answer("302 Found", "Location: /new", "")
        } else if head.starts_with("GET /new ") {
            answer("200 OK", "", ROWS)
        } else {
            answer("404 Not Found", "", "")
        }
    })
    .await;
    let mut source = list_source(&server, LIST);
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "[2=2.31, 1=1.00]");

    let seen = Seen::default();
    let server = Server::http({
        let seen = seen.clone();
        move |head, _| {
            seen.note(head);
            answer("302 Found", "Location: /feed?token=secret", "")
        }
    })
    .await;
    let error = list_source(&server, LIST).connect().await.unwrap_err();
    assert!(error.is_suspect(), "{error:?}");
    assert!(error.to_string().contains("it redirects more than 5 times"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(seen.all().len(), 6);
}

#[tokio::test]
async fn a_header_is_not_sent_to_another_host() {
    let seen = Seen::default();
    let other = Server::http({
        let seen = seen.clone();
        move |head, _| {
            seen.note(head);
            answer("200 OK", "", ROWS)
        }
    })
    .await;
    let elsewhere = format!("Location: http://127.0.0.1:{}/?t=secret", other.port);
    let server = Server::http({
        let seen = seen.clone();
        move |head, _| {
            assert!(head.contains("x-key: t0ken\r\n"), "{head}");
            seen.note("asked");
            answer("307 Temporary Redirect", &elsewhere, "")
        }
    })
    .await;
    let mut source = list_source(&server, &format!("headers = {{ X-Key = 't0ken' }}\n{LIST}"));
    let error = source.connect().await.unwrap_err();
    let expected = format!(
        "it redirects to http://127.0.0.1:{}; if that is the feed, make it feed.url",
        other.port
    );
    assert!(error.is_suspect() && error.to_string().contains(&expected), "{error}");
    assert_eq!(seen.all(), ["asked"]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_times_out() {
    let server = Server::tcp(|mut stream, _| async move {
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    })
    .await;
    let mut source = list_source(&server, &format!("timeout = '200ms'\n{LIST}"));
    let error = source.connect().await.unwrap_err();
    assert!(error.to_string().ends_with("/feed did not answer within 0.2 s"), "{error}");
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_times_out() {
    let server = Server::tcp(|mut stream, _| async move {
        head_of(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(head).await.unwrap();
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    })
    .await;
    let mut source = list_source(&server, &format!("timeout = '200ms'\n{LIST}"));
    let error = source.connect().await.unwrap_err();
    assert!(matches!(error, SourceError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn an_unreachable_server_is_reported() {
    let server = Server::tcp(|_, _| async {}).await;
    let mut source = list_source(&server, LIST);
    drop(server);
    let error = source.connect().await.unwrap_err();
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
