//! The sse source: JSON in server-sent events, over one HTTP answer that does not end.

mod event_stream;

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::clock;
use crate::config_error::ConfigError;
use crate::feed::address::FeedAddress;
use crate::feed::error::{excerpt, from_status, tolerate};
use crate::feed::health::FeedHealth;
use crate::feed::reader::Reader;
use crate::feed::{Feed, FeedOptions, diagnostics};
use crate::finding::Finding;
use crate::observation::{Observation, Report};
use crate::order::Order;
use crate::source_error::SourceError;
use crate::sources::http::client;
use event_stream::{EventStream, TooLong};

/// The media type of server-sent events.
pub(super) const MEDIA_TYPE: &str = "text/event-stream";
/// Time without a byte after which the connection is given up; most servers send a comment every 15 seconds.
const IDLE: Duration = Duration::from_mins(5);
/// How often a busy feed is reported as alive.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Reads JSON from server-sent events.
pub struct Sse {
    address: FeedAddress,
    client: Client,
    timeout: Duration,
    bytes_max: usize,
    reader: Reader,
    health: FeedHealth,
    /// The id of the last event; a server that knows it sends what came after.
    last_id: String,
    /// The pause before a new connection that the server asks for.
    retry: Option<Duration>,
    connection: Option<SseConnection>,
}

/// One connection to the server: an answer that does not end.
#[derive(Debug)]
struct SseConnection {
    response: Response,
    events: EventStream,
    arrivals: VecDeque<Value>,
    /// When the feed was last reported as alive.
    alive_at: Option<Instant>,
}

impl Sse {
    /// Checks the options; opens nothing.
    ///
    /// # Errors
    ///
    /// An option is missing or wrong; the error names its flag or key.
    pub fn new(feed: &FeedOptions, order: Order) -> Result<Self, ConfigError> {
        let feed = Feed::new(feed, order, &["http", "https"])?;
        if feed.rules.is_empty() {
            return Err(ConfigError::key(
                "feed.rounds",
                "is missing: say where in an event the multiplier is, [[feed.rounds]] with value = \"/1/…\"",
            ));
        }
        if feed.codec.format().is_binary() {
            return Err(ConfigError::key(
                "feed.format",
                "server-sent events are text: leave it out",
            ));
        }
        Ok(Self {
            client: client::streaming(&feed, MEDIA_TYPE)?,
            address: feed.address,
            timeout: feed.timeout,
            bytes_max: feed.bytes_max,
            reader: Reader::new(feed.rules),
            health: FeedHealth::default(),
            last_id: String::new(),
            retry: None,
            connection: None,
        })
    }

    /// Connects, for the first time or again; then after the last event received.
    ///
    /// # Errors
    ///
    /// The connection failed; the error says why and whether another attempt can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        self.close();
        self.reader.forget();
        self.health.reset();
        let opened = self.open().await;
        let response = opened.map_err(|error| tolerate(error, self.health.has_worked()))?;
        let events = EventStream::new(self.bytes_max, self.last_id.clone());
        self.connection =
            Some(SseConnection { response, events, arrivals: VecDeque::new(), alive_at: None });
        Ok(())
    }

    /// Waits for the next observation.
    ///
    /// # Errors
    ///
    /// The connection can no longer be used; the error says why.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        match self.report().await {
            Ok(report) => Ok(Observation::now(report)),
            Err(error) => {
                self.close();
                Err(tolerate(error, self.health.has_worked()))
            }
        }
    }

    /// Closes the connection.
    pub fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.last_id = connection.events.last_id;
            self.retry = connection.events.retry.or(self.retry);
        }
    }

    async fn open(&self) -> Result<Response, SourceError> {
        let mut request =
            self.client.get(self.address.url().clone()).header(CACHE_CONTROL, "no-cache");
        if let Ok(id) = HeaderValue::from_bytes(self.last_id.as_bytes())
            && !self.last_id.is_empty()
        {
            request = request.header(LAST_EVENT_ID, id);
        }
        let response = timeout(self.timeout, request.send())
            .await
            .map_err(|_| SourceError::TimedOut {
                peer: self.address.to_string(),
                after: self.timeout,
            })?
            .map_err(|error| client::failed(error, &self.address, self.timeout))?;
        let status = response.status();
        if status == StatusCode::NO_CONTENT {
            return Err(SourceError::Unusable(format!(
                "{} answered {status}: it has no more events",
                self.address
            )));
        }
        if !status.is_success() {
            let from = self.address.to_string();
            return Err(from_status(status, response.headers(), &from, clock::wall()));
        }
        if !is_event_stream(&response) {
            let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            return Err(SourceError::Unusable(format!(
                "{} sent {} instead of {MEDIA_TYPE}; is it a feed for source = \"http\"?",
                self.address,
                excerpt(kind.unwrap_or("nothing"))
            )));
        }
        Ok(response)
    }

    async fn report(&mut self) -> Result<Report, SourceError> {
        loop {
            let Some(connection) = &mut self.connection else {
                let text = format!("{} is not connected", self.address);
                return Err(SourceError::Disconnected(text));
            };
            if let Some(event) = connection.arrivals.pop_front() {
                match self.read(event)? {
                    Some(report) => return Ok(report),
                    None => continue,
                }
            }
            self.receive().await?;
            if self.is_alive_due() {
                return Ok(Report::Alive);
            }
        }
    }

    /// Returns what an event reports, if anything.
    fn read(&mut self, event: Value) -> Result<Option<Report>, SourceError> {
        let parsed = self.reader.read(&event);
        self.health.document(&parsed, || self.reader.mismatch_reason(&event))?;
        self.health.set_last_document(event);
        Ok(parsed.report)
    }

    /// Waits for more of the stream.
    async fn receive(&mut self) -> Result<(), SourceError> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let received = timeout(IDLE, connection.response.chunk())
            .await
            .map_err(|_| SourceError::Silent { peer: self.address.to_string(), after: IDLE })?;
        let lost = |error| client::failed(error, &self.address, self.timeout);
        let Some(bytes) = received.map_err(lost)? else {
            let answer = format!("{} ended the stream", self.address);
            return Err(match connection.events.retry.or(self.retry) {
                Some(retry_after) => SourceError::Busy { answer, retry_after },
                None => SourceError::Disconnected(answer),
            });
        };
        let events = connection.events.push(&bytes).map_err(|TooLong(bytes_max)| {
            SourceError::Unusable(format!(
                "{} sent an event of more than {bytes_max} bytes; check feed.max_message_bytes",
                self.address
            ))
        })?;
        connection.arrivals.extend(events);
        Ok(())
    }

    /// Returns whether the last report is at least [`ALIVE_EVERY`] ago.
    fn is_alive_due(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let now = Instant::now();
        let is_due = connection.alive_at.is_none_or(|alive_at| now - alive_at >= ALIVE_EVERY);
        if is_due {
            connection.alive_at = Some(now);
        }
        is_due
    }

    /// Waits for the first round or list.
    async fn first(&mut self) -> Result<Report, SourceError> {
        loop {
            match self.next().await?.report {
                Report::Alive => {}
                report => return Ok(report),
            }
        }
    }
}

impl std::fmt::Debug for Sse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sse").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Returns whether the answer is a stream of server-sent events.
pub(super) fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(MEDIA_TYPE))
}

/// Connects and listens for a moment, for `collector doctor`.
pub async fn diagnose(mut source: Sse) -> Vec<Finding> {
    if let Err(error) = source.connect().await {
        return vec![diagnostics::unreachable(&error)];
    }
    let received = timeout(diagnostics::LISTEN_FOR, source.first()).await.ok();
    source.close();
    let Sse { address, reader, health, .. } = &source;
    diagnostics::findings(address, received.as_ref(), health.last_document(), reader)
}
