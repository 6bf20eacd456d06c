//! The behaviour and the messages of the browser source when something is wrong. The clock is paused, so waiting takes no time.

use std::fs;

use collector::config::Config;
use collector::finding::Finding;
use collector::finding::FindingState;
use collector::observation::{HistoryEntry, Report};
use collector::order::Order;
use collector::source_error::SourceError;
use collector::sources::browser::{Browser, BrowserOptions, diagnose};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::mock_cdp::MockBrowser;
use crate::simulator::sfs2x::Field::{self, Byte, Double, Int, List, Object, Short, Text};
use crate::simulator::sfs2x::{call, packet};

const GAME: &str = "https://aviator-next.spribegaming.com/?user=1&token=SECRET#also-secret";
const LIST: [&str; 4] = ["1.00x", "2.31x", "1.05x", "1,090.08x"];

fn config(cdp: &str) -> Config {
    Config {
        browser: BrowserOptions { cdp: Some(cdp.to_owned()), ..BrowserOptions::default() },
        ..Config::default()
    }
}

fn source(mock: &MockBrowser) -> Browser {
    config(&mock.url()).browser_source().unwrap()
}

fn cents(list: &[HistoryEntry]) -> Vec<u64> {
    list.iter().filter_map(HistoryEntry::cents).collect()
}

fn finished(id: i32, multiplier: f64) -> Vec<u8> {
    packet(&call(
        "roundChartInfo",
        vec![("roundId", Int(id)), ("maxMultiplier", Double(multiplier))],
    ))
}

fn login(instance: &str) -> Vec<u8> {
    let answer = Object(vec![("zn", Text(instance.to_owned()))]);
    packet(&Object(vec![("c", Byte(0)), ("a", Short(1)), ("p", answer)]))
}

/// Returns the next report that is neither a list nor a sign of life.
async fn next_other_report(browser: &mut Browser) -> Report {
    loop {
        match browser.next().await.unwrap().report {
            Report::List(_) | Report::Alive => {}
            report => return report,
        }
    }
}

/// Returns the id of the next report that is no list; it must be that of a round.
async fn next_id(browser: &mut Browser) -> String {
    let report = next_other_report(browser).await;
    let Report::Round { id, .. } = &report else { unreachable!("{report:?}") };
    id.clone().unwrap()
}

/// Returns a browser with a game that has shown nothing yet, and the source that watches it.
async fn silent_game() -> (MockBrowser, Browser) {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    let mut browser = source(&mock);
    browser.connect().await.unwrap_err();
    (mock, browser)
}

/// Returns the next list that differs from `known`.
async fn list_after(browser: &mut Browser, known: &[u64]) -> Vec<u64> {
    loop {
        if let Report::List(list) = browser.next().await.unwrap().report
            && cents(&list) != known
        {
            return cents(&list);
        }
    }
}

/// Returns the reason of the next interruption.
async fn interruption(browser: &mut Browser) -> String {
    let report = next_other_report(browser).await;
    let Report::Interrupted(reason) = report else { unreachable!("{report:?}") };
    reason
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    assert!(!text.to_lowercase().contains("secret"), "a secret in: {text}");
}

#[tokio::test(start_paused = true)]
async fn an_unused_port_is_reported_with_the_command_that_starts_chrome() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut browser = config(&format!("http://127.0.0.1:{port}")).browser_source().unwrap();
    let error = browser.connect().await.unwrap_err();
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    let place = format!("no browser answers at 127.0.0.1:{port}");
    assert_says(
        &error.to_string(),
        &[&place, "--cdp", "--remote-debugging-port=9222", "--user-data-dir"],
    );
    let socket = config(&format!("ws://127.0.0.1:{port}/devtools/browser/x"));
    let error = socket.browser_source().unwrap().connect().await.unwrap_err();
    assert_says(&error.to_string(), &[&place, "--cdp"]);
}

/// Starts a server that answers every connection with these bytes.
async fn answering(bytes: &'static str) -> (u16, tokio::task::JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(bytes.as_bytes()).await.unwrap();
        }
    });
    (port, server)
}

#[tokio::test(start_paused = true)]
async fn another_program_on_the_port_is_not_a_browser() {
    for bytes in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
        "HTTP/1.1 302 Found\r\nlocation: http://example.com/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let (port, _server) = answering(bytes).await;
        for scheme in ["http", "ws"] {
            let config = config(&format!("{scheme}://127.0.0.1:{port}/"));
            let error = config.browser_source().unwrap().connect().await.unwrap_err();
            assert!(matches!(error, SourceError::Unusable(_)), "{bytes:?}: {error:?}");
            assert_says(
                &error.to_string(),
                &[&format!("what answers at 127.0.0.1:{port} is not a browser"), "--cdp"],
            );
        }
    }
}

/// The machine may just be overloaded.
#[tokio::test(start_paused = true)]
async fn a_browser_that_does_not_answer_is_not_taken_for_another_program() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for scheme in ["http", "ws"] {
        let config = config(&format!("{scheme}://127.0.0.1:{port}/"));
        let error = config.browser_source().unwrap().connect().await.unwrap_err();
        assert!(!error.is_permanent() && !error.is_suspect(), "{error:?}");
        assert_says(&error.to_string(), &[&format!("127.0.0.1:{port}"), "not answer"]);
    }
}

#[test]
fn a_browser_on_another_machine_needs_a_flag() {
    for address in [
        "http://192.168.1.7:9222",
        "ws://example.com/devtools/browser/x",
        "http://127.0.0.1.example.com:9222",
    ] {
        let error = config(address).browser_source().unwrap_err();
        assert_says(&error.to_string(), &["--cdp", address, "--allow-remote-cdp"]);
        let mut allowed = config(address);
        allowed.browser.allow_remote_cdp = Some(true);
        assert!(allowed.browser_source().is_ok(), "{address}");
    }
    for address in ["http://localhost:9222", "http://[::1]:9222", "http://127.0.0.2:9222"] {
        assert!(config(address).browser_source().is_ok(), "{address}");
    }
}

#[test]
fn unusable_flags_are_reported_by_name() {
    let with = |change: &dyn Fn(&mut BrowserOptions)| {
        let mut config = Config::default();
        change(&mut config.browser);
        config.browser_source().unwrap_err().to_string()
    };
    assert_says(
        &with(&|options| options.cdp = Some("9222".to_owned())),
        &["--cdp: `9222`", "http://127.0.0.1:9222"],
    );
    assert_says(
        &with(&|options| options.cdp_ws = Some("http://127.0.0.1:1".to_owned())),
        &["--cdp-ws: ", "ws://"],
    );
    assert_says(&with(&|options| options.game_url = Some("(".to_owned())), &["--game-url: "]);
    assert_says(
        &with(&|options| options.poll = Some("1h".parse().unwrap())),
        &["--poll: not between"],
    );
}

#[tokio::test(start_paused = true)]
async fn the_list_is_read_from_the_address_that_was_given() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    let Report::List(list) = browser.next().await.unwrap().report else { panic!("no list") };
    assert_eq!(cents(&list), [100, 231, 105, 109_008]);
    browser.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_requires_an_origin_gets_one() {
    let mock = MockBrowser::open().await;
    mock.state().wants_origin = true;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    source(&mock).connect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_the_tab_that_matches_is_touched() {
    let mock = MockBrowser::open().await;
    mock.tab("bank", "https://bank.example/accounts");
    mock.tab("search", "https://search.example/?q=aviator");
    mock.tab("settings", "chrome://settings/aviator");
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    list_after(&mut browser, &[]).await;
    mock.tab("late", "https://bank.example/aviator.pdf?x=1");
    mock.list("late", &LIST);
    list_after(&mut browser, &[]).await;
    assert_eq!(mock.count("Target.attachToTarget"), 2);
    for (method, session) in &mock.state().commands {
        assert!(
            ["", "session of game", "session of late"].contains(&session.as_str()),
            "{method} in {session}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_matching_tab_the_open_ones_are_listed() {
    let mock = MockBrowser::open().await;
    let mut browser = source(&mock);
    let error = browser.connect().await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound(_)), "{error:?}");
    assert_says(
        &error.to_string(),
        &["no tab of the browser shows a web page", "--game-url `spribegaming|aviator`"],
    );

    mock.tab("a", "https://casino.example/lobby?session=SECRET");
    mock.tab("b", "about:blank");
    let error = browser.connect().await.unwrap_err();
    assert_says(
        &error.to_string(),
        &["no tab or frame", "--game-url", "https://casino.example/lobby"],
    );

    // The connection was kept, so the game is read as soon as it is opened.
    mock.tab("a", GAME);
    mock.list("a", &LIST);
    browser.connect().await.unwrap();
    assert_eq!(mock.count("Target.setDiscoverTargets"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_matching_tab_without_a_list_is_reported_with_the_flags_to_use() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    let error = source(&mock).connect().await.unwrap_err();
    let place = "https://aviator-next.spribegaming.com/ shows no history list";
    assert_says(
        &error.to_string(),
        &[place, "none of the 6 known selectors", "--selector", "--game-url"],
    );

    let mut own = config(&mock.url());
    own.selector = Some(".crash-point".to_owned());
    let error = own.browser_source().unwrap().connect().await.unwrap_err();
    assert_says(&error.to_string(), &[place, "--selector `.crash-point` finds nothing"]);
}

#[tokio::test(start_paused = true)]
async fn entries_that_are_not_multipliers_are_shown() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &["Bet", "Cash out", "0.20x"]);
    let error = source(&mock).connect().await.unwrap_err();
    assert_says(
        &error.to_string(),
        &["are not multipliers", r#"["Bet", "Cash out", "0.20x"]"#, "--selector"],
    );
    mock.list("game", &["1.20x", "1.30x"]);
    let error = source(&mock).connect().await.unwrap_err();
    assert_says(&error.to_string(), &["has 2 entries so far"]);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_selector_ends_the_program() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.state().throws = Some(
        "SyntaxError: Failed to execute 'querySelectorAll' on 'Document': '..' is not valid.\n at x",
    );
    let mut own = config(&mock.url());
    own.selector = Some("..".to_owned());
    let error = own.browser_source().unwrap().connect().await.unwrap_err();
    assert!(error.is_permanent(), "{error:?}");
    assert_says(&error.to_string(), &["--selector `..` is not a CSS selector"]);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_reloads_is_read_again() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    for message in [
        "Cannot find context with specified id",
        "Execution context was destroyed.",
        "Inspected target navigated or closed",
    ] {
        mock.state().error_once = Some((-32000, message));
        mock.list("game", &["5.00x", "1.00x", "2.31x"]);
        assert_eq!(list_after(&mut browser, &[100, 231, 105, 109_008]).await, [500, 100, 231]);
        mock.list("game", &LIST);
        list_after(&mut browser, &[500, 100, 231]).await;
    }
    assert_eq!(mock.count("Target.attachToTarget"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_ended_is_reopened() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    mock.state().error_once = Some((-32001, "Session with given id not found."));
    mock.list("game", &["5.00x", "1.00x", "2.31x"]);
    assert_eq!(list_after(&mut browser, &[100, 231, 105, 109_008]).await, [500, 100, 231]);
    assert_eq!(mock.count("Target.attachToTarget"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_tab_is_distinguished_from_an_empty_one_and_read_when_it_wakes() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    mock.state().frozen.insert("game".to_owned());
    let mut browser = source(&mock);
    let error = browser.connect().await.unwrap_err();
    assert_says(
        &error.to_string(),
        &["https://aviator-next.spribegaming.com/ does not answer", "Memory Saver"],
    );
    let asked = mock.state().commands.len();
    browser.connect().await.unwrap_err();
    assert!(mock.state().commands.len() <= asked + 3, "questions pile up in a frozen tab");

    mock.state().frozen.clear();
    browser.connect().await.unwrap();
    mock.state().frozen.insert("game".to_owned());
    assert_says(
        &interruption(&mut browser).await,
        &["the game's frame https://aviator-next.spribegaming.com/ does not answer"],
    );
}

#[tokio::test(start_paused = true)]
async fn a_crashed_tab_is_lost_and_read_again_after_its_reload() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    mock.state().frozen.insert("game".to_owned());
    mock.event(
        None,
        "Target.targetCrashed",
        &json!({ "targetId": "game", "status": "crashed", "errorCode": 1 }),
    );
    assert_says(
        &interruption(&mut browser).await,
        &["the game's frame https://aviator-next.spribegaming.com/ has crashed"],
    );
    let error = browser.connect().await.unwrap_err();
    assert_says(&error.to_string(), &["has crashed; reload the tab"]);
    mock.state().frozen.clear();
    mock.tab("game", GAME);
    browser.connect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_a_closed_tab_the_next_one_is_read() {
    let mock = MockBrowser::open().await;
    mock.tab("one", GAME);
    mock.list("one", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    mock.close_tab("one");
    assert_says(&interruption(&mut browser).await, &["is gone"]);
    mock.list("two", &LIST);
    mock.tab("two", GAME);
    browser.connect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_tab_that_navigates_elsewhere_is_released() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    mock.tab("game", "https://bank.example/accounts");
    assert_says(&interruption(&mut browser).await, &["is gone"]);
    assert!(browser.connect().await.is_err());
    assert!(mock.count("Target.detachFromTarget") >= 1);
    let session_used = mock.state().commands.len();
    browser.connect().await.unwrap_err();
    let asked: Vec<_> = mock.state().commands[session_used..].to_vec();
    // It is asked for the addresses of its frames, because the game may be in one of them, and left again.
    let is_survey =
        |(method, session): &(String, String)| session.is_empty() || method == "Page.getFrameTree";
    assert!(asked.iter().all(is_survey), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_browser_ends_the_connection_and_a_new_one_is_found() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    mock.kill();
    let error = loop {
        match browser.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    assert_says(&error.to_string(), &["the connection to the browser broke"]);
    browser.connect().await.unwrap();
    assert_eq!(mock.count("Target.setDiscoverTargets"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_hangs_is_noticed_within_twenty_seconds() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    mock.state().hangs = true;
    let error = loop {
        match browser.next().await {
            Ok(_) | Err(SourceError::NotFound(_)) => {}
            Err(error) => break error,
        }
    };
    assert_says(&error.to_string(), &["the browser hangs", "Browser.getVersion"]);
}

#[tokio::test(start_paused = true)]
async fn dropped_events_are_reported() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    for id in 0..8000 {
        mock.frame("game", "1", &finished(id, 2.0));
    }
    // The session reads nothing until everything has arrived.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let error = loop {
        match browser.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SourceError::Disconnected(_)), "{error:?}");
    assert_says(&error.to_string(), &["arrived too fast to be read"]);
}

#[tokio::test(start_paused = true)]
async fn a_browser_is_found_by_its_profile() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let profile = tempfile::tempdir().unwrap();
    let options =
        BrowserOptions { profile: Some(profile.path().to_owned()), ..BrowserOptions::default() };
    let mut browser = Browser::new(&options, None, Order::NewestFirst).unwrap();
    let file = profile.path().join("DevToolsActivePort");

    let error = browser.connect().await.unwrap_err();
    assert_says(
        &error.to_string(),
        &["DevToolsActivePort does not exist", "--profile", "chrome://inspect/#remote-debugging"],
    );
    fs::write(&file, "no port\n").unwrap();
    let error = browser.connect().await.unwrap_err();
    assert_says(
        &error.to_string(),
        &["DevToolsActivePort cannot be read", "not a port and a path", "--profile"],
    );
    // Chrome leaves the file behind when it exits.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    fs::write(&file, format!("{port}\n/devtools/browser/old")).unwrap();
    let error = browser.connect().await.unwrap_err();
    assert_says(
        &error.to_string(),
        &[&format!("names 127.0.0.1:{port}, but nothing answers"), "has exited", "--profile"],
    );

    fs::write(&file, format!("{}\n/devtools/browser/mock", mock.port)).unwrap();
    browser.connect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_socket_yields_rounds_with_their_ids_and_nothing_else() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    list_after(&mut browser, &[]).await;
    mock.socket("game", "chat", "wss://chat.example/socket");
    mock.frame("game", "chat", &finished(1, 9.0));
    mock.socket("game", "game", "wss://eu-game3.spribegaming.com/BlueBox/websocket?token=SECRET");
    mock.frame("game", "game", b"not a packet");
    let cash_out = Object(vec![("multiplier", Double(1.22)), ("maxMultiplier", Double(1.5))]);
    mock.frame(
        "game",
        "game",
        &packet(&call("updateCurrentCashOuts", vec![("cashouts", List(vec![cash_out]))])),
    );
    mock.frame("game", "game", &packet(&call("x", vec![("crashX", Double(1.88))])));
    mock.frame("game", "game", &finished(8_241_979, 1.88));
    // The socket was opened before the collector attached, so its URL is unknown; its messages identify it.
    mock.frame("game", "older", &finished(8_241_977, 3.0));
    mock.event(Some("bank"), "Network.webSocketFrameReceived", &json!({}));
    for (id, cents) in [("8241979", 188), ("8241977", 300)] {
        let report = next_other_report(&mut browser).await;
        let Report::Round { id: found, multiplier, .. } = report else { panic!("{report:?}") };
        assert_eq!((found.as_deref(), multiplier.cents()), (Some(id), cents));
    }
    mock.event(Some("game"), "Network.webSocketClosed", &json!({ "requestId": "chat" }));
    mock.event(Some("game"), "Network.webSocketClosed", &json!({ "requestId": "game" }));
    assert_says(&interruption(&mut browser).await, &["closed its socket"]);
}

#[tokio::test(start_paused = true)]
async fn the_socket_of_a_worker_is_read_and_its_end_noticed() {
    let (mock, mut browser) = silent_game().await;
    let info = json!({ "targetId": "w", "type": "worker", "url": "" });
    let worker = json!({ "sessionId": "session of w", "targetInfo": info });
    mock.event(Some("game"), "Target.attachedToTarget", &worker);
    mock.frame("w", "1", &finished(7, 2.0));
    browser.connect().await.unwrap();
    assert_eq!(next_id(&mut browser).await, "7");
    let watched = ("Network.enable".to_owned(), "session of w".to_owned());
    while !mock.state().commands.contains(&watched) {
        tokio::task::yield_now().await;
    }
    mock.event(Some("game"), "Target.detachedFromTarget", &json!({ "sessionId": "session of w" }));
    assert_says(&interruption(&mut browser).await, &["closed its socket"]);
}

/// A game whose socket is on another path: it logs in there, as no other socket does.
#[tokio::test(start_paused = true)]
async fn a_socket_on_another_path_is_read_once_the_game_has_logged_in_on_it() {
    let mock = MockBrowser::open().await;
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    list_after(&mut browser, &[]).await;
    mock.socket("game", "other", "wss://play.example/ws");
    mock.frame("game", "other", &finished(1, 9.0));
    mock.frame("game", "other", &login("aviator_core_inst2"));
    mock.frame("game", "other", &finished(2, 3.0));
    let report = next_other_report(&mut browser).await;
    assert_eq!(report, Report::OtherInstance("aviator_core_inst2".to_owned()));
    assert_eq!(next_id(&mut browser).await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_packet_that_arrives_in_several_messages_is_read_once() {
    let (mock, mut browser) = silent_game().await;
    let (first, second) = (finished(5, 1.5), finished(6, 2.5));
    for cut in 1..first.len() {
        let (head, tail) = first.split_at(cut);
        mock.frame("game", "1", head);
        // The rest of one packet and the whole of the next.
        mock.frame("game", "1", &[tail, &second].concat());
        for id in ["5", "6"] {
            assert_eq!(next_id(&mut browser).await, id, "cut at {cut}");
        }
    }
    // A packet whose rest never comes does not spoil the next one.
    mock.frame("game", "1", &first[..9]);
    mock.frame("game", "1", &second);
    assert_eq!(next_id(&mut browser).await, "6");
}

#[tokio::test(start_paused = true)]
async fn the_login_yields_the_instance_and_the_history() {
    let (mock, mut browser) = silent_game().await;
    let entry = |id: i32| Object(vec![("roundId", Int(id)), ("maxMultiplier", Double(2.0))]);
    let history: Vec<Field> = [9, 7, 4].map(entry).to_vec();
    mock.frame("game", "1", &login("aviator_core_inst2"));
    mock.frame("game", "1", &packet(&call("init", vec![("roundsInfo", List(history))])));
    browser.connect().await.unwrap();
    assert_eq!(
        browser.next().await.unwrap().report,
        Report::OtherInstance("aviator_core_inst2".to_owned())
    );
    let report = next_other_report(&mut browser).await;
    let Report::Ids(ids) = report else { panic!("{report:?}") };
    assert_eq!(ids.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["9", "7", "4"]);
}

/// Two tabs of the game may show two tables, so only one is recorded. When it is closed, the other's reports are not lost.
#[tokio::test(start_paused = true)]
async fn a_second_tab_is_read_once_the_first_is_closed() {
    let mock = MockBrowser::open().await;
    mock.tab("one", GAME);
    mock.list("one", &LIST);
    let mut browser = source(&mock);
    browser.connect().await.unwrap();
    mock.tab("two", GAME);
    mock.list("two", &["7.00x", "7.00x", "7.00x"]);
    for _ in 0..20 {
        assert_eq!(list_after(&mut browser, &[]).await, [100, 231, 105, 109_008]);
    }
    mock.frame("two", "2", &login("aviator_core_inst4"));
    mock.frame("two", "2", &finished(11, 1.1));
    mock.frame("one", "1", &finished(22, 2.2));
    assert_eq!(next_id(&mut browser).await, "22");
    mock.close_tab("one");
    interruption(&mut browser).await;
    assert_eq!(
        next_other_report(&mut browser).await,
        Report::OtherInstance("aviator_core_inst4".to_owned())
    );
    let report = next_other_report(&mut browser).await;
    assert!(
        matches!(&report, Report::Round { id: Some(id), ended_at: Some(_), .. } if id == "11"),
        "{report:?}"
    );
    assert_eq!(list_after(&mut browser, &[]).await, [700, 700, 700]);
}

fn found<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.check == check).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_doctor_reports_what_it_finds() {
    let mock = MockBrowser::open().await;
    mock.tab("bank", "https://bank.example/accounts");
    mock.tab("game", GAME);
    mock.list("game", &LIST);
    let findings = diagnose(&config(&mock.url()).browser_source().unwrap()).await;
    assert_eq!(found(&findings, "browser").state, FindingState::Ok);
    assert_says(
        &found(&findings, "browser").message,
        &[&format!("answers at 127.0.0.1:{}", mock.port)],
    );
    assert_says(
        &found(&findings, "tabs").message,
        &["reading https://aviator-next.spribegaming.com/; ignoring 1 more"],
    );
    let list = found(&findings, "history list");
    assert_eq!(list.state, FindingState::Ok);
    assert_says(&list.message, &["4 rounds in", ".payouts-wrapper > .payouts-block > .payout"]);
    assert_eq!(found(&findings, "socket").state, FindingState::Warning);
}

#[tokio::test(start_paused = true)]
async fn the_doctor_reports_what_is_missing() {
    let mock = MockBrowser::open().await;
    let findings = diagnose(&config(&mock.url()).browser_source().unwrap()).await;
    assert_eq!(found(&findings, "tabs").state, FindingState::Failed);
    mock.tab("game", GAME);
    let findings = diagnose(&config(&mock.url()).browser_source().unwrap()).await;
    assert_eq!(found(&findings, "history list").state, FindingState::Failed);
    assert_says(&found(&findings, "history list").message, &["shows no history list"]);
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let findings =
        diagnose(&config(&format!("http://127.0.0.1:{port}")).browser_source().unwrap()).await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].state, FindingState::Failed);
    assert_says(&findings[0].message, &["no browser answers at"]);
    assert_says(
        findings[0].advice.as_ref().unwrap(),
        &["Linux", "macOS", "Windows", "--user-data-dir"],
    );
}
