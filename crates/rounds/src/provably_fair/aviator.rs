//! Spribe Aviator.
//!
//! The operator publishes how seeds become a digest; the step from the digest to the multiplier is a
//! reconstruction that reproduces the panels seen in public.

use sha2::{Digest, Sha512};

use super::{HexError, at_least_one, hex, leading, reciprocal_cents, sha256};
use crate::Multiplier;

/// What is shown before the round: SHA-256 of the server seed.
pub fn commit(server_seed: &str) -> String {
    sha256(server_seed.as_bytes())
}

/// SHA-512 of the server seed and the seeds of the first three players, in panel order, nothing between.
pub fn digest(server_seed: &str, client_seeds: &[&str]) -> String {
    let mut hasher = Sha512::new();
    hasher.update(server_seed);
    for seed in client_seeds {
        hasher.update(seed);
    }
    hex(&hasher.finalize())
}

/// The first 13 hexadecimal digits as a number, the panel's "decimal": 0 to 2^52 - 1.
///
/// # Errors
/// The digest does not begin with 13 hexadecimal digits.
pub fn decimal(digest: &str) -> Result<u64, HexError> {
    leading(digest, 13)
}

/// `max(100, floor(97 E / (E - h)))` hundredths, E = 2^52.
///
/// # Panics
/// `decimal` is 2^52 or more, which 13 digits cannot be.
pub fn cents(decimal: u64) -> u64 {
    reciprocal_cents(97, decimal).max(100)
}

/// The multiplier of a digest.
///
/// # Errors
/// The digest does not begin with 13 hexadecimal digits.
pub fn multiplier(digest: &str) -> Result<Multiplier, HexError> {
    decimal(digest).map(|h| at_least_one(cents(h)))
}
