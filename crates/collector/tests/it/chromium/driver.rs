//! Controls the browser for the test, over its own connection: the collector's client can only read.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A connection that controls the browser.
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

    /// Opens a tab; returns its session.
    pub(crate) async fn open(&mut self, url: &str) -> String {
        let tab = self.call(None, "Target.createTarget", json!({ "url": url })).await;
        self.attach(tab["targetId"].as_str().unwrap()).await
    }

    /// Waits for the frame whose URL starts with `prefix`; returns its session.
    pub(crate) async fn frame(&mut self, prefix: &str) -> String {
        let target = self.target(prefix, |_| true).await;
        self.attach(&target).await
    }

    /// Like [`Driver::frame`], but also waits until another client is attached to the frame.
    pub(crate) async fn watched_frame(&mut self, prefix: &str) -> String {
        let target = self.target(prefix, |target| target["attached"] == true).await;
        self.attach(&target).await
    }

    async fn target(&mut self, prefix: &str, matches: impl Fn(&Value) -> bool) -> String {
        loop {
            let filter = json!({ "filter": [{ "type": "iframe" }] });
            let targets = self.call(None, "Target.getTargets", filter).await;
            let is_wanted = |target: &&Value| {
                target["url"].as_str().is_some_and(|url| url.starts_with(prefix)) && matches(target)
            };
            if let Some(target) = targets["targetInfos"].as_array().unwrap().iter().find(is_wanted)
            {
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

    /// Runs a script in the page's own context.
    pub(crate) async fn run(&mut self, session: &str, script: &str) -> Value {
        let parameters = json!({ "expression": script, "returnByValue": true });
        self.call(Some(session), "Runtime.evaluate", parameters).await["result"]["value"].clone()
    }

    /// Crashes the process of a tab or frame, and waits until the browser reports it.
    pub(crate) async fn crash(&mut self, session: &str) {
        // The crashed process never answers.
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

    /// Waits for an event whose name starts with `prefix`.
    async fn event(&mut self, prefix: &str) {
        loop {
            let message = match self.events.pop_front() {
                Some(message) => message,
                None => self.receive().await,
            };
            if message["method"].as_str().is_some_and(|method| method.starts_with(prefix)) {
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
