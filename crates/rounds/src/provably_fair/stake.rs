//! Stake Crash.

use super::{
    HashClaim, HexError, Step, at_least_one, hash_steps, hmac_sha256, leading, sha256, unhex,
};
use crate::Multiplier;

/// The public salt, the hash of a Bitcoin block.
pub const SALT: &str = "0000000000000000001b34dc6a1e86083f95500b096231436e9b25cbdd0075c4";

/// The last hash of the chain, published before the first game.
pub const TERMINATING_HASH: &str =
    "78a9757d3be42b74a3f70239078ad9317125fe9ee630d5bdada46de963e56752";

/// HMAC-SHA256 of the game hash, as text, and the salt.
///
/// # Errors
/// The hash is not 64 hexadecimal digits.
pub fn digest(game_hash: &str) -> Result<String, HexError> {
    unhex(game_hash)?;
    Ok(hmac_sha256(game_hash.to_ascii_lowercase().as_bytes(), SALT.as_bytes()))
}

/// The first 8 hexadecimal digits as a number: 0 to 2^32 - 1.
///
/// # Errors
/// The digest does not begin with 8 hexadecimal digits.
pub fn decimal(digest: &str) -> Result<u64, HexError> {
    leading(digest, 8)
}

/// `max(100, floor(99 * 2^32 / (i + 1)))` hundredths.
pub fn cents(decimal: u64) -> u64 {
    ((99 << 32) / (decimal + 1)).max(100)
}

/// The multiplier of a digest.
///
/// # Errors
/// The digest does not begin with 8 hexadecimal digits.
pub fn multiplier(digest: &str) -> Result<Multiplier, HexError> {
    decimal(digest).map(|i| at_least_one(cents(i)))
}

/// The hash of the game before: SHA-256 of the hexadecimal text.
///
/// # Errors
/// The hash is not 64 hexadecimal digits.
pub fn previous(game_hash: &str) -> Result<String, HexError> {
    unhex(game_hash)?;
    Ok(sha256(game_hash.to_ascii_lowercase().as_bytes()))
}

/// Computes each step of a game anew from its hash.
///
/// # Errors
/// The hash is not 64 hexadecimal digits.
pub fn steps(claim: &HashClaim) -> Result<Vec<Step>, HexError> {
    let digest = digest(&claim.hash)?;
    let multiplier = multiplier(&digest)?;
    Ok(hash_steps(claim, previous(&claim.hash)?, digest, multiplier))
}
