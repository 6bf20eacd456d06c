use std::time::Duration;

use collector::source::{ConnectError, Said, SessionError, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::{Authority, Seen, Server, answer, head_of, respond_encrypted};
use super::{next, quoted, shown, source};

const LIST: &str = "rounds = [{ list = '/rows', value = '/x', id = '/n' }]";
const ROWS: &str = r#"{"rows":[{"n":2,"x":2.31},{"n":1,"x":1.0}]}"#;

fn asker(server: &Server, feed: &str) -> Source {
    let url = server.url("http");
    source(&format!("source = 'http'\n[feed]\nurl = '{url}'\n{feed}")).unwrap()
}

/// Lets `time` pass at once; real time goes on afterwards, since real sockets do.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

async fn after_interval(source: &mut Source) -> Result<Said, SessionError> {
    pass(Duration::from_secs(10)).await;
    source.next().await.map(|reading| reading.said)
}

/// What comes of asking a server that answers with these bytes.
async fn first(answer: Vec<u8>) -> Result<String, ConnectError> {
    let server = Server::http(move |_, _| answer.clone()).await;
    let mut source = asker(&server, LIST);
    source.connect().await?;
    Ok(shown(&source.next().await.unwrap().said))
}

#[tokio::test]
async fn a_list_is_read_with_its_ids() {
    assert_eq!(first(answer("200 OK", "", ROWS)).await.unwrap(), "[2=2.31, 1=1.00]");
}

#[tokio::test]
async fn a_list_with_the_newest_last_is_turned_round() {
    let server = Server::http(|_, _| answer("200 OK", "", "[1.5, 2.5, 3.5]")).await;
    let rule = "rounds = [{ list = '', value = '', order = 'oldest-first' }]";
    let mut source = asker(&server, rule);
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "[3.50, 2.50, 1.50]");
}

#[tokio::test]
async fn a_page_is_read_by_its_selector() {
    let page = "<ul><li class=r id=b>2,31x</li><li class=r id=a>1.00×</li><li>else</li></ul>";
    let server = Server::http(move |head, _| {
        assert!(head.contains("accept: text/html\r\n"), "{head}");
        answer("200 OK", "Content-Type: text/html", page)
    })
    .await;
    let url = server.url("http");
    let mut source = source(&format!(
        "source = 'http'\nselector = 'li.r'\nfeed.url = '{url}'\nhttp.html.id_attribute = 'id'"
    ))
    .unwrap();
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "[b=2.31, a=1.00]");
}

/// Asks twice a server whose answer has the header `told`; gives the lines of the second request.
async fn asked_again(told: &'static str) -> Vec<String> {
    let seen = Seen::default();
    let server = Server::http({
        let seen = seen.clone();
        move |head, number| {
            seen.note(head);
            match number {
                0 => answer("200 OK", told, ROWS),
                _ => answer("304 Not Modified", "", ""),
            }
        }
    })
    .await;
    let mut source = asker(&server, LIST);
    source.connect().await.unwrap();
    let said = next(&mut source).await.unwrap();
    assert_eq!(after_interval(&mut source).await.unwrap(), said, "as before means the same list");
    let requests = seen.all();
    assert!(!requests[0].contains("if-"), "{}", requests[0]);
    requests[1].lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_answer_is_asked_for_only_if_it_is_another() {
    let lines = asked_again("ETag: \"v1\"").await;
    assert!(lines.contains(&"if-none-match: \"v1\"".to_owned()), "{lines:?}");
    let lines = asked_again("Last-Modified: Sun, 01 Mar 2026 12:00:00 GMT").await;
    let expected = "if-modified-since: Sun, 01 Mar 2026 12:00:00 GMT".to_owned();
    assert!(lines.contains(&expected), "{lines:?}");
}

#[tokio::test]
async fn an_answer_that_could_not_be_read_is_asked_for_in_full() {
    let seen = Seen::default();
    let noted = seen.clone();
    let server = Server::http(move |head, number| {
        noted.note(head);
        let body = if number == 1 { r#"{"rows":[{"n":3}]}"# } else { ROWS };
        answer("200 OK", "ETag: \"v\"", body)
    })
    .await;
    let mut source = asker(&server, LIST);
    source.connect().await.unwrap();
    next(&mut source).await.unwrap();
    assert_eq!(after_interval(&mut source).await.unwrap(), Said::Alive);
    assert_eq!(shown(&after_interval(&mut source).await.unwrap()), "[2=2.31, 1=1.00]");
    let conditional: Vec<bool> =
        seen.all().iter().map(|head| head.contains("if-none-match")).collect();
    assert_eq!(conditional, [false, true, false]);
}

#[tokio::test]
async fn not_modified_without_having_been_asked_cannot_be_right() {
    let error = first(answer("304 Not Modified", "", "")).await.unwrap_err();
    assert!(error.is_suspect(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_gets_it() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let error = first(answer(status, "Retry-After: 42", "")).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(42)), "{error}");
    }
    let dated = "Date: Sun, 01 Mar 2026 12:00:00 GMT\nRetry-After: Sun, 01 Mar 2026 12:01:30 GMT";
    let error = first(answer("429 Too Many Requests", dated, "")).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)), "{error}");
}

#[tokio::test]
async fn a_pause_is_asked_for_in_the_middle_too() {
    let server = Server::http(|_, number| match number {
        0 => answer("200 OK", "", ROWS),
        1 => answer("429 Too Many Requests", "Retry-After: 42", ""),
        2 => answer("404 Not Found", "", ""),
        _ => answer("200 OK", "", "{\"rows\":[]}"),
    })
    .await;
    let mut source = asker(&server, LIST);
    source.connect().await.unwrap();
    next(&mut source).await.unwrap();
    let error = after_interval(&mut source).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(42)), "{error}");
    let error = source.connect().await.unwrap_err();
    assert!(!error.is_suspect() && error.retry_after().is_some(), "it worked before: {error:?}");
    source.connect().await.unwrap();
    assert_eq!(source.next().await.unwrap().said, Said::Alive);
}

#[tokio::test]
async fn a_status_says_whose_fault_it_is() {
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
        assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_or_ends_too_early_is_no_answer() {
    for bytes in [
        &b""[..],
        b"hello\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"rows\":[]}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"rows\":\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ] {
        let error = first(bytes.to_vec()).await.unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable(_)), "{bytes:?}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_told_by_its_type() {
    let html = answer("200 OK", "Content-Type: text/html; charset=utf-8", "<p>Log in</p>");
    let error = first(html).await.unwrap_err();
    assert!(error.is_suspect(), "{error:?}");
    let expected =
        "/feed answered text/html; charset=utf-8 that is not JSON; a page is read with --selector";
    assert!(error.to_string().ends_with(expected), "{error}");
    let error = first(answer("200 OK", "", "")).await.unwrap_err();
    assert!(error.to_string().ends_with("/feed answered nothing that is not JSON"), "{error}");
}

#[tokio::test]
async fn an_answer_without_rounds_ends_at_the_fifth_with_the_keys_that_are_there() {
    let server = Server::http(|_, _| answer("200 OK", "", r#"{"data":[],"token":"secret"}"#)).await;
    let mut source = asker(&server, LIST);
    source.connect().await.unwrap();
    assert_eq!(source.next().await.unwrap().said, Said::Alive);
    for _ in 0..3 {
        assert_eq!(after_interval(&mut source).await.unwrap(), Said::Alive);
    }
    let error = after_interval(&mut source).await.unwrap_err();
    assert!(error.is_permanent(), "{error:?}");
    assert_eq!(
        error.to_string(),
        r#"5 messages in a row cannot be read; feed.rounds[0].list: the pointer "/rows" matches nothing: the message has the keys "data", "token""#
    );
}

#[tokio::test]
async fn an_answer_that_no_filter_fits_says_which() {
    let server = Server::http(|_, _| answer("200 OK", "", r#"{"type":"maintenance"}"#)).await;
    let rule = "rounds = [{ list = '/rows', value = '', filters = [{ pointer = '/type', equals = 'ok' }] }]";
    let mut source = asker(&server, rule);
    source.connect().await.unwrap();
    source.next().await.unwrap();
    for _ in 0..3 {
        after_interval(&mut source).await.unwrap();
    }
    let text = after_interval(&mut source).await.unwrap_err().to_string();
    assert!(text.contains(r#"the filter on "/type" wants another value"#), "{text}");
}

/// A body of this many bytes, with its length told before or not.
async fn long(bytes: usize, is_told: bool) -> Result<String, ConnectError> {
    let body = format!("{:<bytes$}", r#"{"rows":[{"n":1,"x":2}]}"#);
    let body = if is_told {
        answer("200 OK", "", body)
    } else {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (start, end) = body.split_at(1000);
        let (a, b) = (start.len(), end.len());
        format!("{head}{a:x}\r\n{start}\r\n{b:x}\r\n{end}\r\n0\r\n\r\n").into_bytes()
    };
    let server = Server::http(move |_, _| body.clone()).await;
    let mut source = asker(&server, &format!("max_message_bytes = 2048\n{LIST}"));
    source.connect().await?;
    Ok(shown(&source.next().await.unwrap().said))
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_kept() {
    for is_told in [true, false] {
        assert_eq!(long(2048, is_told).await.unwrap(), "[1=2.00]");
        let error = long(2049, is_told).await.unwrap_err();
        assert!(error.is_suspect(), "{error:?}");
        let expected = "/feed answered more than 2048 bytes; look at feed.max_message_bytes";
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
    let mut source = asker(&server, LIST);
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
    let error = asker(&server, LIST).connect().await.unwrap_err();
    assert!(error.is_suspect(), "{error:?}");
    assert!(error.to_string().contains("it redirects more than 5 times"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(seen.all().len(), 6);
}

#[tokio::test]
async fn a_header_is_not_carried_to_another_host() {
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
    let mut source = asker(&server, &format!("headers = {{ X-Key = 't0ken' }}\n{LIST}"));
    let error = source.connect().await.unwrap_err();
    let expected = format!(
        "it redirects to http://127.0.0.1:{}; if that is the feed, make it feed.url",
        other.port
    );
    assert!(error.is_suspect() && error.to_string().contains(&expected), "{error}");
    assert_eq!(seen.all(), ["asked"]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let server = Server::tcp(|mut stream, _| async move {
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    })
    .await;
    let mut source = asker(&server, &format!("timeout = '200ms'\n{LIST}"));
    let error = source.connect().await.unwrap_err();
    assert!(error.to_string().ends_with("/feed did not answer within 0.2 s"), "{error}");
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_is_given_up() {
    let server = Server::tcp(|mut stream, _| async move {
        head_of(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(head).await.unwrap();
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    })
    .await;
    let mut source = asker(&server, &format!("timeout = '200ms'\n{LIST}"));
    let error = source.connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there_is_said() {
    let server = Server::tcp(|_, _| async {}).await;
    let mut source = asker(&server, LIST);
    drop(server);
    let error = source.connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let authority = Authority::new();
    let acceptor = authority.acceptor.clone();
    let server = Server::tcp(move |stream, _| {
        respond_encrypted(acceptor.clone(), stream, |_| answer("200 OK", "", ROWS))
    })
    .await;
    let toml = |more: &str| {
        format!("source = 'http'\n[feed]\nurl = '{}'\n{LIST}\n{more}", server.url("https"))
    };
    let error = source(&toml("")).unwrap().connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    assert!(error.to_string().contains("feed.ca_file"), "{error}");

    let named = format!("ca_file = {}", quoted(&authority.file));
    let mut friend = source(&toml(&named)).unwrap();
    friend.connect().await.unwrap();
    assert_eq!(shown(&next(&mut friend).await.unwrap()), "[2=2.31, 1=1.00]");
}

#[tokio::test]
async fn one_round_an_answer_is_told_again_until_its_id_changes() {
    let server = Server::http(|_, number| {
        answer("200 OK", "", format!(r#"{{"id":{},"x":2.5}}"#, number / 2))
    })
    .await;
    let mut source = asker(&server, "rounds = [{ value = '/x', id = '/id' }]");
    source.connect().await.unwrap();
    let mut told = vec![shown(&next(&mut source).await.unwrap())];
    for _ in 0..3 {
        told.push(shown(&after_interval(&mut source).await.unwrap()));
    }
    assert_eq!(told, ["0=2.50", "0=2.50", "1=2.50", "1=2.50"]);
}

#[track_caller]
fn refused(toml: &str, expected: &str) {
    let toml = format!("source = 'http'\n{toml}\n[feed]\nurl = 'https://feed.example/'");
    assert_eq!(source(&toml).unwrap_err(), expected);
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    refused("http.every = '1ms'", "--every: is from 1s to 1h");
    refused("selector = 'li['", "--selector: \"li[\" is not a CSS selector: Unexpected EOL");
    let rounds = |toml: &str| {
        let toml = format!("source = 'http'\n{toml}\nfeed.url = 'https://feed.example/'");
        source(&toml).unwrap_err()
    };
    assert!(rounds("").starts_with("feed.rounds: is missing: "));
    assert!(
        rounds("feed.rounds = [{ value = '/x' }]").starts_with("feed.rounds[0].id: is missing: ")
    );
    let both = "selector = 'li'\nfeed.rounds = [{ value = '/x', id = '/i' }]";
    assert_eq!(rounds(both), "--selector: reads HTML and feed.rounds JSON: keep one of them");
}
