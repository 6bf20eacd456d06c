//! What sources report, and the kinds of sources.

use std::time::Instant;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use rounds::{Multiplier, Origin};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock;

/// An unchecked report of a source, and when it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// When it arrived, on the monotonic clock.
    pub mono: Instant,
    /// When it arrived, on the wall clock.
    pub wall: DateTime<Utc>,
    /// What the source reported.
    pub report: Report,
}

impl Observation {
    /// Returns an observation that arrives now.
    pub fn now(report: Report) -> Self {
        Self { mono: clock::mono(), wall: clock::wall(), report }
    }
}

/// An entry of a visible history.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(untagged)]
pub enum HistoryEntry {
    /// A round.
    Round(Multiplier),
    /// A round whose multiplier cannot be read: its text.
    Unreadable(String),
}

impl HistoryEntry {
    /// Returns the hundredths of the multiplier, `None` if it cannot be read.
    pub fn cents(&self) -> Option<u64> {
        match self {
            Self::Round(multiplier) => Some(multiplier.cents()),
            Self::Unreadable(_) => None,
        }
    }
}

impl From<Multiplier> for HistoryEntry {
    fn from(multiplier: Multiplier) -> Self {
        Self::Round(multiplier)
    }
}

/// What a source reports.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// One finished round.
    Round {
        /// The game's id of the round; only ever compared, never computed with.
        id: Option<String>,
        /// The multiplier at which the round ended.
        multiplier: Multiplier,
        /// When it ended, if the source reports it.
        ended_at: Option<DateTime<Utc>>,
        /// The round ended before the source was connected.
        backfill: bool,
        /// Further fields for the event file.
        detail: Option<Value>,
    },
    /// The visible history, newest first.
    List(Vec<HistoryEntry>),
    /// A history with round ids, newest first.
    Ids(Vec<(String, Multiplier)>),
    /// The source switched to another table or server instance, named here: its rounds do not continue the recorded ones.
    OtherInstance(String),
    /// The source lost its view of the game for a moment, for this reason, and may have missed
    /// rounds. It recovers by itself, or fails with an error later.
    Interrupted(String),
    /// The source works and has nothing new.
    Alive,
    /// A replay or demo is finished.
    End,
}

/// A kind of source, as in `--source`.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum SourceKind {
    /// Provably-fair simulated rounds.
    Demo,
    /// A recording, replayed as if live.
    Replay,
    /// The history list in a browser that the user started.
    Browser,
    /// JSON over a WebSocket.
    WebSocket,
    /// JSON or HTML over HTTP.
    Http,
    /// JSON in server-sent events.
    Sse,
    /// The network log of a browser.
    Har,
}

impl SourceKind {
    /// Returns the name used in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Replay => "replay",
            Self::Browser => "browser",
            Self::WebSocket => "websocket",
            Self::Http => "http",
            Self::Sse => "sse",
            Self::Har => "har",
        }
    }

    /// Returns the origin of its rounds; rounds of different origins never share a directory.
    pub fn origin(self) -> Origin {
        match self {
            Self::Demo => Origin::Simulated,
            Self::Replay => Origin::Replayed,
            Self::Browser | Self::WebSocket | Self::Http | Self::Sse | Self::Har => {
                Origin::Recorded
            }
        }
    }

    /// Returns whether the source is live: such a source can stall, while a demo, a replay or a log only ends.
    pub fn is_live(self) -> bool {
        self.origin() == Origin::Recorded && self != Self::Har
    }
}
