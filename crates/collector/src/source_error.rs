//! Why a source cannot be read, and what the session does about it.

use std::time::Duration;

use thiserror::Error;

/// Minimum pause after a refusal (a wrong token, a ban): frequent attempts make it worse.
const REFUSED_PAUSE: Duration = Duration::from_mins(5);

/// Why a source cannot be connected or read. Messages are lower case, have no final dot, and name the option to change.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// Only another configuration helps: the process ends.
    #[error("{0}")]
    Configuration(String),
    /// The source cannot be reached, or the connection broke: connection refused, name not resolved, TLS failed, closed.
    #[error("{0}")]
    Disconnected(String),
    /// The source answers, but the game is not there: no matching tab, tab closed, no list.
    #[error("{0}")]
    NotFound(String),
    /// The source refuses this client (401, 403; close codes 1008, 4001, 4003, 4401, 4403): retried after five minutes.
    #[error("{0}")]
    Refused(String),
    /// The source asks for a pause (429, 503 with Retry-After).
    #[error("{answer}")]
    Busy {
        /// The source's answer.
        answer: String,
        /// The pause it asks for.
        retry_after: Duration,
    },
    /// The answer is unusable (404, wrong protocol, undecodable messages): ends the process the fifth time in a row.
    #[error("{0}")]
    Unusable(String),
    /// No answer in time.
    #[error("{peer} did not answer within {} s", after.as_secs_f64())]
    TimedOut {
        /// The peer, as messages name it.
        peer: String,
        /// The limit.
        after: Duration,
    },
    /// Nothing arrived over an open connection for too long.
    #[error("{peer} was silent for {} s", after.as_secs_f64())]
    Silent {
        /// The peer, as messages name it.
        peer: String,
        /// The limit.
        after: Duration,
    },
}

impl SourceError {
    /// Returns whether another attempt cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Configuration(_))
    }

    /// Returns whether this may be a configuration mistake: only a few attempts are worth it.
    pub fn is_suspect(&self) -> bool {
        matches!(self, Self::Unusable(_))
    }

    /// Returns the minimum pause before the next attempt, if the error asks for one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(_) => Some(REFUSED_PAUSE),
            Self::Busy { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}
