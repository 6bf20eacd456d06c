//! The connection to a browser: sends commands, matches answers to them, and queues events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use super::event::Head;
use super::{Command, Event, SessionId};

/// Timeout of a command; a frozen tab never answers.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Capacity of the event queue; events beyond it are dropped and counted.
const EVENTS_MAX: usize = 4096;
/// Capacity of the queue of commands to be sent.
const COMMANDS_MAX: usize = 64;
/// Maximum size of a message in bytes. A message may contain a whole WebSocket message of a page.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Maximum size in bytes of an event that is kept; the game's messages are a few kilobytes long.
const EVENT_BYTES_MAX: usize = 1 << 20;

type BrowserSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type CallResult = Result<Value, Refusal>;

/// Why a command has no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The connection to the browser is closed.
    #[error("the connection to the browser is closed")]
    Closed,
    /// No answer in time: the tab is frozen or crashed, or the browser hangs.
    #[error("{0} was not answered within {ANSWER_MAX:?}")]
    TimedOut(&'static str),
    /// The target, and its session with it, no longer exists.
    #[error("the session is gone")]
    SessionGone,
    /// The frame has loaded another page since the context was created.
    #[error("the frame's page is gone")]
    ContextGone,
    /// The browser refused the command.
    #[error("{method} was refused: {message}")]
    Refused {
        /// The command.
        method: &'static str,
        /// The browser's reason.
        message: String,
    },
    /// The answer does not follow the protocol.
    #[error("the answer to {0} does not follow the protocol")]
    Unexpected(&'static str),
}

#[derive(Deserialize, Debug)]
struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
}

/// Commands without an answer yet, by id; `None` once the connection is closed.
type Pending = Mutex<Option<HashMap<u64, oneshot::Sender<CallResult>>>>;

/// One connection to a browser. Dropping it closes the connection.
#[derive(Debug)]
pub struct Client {
    commands: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    /// The tasks that read from and write to the socket.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    pending: Pending,
    next_id: AtomicU64,
    dropped: AtomicU64,
    close_reason: Mutex<Option<String>>,
}

/// Events of the browser, in order.
#[derive(Debug)]
pub struct Events {
    queue: mpsc::Receiver<Event>,
    shared: Arc<Shared>,
}

impl Events {
    /// Returns the next event; `None` once the connection is closed.
    pub async fn next(&mut self) -> Option<Event> {
        self.queue.recv().await
    }

    /// Returns why the connection was closed.
    pub fn close_reason(&self) -> String {
        let close_reason = self.shared.close_reason.lock().unwrap_or_else(PoisonError::into_inner);
        close_reason.clone().unwrap_or_else(|| "the connection was dropped".to_owned())
    }

    /// Returns how many events were dropped because the queue was full or they were too large.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Client {
    /// Connects to a browser's debugging socket.
    ///
    /// # Errors
    ///
    /// The connection is refused, or the server does not complete a WebSocket handshake.
    pub async fn connect(url: &Url) -> Result<(Self, Events), tungstenite::Error> {
        let socket = match open(url, None).await {
            // Some builds hang up on clients that send no Origin header.
            Err(error) if is_hang_up(&error) => {
                let port = url.port_or_known_default().unwrap_or(0);
                open(url, Some(format!("http://127.0.0.1:{port}"))).await?
            }
            other => other?,
        };
        let (sink, stream) = socket.split();
        let (commands, outgoing) = mpsc::channel(COMMANDS_MAX);
        let (events, queue) = mpsc::channel(EVENTS_MAX);
        let shared = Arc::new(Shared {
            pending: Mutex::new(Some(HashMap::new())),
            next_id: AtomicU64::new(1),
            dropped: AtomicU64::new(0),
            close_reason: Mutex::new(None),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(write(sink, outgoing));
        tasks.spawn(read(stream, Arc::clone(&shared), events));
        let events = Events { queue, shared: Arc::clone(&shared) };
        Ok((Self { commands, shared, _tasks: tasks }, events))
    }

    /// Sends a command to the browser, or to the target of `session`, and returns the answer.
    ///
    /// # Errors
    ///
    /// The browser did not answer in time, or refused the command.
    pub async fn call(
        &self,
        command: Command<'_>,
        session: Option<&SessionId>,
    ) -> Result<Value, CallError> {
        let method = command.method();
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let mut message = json!({ "id": id, "method": method, "params": command.parameters() });
        if let Some(session) = session {
            message["sessionId"] = session.0.as_str().into();
        }
        let (answer_tx, answer_rx) = oneshot::channel();
        let guard = PendingGuard { shared: &self.shared, id };
        self.shared.expect_answer(id, answer_tx)?;
        let exchange = async {
            let text = Message::text(message.to_string());
            self.commands.send(text).await.map_err(|_| CallError::Closed)?;
            answer_rx.await.map_err(|_| CallError::Closed)
        };
        let answer = timeout(ANSWER_MAX, exchange).await;
        drop(guard);
        match answer.map_err(|_| CallError::TimedOut(method))?? {
            Ok(value) => Ok(value),
            Err(refusal) => Err(refusal.into_call_error(method)),
        }
    }

    /// Sends the commands that are queued, then closes the connection.
    pub async fn close(&self) {
        if self.commands.send(Message::Close(None)).await.is_ok() {
            self.commands.closed().await;
        }
    }
}

/// Removes a pending command when its caller stops waiting, for whatever reason.
struct PendingGuard<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for PendingGuard<'_> {
    fn drop(&mut self) {
        self.shared.take_pending(self.id);
    }
}

impl Shared {
    fn expect_answer(
        &self,
        id: u64,
        answer_tx: oneshot::Sender<CallResult>,
    ) -> Result<(), CallError> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.as_mut().ok_or(CallError::Closed)?.insert(id, answer_tx);
        Ok(())
    }

    fn take_pending(&self, id: u64) -> Option<oneshot::Sender<CallResult>> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.as_mut()?.remove(&id)
    }

    fn close(&self, reason: String) {
        *self.close_reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        // Pending commands fail at once instead of timing out.
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Refusal {
    fn into_call_error(self, method: &'static str) -> CallError {
        match self.code {
            -32001 => CallError::SessionGone,
            -32000 if self.message.contains("Cannot find context") => CallError::ContextGone,
            _ => CallError::Refused { method, message: self.message },
        }
    }
}

async fn open(url: &Url, origin: Option<String>) -> Result<BrowserSocket, tungstenite::Error> {
    let mut request = url.as_str().into_client_request()?;
    if let Some(origin) = origin.and_then(|origin| HeaderValue::try_from(origin).ok()) {
        request.headers_mut().insert("Origin", origin);
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    Ok(connect_async_with_config(request, Some(config), true).await?.0)
}

/// Returns whether the other side closed the connection instead of answering the handshake.
fn is_hang_up(error: &tungstenite::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        tungstenite::Error::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        }
        tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete)
        | tungstenite::Error::ConnectionClosed => true,
        _ => false,
    }
}

async fn write(mut sink: SplitSink<BrowserSocket, Message>, mut outgoing: mpsc::Receiver<Message>) {
    while let Some(message) = outgoing.recv().await {
        let is_last = message.is_close();
        // The reading task sees the error too, and reports it.
        if sink.send(message).await.is_err() || is_last {
            break;
        }
    }
}

async fn read(
    mut stream: SplitStream<BrowserSocket>,
    shared: Arc<Shared>,
    events: mpsc::Sender<Event>,
) {
    let reason = loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => dispatch(&text, &shared, &events),
            Some(Ok(Message::Close(Some(frame)))) => {
                break format!("the browser closed the connection ({})", u16::from(frame.code));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => break format!("the connection to the browser broke: {error}"),
            None => break "the browser closed the connection".to_owned(),
        }
    };
    shared.close(reason);
}

fn dispatch(text: &str, shared: &Shared, events: &mpsc::Sender<Event>) {
    let Ok(head) = serde_json::from_str::<Head<'_>>(text) else { return };
    if let Some(id) = head.id {
        if let Some(answer_tx) = shared.take_pending(id) {
            // The caller may have stopped waiting.
            drop(answer_tx.send(answer(text)));
        }
        return;
    }
    let is_too_large = text.len() > EVENT_BYTES_MAX;
    let Some(event) = Event::from_message(head, text) else { return };
    if is_too_large || events.try_send(event).is_err() {
        shared.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

fn answer(text: &str) -> CallResult {
    #[derive(Deserialize)]
    struct ReplyBody {
        #[serde(default)]
        result: Value,
        error: Option<Refusal>,
    }
    match serde_json::from_str::<ReplyBody>(text) {
        Ok(ReplyBody { error: Some(refusal), .. }) => Err(refusal),
        Ok(ReplyBody { result, .. }) => Ok(result),
        Err(error) => Err(Refusal { code: 0, message: error.to_string() }),
    }
}
