//! The state after some number of rounds, so that a restart need not score them again.
//!
//! A checkpoint is a cache: it holds nothing that does not follow from the rounds and the ledger. It is
//! used if it is undamaged, was written by this version of the program, and rounds and ledger still
//! begin with what it covers; otherwise everything is recomputed.

use data_encoding::HEXLOWER;
use evaluation::HouseLaw;
use forecasting::engine::LearnedState;
use forecasting::forecast::Forecast;
use forecasting::ledger::Absent;
use rounds::Round;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Incremented when the layout or the meaning of a checkpoint changes.
pub(crate) const FORMAT: u32 = 6;

/// The first line of the file. The second line is the digest of everything after it.
const MAGIC: &[u8] = b"aviator predictor checkpoint\n";

/// A SHA-256 in hexadecimal digits.
type Hex = String;

/// The state after some number of rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    #[serde(flatten)]
    head: Head,
    /// Number of rounds that it covers, from the first.
    pub(crate) rounds: u64,
    rounds_digest: Hex,
    /// The checkpoint covers the ledger up to this position.
    pub(crate) ledger: LedgerPosition,
    /// The forecast for the next round.
    pub(crate) open: Option<Forecast>,
    /// What the ledger holds of histories that are not those of the files.
    pub(crate) absent: Absent,
    /// The newest model that made a forecast.
    pub(crate) model_version: u64,
    pub(crate) learned: LearnedState,
}

/// The program that wrote a checkpoint.
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

/// The contents of a checkpoint beside the rounds.
#[derive(Debug)]
pub(crate) struct CheckpointInputs {
    pub(crate) ledger: LedgerPosition,
    pub(crate) open: Option<Forecast>,
    pub(crate) absent: Absent,
    pub(crate) model_version: u64,
    pub(crate) learned: LearnedState,
}

/// Why a checkpoint is not used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Bytes have changed or are missing.
    #[error("it is damaged")]
    Damaged,
    /// Written by another version of the program.
    #[error(
        "predictor {program} wrote it in format {format}; this is predictor {}, format {FORMAT}",
        env!("CARGO_PKG_VERSION")
    )]
    OtherProgram { program: String, format: u32 },
    /// The files hold other rounds now.
    #[error("earlier rounds have changed")]
    OtherRounds,
    /// The ledger is shorter, or a different one.
    #[error("it belongs to a different ledger")]
    OtherLedger,
    /// It was made for a game with another law.
    #[error("it was made for another game ({}); now it is one with {}", terms(.before), terms(.now))]
    OtherLaw { before: HouseLaw, now: HouseLaw },
    /// Rounds have appeared whose forecasts may lie before the checkpoint's position in the ledger.
    #[error("rounds that had been read before may have reappeared")]
    RoundsCameBack,
}

impl Checkpoint {
    /// Returns the checkpoint after the rounds of the digest.
    pub(crate) fn new(digest: &RoundsDigest, inputs: CheckpointInputs) -> Self {
        Self {
            head: Head::current(),
            rounds: digest.rounds,
            rounds_digest: digest.hex(),
            ledger: inputs.ledger,
            open: inputs.open,
            absent: inputs.absent,
            model_version: inputs.model_version,
            learned: inputs.learned,
        }
    }

    /// Returns the contents of the file.
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

    /// Reads the contents of a file.
    ///
    /// # Errors
    /// The file is damaged, or another version of the program wrote it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let sealed = bytes.strip_prefix(MAGIC).ok_or(Refusal::Damaged)?;
        let end = sealed.iter().position(|&byte| byte == b'\n').ok_or(Refusal::Damaged)?;
        let (digest, body) = (&sealed[..end], &sealed[end + 1..]);
        if digest != digest_of(body).as_bytes() {
            return Err(Refusal::Damaged);
        }
        let head: Head = serde_json::from_slice(body).map_err(|_| Refusal::Damaged)?;
        if head != Head::current() {
            let Head { program, format } = head;
            return Err(Refusal::OtherProgram { program, format });
        }
        let found: Self = serde_json::from_slice(body).map_err(|_| Refusal::Damaged)?;
        let is_sound = found.learned.rounds() == found.rounds;
        if is_sound { Ok(found) } else { Err(Refusal::Damaged) }
    }

    /// Checks that the checkpoint was made under this law of the house.
    ///
    /// # Errors
    /// It was made under another one.
    pub(crate) fn check_law(&self, law: &HouseLaw) -> Result<(), Refusal> {
        let before = self.learned.house();
        if before == law {
            return Ok(());
        }
        Err(Refusal::OtherLaw { before: *before, now: *law })
    }

    /// Checks that the checkpoint covers the first of these rounds; returns their digest.
    ///
    /// # Errors
    /// It covers other rounds.
    pub(crate) fn check_rounds(&self, rounds: &[Round]) -> Result<RoundsDigest, Refusal> {
        let known = usize::try_from(self.rounds).unwrap_or(usize::MAX);
        let (known, later) = rounds.split_at_checked(known).ok_or(Refusal::OtherRounds)?;
        let digest = RoundsDigest::of(known);
        if digest.hex() != self.rounds_digest {
            return Err(Refusal::OtherRounds);
        }
        let last = known.last().ok_or(Refusal::OtherRounds)?;
        if !later.is_empty() && self.absent.may_follow(last) {
            return Err(Refusal::RoundsCameBack);
        }
        Ok(digest)
    }
}

impl Head {
    fn current() -> Self {
        Self { format: FORMAT, program: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

impl LedgerPosition {
    /// Returns the position after `bytes` bytes that end with `last`.
    pub(crate) fn after(bytes: u64, last: &[u8]) -> Self {
        Self { bytes, digest: digest_of(last) }
    }
}

/// A running digest of rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundsDigest {
    hasher: Sha256,
    rounds: u64,
}

impl RoundsDigest {
    /// Returns the digest of some rounds.
    pub(crate) fn of(rounds: &[Round]) -> Self {
        let mut digest = Self::default();
        for round in rounds {
            digest.push(round);
        }
        digest
    }

    /// Adds the next round: its time to the nanosecond and every bit of its multiplier.
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

fn terms(law: &HouseLaw) -> String {
    let cap = evaluation::multiplier(law.cap_cents());
    format!("return {}, {:.4} at 1.00x, cap {cap}x", law.r(), law.atom())
}

fn digest_of(bytes: &[u8]) -> Hex {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
