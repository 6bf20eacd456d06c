//! The formula of Roobet Crash.

use super::scheme::{HashChain, Published, Scheme, SchemeError, chain_steps};
use super::{HexError, Step, at_least_one, classic_cents, digest_of_text, leading, remainder};
use crate::Multiplier;

/// The game as a [`Scheme`].
#[derive(Debug, Clone, Copy)]
pub struct Roobet;

impl Scheme for Roobet {
    fn name(&self) -> &'static str {
        "roobet"
    }

    fn summary(&self) -> &'static str {
        "Roobet Crash: a chain of hashes"
    }

    fn steps(&self, published: &Published) -> Result<Vec<Step>, SchemeError> {
        chain_steps(self, published)
    }

    fn chain(&self) -> Option<&dyn HashChain> {
        Some(self)
    }
}

impl HashChain for Roobet {
    fn digest(&self, hash: &str) -> Result<String, HexError> {
        digest_of_text(hash, SALT)
    }

    fn multiplier(&self, digest: &str) -> Result<Multiplier, HexError> {
        cents(digest).map(at_least_one)
    }
}

/// The public salt, the hash of a Bitcoin block.
pub const SALT: &str = "0000000000000000000fa3b65e43e4240d71762a5bf397d5304b2596d116859c";

/// Returns the first 13 hexadecimal digits as a number: 0 to 2^52 - 1.
///
/// # Errors
/// The digest does not begin with 13 hexadecimal digits.
pub fn decimal(digest: &str) -> Result<u64, HexError> {
    leading(digest, 13)
}

/// Returns the result in hundredths: 100 if the digest is a multiple of 33, else as bustabit's first formula.
///
/// # Errors
/// The digest is not 64 hexadecimal digits.
pub fn cents(digest: &str) -> Result<u64, HexError> {
    let h = decimal(digest)?;
    Ok(if remainder(digest, 33)? == 0 { 100 } else { classic_cents(h) })
}
