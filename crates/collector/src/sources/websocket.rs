//! The websocket source: JSON over a WebSocket.

mod close_reason;
mod connection;
pub mod framing;
mod keepalive;
mod settings;

use std::collections::BTreeMap;
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
use crate::feed::address::FeedAddress;
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
use connection::Connection;
use framing::Framing;
use settings::ConnectionSettings;

/// Timeout of closing.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The flags and the `[websocket]` section of the configuration file.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocketOptions {
    /// websocket: message framing around the JSON: none, socketio3, socketio4, signalr, nul or ndjson [default: none]
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

    /// websocket: the Sec-WebSocket-Protocol to request
    #[arg(long, env = "AVIATOR_SUBPROTOCOL", value_name = "NAME")]
    pub subprotocol: Option<String>,

    /// Messages to send once connected, in order; each may be `env:NAME` or `file:PATH`.
    #[arg(skip)]
    pub on_connect: Vec<Secret>,

    /// Messages to send in reply to others: a "pong" to a "ping", a subscription after the login.
    #[arg(skip)]
    pub answers: Vec<AnswerOptions>,

    /// Credentials of Socket.IO 4, by name; a value may be `env:NAME` or `file:PATH`.
    #[arg(skip)]
    pub auth: BTreeMap<String, Secret>,

    /// How to keep the connection alive.
    #[arg(skip)]
    pub ping: Option<PingOptions>,

    /// websocket: reconnect when no usable message has arrived for this time [default: 5m]
    #[arg(long, env = "AVIATOR_IDLE_TIMEOUT", value_name = "DURATION")]
    pub idle_timeout: Option<DurationArg>,
}

/// One `[[websocket.answers]]`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AnswerOptions {
    /// Name of the event, for messages that are a list beginning with it.
    pub event: Option<String>,
    /// Conditions that the message must meet.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Messages to send, in order; each may be `env:NAME` or `file:PATH`.
    pub send: Vec<Secret>,
}

/// `ping = { every = "25s", text = "2" }`; without `text`, a ping of the WebSocket protocol.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PingOptions {
    /// Interval.
    pub every: DurationArg,
    /// Text to send.
    pub text: Option<String>,
}

/// Reads JSON over a WebSocket.
pub struct WebSocket {
    address: FeedAddress,
    request: Request,
    timeout: Duration,
    tls: Arc<ClientConfig>,
    settings: ConnectionSettings,
    reader: Reader,
    health: FeedHealth,
    connection: Option<Connection<MaybeTlsStream<TcpStream>>>,
}

impl WebSocket {
    /// Checks the options; opens nothing.
    ///
    /// # Errors
    ///
    /// An option is missing or wrong; the error names its flag or key.
    pub fn new(
        options: &WebSocketOptions,
        feed: &FeedOptions,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let feed = Feed::new(feed, order, &["ws", "wss"])?;
        let settings = options.settings(feed.address.to_string(), feed.bytes_max, &feed.codec)?;
        let mut request = feed
            .address
            .url()
            .as_str()
            .into_client_request()
            .map_err(|error| ConfigError::flag("url", error.to_string()))?;
        request.headers_mut().extend(feed.headers);
        if let Some(name) = &options.subprotocol {
            let value = HeaderValue::from_str(name)
                .map_err(|_| ConfigError::flag("subprotocol", "is not a protocol name"))?;
            request.headers_mut().insert("sec-websocket-protocol", value);
        }
        if feed.rules.is_empty() {
            return Err(ConfigError::key(
                "feed.rounds",
                "is missing: say where in a message the multiplier is, [[feed.rounds]] with value = \"/…\"",
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
            connection: None,
        })
    }

    /// Connects, for the first time or again.
    ///
    /// # Errors
    ///
    /// The connection failed; the error says why and whether another attempt can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        self.connection = None;
        self.reader.forget();
        self.health.reset();
        let opened = match timeout(self.timeout, self.open()).await {
            Ok(opened) => opened,
            Err(_) => {
                Err(SourceError::TimedOut { peer: self.address.to_string(), after: self.timeout })
            }
        };
        self.connection = Some(opened.map_err(|error| tolerate(error, self.health.has_worked()))?);
        Ok(())
    }

    /// Waits for the next observation.
    ///
    /// # Errors
    ///
    /// The connection can no longer be used; the error says why.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        let Some(connection) = &mut self.connection else {
            return Err(SourceError::Disconnected(format!("{} is not connected", self.address)));
        };
        match connection.next(&mut self.reader, &mut self.health).await {
            Ok(report) => Ok(Observation::now(report)),
            Err(error) => {
                self.close().await;
                Err(tolerate(error, self.health.has_worked()))
            }
        }
    }

    /// Closes the connection; waits for a moment at most.
    pub async fn close(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && timeout(CLOSE_TIMEOUT, connection.close()).await.is_err()
        {
            debug!("Closing the connection timed out.");
        }
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

    async fn open(&self) -> Result<Connection<MaybeTlsStream<TcpStream>>, SourceError> {
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
        .map_err(|error| close_reason::failed(&error, &self.settings.peer))?;
        Connection::open(stream, &self.settings).await
    }
}

impl std::fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSocket").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Connects and listens for a moment, for `collector doctor`.
pub async fn diagnose(mut source: WebSocket) -> Vec<Finding> {
    if let Err(error) = source.connect().await {
        return vec![diagnostics::unreachable(&error)];
    }
    let received = timeout(diagnostics::LISTEN_FOR, source.first()).await.ok();
    source.close().await;
    let WebSocket { address, reader, health, .. } = &source;
    diagnostics::findings(address, received.as_ref(), health.last_document(), reader)
}
