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

/// How long the browser may take to answer. A frozen tab never does.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Events that may wait to be read; more are counted and lost.
const EVENTS_MAX: usize = 4096;
/// Commands that may wait to be sent.
const COMMANDS_MAX: usize = 64;
/// The largest message taken at all, in bytes. The browser packs whole socket messages of a page into one.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// The largest event kept; messages of the game have a few kilobytes.
const EVENT_BYTES_MAX: usize = 1 << 20;

type BrowserSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type CallResult = Result<Value, Refusal>;

/// Why a command has no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The connection to the browser is gone.
    #[error("the connection to the browser is closed")]
    Closed,
    /// No answer in time: a frozen or crashed tab, or a browser that hangs.
    #[error("{0} was not answered within {ANSWER_MAX:?}")]
    TimedOut(&'static str),
    /// The target is gone, and its session with it.
    #[error("the session is gone")]
    SessionGone,
    /// The frame has loaded another page since.
    #[error("the frame's page is gone")]
    ContextGone,
    /// The browser refuses.
    #[error("{method} was refused: {message}")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// What it answered.
        message: String,
    },
    /// The answer is not what the protocol promises.
    #[error("{0} was answered with something else")]
    Unexpected(&'static str),
}

#[derive(Deserialize, Debug)]
struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
}

/// Waiting commands by id; `None` once the connection is gone.
type Pending = Mutex<Option<HashMap<u64, oneshot::Sender<CallResult>>>>;

/// One connection to a browser. Dropping it closes the connection.
#[derive(Debug)]
pub struct Client {
    commands: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    /// The reading and the writing task.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    pending: Pending,
    next_id: AtomicU64,
    lost: AtomicU64,
    ended: Mutex<Option<String>>,
}

/// What the browser tells unasked, in order.
#[derive(Debug)]
pub struct Events {
    queue: mpsc::Receiver<Event>,
    shared: Arc<Shared>,
}

impl Events {
    /// The next event; none when the connection is gone.
    pub async fn next(&mut self) -> Option<Event> {
        self.queue.recv().await
    }

    /// Why the connection is gone.
    pub fn close_reason(&self) -> String {
        let ended = self.shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.clone().unwrap_or_else(|| "the connection was dropped".to_owned())
    }

    /// Events that were lost because nobody read them in time, or because they were too large.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Client {
    /// Connects to a browser's debugging socket.
    ///
    /// # Errors
    ///
    /// Nobody answers, or not as a browser does.
    pub async fn connect(url: &Url) -> Result<(Self, Events), tungstenite::Error> {
        let socket = match open(url, None).await {
            // Some builds hang up on whoever does not say where they are from.
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
            lost: AtomicU64::new(0),
            ended: Mutex::new(None),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(write(sink, outgoing));
        tasks.spawn(read(stream, Arc::clone(&shared), events));
        let events = Events { queue, shared: Arc::clone(&shared) };
        Ok((Self { commands, shared, _tasks: tasks }, events))
    }

    /// Asks the browser, or one of its targets, and waits for the answer.
    ///
    /// # Errors
    ///
    /// No answer, or a refusal.
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
        let (answer, answered) = oneshot::channel();
        let guard = PendingGuard { shared: &self.shared, id };
        self.shared.wait(id, answer)?;
        let asked = async {
            let text = Message::text(message.to_string());
            self.commands.send(text).await.map_err(|_| CallError::Closed)?;
            answered.await.map_err(|_| CallError::Closed)
        };
        let answer = timeout(ANSWER_MAX, asked).await;
        drop(guard);
        match answer.map_err(|_| CallError::TimedOut(method))?? {
            Ok(value) => Ok(value),
            Err(refusal) => Err(refusal.into_call_error(method)),
        }
    }

    /// Says goodbye: what is left to send is sent, then the closing word.
    pub async fn close(&self) {
        if self.commands.send(Message::Close(None)).await.is_ok() {
            self.commands.closed().await;
        }
    }
}

/// Forgets a command that is no longer waited for, however the waiting ended.
struct PendingGuard<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for PendingGuard<'_> {
    fn drop(&mut self) {
        self.shared.forget(self.id);
    }
}

impl Shared {
    fn wait(&self, id: u64, answer: oneshot::Sender<CallResult>) -> Result<(), CallError> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.as_mut().ok_or(CallError::Closed)?.insert(id, answer);
        Ok(())
    }

    fn forget(&self, id: u64) -> Option<oneshot::Sender<CallResult>> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.as_mut()?.remove(&id)
    }

    fn end(&self, why: String) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        // Whoever still waits fails at once instead of timing out.
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

/// There was a connection, and it was closed instead of answered.
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
        // The reading task learns of an error too, and says why.
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
    let why = loop {
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
    shared.end(why);
}

fn dispatch(text: &str, shared: &Shared, events: &mpsc::Sender<Event>) {
    let Ok(head) = serde_json::from_str::<Head<'_>>(text) else { return };
    if let Some(id) = head.id {
        if let Some(guard) = shared.forget(id) {
            // Whoever asked may have stopped waiting meanwhile.
            drop(guard.send(answer(text)));
        }
        return;
    }
    let too_large = text.len() > EVENT_BYTES_MAX;
    let Some(event) = Event::of(head, text) else { return };
    if too_large || events.try_send(event).is_err() {
        shared.lost.fetch_add(1, Ordering::Relaxed);
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
