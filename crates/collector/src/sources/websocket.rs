//! The websocket source: JSON over a WebSocket.

mod close_reason;
mod connection;
pub mod framing;
mod keepalive;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, connect_async_tls_with_config};
use tracing::debug;

use crate::config_error::ConfigError;
use crate::duration_arg::DurationArg;
use crate::feed::address::Address;
use crate::feed::error::tolerate;
use crate::feed::filter::Filter;
use crate::feed::health::FeedHealth;
use crate::feed::reader::Reader;
use crate::feed::secret::Secret;
use crate::feed::{Feed, FeedOptions, diagnostics};
use crate::finding::Finding;
use crate::observation::{Observation, Report};
use crate::order::Order;
use crate::source_error::SourceError;
use crate::tls;
use connection::Link;
use framing::Framing;
use settings::ConnectionSettings;

/// The longest goodbye.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// The flags and the `[websocket]` section of the configuration file.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocketOptions {
    /// websocket: what stands around the JSON: none, socketio3, socketio4, nul or ndjson [default: none]
    #[arg(
        long,
        env = "AVIATOR_FRAMING",
        value_enum,
        hide_possible_values = true,
        value_name = "FRAMING"
    )]
    pub framing: Option<Framing>,

    /// websocket: the Socket.IO namespace, such as /crash [default: /]
    #[arg(long, env = "AVIATOR_NAMESPACE", value_name = "NAME")]
    pub namespace: Option<String>,

    /// websocket: the Sec-WebSocket-Protocol to ask for
    #[arg(long, env = "AVIATOR_SUBPROTOCOL", value_name = "NAME")]
    pub subprotocol: Option<String>,

    /// What to send once connected, in order; each may be `env:NAME` or `file:PATH`.
    #[arg(skip)]
    pub on_connect: Vec<Secret>,

    /// What to send when such a message arrives: a "pong" for a "ping", a subscription once we are let in.
    #[arg(skip)]
    pub answers: Vec<AnswerOptions>,

    /// How to keep the connection alive.
    #[arg(skip)]
    pub ping: Option<PingOptions>,

    /// websocket: how long the feed may say nothing before it is connected anew [default: 5m]
    #[arg(long, env = "AVIATOR_IDLE_TIMEOUT", value_name = "DURATION")]
    pub idle_timeout: Option<DurationArg>,
}

/// One `[[websocket.answers]]`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AnswerOptions {
    /// Name of the event, where a message is a list that begins with it.
    pub event: Option<String>,
    /// What must hold for the message.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// What to send, in order; each may be `env:NAME` or `file:PATH`.
    pub send: Vec<Secret>,
}

/// `ping = { every = "25s", text = "2" }`; without `text`, a ping of the WebSocket protocol.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PingOptions {
    /// How often.
    pub every: DurationArg,
    /// What to send.
    pub text: Option<String>,
}

/// Reads JSON over a WebSocket.
pub struct WebSocket {
    address: Address,
    request: Request,
    timeout: Duration,
    tls: Arc<ClientConfig>,
    settings: ConnectionSettings,
    reader: Reader,
    health: FeedHealth,
    link: Option<Link<MaybeTlsStream<TcpStream>>>,
}

impl WebSocket {
    /// Checks what concerns this source; opens nothing.
    ///
    /// # Errors
    ///
    /// What is missing or wrong in the configuration, with its flag or key.
    pub fn new(
        options: &WebSocketOptions,
        feed: &FeedOptions,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let feed = Feed::new(feed, order, &["ws", "wss"])?;
        let settings = options.settings(feed.address.to_string(), feed.bytes_max)?;
        let mut request = feed
            .address
            .url()
            .as_str()
            .into_client_request()
            .map_err(|error| ConfigError::flag("url", error.to_string()))?;
        request.headers_mut().extend(feed.headers);
        if let Some(name) = &options.subprotocol {
            let value = HeaderValue::from_str(name)
                .map_err(|_| ConfigError::flag("subprotocol", "is not the name of a protocol"))?;
            request.headers_mut().insert("sec-websocket-protocol", value);
        }
        if feed.rules.is_empty() {
            return Err(ConfigError::key(
                "feed.rounds",
                "is missing: say where in a message the multiplier stands, [[feed.rounds]] with value = \"/…\"",
            ));
        }
        Ok(Self {
            address: feed.address,
            request,
            timeout: feed.timeout,
            tls: tls::client(&feed.authorities)
                .map_err(|problem| ConfigError::key("feed.ca_file", problem))?,
            settings,
            reader: Reader::new(feed.rules),
            health: FeedHealth::default(),
            link: None,
        })
    }

    /// Connects, or connects again after a loss.
    ///
    /// # Errors
    ///
    /// Why there is no connection, and whether trying again can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        self.link = None;
        self.reader.forget();
        self.health.connected();
        let opened = match timeout(self.timeout, self.open()).await {
            Ok(opened) => opened,
            Err(_) => {
                Err(SourceError::TimedOut { what: self.address.to_string(), after: self.timeout })
            }
        };
        self.link = Some(opened.map_err(|error| tolerate(error, self.health.has_worked()))?);
        Ok(())
    }

    /// Waits for the next reading.
    ///
    /// # Errors
    ///
    /// Why the connection is no longer of use.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        let Some(link) = &mut self.link else {
            return Err(SourceError::Disconnected(format!("{} is not connected", self.address)));
        };
        match link.next(&mut self.reader, &mut self.health).await {
            Ok(said) => Ok(Observation::now(said)),
            Err(error) => {
                self.close().await;
                Err(tolerate(error, self.health.has_worked()))
            }
        }
    }

    /// Says goodbye, within a moment.
    pub async fn close(&mut self) {
        if let Some(mut link) = self.link.take()
            && timeout(CLOSE_WITHIN, link.close()).await.is_err()
        {
            debug!("The goodbye was not taken in time.");
        }
    }

    /// The first round or list.
    async fn first(&mut self) -> Result<Report, SourceError> {
        loop {
            match self.next().await?.said {
                Report::Alive => {}
                said => return Ok(said),
            }
        }
    }

    async fn open(&self) -> Result<Link<MaybeTlsStream<TcpStream>>, SourceError> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(self.settings.bytes_max))
            .max_frame_size(Some(self.settings.bytes_max));
        let connector = Connector::Rustls(Arc::clone(&self.tls));
        let (stream, _) = connect_async_tls_with_config(
            self.request.clone(),
            Some(limits),
            true,
            Some(connector),
        )
        .await
        .map_err(|error| close_reason::failed(&error, &self.settings.from))?;
        Link::open(stream, &self.settings).await
    }
}

impl std::fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSocket").field("address", &self.address).finish_non_exhaustive()
    }
}

/// This source's part of `collector doctor`: connects and listens for a moment.
pub async fn diagnose(mut source: WebSocket) -> Vec<Finding> {
    if let Err(error) = source.connect().await {
        return vec![diagnostics::unreachable(&error)];
    }
    let heard = timeout(diagnostics::LISTEN_FOR, source.first()).await.ok();
    source.close().await;
    let WebSocket { address, reader, health, .. } = &source;
    diagnostics::findings(address, heard.as_ref(), health.last(), reader)
}
