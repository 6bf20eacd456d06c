//! Where rounds are heard. A source is pulled: [`Source::connect`], then [`Source::next`] until it ends or fails. Closing,
//! staleness, back-off and shutdown are the session's, not a source's.

pub mod browser;
pub mod demo;
pub mod http;
pub mod replay;
#[cfg(test)]
pub mod script;
pub mod websocket;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use rounds::{Multiplier, Origin};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::clock;
use crate::config::{Config, ConfigError};

/// How long to wait after a refusal (a wrong token, a ban): asking often makes it worse.
const REFUSED_PAUSE: Duration = Duration::from_mins(5);

/// What a source said, unchecked, and when it was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When it was heard, on a clock that never steps.
    pub mono: Instant,
    /// When it was heard, on the clock on the wall.
    pub wall: DateTime<Utc>,
    /// What was heard.
    pub said: Said,
}

impl Reading {
    /// A reading heard now.
    pub fn now(said: Said) -> Self {
        Self { mono: clock::mono(), wall: clock::wall(), said }
    }
}

/// The content of a reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// One finished round.
    Round {
        /// The game's own name of the round; never used in arithmetic.
        id: Option<String>,
        /// Where the round ended.
        multiplier: Multiplier,
        /// When it ended, if the source says so.
        ended_at: Option<DateTime<Utc>>,
        /// The round is from before the source was heard.
        backfill: bool,
        /// What else is known, for the events file.
        detail: Option<Value>,
    },
    /// The visible history, newest first.
    List(Vec<Multiplier>),
    /// A history with round ids, newest first.
    Ids(Vec<(String, Multiplier)>),
    /// The source is now another stream (another table or server instance): its rounds do not continue ours.
    OtherInstance(String),
    /// The source was away for a moment, and why: rounds may have ended that it did not hear. It is back, or will say that it
    /// is lost.
    Interrupted(String),
    /// The source is healthy and has nothing new.
    Alive,
    /// A replay or a demo is finished.
    End,
}

/// Why there is no connection. The text names the thing and the flag, lower case, without a final dot.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Only another configuration helps: the process ends.
    #[error("{0}")]
    Configuration(String),
    /// Nothing answers: connection refused, name not resolved, TLS failed.
    #[error("{0}")]
    Unreachable(String),
    /// It answers, but what is wanted is not there (yet): no matching tab, no list in it.
    #[error("{0}")]
    NotFound(String),
    /// It answers and says no (401, 403): the next attempt is five minutes later.
    #[error("{0}")]
    Refused(String),
    /// It asks us to come back later (429, 503 with Retry-After).
    #[error("{what}")]
    Busy {
        /// What was said.
        what: String,
        /// The pause it asks for.
        retry_after: Duration,
    },
    /// It answers with what cannot be right (404, wrong protocol): ends the process the fifth time in a row.
    #[error("{0}")]
    Unusable(String),
    /// No answer in time.
    #[error("{what} did not answer within {} s", after.as_secs_f64())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        after: Duration,
    },
}

impl ConnectError {
    /// Trying again cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Configuration(_))
    }

    /// Trying again a few times is worth it, for ever is not.
    pub fn is_suspect(&self) -> bool {
        matches!(self, Self::Unusable(_))
    }

    /// The least pause before the next attempt, where the error asks for one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(_) => Some(REFUSED_PAUSE),
            Self::Busy { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Why a connection that stood is no longer of use. The text names the thing and the flag, lower case, without a final dot.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Only another configuration helps: the process ends.
    #[error("{0}")]
    Permanent(String),
    /// The other side closed, or the stream ended without a word.
    #[error("{0}")]
    Closed(String),
    /// What was watched is gone: tab closed, frame detached, renderer crashed.
    #[error("{0}")]
    Lost(String),
    /// Closed with a refusal (1008, 4001, 4401, 4403, 401, 403): the next attempt is five minutes later.
    #[error("{0}")]
    Refused(String),
    /// It asks us to come back later (429, 503 with Retry-After).
    #[error("{what}")]
    Busy {
        /// What was said.
        what: String,
        /// The pause it asks for.
        retry_after: Duration,
    },
    /// Nothing that arrives can be understood: ends the process the fifth time in a row.
    #[error("{0}")]
    Unusable(String),
    /// Nothing at all arrived for too long.
    #[error("{what} was silent for {} s", after.as_secs_f64())]
    Silent {
        /// What was silent.
        what: String,
        /// For how long.
        after: Duration,
    },
}

impl SessionError {
    /// Connecting again cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent(_))
    }

    /// Connecting again a few times is worth it, for ever is not.
    pub fn is_suspect(&self) -> bool {
        matches!(self, Self::Unusable(_))
    }

    /// The least pause before the next attempt, where the error asks for one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(_) => Some(REFUSED_PAUSE),
            Self::Busy { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// The name of a source, as in `--source`.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Kind {
    /// Provably-fair simulated rounds.
    Demo,
    /// Recorded rounds, as if live.
    Replay,
    /// The history list of a browser you have started.
    Browser,
    /// JSON over a WebSocket.
    WebSocket,
    /// JSON or HTML over HTTP.
    Http,
}

impl Kind {
    /// The name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Replay => "replay",
            Self::Browser => "browser",
            Self::WebSocket => "websocket",
            Self::Http => "http",
        }
    }

    /// What kind of rounds it gives; rounds of different origins never share a directory.
    pub fn origin(self) -> Origin {
        match self {
            Self::Demo => Origin::Simulated,
            Self::Replay => Origin::Replayed,
            Self::Browser | Self::WebSocket | Self::Http => Origin::Recorded,
        }
    }

    /// A live source can go stale; a demo or a replay only ends.
    pub fn is_live(self) -> bool {
        self.origin() == Origin::Recorded
    }
}

/// One of the five sources.
#[derive(Debug)]
pub enum Source {
    /// Provably-fair simulated rounds.
    Demo(Box<demo::Demo>),
    /// Recorded rounds, as if live.
    Replay(Box<replay::Replay>),
    /// The history list of a browser.
    Browser(Box<browser::Browser>),
    /// JSON over a WebSocket.
    WebSocket(Box<websocket::WebSocket>),
    /// JSON or HTML over HTTP.
    Http(Box<http::Http>),
    /// What a test tells it.
    #[cfg(test)]
    Scripted(script::Script),
}

impl Source {
    /// The configured source; opens nothing yet.
    ///
    /// # Errors
    ///
    /// What is missing or wrong in the configuration, with its flag.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(match config.source {
            Kind::Demo => Self::Demo(Box::new(demo::Demo::new(config))),
            Kind::Replay => Self::Replay(Box::new(replay::Replay::new(config)?)),
            Kind::Browser => Self::Browser(Box::new(browser::Browser::new(config)?)),
            Kind::WebSocket => Self::WebSocket(Box::new(websocket::WebSocket::new(config)?)),
            Kind::Http => Self::Http(Box::new(http::Http::new(config)?)),
        })
    }

    /// Connects, or connects again after a loss.
    ///
    /// # Errors
    ///
    /// Why there is no connection, and whether trying again can help.
    pub async fn connect(&mut self) -> Result<(), ConnectError> {
        match self {
            Self::Demo(demo) => demo.connect(),
            Self::Replay(replay) => replay.connect(),
            Self::Browser(browser) => Box::pin(browser.connect()).await,
            Self::WebSocket(websocket) => Box::pin(websocket.connect()).await,
            Self::Http(http) => Box::pin(http.connect()).await,
            #[cfg(test)]
            Self::Scripted(script) => script.connect().await,
        }
    }

    /// Waits for the next reading. The session drops this future only when it gives up the connection, so a source need not
    /// be able to continue a call that was cut off.
    ///
    /// # Errors
    ///
    /// Why the connection is no longer of use.
    pub async fn next(&mut self) -> Result<Reading, SessionError> {
        match self {
            Self::Demo(demo) => demo.next().await,
            Self::Replay(replay) => replay.next().await,
            Self::Browser(browser) => Box::pin(browser.next()).await,
            Self::WebSocket(websocket) => Box::pin(websocket.next()).await,
            Self::Http(http) => Box::pin(http.next()).await,
            #[cfg(test)]
            Self::Scripted(script) => script.next().await,
        }
    }

    /// Says goodbye to whom it is connected; the session waits a second at most.
    pub async fn close(&mut self) {
        match self {
            // Nobody is connected to an HTTP server between two answers.
            Self::Demo(_) | Self::Replay(_) | Self::Http(_) => {}
            Self::Browser(browser) => Box::pin(browser.close()).await,
            Self::WebSocket(websocket) => Box::pin(websocket.close()).await,
            #[cfg(test)]
            Self::Scripted(_) => {}
        }
    }
}
