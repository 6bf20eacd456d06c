//! A mock browser: the server side of the protocol, with tabs, lists and faults that the test controls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Every command that the collector may send. This repeats the product's list on purpose, so that it cannot be extended
/// unnoticed.
const ALLOWED_COMMANDS: [&str; 9] = [
    "Browser.getVersion",
    "Network.enable",
    "Page.createIsolatedWorld",
    "Page.getFrameTree",
    "Runtime.evaluate",
    "Target.attachToTarget",
    "Target.detachFromTarget",
    "Target.setAutoAttach",
    "Target.setDiscoverTargets",
];

/// The content of the browser, and its faults.
#[derive(Debug, Default)]
pub(crate) struct MockState {
    /// URL by target.
    pub(crate) tabs: BTreeMap<String, String>,
    /// The script's result by target.
    pub(crate) found: BTreeMap<String, Value>,
    /// Targets that do not answer.
    pub(crate) frozen: BTreeSet<String>,
    /// The browser does not answer.
    pub(crate) hangs: bool,
    /// The error of the next evaluation.
    pub(crate) error_once: Option<(i64, &'static str)>,
    /// The exception of the script.
    pub(crate) throws: Option<&'static str>,
    /// Connections without an Origin header are closed.
    pub(crate) wants_origin: bool,
    /// The commands received: method and session.
    pub(crate) commands: Vec<(String, String)>,
    attached: u32,
}

/// The mock browser.
#[derive(Debug)]
pub(crate) struct MockBrowser {
    state: Arc<Mutex<MockState>>,
    events: broadcast::Sender<Option<Value>>,
    pub(crate) port: u16,
    _server: JoinSet<()>,
}

impl Drop for MockBrowser {
    /// Checks, after every test, that the collector sent only allowed commands.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for (method, _) in &self.state().commands {
            assert!(
                ALLOWED_COMMANDS.contains(&method.as_str()),
                "{method} is not an allowed command"
            );
        }
    }
}

impl MockBrowser {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(MockState::default()));
        let (events, _) = broadcast::channel(16384);
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&state), events.clone()));
        Self { state, events, port, _server: server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, MockState> {
        self.state.lock().unwrap()
    }

    /// Returns how often a command was received.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.state().commands.iter().filter(|(received, _)| received == method).count()
    }

    /// Opens a tab, or changes its URL.
    pub(crate) fn tab(&self, target: &str, url: &str) {
        let before = self.state().tabs.insert(target.to_owned(), url.to_owned());
        let method =
            if before.is_some() { "Target.targetInfoChanged" } else { "Target.targetCreated" };
        self.event(
            None,
            method,
            &json!({ "targetInfo": { "targetId": target, "type": "page", "url": url } }),
        );
    }

    /// Closes a tab.
    pub(crate) fn close_tab(&self, target: &str) {
        self.state().tabs.remove(target);
        self.event(None, "Target.targetDestroyed", &json!({ "targetId": target }));
    }

    /// Sets the history list of a target, newest first.
    pub(crate) fn list(&self, target: &str, texts: &[&str]) {
        let found = json!([{ "selector": 0, "popup": false, "texts": texts }]);
        self.state().found.insert(target.to_owned(), found);
    }

    /// Opens a WebSocket in a target.
    pub(crate) fn socket(&self, target: &str, socket: &str, url: &str) {
        self.event(
            Some(target),
            "Network.webSocketCreated",
            &json!({ "requestId": socket, "url": url }),
        );
    }

    /// Delivers a binary message on a target's WebSocket.
    pub(crate) fn frame(&self, target: &str, socket: &str, message: &[u8]) {
        let response =
            json!({ "opcode": 2, "mask": false, "payloadData": STANDARD.encode(message) });
        let parameters = json!({ "requestId": socket, "timestamp": 1.5, "response": response });
        self.event(Some(target), "Network.webSocketFrameReceived", &parameters);
    }

    /// Sends an event of a target, or of the browser itself.
    pub(crate) fn event(&self, target: Option<&str>, method: &str, parameters: &Value) {
        let mut event = json!({ "method": method, "params": parameters });
        if let Some(target) = target {
            event["sessionId"] = format!("session of {target}").into();
        }
        // Without a connection the event is dropped.
        drop(self.events.send(Some(event)));
    }

    /// Breaks all connections without a close frame, as if the browser was killed.
    pub(crate) fn kill(&self) {
        drop(self.events.send(None));
    }
}

async fn serve(
    listener: TcpListener,
    state: Arc<Mutex<MockState>>,
    events: broadcast::Sender<Option<Value>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (state, events) = (Arc::clone(&state), events.subscribe());
        // A collector may disconnect at any time.
        connections.spawn(async move { drop(connection(stream, state, events).await) });
    }
}

async fn connection(
    mut stream: TcpStream,
    state: Arc<Mutex<MockState>>,
    mut events: broadcast::Receiver<Option<Value>>,
) -> Result<(), Error> {
    // Without delayed sending, because the paused clock would run on meanwhile.
    stream.set_nodelay(true)?;
    let mut head = vec![0; 8192];
    let length = stream.peek(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
    if head.starts_with("get /json/version ") {
        stream.read_exact(&mut vec![0; length]).await?;
        // The address as the browser sees it; the collector must keep the one it was given.
        let body = r#"{ "Browser": "Mock", "webSocketDebuggerUrl": "ws://inside.example:1/devtools/browser/mock" }"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        return Ok(());
    }
    if state.lock().unwrap().wants_origin && !head.contains("\r\norigin:") {
        return Ok(());
    }
    let mut socket = accept_async(stream).await?;
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(Message::Text(text))) = message else { return Ok(()) };
                let command: Value = serde_json::from_str(&text).unwrap();
                let answers = answers(&mut state.lock().unwrap(), &command);
                for message in answers {
                    socket.feed(Message::text(message.to_string())).await?;
                }
                socket.flush().await?;
            }
            event = events.recv() => match event {
                Ok(Some(event)) => socket.send(Message::text(event.to_string())).await?,
                Ok(None) | Err(_) => return Ok(()),
            },
        }
    }
}

/// Returns the browser's answer to a command, and the events that it causes.
fn answers(state: &mut MockState, command: &Value) -> Vec<Value> {
    let method = command["method"].as_str().unwrap();
    let session = command["sessionId"].as_str().unwrap_or_default();
    state.commands.push((method.to_owned(), session.to_owned()));
    let target = session.strip_prefix("session of ").unwrap_or_default();
    if state.hangs || state.frozen.contains(target) {
        return Vec::new();
    }
    let id = &command["id"];
    let result = |result: Value| json!({ "id": id, "result": result, "sessionId": session });
    let error = |code: i64, message: &str| json!({ "id": id, "error": { "code": code, "message": message } });
    match method {
        "Target.setDiscoverTargets" => {
            let created = |(target, url): (&String, &String)| {
                let info = json!({ "targetId": target, "type": "page", "url": url });
                json!({ "method": "Target.targetCreated", "params": { "targetInfo": info } })
            };
            state.tabs.iter().map(created).chain([result(json!({}))]).collect()
        }
        "Target.attachToTarget" => {
            let target = command["params"]["targetId"].as_str().unwrap();
            let Some(url) = state.tabs.get(target) else {
                return vec![error(-32602, "No target with given id found")];
            };
            state.attached += 1;
            let info = json!({ "targetId": target, "type": "page", "url": url });
            let session = format!("session of {target}");
            let attached = json!({ "sessionId": session, "targetInfo": info });
            vec![
                json!({ "method": "Target.attachedToTarget", "params": attached }),
                result(json!({ "sessionId": session })),
            ]
        }
        _ if !session.is_empty() && !state.tabs.contains_key(target) => {
            vec![error(-32001, "Session with given id not found.")]
        }
        "Page.getFrameTree" => {
            let frame = json!({ "id": target, "url": state.tabs[target] });
            vec![result(json!({ "frameTree": { "frame": frame } }))]
        }
        "Page.createIsolatedWorld" => vec![result(json!({ "executionContextId": 7 }))],
        "Runtime.evaluate" => {
            if let Some((code, message)) = state.error_once.take() {
                return vec![error(code, message)];
            }
            if let Some(exception) = state.throws {
                let details =
                    json!({ "exceptionId": 1, "exception": { "description": exception } });
                return vec![result(json!({ "result": {}, "exceptionDetails": details }))];
            }
            let found = state.found.get(target).cloned().unwrap_or(json!([]));
            vec![result(json!({ "result": { "type": "string", "value": found.to_string() } }))]
        }
        _ => vec![result(json!({}))],
    }
}

/// The page for users lists every command, and no other.
#[test]
fn the_documented_commands_are_the_allowed_ones() {
    let page = include_str!("../../../../docs/how-to/record-from-a-browser.md");
    let (_, section) = page.split_once("## What it sends to the browser\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let first_columns =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let documented: BTreeSet<&str> = first_columns
        .flat_map(|column| column.split(", "))
        .map(|command| command.trim_matches('`'))
        .collect();
    assert_eq!(documented, BTreeSet::from(ALLOWED_COMMANDS));
}
