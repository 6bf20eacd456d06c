//! The hub: one connection to a NATS server, and the stream of a table on it.
//!
//! A connection is never reused after it breaks. The NATS client would reconnect by itself and send the rows it still
//! buffers, so a row could be stored before one that was lost on the way. Here a new connection starts at the first
//! unacknowledged row: each connection sends consecutive rows, and the stream keeps the order of the files. For the same
//! reason every connection runs in its own runtime, which ends with it: see [`run`].

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

/// Largest size of a key file.
const KEY_BYTES_MAX: u64 = 1 << 16;

pub use address::Address;
pub use error::HubError;

/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval of pings; three unanswered pings end a connection.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// Timeout for an answer or an acknowledgement of the hub.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Reconnect delay, so long that the client never reconnects by itself.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// How to reach the hub.
#[derive(Clone, Debug)]
pub struct Access {
    /// Address of the hub.
    pub address: Address,
    /// Whether the connection must be encrypted.
    pub needs_tls: bool,
    /// Certificate of an additional authority, besides those that this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// Credentials of this bridge.
    pub credentials: Option<Credentials>,
    /// The name under which the hub lists this connection.
    pub client: String,
}

/// Credentials with which a bridge authenticates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A credentials file of a NATS account: a token and its key.
    Creds(PathBuf),
    /// A file with the secret half of a key, as written by `bridge key`.
    Nkey(PathBuf),
}

impl Credentials {
    /// Returns the file.
    pub fn file(&self) -> &PathBuf {
        match self {
            Self::Creds(file) | Self::Nkey(file) => file,
        }
    }
}

/// An open connection.
#[derive(Clone, Debug)]
pub struct Hub {
    /// The JetStream API of the hub.
    pub jetstream: Context,
    lost: Lost,
}

/// Signals the end of a connection.
#[derive(Clone, Debug, Default)]
struct Lost {
    token: CancellationToken,
    /// The first permission error that the hub reported. The hub does not close the connection after one.
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
            .timeout(RESPONSE_TIMEOUT)
            .ack_timeout(RESPONSE_TIMEOUT)
            .max_ack_inflight(in_flight.max(1) * 2)
            .build(client);
        Ok(Self { jetstream, lost })
    }

    /// Waits for the end of the connection and returns the reason.
    pub async fn lost(&self) -> HubError {
        self.lost.token.cancelled().await;
        match self.lost.forbidden.get() {
            Some(error) => HubError::Forbidden { problem: error.clone() },
            None => HubError::disconnected(),
        }
    }
}

/// Returns whether the hub denied a request for lack of permission. Such a request never gets an answer.
fn is_forbidden(error: &ServerError) -> bool {
    error.to_string().to_lowercase().contains("permissions violation")
}

/// Runs the work of one connection in its own runtime, so that nothing of the connection outlives the work.
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
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(RESPONSE_TIMEOUT))
        .ping_interval(PING_INTERVAL)
        // Ignore addresses that the hub announces: they are not checked against the TLS rule.
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
                    Event::ServerError(error) if is_forbidden(&error) => {
                        // Only the first one is kept.
                        drop(lost.forbidden.set(error.to_string()));
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
            let seed = rounds::read_regular_text(file, KEY_BYTES_MAX).map_err(unreadable(file))?;
            Ok(options.nkey(seed.trim().to_owned()))
        }
    }
}

/// Converts a connection error into one that tells the operator what to do.
fn connect_error(error: &ConnectError, access: &Access) -> HubError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let detail = deeper.to_string();
        if !text.ends_with(&detail) {
            text = format!("{text}: {detail}");
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
