//! Pages that draw the history list in other ways than the real game, in a real Chromium.

use collector::config::{Config, Options};
use collector::observation::{HistoryEntry, Report};
use collector::source_error::SourceError;
use collector::sources::Source;
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::driver::Driver;
use super::process::Chromium;
use super::within;
use crate::simulator::sfs2x::Field::{Double, Int};
use crate::simulator::sfs2x::{call, packet};

/// Script of the pages: `entries` are texts, newest first.
const ENTRIES: &str = "const entries = ['1.01x', '2.02x', '3.03x', '4.04x', '5.05x'];
    const payout = text => { const div = document.createElement('div'); div.className = 'payout'; div.textContent = text; return div; };";

/// A page in a browser, and the source that reads it.
struct Page {
    source: Source,
    driver: Driver,
    tab: String,
    _chromium: Chromium,
    _profile: TempDir,
    _server: JoinSet<()>,
}

impl Page {
    /// Opens `http://casino.localhost/page` with this body; `/aviator` has the body `frame`.
    async fn open(page: &str, frame: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, page.to_owned(), frame.to_owned()));
        let profile = tempfile::tempdir().unwrap();
        let chromium = Chromium::start(profile.path());
        let mut driver = Driver::connect(&chromium.socket).await;
        let tab = driver.open(&format!("http://casino.localhost:{port}/page")).await;
        let pattern = if frame.is_empty() { "casino" } else { "/aviator$" };
        let toml = format!(
            "source = 'browser'\n[browser]\ncdp = '{}'\ngame_url = '{pattern}'\npoll = '20ms'",
            chromium.http()
        );
        let source =
            Config::from(toml::from_str::<Options>(&toml).unwrap()).build_source().unwrap();
        Self { source, driver, tab, _chromium: chromium, _profile: profile, _server: server }
    }

    /// Returns the next list as text, newest first.
    async fn list(&mut self) -> Vec<String> {
        loop {
            if let Report::List(list) = self.source.next().await.unwrap().report {
                return list.iter().map(shown).collect();
            }
        }
    }

    /// Returns whether the next round has an id, and its hundredths.
    async fn round(&mut self) -> (bool, u64) {
        loop {
            if let Report::Round { id, multiplier, .. } = self.source.next().await.unwrap().report {
                return (id.is_some(), multiplier.cents());
            }
        }
    }

    /// Returns the error of a page without a list that can be read.
    async fn error(&mut self) -> SourceError {
        self.source.connect().await.unwrap_err()
    }
}

fn shown(entry: &HistoryEntry) -> String {
    match entry {
        HistoryEntry::Round(multiplier) => multiplier.to_string(),
        HistoryEntry::Unreadable(text) => text.clone(),
    }
}

async fn serve(listener: TcpListener, page: String, frame: String) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 2048];
        let length = stream.read(&mut request).await.unwrap_or_default();
        let is_frame = request[..length].starts_with(b"GET /aviator");
        let body = if is_frame { &frame } else { &page };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        // The browser may have closed a connection that it opened in advance.
        drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
    }
}

/// Checks that the list of a page with this style, markup and script is read as it is on screen.
async fn reads(style: &str, script: &str) {
    let page = format!(
        "<!doctype html><style>.payouts-block {{ {style} }}</style><div class=payouts-block></div>
         <script>{ENTRIES} const block = document.querySelector('.payouts-block'); {script}</script>"
    );
    let mut page = within("the browser", Page::open(&page, "")).await;
    within("a list", page.source.connect()).await.unwrap();
    assert_eq!(
        within("a list", page.list()).await,
        ["1.01", "2.02", "3.03", "4.04", "5.05"],
        "{style}"
    );
}

#[tokio::test]
async fn entries_that_are_ordered_by_style_are_read_in_the_order_on_screen() {
    reads(
        "display: flex; flex-direction: row-reverse; justify-content: flex-end",
        "entries.toReversed().forEach(text => block.append(payout(text)));",
    )
    .await;
    reads(
        "display: flex",
        "entries.toReversed().forEach((text, index) => { const entry = payout(text); entry.style.order = -index; block.append(entry); });",
    )
    .await;
}

/// A virtual list keeps its nodes and moves them.
#[tokio::test]
async fn entries_that_are_moved_to_their_place_are_read_in_the_order_on_screen() {
    reads(
        "position: relative; height: 2em",
        "[3, 1, 4, 0, 2].forEach(index => { const entry = payout(entries[index]); entry.style.cssText = `position: absolute; transform: translateX(${index * 80}px)`; block.append(entry); });",
    )
    .await;
}

#[tokio::test]
async fn entries_in_lines_or_columns_are_read_in_the_order_of_the_document() {
    let plain = "entries.forEach(text => block.append(payout(text)));";
    reads("width: 130px; display: flex; flex-wrap: wrap; gap: 8px", plain).await;
    reads("display: grid; grid-auto-flow: column; grid-template-rows: 1fr 1fr", plain).await;
    reads("direction: rtl; display: flex", plain).await;
    reads("display: none", plain).await;
}

#[tokio::test]
async fn a_list_in_an_open_shadow_root_is_read() {
    let page = format!(
        "<!doctype html><game-list></game-list><script>{ENTRIES}
         const root = document.querySelector('game-list').attachShadow({{ mode: 'open' }});
         root.innerHTML = '<div><div class=payouts-block></div></div>';
         for (const text of entries) {{
           const entry = payout('');
           entry.attachShadow({{ mode: 'open' }}).innerHTML = `<style>b {{ color: red }}</style><b>${{text}}</b>`;
           root.querySelector('.payouts-block').append(entry);
         }}</script>"
    );
    let mut page = within("the browser", Page::open(&page, "")).await;
    within("a list", page.source.connect()).await.unwrap();
    assert_eq!(within("a list", page.list()).await, ["1.01", "2.02", "3.03", "4.04", "5.05"]);
}

#[tokio::test]
async fn a_closed_shadow_root_is_named() {
    let page = format!(
        "<!doctype html><style>game-list {{ display: block; height: 3em }}</style><game-list></game-list><script>{ENTRIES}
         const root = document.querySelector('game-list').attachShadow({{ mode: 'closed' }});
         entries.forEach(text => root.append(payout(text)));</script>"
    );
    let mut page = within("the browser", Page::open(&page, "")).await;
    let error = within("an error", page.error()).await.to_string();
    assert!(error.contains("the contents of <game-list> are in a closed shadow root"), "{error}");
}

/// The game's frame is on the site of its page, whose address does not match: it has no target of its own.
#[tokio::test]
async fn a_frame_within_a_page_that_does_not_match_is_found() {
    let frame = format!(
        "<!doctype html><div class=payouts-block></div><script>{ENTRIES}
         entries.forEach(text => document.querySelector('.payouts-block').append(payout(text)));</script>"
    );
    let decoy = "<div class=payouts-block><i class=payout>9.01x</i><i class=payout>9.02x</i><i class=payout>9.03x</i></div>";
    let page = format!("<!doctype html>{decoy}<iframe src='/aviator?token=SECRET'></iframe>");
    let mut page = within("the browser", Page::open(&page, &frame)).await;
    within("a list", page.source.connect()).await.unwrap();
    assert_eq!(within("a list", page.list()).await, ["1.01", "2.02", "3.03", "4.04", "5.05"]);
}

/// Sends a round 20 times a second on every socket.
async fn play(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let mut pace = tokio::time::interval(std::time::Duration::from_millis(50));
        for id in 1.. {
            pace.tick().await;
            let fields = vec![("roundId", Int(id)), ("maxMultiplier", Double(2.5))];
            let round = packet(&call("roundChartInfo", fields));
            if socket.send(Message::binary(round)).await.is_err() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_socket_of_a_worker_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut game = JoinSet::new();
    game.spawn(play(listener));
    let page = format!(
        "<!doctype html><script>const work = \"new WebSocket('ws://127.0.0.1:{port}/BlueBox/websocket')\";
         window.worker = new Worker(URL.createObjectURL(new Blob([work])));</script>"
    );
    let mut page = within("the browser", Page::open(&page, "")).await;
    within("a round", page.source.connect()).await.unwrap();
    assert_eq!(within("a round", page.round()).await, (true, 250));
}

/// Counts everything by which a page could notice a reader: changes of the document, events, names in the global object,
/// calls of the functions that a reader needs, and requests.
const WATCH: &str = "
    window.noticed = [];
    new MutationObserver(changes => noticed.push(`${changes.length} changes`))
      .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    // The device's position is reported to whoever asks for it, even without a device.
    for (const name of Object.getOwnPropertyNames(window).filter(name => /^on(?!device)/.test(name)))
      addEventListener(name.slice(2), event => noticed.push(`event ${event.type}`), true);
    const patch = (object, name) => {
      const property = Object.getOwnPropertyDescriptor(object, name);
      const kind = property.get ? 'get' : 'value', original = property[kind];
      property[kind] = function (...given) { noticed.push(`call ${name}`); return original.apply(this, given); };
      Object.defineProperty(object, name, property);
    };
    patch(Document.prototype, 'querySelectorAll');
    patch(Element.prototype, 'querySelectorAll');
    patch(Element.prototype, 'closest');
    patch(Element.prototype, 'getBoundingClientRect');
    patch(Element.prototype, 'shadowRoot');
    patch(HTMLElement.prototype, 'offsetTop');
    patch(HTMLElement.prototype, 'offsetLeft');
    patch(Node.prototype, 'textContent');
    patch(Array.prototype, 'sort');
    patch(JSON, 'stringify');
    patch(window, 'getComputedStyle');
    window.names = Object.getOwnPropertyNames(window).length;
    window.requests = performance.getEntriesByType('resource').length;
    window.watched = true;";

#[tokio::test]
async fn a_page_cannot_notice_that_it_is_read() {
    // Without the link, the browser requests an icon at some time.
    let page = format!(
        "<!doctype html><link rel=icon href='data:,'><style>.payouts-block {{ display: flex; flex-direction: row-reverse }}</style><div class=payouts-block></div>
         <script>{ENTRIES} entries.forEach(text => document.querySelector('.payouts-block').append(payout(text)));</script>"
    );
    let mut page = within("the browser", Page::open(&page, "")).await;
    let loaded = "performance.getEntriesByType('navigation')[0].loadEventEnd > 0";
    while page.driver.run(&page.tab, loaded).await != json!(true) {}
    // Before the source attaches, so that attaching could be noticed too.
    let is_watched =
        page.driver.run(&page.tab, &format!("(() => {{ {WATCH} return watched; }})()")).await;
    assert_eq!(is_watched, json!(true));
    within("a list", page.source.connect()).await.unwrap();
    for _ in 0..20 {
        within("a list", page.list()).await;
    }
    page.source.close().await;
    let added = "[window.noticed.join(), Object.getOwnPropertyNames(window).length - window.names, performance.getEntriesByType('resource').length - window.requests]";
    let noticed: Value = page.driver.run(&page.tab, added).await;
    // The names `names`, `requests` and `watched` are this test's.
    assert_eq!(noticed, json!(["", 3, 0]));
}
