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

use crate::feed::reader::Reader;
use crate::feed::tally::Tally;
use crate::feed::trouble::Trouble;
use crate::source::Said;
use crate::source::websocket::ending;
use crate::source::websocket::framing::{self, Arrival, Decoder, Framing, Handshake};
use crate::source::websocket::manner::Manner;
use crate::source::websocket::pulse::{Beat, Ping, Pulse};

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
    pulse: Pulse,
    manner: Manner,
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
    pub(super) async fn open(stream: WebSocketStream<S>, manner: &Manner) -> Result<Self, Trouble> {
        let Manner { framing, namespace, .. } = manner;
        let mut link = Self {
            stream,
            decoder: Decoder::new(*framing, namespace, manner.bytes_max),
            pulse: Pulse::new(Ping::Protocol { every: PING_EVERY }, manner.idle, Instant::now()),
            manner: manner.clone(),
            arrivals: VecDeque::new(),
            alive_at: None,
            has_news: false,
        };
        let handshake = if framing.is_socket_io() {
            Some(link.joined(*framing, namespace).await?)
        } else {
            None
        };
        let ping = manner.ping.clone().unwrap_or_else(|| usual(*framing, handshake));
        link.pulse = Pulse::new(ping, manner.idle, Instant::now());
        link.ask(&manner.on_connect).await?;
        Ok(link)
    }

    async fn ask(&mut self, messages: &[String]) -> Result<(), Trouble> {
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
        tally: &mut Tally,
    ) -> Result<Said, Trouble> {
        loop {
            let said = match self.arrivals.pop_front() {
                Some(arrival) => self.take(arrival, reader, tally).await?,
                None if self.is_worth_saying() => Some(Said::Alive),
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
    async fn joined(&mut self, framing: Framing, namespace: &str) -> Result<Handshake, Trouble> {
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

    async fn join(&mut self, framing: Framing, namespace: &str) -> Result<(), Trouble> {
        match framing::join(framing, namespace) {
            Some(join) => self.send(Message::text(join)).await,
            None => Ok(()),
        }
    }

    fn no_engine(&self, what: &str) -> Trouble {
        Trouble::Unusable(format!(
            "{} does not speak Engine.IO ({what}); look at websocket.framing",
            self.manner.from
        ))
    }

    /// What an arrival says, if it says anything.
    async fn take(
        &mut self,
        arrival: Arrival,
        reader: &mut Reader,
        tally: &mut Tally,
    ) -> Result<Option<Said>, Trouble> {
        match arrival {
            Arrival::Document(document) => {
                self.pulse.heard_document(Instant::now());
                self.reply(&document).await?;
                let heard = reader.read(&document);
                tally.document(&heard, || reader.why_not(&document))?;
                tally.keep(document);
                Ok(heard.said)
            }
            Arrival::Undecodable(what) => {
                tally.undecodable(&what)?;
                Ok(None)
            }
            arrival => {
                self.answer(arrival).await?;
                Ok(None)
            }
        }
    }

    /// Sends what is configured as the answer to `document`.
    async fn reply(&mut self, document: &Value) -> Result<(), Trouble> {
        let answers: Vec<String> = self
            .manner
            .answers
            .iter()
            .filter(|(condition, _)| condition.holds(document))
            .flat_map(|(_, messages)| messages.clone())
            .collect();
        self.ask(&answers).await
    }

    /// Does what the protocol around the documents asks for.
    async fn answer(&mut self, arrival: Arrival) -> Result<(), Trouble> {
        match arrival {
            Arrival::Answer(text) => self.send(Message::text(text)).await,
            Arrival::Ended => Err(Trouble::Lost(format!("{} left", self.manner.from))),
            Arrival::Refused(words) => Err(Trouble::Refused(format!(
                "{} refuses this client ({words}); look at feed.headers and websocket.namespace",
                self.manner.from
            ))),
            Arrival::Document(_)
            | Arrival::Undecodable(_)
            | Arrival::Open(_)
            | Arrival::Joined
            | Arrival::Heartbeat => Ok(()),
        }
    }

    /// Waits for one message, or for the time to do something.
    async fn receive(&mut self) -> Result<(), Trouble> {
        tokio::select! {
            message = self.stream.next() => {
                self.pulse.heard(Instant::now());
                self.has_news = true;
                self.unpack(message)
            }
            () = sleep_until(self.pulse.due()) => {
                match self.pulse.beat(Instant::now()) {
                    Beat::Wait => {}
                    Beat::Ping => self.send(Message::Ping(Vec::new().into())).await?,
                    Beat::Send(text) => self.send(Message::text(text)).await?,
                    Beat::HalfOpen(after) => {
                        return Err(Trouble::Silent(format!("{}, pinged,", self.manner.from), after));
                    }
                    Beat::Silent(after) => return Err(Trouble::Silent(self.manner.from.clone(), after)),
                }
                Ok(())
            }
        }
    }

    fn unpack(&mut self, message: Option<Result<Message, Error>>) -> Result<(), Trouble> {
        match message {
            // The stream is over and nobody said so.
            None => return Err(ending::closed(None, &self.manner.from)),
            Some(Err(error)) => return Err(ending::failed(&error, &self.manner.from)),
            Some(Ok(Message::Close(frame))) => {
                return Err(ending::closed(frame.as_ref(), &self.manner.from));
            }
            Some(Ok(Message::Text(text))) => self.arrivals.extend(self.decoder.decode(&text)),
            // Some servers send JSON as bytes.
            Some(Ok(Message::Binary(_))) if self.manner.framing.is_socket_io() => {}
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

    async fn send(&mut self, message: Message) -> Result<(), Trouble> {
        match timeout(SEND_WITHIN, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(ending::failed(&error, &self.manner.from)),
            Err(_) => {
                Err(Trouble::Silent(format!("{}, sent something,", self.manner.from), SEND_WITHIN))
            }
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
