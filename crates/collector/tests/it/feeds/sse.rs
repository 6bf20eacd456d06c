//! Server-sent events from servers that end, repeat and refuse.

use collector::commands::doctor::check_source;
use collector::finding::FindingState;
use collector::source_error::SourceError;
use collector::sources::Source;

use super::server::{Seen, Server, answer};
use super::{config, error, next, shown, source};

const KIND: &str = "Content-Type: text/event-stream";

fn toml(server: &Server, source: &str) -> String {
    format!(
        "source = '{source}'\n[feed]\nurl = '{}'\nrounds = [{{ value = '/1/x', id = '/2' }}]",
        server.url("http")
    )
}

fn stream(server: &Server) -> Source {
    source(&toml(server, "sse")).unwrap()
}

async fn connect_error(server: &Server) -> SourceError {
    stream(server).connect().await.unwrap_err()
}

#[tokio::test]
async fn a_new_connection_continues_after_the_last_event_and_waits_as_asked() {
    let seen = Seen::default();
    let noted = seen.clone();
    let server = Server::http(move |head, number| {
        let id = head.lines().find(|line| line.starts_with("last-event-id"));
        noted.note(id.unwrap_or("none"));
        let retry = if number == 0 { "" } else { "retry: 7000\n\n" };
        answer("200 OK", KIND, format!("{retry}id: {number}\ndata: {{\"x\":2.5}}\n\n"))
    })
    .await;
    let mut source = stream(&server);
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "0=2.50");
    let ended = error(&mut source).await;
    assert!(matches!(ended, SourceError::Disconnected(_)), "{ended:?}");
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "1=2.50");
    assert_eq!(error(&mut source).await.retry_after().map(|pause| pause.as_secs()), Some(7));
    source.connect().await.unwrap();
    assert_eq!(seen.all(), ["none", "last-event-id: 0", "last-event-id: 1"]);
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_reported_with_what_it_is() {
    let server =
        Server::http(|_, _| answer("200 OK", "Content-Type: application/json", "[]")).await;
    let error = connect_error(&server).await;
    assert!(error.is_suspect(), "{error:?}");
    assert!(
        error.to_string().ends_with("sent application/json instead of text/event-stream; is it a feed for source = \"http\"?"),
        "{error}"
    );
    let server = Server::http(|_, _| answer("204 No Content", "", "")).await;
    let error = connect_error(&server).await;
    assert!(error.to_string().contains("it has no more events"), "{error}");
    let server = Server::http(|_, _| answer("403 Forbidden", "", "")).await;
    assert!(matches!(connect_error(&server).await, SourceError::Refused(_)));
}

/// The http source waited for the end of the answer and said that the server did not answer.
#[tokio::test]
async fn the_http_source_names_the_source_for_a_stream() {
    let server = Server::http(|_, _| answer("200 OK", KIND, "data: {}\n\n")).await;
    let error = source(&toml(&server, "http")).unwrap().connect().await.unwrap_err();
    assert!(
        error.to_string().ends_with("sends server-sent events; use source = \"sse\""),
        "{error}"
    );
}

#[tokio::test]
async fn the_doctor_shows_the_shape_of_an_event_and_the_pointer_that_is_wrong() {
    let event =
        "event: crash\nid: 3\ndata: {\"multiplier\":2.5,\"token\":\"secret\"}\n\n".repeat(5);
    let server = Server::http(move |_, _| answer("200 OK", KIND, &event)).await;
    let found = check_source(&config(&toml(&server, "sse"))).await;
    let texts: Vec<_> =
        found.iter().map(|finding| (finding.state, finding.message.as_str())).collect();
    assert_eq!(
        texts[1..],
        [
            (
                FindingState::Ok,
                r#"the last one was [text, {"multiplier": number, "token": text}, text]"#
            ),
            (
                FindingState::Failed,
                r#"5 messages in a row cannot be read; feed.rounds[0].value: the pointer "/1/x" matches nothing: "/1" has the keys "multiplier", "token", and the message has a list of 3"#
            ),
        ]
    );
}

/// The doctor said "the log says why", and its reader has no log.
#[tokio::test]
async fn the_doctor_names_a_wrong_pointer_to_a_list_beside_the_shape() {
    let server =
        Server::http(|_, _| answer("200 OK", "", r#"{"data":{"rows":[{"x":2.5},{"x":3}]}}"#)).await;
    let toml = format!(
        "source = 'http'\n[feed]\nurl = '{}'\nrounds = [{{ list = '/rows', value = '/x' }}]",
        server.url("http")
    );
    let found = check_source(&config(&toml)).await;
    let texts: Vec<_> =
        found.iter().map(|finding| (finding.state, finding.message.as_str())).collect();
    assert_eq!(
        texts[1..],
        [
            (FindingState::Ok, r#"the answer was {"data": {"rows": [2 of {"x": number}]}}"#),
            (
                FindingState::Failed,
                r#"no round could be read: feed.rounds[0].list: the pointer "/rows" matches nothing: the message has the key "data""#
            ),
        ]
    );
    assert_eq!(
        found[2].advice.as_deref(),
        Some("correct feed.rounds[0].list, with the keys of the message above")
    );
}
