//! The formula of Stake Crash.

use super::scheme::{ChainEnd, HashChain, Published, Scheme, SchemeError, chain_steps};
use super::{HexError, Step, at_least_one, digest_of_text, leading};
use crate::Multiplier;

/// The game as a [`Scheme`].
#[derive(Debug, Clone, Copy)]
pub struct Stake;

impl Scheme for Stake {
    fn name(&self) -> &'static str {
        "stake"
    }

    fn summary(&self) -> &'static str {
        "Stake Crash: a chain of hashes"
    }

    fn steps(&self, published: &Published) -> Result<Vec<Step>, SchemeError> {
        chain_steps(self, published)
    }

    fn chain(&self) -> Option<&dyn HashChain> {
        Some(self)
    }
}

impl HashChain for Stake {
    fn digest(&self, hash: &str) -> Result<String, HexError> {
        digest_of_text(hash, SALT)
    }

    fn multiplier(&self, digest: &str) -> Result<Multiplier, HexError> {
        decimal(digest).map(|i| at_least_one(cents(i)))
    }

    fn end(&self) -> Option<ChainEnd> {
        Some(ChainEnd { hash: TERMINATING_HASH, number: None })
    }
}

/// The public salt, the hash of a Bitcoin block.
pub const SALT: &str = "0000000000000000001b34dc6a1e86083f95500b096231436e9b25cbdd0075c4";

/// The last hash of the chain, published before the first game.
pub const TERMINATING_HASH: &str =
    "78a9757d3be42b74a3f70239078ad9317125fe9ee630d5bdada46de963e56752";

/// Returns the first 8 hexadecimal digits as a number: 0 to 2^32 - 1.
///
/// # Errors
/// The digest does not begin with 8 hexadecimal digits.
pub fn decimal(digest: &str) -> Result<u64, HexError> {
    leading(digest, 8)
}

/// Returns `max(100, floor(99 * 2^32 / (i + 1)))` hundredths.
pub fn cents(decimal: u64) -> u64 {
    ((99 << 32) / (decimal + 1)).max(100)
}
