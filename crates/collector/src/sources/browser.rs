//! The browser source: the history list of the user's own browser, and what the game's socket says beside it.
//!
//! The user starts a browser with a debugging port, logs in, and opens the game. This source attaches to the game's frame and to
//! nothing else, reads, and touches nothing (see [`crate::cdp`]). One connection lasts as long as the browser: tabs and frames
//! come and go within it, and only when nothing is heard for a while does the session learn of it.

mod diagnose;
mod poller;
mod sockets;
mod tabs;
mod view;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch as latest};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite;
use tracing::info;

use crate::cdp::{self, Address, CallError, Client, Command, EndpointError, Remote};
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

/// How long nothing may be heard before the session is told why.
const PATIENCE: Duration = Duration::from_secs(10);
/// A browser that asks its user first takes as long as the user does.
const HANDSHAKE_MAX: Duration = Duration::from_mins(1);
/// The pause between two such questions.
const ASKING_PAUSE: Duration = Duration::from_secs(30);
/// How long saying goodbye may take; a browser that hangs does not hear it.
const GOODBYE_MAX: Duration = Duration::from_millis(500);
/// How often the browser itself is asked whether it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Readings that may wait for the session. Lists beyond that are left out, the next one says the same.
const HEARD_MAX: usize = 1024;

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

    /// browser: profile directory of the browser, in which it says where it listens; for the switch in Chrome's own
    /// settings (Allow remote debugging)
    #[arg(long, env = "AVIATOR_PROFILE", value_name = "DIR")]
    pub profile: Option<PathBuf>,

    /// browser: which tabs and frames to look at, by their address without query [default: spribegaming|aviator]
    #[arg(long, env = "AVIATOR_GAME_URL", value_name = "REGEX")]
    pub game_url: Option<String>,

    /// browser: how often to look at the list [default: 500ms]
    #[arg(long, env = "AVIATOR_POLL", value_name = "DURATION")]
    pub poll: Option<DurationArg>,

    /// browser: use a browser on another machine; whoever reaches its debugging port has full power over it
    #[arg(long, env = "AVIATOR_ALLOW_REMOTE_CDP", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_remote_cdp: Option<bool>,
}

impl BrowserOptions {
    fn address(&self) -> Result<Address, ConfigError> {
        let remote = match self.allow_remote_cdp {
            Some(true) => Remote::Allowed,
            _ => Remote::Refused,
        };
        if let Some(text) = &self.cdp_ws {
            return match Address::parse(text, remote) {
                Ok(address @ Address::Socket(_)) => Ok(address),
                Ok(_) => {
                    Err(ConfigError::flag("cdp-ws", format!("`{text}` does not begin with ws://")))
                }
                Err(error) => Err(ConfigError::flag("cdp-ws", error.to_string())),
            };
        }
        match (&self.cdp, &self.profile) {
            (None, Some(directory)) => Ok(Address::Profile(directory.clone())),
            (cdp, _) => Address::parse(cdp.as_deref().unwrap_or(DEFAULT_CDP), remote)
                .map_err(|error| ConfigError::flag("cdp", error.to_string())),
        }
    }
}

/// What to look for in the browser, and how often.
#[derive(Debug)]
struct PageMatcher {
    game_url: Regex,
    /// The user's own selector, or ours.
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

/// What the tabs told.
type Heard = Result<Observation, SourceError>;

/// Reads the history list of the user's own browser.
#[derive(Debug)]
pub struct Browser {
    address: Address,
    look: Arc<PageMatcher>,
    link: Option<Link>,
    /// What proved that the connection is of use.
    first: Option<Observation>,
    /// The browser is there, only the game is not: the connection is kept, so that the game is seen from its first message on.
    awaits_game: bool,
}

/// One connection to the browser, and the tasks that live on it.
#[derive(Debug)]
struct Link {
    client: Arc<Client>,
    heard: mpsc::Receiver<Heard>,
    view: latest::Receiver<View>,
    tasks: JoinSet<()>,
}

impl Browser {
    /// Checks what concerns this source; opens nothing.
    ///
    /// # Errors
    ///
    /// What is missing or wrong in the configuration, with its flag.
    pub fn new(
        options: &BrowserOptions,
        selector: Option<&str>,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let address = options.address()?;
        let look = Arc::new(PageMatcher::new(options, selector, order)?);
        Ok(Self { address, look, link: None, first: None, awaits_game: false })
    }

    /// Connects, or connects again after a loss; done when the game is seen.
    ///
    /// # Errors
    ///
    /// Why there is no connection, or why the game is not seen, and whether trying again can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        if self.first.is_some() {
            return Ok(());
        }
        if self.link.is_none() {
            self.link = Some(Link::open(&self.address, Arc::clone(&self.look)).await?);
        }
        match self.hear().await {
            Ok(reading) => {
                self.first = Some(reading);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Waits for the next reading.
    ///
    /// # Errors
    ///
    /// Why the connection is no longer of use.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        match self.first.take() {
            Some(reading) => Ok(reading),
            None => self.hear().await,
        }
    }

    /// Says goodbye, within a moment. While the game is awaited there is nothing to close: the connection stays, and ends with
    /// the source.
    pub async fn close(&mut self) {
        if !self.awaits_game
            && let Some(link) = self.link.take()
        {
            link.close().await;
        }
    }

    /// The next reading. When nothing is said the error is [`SourceError::NotFound`] and the connection stays as it is, ready for the
    /// tab that comes; every other error ends it.
    async fn hear(&mut self) -> Heard {
        let Some(link) = &mut self.link else {
            return Err(SourceError::Disconnected(
                "there is no connection to the browser".to_owned(),
            ));
        };
        let heard = timeout(PATIENCE, link.next()).await;
        self.awaits_game = heard.is_err();
        match heard {
            Ok(Ok(reading)) => Ok(reading),
            Ok(Err(error)) => {
                self.link = None;
                Err(error)
            }
            Err(_) => Err(SourceError::NotFound(link.view.borrow().why_silent(&self.look))),
        }
    }
}

impl Link {
    async fn open(address: &Address, look: Arc<PageMatcher>) -> Result<Self, SourceError> {
        let (client, events) = dial(address).await?;
        let client = Arc::new(client);
        let (out, heard) = mpsc::channel(HEARD_MAX);
        let (seen, view) = latest::channel(View::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(heartbeat(Arc::clone(&client), out.clone()));
        tasks.spawn(Tabs::new(Arc::clone(&client), look, seen, out).run(events));
        client
            .call(Command::DiscoverTargets, None)
            .await
            .map_err(|error| SourceError::Disconnected(error.to_string()))?;
        Ok(Self { client, heard, view, tasks })
    }

    async fn close(mut self) {
        self.tasks.shutdown().await;
        drop(timeout(GOODBYE_MAX, self.client.close()).await);
    }

    async fn next(&mut self) -> Heard {
        let ended = || SourceError::Disconnected("the reading of the browser ended".to_owned());
        self.heard.recv().await.ok_or_else(ended)?
    }
}

/// Connects to the browser's socket, wherever its address says that is.
async fn dial(address: &Address) -> Result<(Client, cdp::Events), SourceError> {
    let socket = address.socket().await.map_err(|error| not_there(&error))?;
    let browser = Address::Socket(socket.clone()).to_string();
    if matches!(address, Address::Profile(_)) {
        info!("Connecting to the browser of the profile; it may ask its user to allow it.");
    }
    let refusal = match timeout(HANDSHAKE_MAX, Client::connect(&socket)).await {
        Ok(Ok(connected)) => {
            info!(browser, "Connected to the browser.");
            return Ok(connected);
        }
        Ok(Err(tungstenite::Error::Io(_))) => return Err(not_there(&address.nobody_at(&socket))),
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    let said = refusal.as_ref().map_or_else(|| "no answer".to_owned(), ToString::to_string);
    Err(match (address, refusal) {
        (Address::Profile(_), _) => SourceError::Busy {
            what: format!(
                "the browser at {browser} did not let the collector in ({said}); with --profile it asks its user for every \
                 connection: allow it there"
            ),
            retry_after: ASKING_PAUSE,
        },
        (_, None) => SourceError::TimedOut {
            what: format!("the browser at {browser}"),
            after: HANDSHAKE_MAX,
        },
        (_, Some(_)) => SourceError::Unusable(format!(
            "what answers at {browser} is no browser's debugging socket ({said}); see --cdp"
        )),
    })
}

fn not_there(error: &EndpointError) -> SourceError {
    match error {
        EndpointError::NoBrowser(..) => SourceError::Unusable(error.to_string()),
        _ => SourceError::Disconnected(error.to_string()),
    }
}

/// Asks the browser now and then whether it is there: a connection can stand for hours with nobody behind it.
async fn heartbeat(client: Arc<Client>, out: mpsc::Sender<Heard>) {
    let mut beats = interval(HEARTBEAT);
    loop {
        beats.tick().await;
        if let Err(error) = client.call(Command::Version, None).await {
            // That the connection is closed is for the tabs to say: they know why.
            if !matches!(error, CallError::Closed) {
                let hangs = SourceError::Disconnected(format!("the browser hangs: {error}"));
                drop(out.send(Err(hangs)).await);
            }
            return;
        }
    }
}
