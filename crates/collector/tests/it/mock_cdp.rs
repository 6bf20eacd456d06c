//! A browser that says what the test wants: the server half of the protocol, with tabs, lists and faults on order.

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

/// Everything a collector may ask. The product has this list in a type; here it stands again, so that neither changes alone.
const LOOKING: [&str; 8] = [
    "Browser.getVersion",
    "Network.enable",
    "Page.createIsolatedWorld",
    "Page.getFrameTree",
    "Runtime.evaluate",
    "Target.attachToTarget",
    "Target.detachFromTarget",
    "Target.setDiscoverTargets",
];

/// What the browser shows, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// URL by target.
    pub(crate) tabs: BTreeMap<String, String>,
    /// What the script finds in a target, as it answers.
    pub(crate) found: BTreeMap<String, Value>,
    /// Targets that answer nothing.
    pub(crate) frozen: BTreeSet<String>,
    /// The browser itself answers nothing.
    pub(crate) hangs: bool,
    /// The next evaluation's error.
    pub(crate) error_once: Option<(i64, &'static str)>,
    /// What the script throws.
    pub(crate) throws: Option<&'static str>,
    /// Connections that do not say where they are from are closed.
    pub(crate) wants_origin: bool,
    /// What was asked: method and session.
    pub(crate) asked: Vec<(String, String)>,
    attached: u32,
}

/// The browser.
#[derive(Debug)]
pub(crate) struct Mock {
    state: Arc<Mutex<State>>,
    events: broadcast::Sender<Option<Value>>,
    pub(crate) port: u16,
    _server: JoinSet<()>,
}

impl Drop for Mock {
    /// Whatever a test is about, its collector must only have looked.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for (method, _) in &self.state().asked {
            assert!(LOOKING.contains(&method.as_str()), "{method} does more than look");
        }
    }
}

impl Mock {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let (events, _) = broadcast::channel(16384);
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&state), events.clone()));
        Self { state, events, port, _server: server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often this was asked so far.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.state().asked.iter().filter(|(asked, _)| asked == method).count()
    }

    /// A tab opens, or goes elsewhere.
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

    /// A tab closes.
    pub(crate) fn close_tab(&self, target: &str) {
        self.state().tabs.remove(target);
        self.event(None, "Target.targetDestroyed", &json!({ "targetId": target }));
    }

    /// What a target's history list shows from now on, newest first.
    pub(crate) fn list(&self, target: &str, texts: &[&str]) {
        let found = json!([{ "selector": 0, "popup": false, "texts": texts }]);
        self.state().found.insert(target.to_owned(), found);
    }

    /// A socket of the target's opens.
    pub(crate) fn socket(&self, target: &str, socket: &str, url: &str) {
        self.event(
            Some(target),
            "Network.webSocketCreated",
            &json!({ "requestId": socket, "url": url }),
        );
    }

    /// A binary message arrives in the target's socket.
    pub(crate) fn frame(&self, target: &str, socket: &str, message: &[u8]) {
        let response =
            json!({ "opcode": 2, "mask": false, "payloadData": STANDARD.encode(message) });
        let parameters = json!({ "requestId": socket, "timestamp": 1.5, "response": response });
        self.event(Some(target), "Network.webSocketFrameReceived", &parameters);
    }

    /// Anything else that a browser says; about a target, or about itself.
    pub(crate) fn event(&self, target: Option<&str>, method: &str, parameters: &Value) {
        let mut event = json!({ "method": method, "params": parameters });
        if let Some(target) = target {
            event["sessionId"] = format!("session of {target}").into();
        }
        // Nobody may be listening yet; then the event is nobody's.
        drop(self.events.send(Some(event)));
    }

    /// The browser is killed: connections break without a closing word.
    pub(crate) fn kill(&self) {
        drop(self.events.send(None));
    }
}

async fn serve(
    listener: TcpListener,
    state: Arc<Mutex<State>>,
    events: broadcast::Sender<Option<Value>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (state, events) = (Arc::clone(&state), events.subscribe());
        // A collector may hang up at any time.
        connections.spawn(async move { drop(connection(stream, state, events).await) });
    }
}

async fn connection(
    mut stream: TcpStream,
    state: Arc<Mutex<State>>,
    mut events: broadcast::Receiver<Option<Value>>,
) -> Result<(), Error> {
    // Small messages must not wait for one another: the paused clock would not.
    stream.set_nodelay(true)?;
    let mut head = vec![0; 8192];
    let length = stream.peek(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
    if head.starts_with("get /json/version ") {
        stream.read_exact(&mut vec![0; length]).await?;
        // As the browser sees itself; the collector must stay with the address it was given.
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

/// What the browser answers to a command, events included.
fn answers(state: &mut State, command: &Value) -> Vec<Value> {
    let method = command["method"].as_str().unwrap();
    let session = command["sessionId"].as_str().unwrap_or_default();
    state.asked.push((method.to_owned(), session.to_owned()));
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
            if let Some(what) = state.throws {
                let details = json!({ "exceptionId": 1, "exception": { "description": what } });
                return vec![result(json!({ "result": {}, "exceptionDetails": details }))];
            }
            let found = state.found.get(target).cloned().unwrap_or(json!([]));
            vec![result(json!({ "result": { "type": "string", "value": found.to_string() } }))]
        }
        _ => vec![result(json!({}))],
    }
}
