//! Server-sent events: table loops publish them, clients subscribe.
//!
//! The stream only says that something is new; clients read the state itself from `/api/status`. A
//! slow client that misses events therefore loses no data: it gets `resync` and reads the status.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web_lab::sse;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::api_json;
use crate::config::{EVENT_STREAMS_MAX, EVENT_STREAMS_PER_CLIENT_MAX};

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
    by_address: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    stop: CancellationToken,
}

impl Events {
    /// Returns a channel whose streams end when `stop` is cancelled.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self {
            sender,
            published: Arc::default(),
            clients: Arc::default(),
            by_address: Arc::default(),
            stop,
        }
    }

    /// Sends an event to all open streams.
    pub(crate) fn publish(&self, topic: Topic, data: &impl Serialize) {
        let id = self.published.fetch_add(1, Ordering::Relaxed) + 1;
        let data = api_json::to_string(data);
        // An error means that no stream is open.
        drop(self.sender.send(Event { id, topic, data }));
    }

    /// Returns the number of open streams.
    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Opens a stream of the events from now on; `None` if [`EVENT_STREAMS_MAX`] are open already, or
    /// [`EVENT_STREAMS_PER_CLIENT_MAX`] to this address.
    pub(crate) fn stream(
        &self,
        address: Option<IpAddr>,
    ) -> Option<impl Stream<Item = sse::Event> + use<>> {
        let client = Client::admit(self, address.filter(|address| !address.is_loopback()))?;
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
struct Client {
    clients: Arc<AtomicUsize>,
    by_address: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    /// The address that the stream counts for.
    address: Option<IpAddr>,
}

impl Client {
    fn admit(events: &Events, address: Option<IpAddr>) -> Option<Self> {
        let (clients, by_address) = (Arc::clone(&events.clients), Arc::clone(&events.by_address));
        let client = Self { clients, by_address, address };
        let before = client.clients.fetch_add(1, Ordering::Relaxed);
        let of_address = address.map_or(0, |address| {
            let mut by_address = client.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let open = by_address.entry(address).or_default();
            *open += 1;
            *open
        });
        let has_room = before < EVENT_STREAMS_MAX && of_address <= EVENT_STREAMS_PER_CLIENT_MAX;
        has_room.then_some(client)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = by_address.get_mut(&address) {
            *open -= 1;
            if *open == 0 {
                by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_streams_and_gets_its_own_back() {
        let events = Events::new(CancellationToken::new());
        let open = |address: [u8; 4]| events.stream(Some(IpAddr::from(address)));
        let mut held: Vec<_> =
            (0..EVENT_STREAMS_PER_CLIENT_MAX).map(|_| open([10, 0, 0, 7]).unwrap()).collect();
        assert!(open([10, 0, 0, 7]).is_none());
        assert!(open([10, 0, 0, 8]).is_some());
        held.pop();
        assert!(open([10, 0, 0, 7]).is_some());
        drop(held);
        assert!(events.by_address.lock().unwrap().is_empty());
        assert_eq!(events.clients(), 0);
    }

    #[test]
    fn a_proxy_on_this_machine_may_open_all_streams() {
        let events = Events::new(CancellationToken::new());
        let held: Vec<_> = (0..EVENT_STREAMS_MAX)
            .map(|_| events.stream(Some([127, 0, 0, 1].into())).unwrap())
            .collect();
        assert!(events.stream(Some([10, 0, 0, 7].into())).is_none());
        drop(held);
    }
}
