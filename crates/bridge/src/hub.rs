//! The hub: one connection to a NATS server, and the stream of a table on it.
//!
//! A connection is used until it breaks and never again. The client's own way would be to connect again by itself and to
//! send what it still holds: then a row could be stored before one that was lost on the way. Here a new connection starts at
//! the first row that is not acknowledged, so each connection sends an unbroken run of rows, and what is stored keeps the
//! order of the files. For the same reason every connection lives in a runtime of its own that ends with it: see [`run`].

mod address;
mod error;
pub mod stream;

use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::jetstream::{Context, context::ContextBuilder};
use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

pub use address::Address;
pub use error::HubError;

/// Timeout for connecting.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Interval of pings; three without an answer end a connection.
const PING_EVERY: Duration = Duration::from_secs(2);
/// Timeout for an answer or an acknowledgement of the hub.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Reconnect delay of the client, which must not reconnect by itself.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// How to reach the hub.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where it is.
    pub address: Address,
    /// Whether the connection must be encrypted.
    pub needs_tls: bool,
    /// The certificate of an authority, besides those of this machine.
    pub ca_file: Option<PathBuf>,
    /// Credentials of this bridge.
    pub credentials: Option<Credentials>,
    /// The name under which the hub lists this connection.
    pub client: String,
}

/// Credentials with which a bridge authenticates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A file with a token and its key, as NATS accounts hand them out.
    Creds(PathBuf),
    /// A file with the secret half of a key, as `bridge key` makes it.
    Nkey(PathBuf),
}

impl Credentials {
    /// The file.
    pub fn file(&self) -> &PathBuf {
        match self {
            Self::Creds(file) | Self::Nkey(file) => file,
        }
    }
}

/// An open connection.
#[derive(Clone, Debug)]
pub struct Hub {
    /// The way to JetStream.
    pub jetstream: Context,
    lost: Lost,
}

/// Signals the end of a connection.
#[derive(Clone, Debug, Default)]
struct Lost {
    token: CancellationToken,
    /// The first permission error that the hub reported; the hub does not close the connection for it.
    forbidden: Arc<OnceLock<String>>,
}

impl Hub {
    /// Connects once.
    ///
    /// # Errors
    /// No server answers, or the hub refuses this bridge.
    pub async fn connect(access: &Access, in_flight: usize) -> Result<Self, HubError> {
        let lost = Lost::default();
        let is_up = Arc::new(AtomicBool::new(false));
        let options = options(access, lost.clone(), Arc::clone(&is_up)).await?;
        let client = options
            .connect(access.address.servers())
            .await
            .map_err(|error| connect_error(&error, access))?;
        is_up.store(true, Ordering::Relaxed);
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER_MAX)
            .ack_timeout(ANSWER_MAX)
            .max_ack_inflight(in_flight.max(1) * 2)
            .build(client);
        Ok(Self { jetstream, lost })
    }

    /// Waits for the end of the connection and returns the reason.
    pub async fn lost(&self) -> HubError {
        self.lost.token.cancelled().await;
        match self.lost.forbidden.get() {
            Some(said) => HubError::Forbidden { problem: said.clone() },
            None => HubError::disconnected(),
        }
    }
}

/// Returns whether the hub refuses a request for lack of permission; it never answers such a request.
fn is_forbidden(said: &ServerError) -> bool {
    said.to_string().to_lowercase().contains("permissions violation")
}

/// Runs the work of one connection in a runtime of its own, so that nothing of the connection outlives it.
///
/// # Errors
/// The error of `work`, or no runtime can be created.
pub fn run<T, E: From<HubError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(HubError::Runtime)?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

async fn options(
    access: &Access,
    lost: Lost,
    is_up: Arc<AtomicBool>,
) -> Result<ConnectOptions, HubError> {
    let mut options = ConnectOptions::new()
        .name(&access.client)
        .connection_timeout(CONNECT_MAX)
        .request_timeout(Some(ANSWER_MAX))
        .ping_interval(PING_EVERY)
        // Addresses that the hub announces are not checked against the TLS rule, so ignore them.
        .ignore_discovered_servers()
        .require_tls(access.needs_tls)
        .reconnect_delay_callback(move |_| {
            if is_up.load(Ordering::Relaxed) { NEVER } else { Duration::ZERO }
        })
        .event_callback(move |event| {
            let lost = lost.clone();
            async move {
                match event {
                    Event::Disconnected | Event::Closed => lost.token.cancel(),
                    Event::ServerError(said) if is_forbidden(&said) => {
                        // Only the first one is kept.
                        drop(lost.forbidden.set(said.to_string()));
                        lost.token.cancel();
                    }
                    other => tracing::debug!(%other, "Connection event."),
                }
            }
        });
    if let Some(file) = &access.ca_file {
        options = options.add_root_certificates(file.clone());
    }
    let unreadable = |file: &PathBuf| {
        let file = file.clone();
        move |error: io::Error| HubError::Credentials { file, problem: error.to_string() }
    };
    match &access.credentials {
        None => Ok(options),
        Some(Credentials::Creds(file)) => {
            options.credentials_file(file).await.map_err(unreadable(file))
        }
        Some(Credentials::Nkey(file)) => {
            let seed = std::fs::read_to_string(file).map_err(unreadable(file))?;
            Ok(options.nkey(seed.trim().to_owned()))
        }
    }
}

/// Converts a connection error into one that says what the operator can do.
fn connect_error(error: &ConnectError, access: &Access) -> HubError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = deeper.source();
    }
    let address = access.address.to_string();
    let refused = |problem: String| match &access.credentials {
        Some(credentials) => HubError::Credentials { file: credentials.file().clone(), problem },
        None => HubError::NoCredentials { address: address.clone() },
    };
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation => {
            refused("the hub does not accept them".to_owned())
        }
        ConnectErrorKind::Authentication => refused("they cannot be used to sign".to_owned()),
        _ if text.contains("nvalid peer certificate") => {
            HubError::Certificate { address, problem: text }
        }
        _ if text.contains("InvalidContentType") => HubError::NoTls { address },
        ConnectErrorKind::Tls => HubError::Certificate { address, problem: text },
        _ => HubError::Unavailable { problem: format!("{address}: {text}") },
    }
}
