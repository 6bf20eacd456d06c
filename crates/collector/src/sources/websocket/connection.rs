//! One open connection.

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
use crate::feed::reader::Reader;
use crate::observation::Report;
use crate::source_error::SourceError;
use crate::sources::websocket::close_reason;
use crate::sources::websocket::framing::{self, Arrival, Decoder, Framing, Handshake};
use crate::sources::websocket::keepalive::{Keepalive, KeepaliveAction, Ping};
use crate::sources::websocket::settings::ConnectionSettings;

/// A message that cannot be handed over for so long never will be.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// A busy feed is said to be alive this often.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
/// How often we ping where nothing else is said.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How often an Engine.IO 3 server wants to be pinged where it does not say.
const ENGINE_PING_EVERY: Duration = Duration::from_secs(25);
/// How long an Engine.IO 4 server waits for its own ping's answer where it does not say.
const ENGINE_TIMEOUT: Duration = Duration::from_secs(20);

/// One open connection.
#[derive(Debug)]
pub(super) struct Link<S> {
    stream: WebSocketStream<S>,
    decoder: Decoder,
    pulse: Keepalive,
    settings: ConnectionSettings,
    arrivals: VecDeque<Arrival>,
    /// When the session last heard that the feed is alive.
    alive_at: Option<Instant>,
    /// Something has arrived since.
    has_news: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    /// Joins and subscribes on a stream whose WebSocket handshake is done.
    ///
    /// # Errors
    ///
    /// The server ends, refuses or does not understand.
    pub(super) async fn open(
        stream: WebSocketStream<S>,
        settings: &ConnectionSettings,
    ) -> Result<Self, SourceError> {
        let ConnectionSettings { framing, namespace, .. } = settings;
        let mut link = Self {
            stream,
            decoder: Decoder::new(*framing, namespace, settings.bytes_max),
            pulse: Keepalive::new(
                Ping::Protocol { every: PING_EVERY },
                settings.idle,
                Instant::now(),
            ),
            settings: settings.clone(),
            arrivals: VecDeque::new(),
            alive_at: None,
            has_news: false,
        };
        let handshake = if framing.is_socket_io() {
            Some(link.joined(*framing, namespace).await?)
        } else {
            None
        };
        let ping = settings.ping.clone().unwrap_or_else(|| usual(*framing, handshake));
        link.pulse = Keepalive::new(ping, settings.idle, Instant::now());
        link.ask(&settings.on_connect).await?;
        Ok(link)
    }

    async fn ask(&mut self, messages: &[String]) -> Result<(), SourceError> {
        for message in messages {
            let message = self.decoder.encode(message);
            self.send(Message::text(message)).await?;
        }
        Ok(())
    }

    /// Waits for the next thing worth saying.
    ///
    /// # Errors
    ///
    /// The connection is no longer of use.
    pub(super) async fn next(
        &mut self,
        reader: &mut Reader,
        health: &mut FeedHealth,
    ) -> Result<Report, SourceError> {
        loop {
            let said = match self.arrivals.pop_front() {
                Some(arrival) => self.take(arrival, reader, health).await?,
                None if self.is_worth_saying() => Some(Report::Alive),
                None => {
                    self.receive().await?;
                    None
                }
            };
            if let Some(said) = said {
                return Ok(said);
            }
        }
    }

    /// Says goodbye; the other side's answer is not waited for.
    pub(super) async fn close(&mut self) {
        if let Err(error) = self.stream.close(None).await {
            debug!(%error, "The goodbye was not heard.");
        }
    }

    /// Waits until the namespace is joined.
    async fn joined(
        &mut self,
        framing: Framing,
        namespace: &str,
    ) -> Result<Handshake, SourceError> {
        let mut handshake = None;
        loop {
            let Some(arrival) = self.arrivals.pop_front() else {
                self.receive().await?;
                continue;
            };
            match (arrival, handshake) {
                (Arrival::Open(opened), _) => {
                    handshake = Some(opened);
                    self.join(framing, namespace).await?;
                }
                (Arrival::Joined, Some(handshake)) => return Ok(handshake),
                (Arrival::Undecodable(what), None) => return Err(self.no_engine(&what)),
                (arrival, _) => self.answer(arrival).await?,
            }
        }
    }

    async fn join(&mut self, framing: Framing, namespace: &str) -> Result<(), SourceError> {
        match framing::join(framing, namespace) {
            Some(join) => self.send(Message::text(join)).await,
            None => Ok(()),
        }
    }

    fn no_engine(&self, what: &str) -> SourceError {
        SourceError::Unusable(format!(
            "{} does not speak Engine.IO ({what}); look at websocket.framing",
            self.settings.from
        ))
    }

    /// What an arrival says, if it says anything.
    async fn take(
        &mut self,
        arrival: Arrival,
        reader: &mut Reader,
        health: &mut FeedHealth,
    ) -> Result<Option<Report>, SourceError> {
        match arrival {
            Arrival::Document(document) => {
                self.pulse.heard_document(Instant::now());
                self.reply(&document).await?;
                let heard = reader.read(&document);
                health.document(&heard, || reader.why_not(&document))?;
                health.keep(document);
                Ok(heard.said)
            }
            Arrival::Undecodable(what) => {
                health.undecodable(&what)?;
                Ok(None)
            }
            arrival => {
                self.answer(arrival).await?;
                Ok(None)
            }
        }
    }

    /// Sends what is configured as the answer to `document`.
    async fn reply(&mut self, document: &Value) -> Result<(), SourceError> {
        let answers: Vec<String> = self
            .settings
            .answers
            .iter()
            .filter(|(condition, _)| condition.holds(document))
            .flat_map(|(_, messages)| messages.clone())
            .collect();
        self.ask(&answers).await
    }

    /// Does what the protocol around the documents asks for.
    async fn answer(&mut self, arrival: Arrival) -> Result<(), SourceError> {
        match arrival {
            Arrival::Answer(text) => self.send(Message::text(text)).await,
            Arrival::Ended => {
                Err(SourceError::Disconnected(format!("{} left", self.settings.from)))
            }
            Arrival::Refused(words) => Err(SourceError::Refused(format!(
                "{} refuses this client ({words}); look at feed.headers and websocket.namespace",
                self.settings.from
            ))),
            Arrival::Document(_)
            | Arrival::Undecodable(_)
            | Arrival::Open(_)
            | Arrival::Joined
            | Arrival::Heartbeat => Ok(()),
        }
    }

    /// Waits for one message, or for the time to do something.
    async fn receive(&mut self) -> Result<(), SourceError> {
        tokio::select! {
            message = self.stream.next() => {
                self.pulse.heard(Instant::now());
                self.has_news = true;
                self.unpack(message)
            }
            () = sleep_until(self.pulse.due()) => {
                match self.pulse.beat(Instant::now()) {
                    KeepaliveAction::Wait => {}
                    KeepaliveAction::Ping => self.send(Message::Ping(Vec::new().into())).await?,
                    KeepaliveAction::Send(text) => self.send(Message::text(text)).await?,
                    KeepaliveAction::HalfOpen(after) => {
                        return Err(SourceError::Silent { what: format!("{}, pinged,", self.settings.from), after });
                    }
                    KeepaliveAction::Silent(after) => return Err(SourceError::Silent { what: self.settings.from.clone(), after }),
                }
                Ok(())
            }
        }
    }

    fn unpack(&mut self, message: Option<Result<Message, Error>>) -> Result<(), SourceError> {
        match message {
            // The stream is over and nobody said so.
            None => return Err(close_reason::closed(None, &self.settings.from)),
            Some(Err(error)) => return Err(close_reason::failed(&error, &self.settings.from)),
            Some(Ok(Message::Close(frame))) => {
                return Err(close_reason::closed(frame.as_ref(), &self.settings.from));
            }
            Some(Ok(Message::Text(text))) => self.arrivals.extend(self.decoder.decode(&text)),
            // Some servers send JSON as bytes.
            Some(Ok(Message::Binary(_))) if self.settings.framing.is_socket_io() => {}
            Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.arrivals.extend(self.decoder.decode(text)),
                Err(_) => self.arrivals.push_back(Arrival::Undecodable(format!(
                    "a binary message of {} bytes that is not text",
                    bytes.len()
                ))),
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), SourceError> {
        match timeout(SEND_WITHIN, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(close_reason::failed(&error, &self.settings.from)),
            Err(_) => Err(SourceError::TimedOut {
                what: format!("{}, sent something,", self.settings.from),
                after: SEND_WITHIN,
            }),
        }
    }

    /// Something arrived, and a while has passed since the session heard that the feed is alive.
    fn is_worth_saying(&mut self) -> bool {
        let now = Instant::now();
        let is_due =
            self.has_news && self.alive_at.is_none_or(|alive_at| now - alive_at >= ALIVE_EVERY);
        if is_due {
            self.alive_at = Some(now);
            self.has_news = false;
        }
        is_due
    }
}

/// The ping of a framing where none is configured.
fn usual(framing: Framing, handshake: Option<Handshake>) -> Ping {
    let interval = handshake.and_then(Handshake::ping_interval).unwrap_or(ENGINE_PING_EVERY);
    match framing {
        Framing::SocketIo3 => {
            Ping::Text { every: interval, text: "2".to_owned(), is_answered: true }
        }
        Framing::SocketIo4 => {
            let timeout = handshake.and_then(Handshake::ping_timeout).unwrap_or(ENGINE_TIMEOUT);
            Ping::FromServer { within: interval + timeout }
        }
        Framing::None | Framing::Nul | Framing::Ndjson => Ping::Protocol { every: PING_EVERY },
    }
}

#[cfg(test)]
mod tests;
