//! The identity of a history: a hash chain over the rounds.
//!
//! `h_0` is a constant and `h_t = H(h_{t-1}, round_t)`, so `h_t` stands for the first `t` rounds in their
//! order. A history belongs to the present rounds if and only if they have the same hash after as many
//! rounds. Models and forecasts carry the hash of the rounds from which they were made.
//!
//! H is SHA-256, of which 64 bits are kept. Two given histories that differ have the same hash after some
//! later round with a probability of at most `rounds / 2^64`: 5e-13 for ten million rounds. A round enters
//! the chain with its multiplier only. Models learn nothing else, and the clock of a round may be
//! corrected: two recorders of one table report it at slightly different times.

use std::fmt;

use rounds::Round;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The hash of a history.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HistoryHash(u64);

impl HistoryHash {
    /// The hash of a history that was not recorded, as in ledgers of earlier versions. No rounds have it: see
    /// `HistoryHash::EMPTY`.
    pub const UNKNOWN: Self = Self(0);

    /// The hash of no rounds: the first 64 bits of π, so that it differs from [`HistoryHash::UNKNOWN`].
    const EMPTY: Self = Self(0x243f_6a88_85a3_08d3);

    /// Returns the hash of this history and a round with this multiplier after it.
    #[must_use]
    pub fn followed_by(self, multiplier: f64) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        bytes[8..].copy_from_slice(&multiplier.to_bits().to_le_bytes());
        let digest = Sha256::digest(bytes);
        let first = digest.first_chunk().expect("a digest of SHA-256 has 32 bytes");
        Self(u64::from_le_bytes(*first))
    }
}

impl fmt::Display for HistoryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for HistoryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for HistoryHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HistoryHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let is_hash =
            text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let hash = is_hash.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        hash.map(Self).ok_or_else(|| serde::de::Error::custom("a hash has 16 hexadecimal digits"))
    }
}

/// The hashes of a history after each of its rounds: 8 bytes a round.
#[derive(Debug, Clone, Default)]
pub struct HistoryChain {
    /// `hashes[t - 1]` is `h_t`.
    hashes: Vec<HistoryHash>,
}

impl HistoryChain {
    /// Returns the chain of these rounds.
    pub fn of<'a>(rounds: impl IntoIterator<Item = &'a Round>) -> Self {
        let mut chain = Self::default();
        rounds.into_iter().for_each(|round| chain.push(round));
        chain
    }

    /// Returns the chain of the first `rounds` of these rounds.
    ///
    /// # Panics
    /// There are fewer.
    #[must_use]
    pub fn first(&self, rounds: usize) -> Self {
        Self { hashes: self.hashes[..rounds].to_vec() }
    }

    /// Adds the next round.
    pub fn push(&mut self, round: &Round) {
        self.hashes.push(self.head().followed_by(round.multiplier.as_f64()));
    }

    /// Returns the number of rounds.
    pub fn rounds(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Returns the hash after all rounds.
    pub fn head(&self) -> HistoryHash {
        self.hashes.last().copied().unwrap_or(HistoryHash::EMPTY)
    }

    /// Returns whether the first `rounds` of these rounds are the history `hash`.
    pub fn contains(&self, rounds: u64, hash: HistoryHash) -> bool {
        let found = match usize::try_from(rounds) {
            Ok(0) => Some(&HistoryHash::EMPTY),
            Ok(rounds) => self.hashes.get(rounds - 1),
            Err(_) => None,
        };
        found == Some(&hash)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rounds::Multiplier;

    use super::*;

    fn round(cents: u64) -> Round {
        Round { time: DateTime::UNIX_EPOCH, multiplier: Multiplier::from_cents(cents).unwrap() }
    }

    fn chain(cents: &[u64]) -> HistoryChain {
        HistoryChain::of(&cents.iter().map(|&cents| round(cents)).collect::<Vec<_>>())
    }

    #[test]
    fn a_chain_contains_its_beginnings_and_no_other_history() {
        let whole = chain(&[120, 340, 150, 990]);
        for rounds in 0..=4 {
            let begin = chain(&[120, 340, 150, 990][..rounds]);
            assert!(whole.contains(begin.rounds(), begin.head()), "{rounds}");
            assert!(!whole.contains(begin.rounds() + 1, begin.head()), "{rounds}");
        }
        for other in [&[120, 341][..], &[340, 120], &[120, 340, 990], &[120, 340, 150, 990, 120]] {
            let other = chain(other);
            assert!(!whole.contains(other.rounds(), other.head()), "{other:?}");
        }
        assert!((0..6).all(|rounds| !whole.contains(rounds, HistoryHash::UNKNOWN)));
        assert!(!whole.contains(u64::MAX, whole.head()));
    }

    #[test]
    fn a_corrected_clock_leaves_the_history_as_it_is() {
        let later = Round { time: DateTime::from_timestamp(9, 0).unwrap(), ..round(250) };
        assert_eq!(HistoryChain::of([&later]).head(), chain(&[250]).head());
    }

    #[test]
    fn a_hash_read_back_equals_the_written_one_and_other_texts_are_rejected() {
        let head = chain(&[120, 340]).head();
        let text = serde_json::to_string(&head).unwrap();
        assert_eq!(text.len(), 18, "{text}");
        assert_eq!(serde_json::from_str::<HistoryHash>(&text).unwrap(), head);
        assert_eq!(serde_json::from_slice::<HistoryHash>(text.as_bytes()).unwrap(), head);
        for other in ["\"\"", "\"12\"", "\"+123456789abcdef\"", "\"0123456789ABCDEF\"", "7"] {
            assert!(serde_json::from_str::<HistoryHash>(other).is_err(), "{other}");
        }
    }
}
