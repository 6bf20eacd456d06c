use std::time::Duration;

use collector::observation::Report;
use collector::source_error::SourceError;
use collector::sources::Source;

use super::server::{Authority, Seen, Server, answer, respond_encrypted};
use super::{next, quoted, shown, source};

pub(super) const LIST: &str = "rounds = [{ list = '/rows', value = '/x', id = '/n' }]";
pub(super) const ROWS: &str = r#"{"rows":[{"n":2,"x":2.31},{"n":1,"x":1.0}]}"#;

pub(super) fn list_source(server: &Server, feed: &str) -> Source {
    let url = server.url("http");
    source(&format!("source = 'http'\n[feed]\nurl = '{url}'\n{feed}")).unwrap()
}

/// Advances the clock by `time`; it runs on afterwards, because the sockets are real.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

pub(super) async fn after_interval(source: &mut Source) -> Result<Report, SourceError> {
    pass(Duration::from_secs(10)).await;
    source.next().await.map(|observation| observation.report)
}

/// Returns the result of polling a server that answers with these bytes.
pub(super) async fn first(answer: Vec<u8>) -> Result<String, SourceError> {
    let server = Server::http(move |_, _| answer.clone()).await;
    let mut source = list_source(&server, LIST);
    source.connect().await?;
    Ok(shown(&source.next().await.unwrap().report))
}

#[tokio::test]
async fn a_list_is_read_with_its_ids() {
    assert_eq!(first(answer("200 OK", "", ROWS)).await.unwrap(), "[2=2.31, 1=1.00]");
}

#[tokio::test]
async fn a_list_with_the_newest_last_is_reversed() {
    let server = Server::http(|_, _| answer("200 OK", "", "[1.5, 2.5, 3.5]")).await;
    let rule = "rounds = [{ list = '', value = '', order = 'oldest-first' }]";
    let mut source = list_source(&server, rule);
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

/// Polls twice a server whose answer has this header; returns the lines of the second request.
async fn second_request(header: &'static str) -> Vec<String> {
    let seen = Seen::default();
    let server = Server::http({
        let seen = seen.clone();
        move |head, number| {
            seen.note(head);
            match number {
                0 => answer("200 OK", header, ROWS),
                _ => answer("304 Not Modified", "", ""),
            }
        }
    })
    .await;
    let mut source = list_source(&server, LIST);
    source.connect().await.unwrap();
    let report = next(&mut source).await.unwrap();
    assert_eq!(after_interval(&mut source).await.unwrap(), report, "as before means the same list");
    let requests = seen.all();
    assert!(!requests[0].contains("if-"), "{}", requests[0]);
    requests[1].lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_unchanged_answer_is_not_sent_again() {
    let lines = second_request("ETag: \"v1\"").await;
    assert!(lines.contains(&"if-none-match: \"v1\"".to_owned()), "{lines:?}");
    let lines = second_request("Last-Modified: Sun, 01 Mar 2026 12:00:00 GMT").await;
    let expected = "if-modified-since: Sun, 01 Mar 2026 12:00:00 GMT".to_owned();
    assert!(lines.contains(&expected), "{lines:?}");
}

#[tokio::test]
async fn an_answer_that_could_not_be_read_is_requested_in_full() {
    let seen = Seen::default();
    let noted = seen.clone();
    let server = Server::http(move |head, number| {
        noted.note(head);
        let body = if number == 1 { r#"{"rows":[{"n":3}]}"# } else { ROWS };
        answer("200 OK", "ETag: \"v\"", body)
    })
    .await;
    let mut source = list_source(&server, LIST);
    source.connect().await.unwrap();
    next(&mut source).await.unwrap();
    assert_eq!(after_interval(&mut source).await.unwrap(), Report::Alive);
    assert_eq!(shown(&after_interval(&mut source).await.unwrap()), "[2=2.31, 1=1.00]");
    let conditional: Vec<bool> =
        seen.all().iter().map(|head| head.contains("if-none-match")).collect();
    assert_eq!(conditional, [false, true, false]);
}

#[tokio::test]
async fn the_fifth_answer_without_rounds_fails_with_the_keys_that_exist() {
    let server = Server::http(|_, _| answer("200 OK", "", r#"{"data":[],"token":"secret"}"#)).await;
    let mut source = list_source(&server, LIST);
    source.connect().await.unwrap();
    assert_eq!(source.next().await.unwrap().report, Report::Alive);
    for _ in 0..3 {
        assert_eq!(after_interval(&mut source).await.unwrap(), Report::Alive);
    }
    let error = after_interval(&mut source).await.unwrap_err();
    assert!(error.is_permanent(), "{error:?}");
    assert_eq!(
        error.to_string(),
        r#"5 messages in a row cannot be read; feed.rounds[0].list: the pointer "/rows" matches nothing: the message has the keys "data", "token""#
    );
}

#[tokio::test]
async fn an_answer_that_matches_no_filter_is_reported_with_the_filter() {
    let server = Server::http(|_, _| answer("200 OK", "", r#"{"type":"maintenance"}"#)).await;
    let rule = "rounds = [{ list = '/rows', value = '', filters = [{ pointer = '/type', equals = 'ok' }] }]";
    let mut source = list_source(&server, rule);
    source.connect().await.unwrap();
    source.next().await.unwrap();
    for _ in 0..3 {
        after_interval(&mut source).await.unwrap();
    }
    let text = after_interval(&mut source).await.unwrap_err().to_string();
    assert!(text.contains(r#"the filter on "/type" requires another value"#), "{text}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_configured() {
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
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    assert!(error.to_string().contains("feed.ca_file"), "{error}");

    let named = format!("ca_file = {}", quoted(&authority.file));
    let mut friend = source(&toml(&named)).unwrap();
    friend.connect().await.unwrap();
    assert_eq!(shown(&next(&mut friend).await.unwrap()), "[2=2.31, 1=1.00]");
}

#[tokio::test]
async fn an_answer_with_one_round_is_repeated_until_its_id_changes() {
    let server = Server::http(|_, number| {
        answer("200 OK", "", format!(r#"{{"id":{},"x":2.5}}"#, number / 2))
    })
    .await;
    let mut source = list_source(&server, "rounds = [{ value = '/x', id = '/id' }]");
    source.connect().await.unwrap();
    let mut header = vec![shown(&next(&mut source).await.unwrap())];
    for _ in 0..3 {
        header.push(shown(&after_interval(&mut source).await.unwrap()));
    }
    assert_eq!(header, ["0=2.50", "0=2.50", "1=2.50", "1=2.50"]);
}

#[track_caller]
fn refused(toml: &str, expected: &str) {
    let toml = format!("source = 'http'\n{toml}\n[feed]\nurl = 'https://feed.example/'");
    assert_eq!(source(&toml).unwrap_err(), expected);
}

#[test]
fn unusable_settings_are_reported_by_name() {
    refused("http.every = '1ms'", "--every: must be from 1s to 2m");
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
