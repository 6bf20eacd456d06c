//! Formulas by which games turn published seeds and hashes into multipliers.
//!
//! Each step stands on its own, so that a check can say which [`Step`] does not match.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Multiplier;

pub mod aviator;
pub mod bustabit;
pub mod roobet;
pub mod stake;

/// The text is not the hexadecimal digest it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected at least {digits} hexadecimal digits, found `{text}`")]
pub struct HexError {
    /// Hexadecimal digits wanted.
    pub digits: usize,
    /// What was found instead, at most 160 characters of it.
    pub text: String,
}

/// One step from the seeds to the multiplier: what was said and what comes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is computed, in a few words.
    pub name: &'static str,
    /// What the operator said, if it is known.
    pub said: Option<String>,
    /// What comes out.
    pub computed: String,
}

impl Step {
    fn new(name: &'static str, said: Option<&str>, computed: String) -> Self {
        Self { name, said: said.map(|said| said.trim().to_owned()), computed }
    }

    /// Whether both agree, upper and lower case aside; `None` if nothing was said.
    pub fn matches(&self) -> Option<bool> {
        self.said.as_ref().map(|said| said.eq_ignore_ascii_case(&self.computed))
    }
}

/// What is known of a game whose result comes from a chain of hashes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HashClaim {
    /// The hash of the game, published after it.
    pub hash: String,
    /// The hash of the game before it, which was public already.
    pub previous: Option<String>,
    /// The digest the operator shows.
    pub digest: Option<String>,
    /// The multiplier the operator shows.
    pub multiplier: Option<Multiplier>,
}

/// Hashes that `previous` gives one after another from `hash` on, until one is `last`: how many.
///
/// `None` if `steps_max` hashes were not enough.
///
/// # Errors
/// `hash` is not what `previous` takes.
pub fn chain_length(
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

/// The steps of a game of a chain.
fn hash_steps(
    claim: &HashClaim,
    previous: String,
    digest: String,
    multiplier: Multiplier,
) -> Vec<Step> {
    let said = claim.multiplier.map(|multiplier| multiplier.to_string());
    vec![
        Step::new("hash of the game before", claim.previous.as_deref(), previous),
        Step::new("digest", claim.digest.as_deref(), digest),
        Step::new("multiplier", said.as_deref(), multiplier.to_string()),
    ]
}

/// 2^52: so many values 13 hexadecimal digits have.
const E: u64 = 1 << 52;

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The bytes of a digest in hexadecimal digits, which must be all of `text`.
fn unhex(text: &str) -> Result<Vec<u8>, HexError> {
    let wrong = || HexError { digits: 64, text: text.chars().take(160).collect() };
    if text.len() < 64 || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    Ok(digits.ok_or_else(wrong)?.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The first `digits` (at most 16) hexadecimal digits of a digest as a number.
fn leading(digest: &str, digits: usize) -> Result<u64, HexError> {
    let wrong = || HexError { digits, text: digest.chars().take(160).collect() };
    let head = digest.get(..digits).filter(|head| head.bytes().all(|b| b.is_ascii_hexdigit()));
    u64::from_str_radix(head.ok_or_else(wrong)?, 16).map_err(|_| wrong())
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    hex(&mac.finalize().into_bytes())
}

fn sha256(message: &[u8]) -> String {
    hex(&Sha256::digest(message))
}

/// A number of hexadecimal digits modulo a small one.
fn remainder(digest: &str, divisor: u64) -> Result<u64, HexError> {
    let bytes = unhex(digest)?;
    Ok(bytes.iter().fold(0, |sum, &byte| (sum * 256 + u64::from(byte)) % divisor))
}

/// `floor(percent * E / (E - h))`, the house keeping the rest, in hundredths.
fn reciprocal_cents(percent: u64, h: u64) -> u64 {
    let cents = u128::from(percent) * u128::from(E) / u128::from(E - h);
    u64::try_from(cents).expect("at most 100 * 2^52")
}

/// `floor((100 E - h) / (E - h))`, in hundredths.
fn classic_cents(h: u64) -> u64 {
    let cents = (100 * u128::from(E) - u128::from(h)) / u128::from(E - h);
    u64::try_from(cents).expect("at most 100 * 2^52")
}

/// Nobody is paid less than nothing: an instant end counts as 1.00.
fn at_least_one(cents: u64) -> Multiplier {
    Multiplier::from_cents(cents.max(100)).expect("at least 100 cents")
}
