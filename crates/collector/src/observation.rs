//! What a source reports, and which kinds of sources there are.

use std::time::Instant;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use rounds::{Multiplier, Origin};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock;

/// What a source said, unchecked, and when it was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// When it was heard, on a clock that never steps.
    pub mono: Instant,
    /// When it was heard, on the clock on the wall.
    pub wall: DateTime<Utc>,
    /// What was heard.
    pub report: Report,
}

impl Observation {
    /// A reading heard now.
    pub fn now(report: Report) -> Self {
        Self { mono: clock::mono(), wall: clock::wall(), report }
    }
}

/// The content of a reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
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

/// The name of a source, as in `--source`.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum SourceKind {
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

impl SourceKind {
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
