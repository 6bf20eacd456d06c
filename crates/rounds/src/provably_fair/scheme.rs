//! The interface of a provably fair game, and of one whose results form a chain of hashes.

use serde::{Deserialize, Serialize};

use super::{HexError, Step, chain_length, sha256_of_text};
use crate::Multiplier;

/// A game whose operator publishes seeds or hashes from which each result follows.
///
/// A new game is one file that implements this trait and one row in [`super::SCHEMES`].
pub trait Scheme: Sync {
    /// Returns the name on the command line, such as `stake`.
    fn name(&self) -> &'static str;

    /// Returns one line for a list of games.
    fn summary(&self) -> &'static str;

    /// Recomputes each step from what the operator published.
    ///
    /// # Errors
    /// A seed or hash that the game needs is missing or malformed.
    fn steps(&self, published: &Published) -> Result<Vec<Step>, SchemeError>;

    /// Returns the chain that the game's hashes form; `None` if its results come from seeds.
    fn chain(&self) -> Option<&dyn HashChain> {
        None
    }
}

/// The hashes of a game's rounds, each of which determines the hash of the round before it.
pub trait HashChain: Sync {
    /// Returns the digest of a round's hash, from which the multiplier follows.
    ///
    /// # Errors
    /// The hash is malformed.
    fn digest(&self, hash: &str) -> Result<String, HexError>;

    /// Returns the multiplier of a digest.
    ///
    /// # Errors
    /// The digest is malformed.
    fn multiplier(&self, digest: &str) -> Result<Multiplier, HexError>;

    /// Returns the hash of the round before: in most chains the SHA-256 of this one as text.
    ///
    /// # Errors
    /// The hash is malformed.
    fn previous(&self, hash: &str) -> Result<String, HexError> {
        sha256_of_text(hash)
    }

    /// Returns the published end of the chain, if it is known.
    fn end(&self) -> Option<ChainEnd> {
        None
    }

    /// Returns the number of a round, counted from the published end of the chain; `None` if the end
    /// is unknown, its rounds are not numbered, or it is more than `steps_max` rounds away.
    ///
    /// # Errors
    /// The hash is malformed.
    fn number(&self, hash: &str, steps_max: u64) -> Result<Option<u64>, HexError> {
        let Some(ChainEnd { hash: last, number: Some(first) }) = self.end() else {
            return self.previous(hash).map(|_| None);
        };
        let length = chain_length(|hash| self.previous(hash), hash, last, steps_max)?;
        Ok(length.map(|length| first + length))
    }
}

/// The published last hash of a chain, which was made before the first round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnd {
    /// The hash.
    pub hash: &'static str,
    /// The number of the round with this hash, if the operator numbers its rounds so.
    pub number: Option<u64>,
}

/// What an operator published about one round; `None` and empty for what it did not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Published {
    /// The hash of the round, or the combined digest of its seeds.
    pub hash: Option<String>,
    /// The hash of the round before.
    pub previous: Option<String>,
    /// The server seed, revealed after the round.
    pub server_seed: Option<String>,
    /// Seeds of the players, in the order shown.
    pub client_seeds: Vec<String>,
    /// The hash of the server seed, shown before the round.
    pub commitment: Option<String>,
    /// The multiplier.
    pub multiplier: Option<Multiplier>,
}

/// Why a round cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemeError {
    /// The game needs something that was not published.
    #[error("this game needs {0}")]
    Missing(&'static str),
    /// A hash is malformed.
    #[error(transparent)]
    Hex(#[from] HexError),
}

/// Recomputes the steps of a game that is a chain of hashes.
pub(super) fn chain_steps(
    chain: &dyn HashChain,
    published: &Published,
) -> Result<Vec<Step>, SchemeError> {
    let hash = published.hash.as_deref().ok_or(SchemeError::Missing("the hash of the round"))?;
    let digest = chain.digest(hash)?;
    let multiplier = chain.multiplier(&digest)?.to_string();
    let shown = published.multiplier.map(|multiplier| multiplier.to_string());
    Ok(vec![
        Step::new("hash of the game before", published.previous.as_deref(), chain.previous(hash)?),
        Step::new("digest", None, digest),
        Step::new("multiplier", shown.as_deref(), multiplier),
    ])
}
