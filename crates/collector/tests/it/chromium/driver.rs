//! The hands of the test: what a player does in the browser. On a connection of its own; the collector's has no hands.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A player.
#[derive(Debug)]
pub(crate) struct Driver {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    events: VecDeque<Value>,
}

impl Driver {
    pub(crate) async fn connect(socket: &str) -> Self {
        let (socket, _) = connect_async(socket).await.unwrap();
        let mut driver = Self { socket, last_id: 0, events: VecDeque::new() };
        driver.call(None, "Target.setDiscoverTargets", json!({ "discover": true })).await;
        driver
    }

    /// Opens a tab; gives its session.
    pub(crate) async fn open(&mut self, url: &str) -> String {
        let tab = self.call(None, "Target.createTarget", json!({ "url": url })).await;
        self.attach(tab["targetId"].as_str().unwrap()).await
    }

    /// The session of the frame whose address begins like this; waits for it.
    pub(crate) async fn frame(&mut self, begins: &str) -> String {
        let target = self.target(begins, |_| true).await;
        self.attach(&target).await
    }

    /// The same, once somebody else has attached to it.
    pub(crate) async fn watched_frame(&mut self, begins: &str) -> String {
        let target = self.target(begins, |target| target["attached"] == true).await;
        self.attach(&target).await
    }

    async fn target(&mut self, begins: &str, suits: impl Fn(&Value) -> bool) -> String {
        loop {
            let filter = json!({ "filter": [{ "type": "iframe" }] });
            let targets = self.call(None, "Target.getTargets", filter).await;
            let is_it = |target: &&Value| {
                target["url"].as_str().is_some_and(|url| url.starts_with(begins)) && suits(target)
            };
            if let Some(target) = targets["targetInfos"].as_array().unwrap().iter().find(is_it) {
                return target["targetId"].as_str().unwrap().to_owned();
            }
            self.event("Target.").await;
        }
    }

    async fn attach(&mut self, target: &str) -> String {
        let parameters = json!({ "targetId": target, "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", parameters).await;
        attached["sessionId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn reload(&mut self, tab: &str) {
        self.call(Some(tab), "Page.reload", json!({})).await;
    }

    /// Runs a script in the page, as the page's own would.
    pub(crate) async fn run(&mut self, session: &str, script: &str) -> Value {
        let parameters = json!({ "expression": script, "returnByValue": true });
        self.call(Some(session), "Runtime.evaluate", parameters).await["result"]["value"].clone()
    }

    /// Kills the process of a tab or frame, and waits until the browser has noticed.
    pub(crate) async fn crash(&mut self, session: &str) {
        // It is never answered: who would.
        self.send(Some(session), "Page.crash", json!({})).await;
        self.event("Target.targetCrashed").await;
    }

    pub(crate) async fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Value {
        let id = self.send(session, method, parameters).await;
        loop {
            let message = self.receive().await;
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    async fn send(&mut self, session: Option<&str>, method: &str, parameters: Value) -> u64 {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.socket.send(Message::text(message.to_string())).await.unwrap();
        self.last_id
    }

    /// Waits for an event whose name begins like this.
    async fn event(&mut self, begins: &str) {
        loop {
            let message = match self.events.pop_front() {
                Some(message) => message,
                None => self.receive().await,
            };
            if message["method"].as_str().is_some_and(|method| method.starts_with(begins)) {
                return;
            }
        }
    }

    async fn receive(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}
