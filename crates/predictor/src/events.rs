//! Server-sent events: table loops publish them, clients subscribe.
//!
//! The stream only says that something is new; clients read the state itself from `/api/status`. A
//! slow client that misses events therefore loses no data: it gets `resync` and reads the status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix_web_lab::sse;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::config::EVENT_STREAMS_MAX;

/// Events a slow client may be behind before it gets `resync` instead.
const BACKLOG: usize = 64;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A round has been read.
    Round,
    /// A forecast has been issued.
    Forecast,
    /// A training has started, progressed, ended or failed.
    Training,
    /// The data have been read again, or the directory has changed.
    Data,
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Self::Round => "new-round",
            Self::Forecast => "forecast",
            Self::Training => "training",
            Self::Data => "data",
        }
    }
}

#[derive(Debug, Clone)]
struct Event {
    id: u64,
    topic: Topic,
    data: String,
}

/// The channel from table loops to event streams.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    sender: broadcast::Sender<Event>,
    published: Arc<AtomicU64>,
    clients: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Events {
    /// Returns a channel whose streams end when `stop` is cancelled.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self { sender, published: Arc::default(), clients: Arc::default(), stop }
    }

    /// Sends an event to all open streams.
    pub(crate) fn publish(&self, topic: Topic, data: &impl Serialize) {
        let id = self.published.fetch_add(1, Ordering::Relaxed) + 1;
        let data = serde_json::to_string(data).expect("events are plain data");
        // An error means that no stream is open.
        drop(self.sender.send(Event { id, topic, data }));
    }

    /// Returns the number of open streams.
    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Opens a stream of the events from now on; `None` if [`EVENT_STREAMS_MAX`] are open already.
    pub(crate) fn stream(&self) -> Option<impl Stream<Item = sse::Event> + use<>> {
        let client = Client::admit(&self.clients)?;
        let published = self.published.load(Ordering::Relaxed);
        let hello = sse::Data::new(format!("{{\"published\":{published}}}"));
        let start = Some(sse::Event::Data(hello.event("ready")));
        let listener = Listener {
            start,
            receiver: self.sender.subscribe(),
            stop: self.stop.clone(),
            _client: client,
        };
        Some(stream::unfold(listener, async |mut listener| {
            let event = listener.next().await?;
            Some((event, listener))
        }))
    }
}

struct Listener {
    start: Option<sse::Event>,
    receiver: broadcast::Receiver<Event>,
    stop: CancellationToken,
    _client: Client,
}

impl Listener {
    async fn next(&mut self) -> Option<sse::Event> {
        if let Some(start) = self.start.take() {
            return Some(start);
        }
        tokio::select! {
            () = self.stop.cancelled() => None,
            received = self.receiver.recv() => match received {
                Ok(event) => {
                    let data = sse::Data::new(event.data).id(event.id.to_string());
                    Some(sse::Event::Data(data.event(event.topic.name())))
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    let data = sse::Data::new(format!("{{\"missed\":{missed}}}"));
                    Some(sse::Event::Data(data.event("resync")))
                }
                Err(broadcast::error::RecvError::Closed) => None,
            },
        }
    }
}

/// One of [`EVENT_STREAMS_MAX`] slots, released when dropped.
struct Client(Arc<AtomicUsize>);

impl Client {
    fn admit(clients: &Arc<AtomicUsize>) -> Option<Self> {
        let client = Self(Arc::clone(clients));
        let before = clients.fetch_add(1, Ordering::Relaxed);
        (before < EVENT_STREAMS_MAX).then_some(client)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
