//! Formulas by which games turn published seeds and hashes into multipliers.
//!
//! Each formula computes one [`Step`], so that a check can name the step that does not match.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Multiplier;

pub mod aviator;
pub mod bustabit;
pub mod roobet;
mod scheme;
pub mod stake;

pub use scheme::{ChainEnd, HashChain, Published, Scheme, SchemeError};

/// All games whose rounds can be checked.
pub const SCHEMES: [&dyn Scheme; 6] = [
    &aviator::Aviator,
    &bustabit::Version::V1,
    &bustabit::Version::V2,
    &bustabit::Version::V3,
    &stake::Stake,
    &roobet::Roobet,
];

/// Returns the game with this [`Scheme::name`].
pub fn scheme(name: &str) -> Option<&'static dyn Scheme> {
    SCHEMES.into_iter().find(|scheme| scheme.name() == name)
}

/// A text that should be a hexadecimal digest is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected at least {digits} hexadecimal digits, found `{text}`")]
pub struct HexError {
    /// Number of hexadecimal digits expected.
    pub digits: usize,
    /// The text found instead, at most 160 characters of it.
    pub text: String,
}

/// One step on the way from the seeds to the multiplier, with its published and computed values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Short name of what is computed.
    pub name: &'static str,
    /// The value that the operator published, if it is known.
    pub said: Option<String>,
    /// The computed value.
    pub computed: String,
}

impl Step {
    fn new(name: &'static str, said: Option<&str>, computed: String) -> Self {
        Self { name, said: said.map(|said| said.trim().to_owned()), computed }
    }

    /// Returns whether both values agree, ignoring case; `None` if nothing was published.
    pub fn matches(&self) -> Option<bool> {
        self.said.as_ref().map(|said| said.eq_ignore_ascii_case(&self.computed))
    }
}

/// Counts how often `previous` must be applied to `hash` to reach `last`.
///
/// Returns `None` if `steps_max` applications are not enough.
///
/// # Errors
/// `previous` rejects `hash`.
fn chain_length(
    previous: impl Fn(&str) -> Result<String, HexError>,
    hash: &str,
    last: &str,
    steps_max: u64,
) -> Result<Option<u64>, HexError> {
    let mut hash = hash.to_ascii_lowercase();
    for step in 0..=steps_max {
        if hash.eq_ignore_ascii_case(last) {
            return Ok(Some(step));
        }
        hash = previous(&hash)?;
    }
    Ok(None)
}

/// 2^52, the number of values that 13 hexadecimal digits can have.
const E: u64 = 1 << 52;

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Returns the bytes of a digest of at least 64 hexadecimal digits, in upper or lower case.
fn unhex(text: &str) -> Result<Vec<u8>, HexError> {
    let error = || HexError { digits: 64, text: text.chars().take(160).collect() };
    if text.len() < 64 {
        return Err(error());
    }
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| error())
}

/// Returns the first `digits` (at most 16) hexadecimal digits of a digest as a number.
fn leading(digest: &str, digits: usize) -> Result<u64, HexError> {
    let error = || HexError { digits, text: digest.chars().take(160).collect() };
    let head = digest.get(..digits).filter(|head| head.bytes().all(|b| b.is_ascii_hexdigit()));
    u64::from_str_radix(head.ok_or_else(error)?, 16).map_err(|_| error())
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    hex(&mac.finalize().into_bytes())
}

/// Returns the HMAC-SHA256 of a game hash, as lower-case text, and a salt.
fn digest_of_text(game_hash: &str, salt: &str) -> Result<String, HexError> {
    unhex(game_hash)?;
    Ok(hmac_sha256(game_hash.to_ascii_lowercase().as_bytes(), salt.as_bytes()))
}

/// Returns the SHA-256 of a game hash as lower-case text: the hash of the game before in most
/// chains.
fn sha256_of_text(game_hash: &str) -> Result<String, HexError> {
    unhex(game_hash)?;
    Ok(sha256(game_hash.to_ascii_lowercase().as_bytes()))
}

fn sha256(message: &[u8]) -> String {
    hex(&Sha256::digest(message))
}

/// Returns the remainder of a hexadecimal number divided by a small number.
fn remainder(digest: &str, divisor: u64) -> Result<u64, HexError> {
    let bytes = unhex(digest)?;
    Ok(bytes.iter().fold(0, |sum, &byte| (sum * 256 + u64::from(byte)) % divisor))
}

/// Returns `floor(percent * E / (E - h))` in hundredths; the house keeps the rest.
fn reciprocal_cents(percent: u64, h: u64) -> u64 {
    let cents = u128::from(percent) * u128::from(E) / u128::from(E - h);
    u64::try_from(cents).expect("at most 100 * 2^52")
}

/// Returns `floor((100 E - h) / (E - h))` in hundredths.
fn classic_cents(h: u64) -> u64 {
    let cents = (100 * u128::from(E) - u128::from(h)) / u128::from(E - h);
    u64::try_from(cents).expect("at most 100 * 2^52")
}

/// Returns the multiplier of a result; an instant end counts as 1.00.
fn at_least_one(cents: u64) -> Multiplier {
    Multiplier::from_cents(cents.max(100)).expect("at least 100 cents")
}
