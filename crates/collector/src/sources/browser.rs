//! The browser source: reads the history list in the user's own browser, and the messages of the game's socket.
//!
//! The user starts a browser with a debugging port, logs in, and opens the game. This source attaches to the game's
//! frame only, reads it, and changes nothing (see [`crate::cdp`]). One connection lasts as long as the browser: tabs
//! and frames come and go within it, and the session learns of it only when nothing has arrived for a while.

mod diagnose;
mod poller;
mod sockets;
mod survey;
mod tabs;
mod view;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite;
use tracing::info;

use crate::cdp::{self, BrowserAddress, CallError, Client, Command, EndpointError, Remote};
use crate::config_error::ConfigError;
use crate::duration_arg::DurationArg;
use crate::history_list::{ListScript, SELECTORS};
use crate::observation::Observation;
use crate::order::Order;
use crate::source_error::SourceError;
pub use diagnose::diagnose;
use tabs::Tabs;
use view::View;

const DEFAULT_CDP: &str = "http://127.0.0.1:9222";
const DEFAULT_GAME_URL: &str = "spribegaming|aviator";
const DEFAULT_POLL: Duration = Duration::from_millis(500);
const POLL_MIN: Duration = Duration::from_millis(2);
const POLL_MAX: Duration = Duration::from_mins(1);

/// Time without an observation after which the session gets an error that says why.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Timeout of the handshake: the browser may have to ask its user first.
const HANDSHAKE_MAX: Duration = Duration::from_mins(1);
/// Pause before the browser asks its user for permission again.
const ASKING_PAUSE: Duration = Duration::from_secs(30);
/// Timeout of closing; a browser that hangs does not answer.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Interval of the heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Capacity of the observation queue. When it is full, lists are dropped: the next one shows the
/// same rounds.
const OBSERVATIONS_MAX: usize = 1024;

/// The flags and the `[browser]` section of the configuration file; each field is one flag and one key.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct BrowserOptions {
    /// browser: debugging address of the browser, http:// or ws:// [default: port 9222 of this machine]
    #[arg(long, env = "AVIATOR_CDP", value_name = "URL")]
    pub cdp: Option<String>,

    /// browser: debugging socket of the browser; wins over --cdp
    #[arg(long, env = "AVIATOR_CDP_WS", value_name = "URL")]
    pub cdp_ws: Option<String>,

    /// browser: profile directory of the browser, which names its debugging port; for the switch in Chrome's own
    /// settings (Allow remote debugging)
    #[arg(long, env = "AVIATOR_PROFILE", value_name = "DIR")]
    pub profile: Option<PathBuf>,

    /// browser: which tabs and frames to read, by their address without the query [default: spribegaming|aviator]
    #[arg(long, env = "AVIATOR_GAME_URL", value_name = "REGEX")]
    pub game_url: Option<String>,

    /// browser: how often to read the list [default: 500ms]
    #[arg(long, env = "AVIATOR_POLL", value_name = "DURATION")]
    pub poll: Option<DurationArg>,

    /// browser: allow a browser on another machine; whoever reaches its debugging port has full control of it
    #[arg(long, env = "AVIATOR_ALLOW_REMOTE_CDP", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_remote_cdp: Option<bool>,
}

impl BrowserOptions {
    fn address(&self) -> Result<BrowserAddress, ConfigError> {
        let remote = match self.allow_remote_cdp {
            Some(true) => Remote::Allowed,
            _ => Remote::Refused,
        };
        if let Some(text) = &self.cdp_ws {
            return match BrowserAddress::parse(text, remote) {
                Ok(address @ BrowserAddress::Socket(_)) => Ok(address),
                Ok(_) => {
                    Err(ConfigError::flag("cdp-ws", format!("`{text}` does not begin with ws://")))
                }
                Err(error) => Err(ConfigError::flag("cdp-ws", error.to_string())),
            };
        }
        match (&self.cdp, &self.profile) {
            (None, Some(directory)) => Ok(BrowserAddress::Profile(directory.clone())),
            (cdp, _) => BrowserAddress::parse(cdp.as_deref().unwrap_or(DEFAULT_CDP), remote)
                .map_err(|error| ConfigError::flag("cdp", error.to_string())),
        }
    }
}

/// What to read in the browser, and how often.
#[derive(Debug)]
struct PageMatcher {
    game_url: Regex,
    /// The user's selector, or the built-in ones.
    selectors: Vec<String>,
    own_selector: bool,
    script: ListScript,
    order: Order,
    poll: Duration,
}

impl PageMatcher {
    fn new(
        options: &BrowserOptions,
        selector: Option<&str>,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let pattern = options.game_url.as_deref().unwrap_or(DEFAULT_GAME_URL);
        let game_url = RegexBuilder::new(pattern)
            .case_insensitive(true)
            .build()
            .map_err(|error| ConfigError::flag("game-url", error.to_string()))?;
        let selectors: Vec<String> = match selector {
            Some(selector) => vec![selector.to_owned()],
            None => SELECTORS.map(str::to_owned).to_vec(),
        };
        let poll = options.poll.map_or(DEFAULT_POLL, |span| span.0);
        if !(POLL_MIN..=POLL_MAX).contains(&poll) {
            let problem =
                format!("not between {} ms and {} s", POLL_MIN.as_millis(), POLL_MAX.as_secs());
            return Err(ConfigError::flag("poll", problem));
        }
        let script = ListScript::new(&selectors, order);
        let own_selector = selector.is_some();
        Ok(Self { game_url, selectors, own_selector, script, order, poll })
    }
}

/// What the tabs report.
type ObservationResult = Result<Observation, SourceError>;

/// Reads the history list in the user's own browser.
#[derive(Debug)]
pub struct Browser {
    address: BrowserAddress,
    matcher: Arc<PageMatcher>,
    connection: Option<BrowserConnection>,
    /// The observation that proved the connection works.
    first: Option<Observation>,
    /// The browser answers, but the game is not open: the connection is kept, so that the game is read from its first
    /// message on.
    awaits_game: bool,
}

/// One connection to the browser and its tasks.
#[derive(Debug)]
struct BrowserConnection {
    client: Arc<Client>,
    observations: mpsc::Receiver<ObservationResult>,
    view: watch::Receiver<View>,
    tasks: JoinSet<()>,
}

impl Browser {
    /// Checks the options; opens nothing.
    ///
    /// # Errors
    ///
    /// An option is missing or wrong; the error names its flag.
    pub fn new(
        options: &BrowserOptions,
        selector: Option<&str>,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let address = options.address()?;
        let matcher = Arc::new(PageMatcher::new(options, selector, order)?);
        Ok(Self { address, matcher, connection: None, first: None, awaits_game: false })
    }

    /// Connects, for the first time or again, and waits for the first observation.
    ///
    /// # Errors
    ///
    /// The browser or the game cannot be reached; the error says why and whether another attempt can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        if self.first.is_some() {
            return Ok(());
        }
        if self.connection.is_none() {
            self.connection =
                Some(BrowserConnection::open(&self.address, Arc::clone(&self.matcher)).await?);
        }
        match self.receive().await {
            Ok(observation) => {
                self.first = Some(observation);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Waits for the next observation.
    ///
    /// # Errors
    ///
    /// The connection can no longer be used; the error says why.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        match self.first.take() {
            Some(observation) => Ok(observation),
            None => self.receive().await,
        }
    }

    /// Closes the connection; waits for a moment at most. While the game is not open the connection is kept, and ends
    /// with the source.
    pub async fn close(&mut self) {
        if !self.awaits_game
            && let Some(connection) = self.connection.take()
        {
            connection.close().await;
        }
    }

    /// Waits for the next observation. If none arrives the error is [`SourceError::NotFound`] and the connection is
    /// kept for a tab that opens later; every other error ends it.
    async fn receive(&mut self) -> ObservationResult {
        let Some(connection) = &mut self.connection else {
            return Err(SourceError::Disconnected("not connected to the browser".to_owned()));
        };
        let observations = timeout(SILENCE_MAX, connection.next()).await;
        self.awaits_game = observations.is_err();
        match observations {
            Ok(Ok(observation)) => Ok(observation),
            Ok(Err(error)) => {
                self.connection = None;
                Err(error)
            }
            Err(_) => {
                Err(SourceError::NotFound(connection.view.borrow().why_silent(&self.matcher)))
            }
        }
    }
}

impl BrowserConnection {
    async fn open(
        address: &BrowserAddress,
        matcher: Arc<PageMatcher>,
    ) -> Result<Self, SourceError> {
        let (client, events) = dial(address).await?;
        let client = Arc::new(client);
        let (out, observations) = mpsc::channel(OBSERVATIONS_MAX);
        let (seen, view) = watch::channel(View::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(heartbeat(Arc::clone(&client), out.clone()));
        tasks.spawn(Tabs::new(Arc::clone(&client), matcher, seen, out).run(events));
        client
            .call(Command::DiscoverTargets, None)
            .await
            .map_err(|error| SourceError::Disconnected(error.to_string()))?;
        Ok(Self { client, observations, view, tasks })
    }

    async fn close(mut self) {
        self.tasks.shutdown().await;
        drop(timeout(CLOSE_TIMEOUT, self.client.close()).await);
    }

    async fn next(&mut self) -> ObservationResult {
        let ended =
            || SourceError::Disconnected("the tasks that read the browser ended".to_owned());
        self.observations.recv().await.ok_or_else(ended)?
    }
}

/// Connects to the browser's debugging socket.
async fn dial(address: &BrowserAddress) -> Result<(Client, cdp::Events), SourceError> {
    let socket = address.socket().await.map_err(|error| not_there(&error))?;
    let browser = BrowserAddress::Socket(socket.clone()).to_string();
    if matches!(address, BrowserAddress::Profile(_)) {
        info!("Connecting to the browser of the profile; it may ask its user for permission.");
    }
    let refusal = match timeout(HANDSHAKE_MAX, Client::connect(&socket)).await {
        Ok(Ok(connected)) => {
            info!(browser, "Connected to the browser.");
            return Ok(connected);
        }
        Ok(Err(tungstenite::Error::Io(_))) => return Err(not_there(&address.unreachable(&socket))),
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    let reply = refusal.as_ref().map_or_else(|| "no answer".to_owned(), ToString::to_string);
    Err(match (address, refusal) {
        (BrowserAddress::Profile(_), _) => SourceError::Busy {
            answer: format!(
                "the browser at {browser} did not let the collector in ({reply}); with --profile it asks its user for every \
                 connection: allow it there"
            ),
            retry_after: ASKING_PAUSE,
        },
        (_, None) => SourceError::TimedOut {
            peer: format!("the browser at {browser}"),
            after: HANDSHAKE_MAX,
        },
        (_, Some(_)) => SourceError::Unusable(format!(
            "what answers at {browser} is not a browser's debugging socket ({reply}); see --cdp"
        )),
    })
}

fn not_there(error: &EndpointError) -> SourceError {
    match error {
        EndpointError::NotABrowser(..) => SourceError::Unusable(error.to_string()),
        _ => SourceError::Disconnected(error.to_string()),
    }
}

/// Checks regularly that the browser answers: a dead connection can stay open for hours.
async fn heartbeat(client: Arc<Client>, out: mpsc::Sender<ObservationResult>) {
    let mut beats = interval(HEARTBEAT);
    loop {
        beats.tick().await;
        if let Err(error) = client.call(Command::Version, None).await {
            // `Tabs` reports a closed connection, because it knows the reason.
            if !matches!(error, CallError::Closed) {
                let hangs = SourceError::Disconnected(format!("the browser hangs: {error}"));
                drop(out.send(Err(hangs)).await);
            }
            return;
        }
    }
}
