//! The state after some number of rounds, so that a restart need not score them again.
//!
//! A checkpoint is only a shorter way to the same state. It is taken up when it is whole, when this
//! program wrote it, and when rounds and ledger still begin as they did then; else everything is
//! computed anew. It never says anything that the rounds and the ledger do not.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use forecasting::engine::LearnedState;
use forecasting::forecast::Forecast;
use rounds::Round;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Incremented when the layout or the meaning of a checkpoint changes.
pub(crate) const FORMAT: u32 = 3;

/// The first line of the file; the digest of all that follows the second line is the second.
const MAGIC: &[u8] = b"aviator predictor checkpoint\n";

/// A SHA-256 in hexadecimal digits.
type Hex = String;

/// Everything known after some number of rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    #[serde(flatten)]
    head: Head,
    /// It covers this many rounds, from the first.
    pub(crate) rounds: u64,
    rounds_digest: Hex,
    /// The ledger is accounted for up to this position.
    pub(crate) ledger: LedgerPosition,
    /// The forecast for the next round.
    pub(crate) open: Option<Forecast>,
    /// Forecasts in the ledger that match no round.
    pub(crate) unmatched: Unmatched,
    /// Number of forecasts that were settled by another round than the one in the files.
    pub(crate) mismatches: u64,
    /// The newest model that made a forecast.
    pub(crate) model_version: u64,
    pub(crate) learned: LearnedState,
}

/// Which program wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    format: u32,
    program: String,
}

/// A position in the ledger's file, and a digest of what precedes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LedgerPosition {
    pub(crate) bytes: u64,
    /// Digest of the last bytes before it.
    digest: Hex,
}

/// Forecasts without rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unmatched {
    pub(crate) count: u64,
    /// The latest round before one of them. Later rounds cannot find them any more.
    pub(crate) until: Option<DateTime<Utc>>,
}

/// The contents of a checkpoint beside the rounds.
#[derive(Debug)]
pub(crate) struct CheckpointInputs {
    pub(crate) ledger: LedgerPosition,
    pub(crate) open: Option<Forecast>,
    pub(crate) unmatched: Unmatched,
    pub(crate) mismatches: u64,
    pub(crate) model_version: u64,
    pub(crate) learned: LearnedState,
}

/// Why a checkpoint is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Bytes have changed or are missing.
    #[error("it is damaged")]
    Damaged,
    /// Written by another version of the program.
    #[error("it is of version {program}, format {format}")]
    OtherProgram { program: String, format: u32 },
    /// The files hold other rounds now.
    #[error("earlier rounds have changed")]
    OtherRounds,
    /// The ledger is shorter, or another one.
    #[error("the ledger is not the one it was made with")]
    OtherLedger,
    /// Rounds have appeared for which there are forecasts before its place in the ledger.
    #[error("rounds have come back that have forecasts")]
    RoundsCameBack,
}

impl Checkpoint {
    /// After the rounds of the digest.
    pub(crate) fn new(digest: &RoundsDigest, known: CheckpointInputs) -> Self {
        Self {
            head: Head::ours(),
            rounds: digest.rounds,
            rounds_digest: digest.hex(),
            ledger: known.ledger,
            open: known.open,
            unmatched: known.unmatched,
            mismatches: known.mismatches,
            model_version: known.model_version,
            learned: known.learned,
        }
    }

    /// As the file holds it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let body =
            serde_json::to_vec(self).expect("a checkpoint is plain numbers, names and times");
        let mut text = Vec::with_capacity(body.len() + 100);
        text.extend_from_slice(MAGIC);
        text.extend_from_slice(digest_of(&body).as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&body);
        text
    }

    /// Out of a file's bytes.
    ///
    /// # Errors
    /// Damage, or another program's.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let sealed = bytes.strip_prefix(MAGIC).ok_or(Refusal::Damaged)?;
        let end = sealed.iter().position(|&byte| byte == b'\n').ok_or(Refusal::Damaged)?;
        let (digest, body) = (&sealed[..end], &sealed[end + 1..]);
        if digest != digest_of(body).as_bytes() {
            return Err(Refusal::Damaged);
        }
        let head: Head = serde_json::from_slice(body).map_err(|_| Refusal::Damaged)?;
        if head != Head::ours() {
            let Head { program, format } = head;
            return Err(Refusal::OtherProgram { program, format });
        }
        let found: Self = serde_json::from_slice(body).map_err(|_| Refusal::Damaged)?;
        let is_sound = found.learned.rounds() == found.rounds;
        if is_sound { Ok(found) } else { Err(Refusal::Damaged) }
    }

    /// Whether it is of the first of these rounds; gives their digest.
    ///
    /// # Errors
    /// When it is of others.
    pub(crate) fn check_rounds(&self, rounds: &[Round]) -> Result<RoundsDigest, Refusal> {
        let known = usize::try_from(self.rounds).unwrap_or(usize::MAX);
        let (known, later) = rounds.split_at_checked(known).ok_or(Refusal::OtherRounds)?;
        let digest = RoundsDigest::of(known);
        if digest.hex() != self.rounds_digest {
            return Err(Refusal::OtherRounds);
        }
        let last = known.last().filter(|_| !later.is_empty());
        if last.is_some_and(|last| self.unmatched.until.is_some_and(|until| last.time <= until)) {
            return Err(Refusal::RoundsCameBack);
        }
        Ok(digest)
    }
}

impl Head {
    fn ours() -> Self {
        Self { format: FORMAT, program: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

impl LedgerPosition {
    /// After so many bytes, the last of which are these.
    pub(crate) fn after(bytes: u64, last: &[u8]) -> Self {
        Self { bytes, digest: digest_of(last) }
    }
}

impl Unmatched {
    /// Those of both.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, until: self.until.max(other.until) }
    }
}

/// A running digest of rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundsDigest {
    hasher: Sha256,
    rounds: u64,
}

impl RoundsDigest {
    /// Of some rounds.
    pub(crate) fn of(rounds: &[Round]) -> Self {
        let mut digest = Self::default();
        for round in rounds {
            digest.push(round);
        }
        digest
    }

    /// Takes the next round: its time to the nanosecond and every bit of its multiplier.
    pub(crate) fn push(&mut self, round: &Round) {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&round.time.timestamp().to_le_bytes());
        bytes[8..12].copy_from_slice(&round.time.timestamp_subsec_nanos().to_le_bytes());
        bytes[12..].copy_from_slice(&round.multiplier.as_f64().to_bits().to_le_bytes());
        self.hasher.update(bytes);
        self.rounds += 1;
    }

    fn hex(&self) -> Hex {
        HEXLOWER.encode(&self.hasher.clone().finalize())
    }
}

fn digest_of(bytes: &[u8]) -> Hex {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
