//! One open WebSocket connection.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tracing::debug;

use crate::feed::health::FeedHealth;
use crate::feed::message_format::recognized;
use crate::feed::reader::Reader;
use crate::observation::Report;
use crate::source_error::SourceError;
use crate::sources::websocket::close_reason;
use crate::sources::websocket::framing::{self, Arrival, Decoder, Framing, Handshake, signalr};
use crate::sources::websocket::keepalive::{Keepalive, KeepaliveAction, Ping};
use crate::sources::websocket::settings::ConnectionSettings;

/// Timeout of sending a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a busy feed is reported as alive.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
/// Default ping interval.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Ping interval of a `SignalR` client, and the time after which it gives up a server that pings as often.
const SIGNALR_PING_EVERY: Duration = Duration::from_secs(15);
const SIGNALR_TIMEOUT: Duration = Duration::from_secs(30);
/// Time after which bytes that wait for the rest of their document are reported.
const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// Default ping interval of an Engine.IO 3 server.
const ENGINE_PING_EVERY: Duration = Duration::from_secs(25);
/// Default ping timeout of an Engine.IO 4 server.
const ENGINE_TIMEOUT: Duration = Duration::from_secs(20);

/// One open WebSocket connection.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: WebSocketStream<S>,
    decoder: Decoder,
    keepalive: Keepalive,
    settings: ConnectionSettings,
    arrivals: VecDeque<Arrival>,
    /// When the feed was last reported as alive.
    alive_at: Option<Instant>,
    /// Something has arrived since then.
    has_traffic: bool,
    /// When to report that bytes arrive which never become a document.
    incomplete_at: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Joins the namespace and subscribes, on a stream after the WebSocket handshake.
    ///
    /// # Errors
    ///
    /// The server closes the connection, refuses, or does not speak the protocol.
    pub(super) async fn open(
        stream: WebSocketStream<S>,
        settings: &ConnectionSettings,
    ) -> Result<Self, SourceError> {
        let ConnectionSettings { framing, namespace, .. } = settings;
        let mut connection = Self {
            stream,
            decoder: Decoder::new(*framing, namespace, settings.bytes_max),
            keepalive: Keepalive::new(
                Ping::Protocol { every: PING_EVERY },
                settings.idle,
                Instant::now(),
            ),
            settings: settings.clone(),
            arrivals: VecDeque::new(),
            alive_at: None,
            has_traffic: false,
            incomplete_at: None,
        };
        let handshake = if framing.has_handshake() {
            Some(connection.wait_until_joined(*framing).await?)
        } else {
            None
        };
        let ping = settings.ping.clone().unwrap_or_else(|| default_ping(*framing, handshake));
        connection.keepalive = Keepalive::new(ping, settings.idle, Instant::now());
        connection.send_all(&settings.on_connect).await?;
        Ok(connection)
    }

    async fn send_all(&mut self, messages: &[String]) -> Result<(), SourceError> {
        for message in messages {
            let message = if self.settings.codec.format().is_binary() {
                let encoded = self.settings.codec.encode(message);
                Message::binary(encoded.expect("the settings were checked for that"))
            } else {
                Message::text(self.decoder.encode(message))
            };
            self.send(message).await?;
        }
        Ok(())
    }

    /// Waits for the next report.
    ///
    /// # Errors
    ///
    /// The connection can no longer be used.
    pub(super) async fn next(
        &mut self,
        reader: &mut Reader,
        health: &mut FeedHealth,
    ) -> Result<Report, SourceError> {
        loop {
            let report = match self.arrivals.pop_front() {
                Some(arrival) => self.process(arrival, reader, health).await?,
                None if self.is_alive_due() => Some(Report::Alive),
                None => {
                    self.receive().await?;
                    None
                }
            };
            if let Some(report) = report {
                return Ok(report);
            }
        }
    }

    /// Sends the close frame; does not wait for the answer.
    pub(super) async fn close(&mut self) {
        if let Err(error) = self.stream.close(None).await {
            debug!(%error, "The close frame could not be sent.");
        }
    }

    /// Waits until the namespace is joined.
    async fn wait_until_joined(&mut self, framing: Framing) -> Result<Handshake, SourceError> {
        let mut handshake = None;
        if framing == Framing::SignalR {
            self.join(framing).await?;
            handshake = Some(Handshake::default());
        }
        loop {
            let Some(arrival) = self.arrivals.pop_front() else {
                self.receive().await?;
                continue;
            };
            match (arrival, handshake) {
                (Arrival::Open(opened), _) => {
                    handshake = Some(opened);
                    self.join(framing).await?;
                }
                (Arrival::Joined, Some(handshake)) => return Ok(handshake),
                (Arrival::Undecodable(what), None) => return Err(self.not_engine_io(&what)),
                (arrival, _) => self.handle_protocol(arrival).await?,
            }
        }
    }

    async fn join(&mut self, framing: Framing) -> Result<(), SourceError> {
        match framing::join(framing, &self.settings.namespace, &self.settings.auth) {
            Some(join) => self.send(Message::text(join)).await,
            None => Ok(()),
        }
    }

    fn not_engine_io(&self, what: &str) -> SourceError {
        SourceError::Unusable(format!(
            "{} does not speak Engine.IO ({what}); check websocket.framing",
            self.settings.peer
        ))
    }

    /// Returns what an arrival reports, if anything.
    async fn process(
        &mut self,
        arrival: Arrival,
        reader: &mut Reader,
        health: &mut FeedHealth,
    ) -> Result<Option<Report>, SourceError> {
        match arrival {
            Arrival::Document(document) => {
                self.keepalive.on_document(Instant::now());
                self.send_answers(&document).await?;
                let parsed = reader.read(&document);
                health.document(&parsed, || reader.mismatch_reason(&document))?;
                health.set_last_document(document);
                Ok(parsed.report)
            }
            Arrival::Undecodable(what) => {
                health.undecodable(&what)?;
                Ok(None)
            }
            arrival => {
                self.handle_protocol(arrival).await?;
                Ok(None)
            }
        }
    }

    /// Sends the configured answers to `document`.
    async fn send_answers(&mut self, document: &Value) -> Result<(), SourceError> {
        let answers: Vec<String> = self
            .settings
            .answers
            .iter()
            .filter(|(condition, _)| condition.holds(document))
            .flat_map(|(_, messages)| messages.clone())
            .collect();
        self.send_all(&answers).await
    }

    /// Handles an arrival that belongs to the protocol and not to the feed.
    async fn handle_protocol(&mut self, arrival: Arrival) -> Result<(), SourceError> {
        match arrival {
            Arrival::Answer(text) => self.send(Message::text(text)).await,
            Arrival::Ended => {
                Err(SourceError::Disconnected(format!("{} ended the session", self.settings.peer)))
            }
            Arrival::Refused(words) => Err(SourceError::Refused(format!(
                "{} refuses this client ({words}); check feed.headers, websocket.namespace and websocket.auth",
                self.settings.peer
            ))),
            Arrival::Document(_)
            | Arrival::Undecodable(_)
            | Arrival::Open(_)
            | Arrival::Joined
            | Arrival::Heartbeat => Ok(()),
        }
    }

    /// Waits for one message or for the next keepalive action.
    async fn receive(&mut self) -> Result<(), SourceError> {
        tokio::select! {
            message = self.stream.next() => {
                self.keepalive.on_message(Instant::now());
                self.has_traffic = true;
                self.unpack(message)
            }
            () = sleep_until(self.incomplete_at.unwrap_or_else(Instant::now)), if self.incomplete_at.is_some() => {
                self.incomplete_at = None;
                let bytes = self.decoder.waiting_bytes();
                self.arrivals.push_back(Arrival::Undecodable(format!("{bytes} bytes without the end of a document")));
                Ok(())
            }
            () = sleep_until(self.keepalive.next_deadline()) => {
                match self.keepalive.due_action(Instant::now()) {
                    KeepaliveAction::Wait => {}
                    KeepaliveAction::Ping => self.send(Message::Ping(Vec::new().into())).await?,
                    KeepaliveAction::Send(text) => self.send(Message::text(text)).await?,
                    KeepaliveAction::HalfOpen(after) => {
                        return Err(SourceError::Silent { peer: format!("{} (after a ping)", self.settings.peer), after });
                    }
                    KeepaliveAction::Silent(after) => return Err(SourceError::Silent { peer: self.settings.peer.clone(), after }),
                }
                Ok(())
            }
        }
    }

    fn unpack(&mut self, message: Option<Result<Message, Error>>) -> Result<(), SourceError> {
        match message {
            // The stream ended without a close frame.
            None => return Err(close_reason::closed(None, &self.settings.peer)),
            Some(Err(error)) => return Err(close_reason::failed(&error, &self.settings.peer)),
            Some(Ok(Message::Close(frame))) => {
                return Err(close_reason::closed(frame.as_ref(), &self.settings.peer));
            }
            Some(Ok(Message::Text(text))) if self.settings.codec.format().is_binary() => {
                self.arrivals.push_back(Arrival::Undecodable(format!(
                    "{} bytes of text instead of {}",
                    text.len(),
                    self.settings.codec.format().name()
                )));
            }
            Some(Ok(Message::Text(text))) => self.decode(&text),
            // Some servers send JSON in binary messages.
            Some(Ok(Message::Binary(_))) if self.settings.framing.is_socket_io() => {}
            Some(Ok(Message::Binary(bytes))) => self.decode_bytes(&bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
        }
        Ok(())
    }

    fn decode(&mut self, text: &str) {
        let arrivals = self.decoder.decode(text);
        if self.decoder.waiting_bytes() == 0 {
            self.incomplete_at = None;
        } else if self.incomplete_at.is_none() || !arrivals.is_empty() {
            self.incomplete_at = Some(Instant::now() + DOCUMENT_TIMEOUT);
        }
        self.arrivals.extend(arrivals);
    }

    fn decode_bytes(&mut self, bytes: &[u8]) {
        if self.settings.codec.format().is_binary() {
            match self.settings.codec.decode(bytes) {
                Ok(documents) => self.arrivals.extend(documents.into_iter().map(Arrival::Document)),
                Err(problem) => self.arrivals.push_back(Arrival::Undecodable(problem)),
            }
            return;
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.decode(text);
        }
        let hint = recognized(bytes).map_or_else(String::new, |format| {
            format!("; it looks like {}: see feed.format", format.name())
        });
        let length = bytes.len();
        self.arrivals.push_back(Arrival::Undecodable(format!(
            "a binary message of {length} bytes that is not text{hint}"
        )));
    }

    async fn send(&mut self, message: Message) -> Result<(), SourceError> {
        match timeout(SEND_TIMEOUT, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(close_reason::failed(&error, &self.settings.peer)),
            Err(_) => Err(SourceError::TimedOut {
                peer: format!("{} (while a message was sent)", self.settings.peer),
                after: SEND_TIMEOUT,
            }),
        }
    }

    /// Returns whether something has arrived and the last report is at least [`ALIVE_EVERY`] ago.
    fn is_alive_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due =
            self.has_traffic && self.alive_at.is_none_or(|alive_at| now - alive_at >= ALIVE_EVERY);
        if is_due {
            self.alive_at = Some(now);
            self.has_traffic = false;
        }
        is_due
    }
}

/// Returns the default ping of a framing.
fn default_ping(framing: Framing, handshake: Option<Handshake>) -> Ping {
    let interval = handshake.and_then(Handshake::ping_interval).unwrap_or(ENGINE_PING_EVERY);
    match framing {
        Framing::SocketIo3 => {
            Ping::Text { every: interval, text: "2".to_owned(), is_answered: true }
        }
        Framing::SocketIo4 => {
            let timeout = handshake.and_then(Handshake::ping_timeout).unwrap_or(ENGINE_TIMEOUT);
            Ping::FromServer { within: interval + timeout }
        }
        Framing::SignalR => Ping::Mutual {
            every: SIGNALR_PING_EVERY,
            text: signalr::PING.to_owned(),
            within: SIGNALR_TIMEOUT,
        },
        Framing::None | Framing::Nul | Framing::Ndjson => Ping::Protocol { every: PING_EVERY },
    }
}

#[cfg(test)]
mod tests;
