//! Spribe Aviator.
//!
//! The operator publishes how seeds become a digest; the step from the digest to the multiplier is a
//! reconstruction that reproduces the panels seen in public.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};

use super::{HexError, Step, at_least_one, hex, leading, reciprocal_cents, sha256};
use crate::Multiplier;

/// What is known of a round; what the operator did not show is `None`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// Shown after the round.
    pub server_seed: String,
    /// Seeds of the first players, in panel order.
    pub client_seeds: Vec<String>,
    /// SHA-256 of the server seed, shown before the round.
    pub commitment: Option<String>,
    /// "Combined SHA512 Hash".
    pub digest: Option<String>,
    /// "Decimal": the first 13 digits of the digest as a number.
    pub decimal: Option<u64>,
    /// The result.
    pub multiplier: Option<Multiplier>,
}

impl Claim {
    /// A round with all that follows from its seeds.
    pub fn of(server_seed: &str, client_seeds: &[&str]) -> Self {
        let digest = digest(server_seed, client_seeds);
        let decimal = decimal(&digest).expect("a digest of ours is hexadecimal");
        Self {
            server_seed: server_seed.to_owned(),
            client_seeds: client_seeds.iter().map(|&seed| seed.to_owned()).collect(),
            commitment: Some(commit(server_seed)),
            digest: Some(digest),
            decimal: Some(decimal),
            multiplier: Some(at_least_one(cents(decimal))),
        }
    }

    /// Computes each step anew from the seeds.
    pub fn steps(&self) -> Vec<Step> {
        let seeds: Vec<&str> = self.client_seeds.iter().map(String::as_str).collect();
        let fair = Self::of(&self.server_seed, &seeds);
        let number = |claim: &Self| claim.decimal.map(|decimal| decimal.to_string());
        let result = |claim: &Self| claim.multiplier.map(|multiplier| multiplier.to_string());
        let step = |name, said: Option<String>, computed: Option<String>| {
            Step::new(name, said.as_deref(), computed.expect("`of` fills every field"))
        };
        vec![
            step("SHA-256 of the server seed", self.commitment.clone(), fair.commitment.clone()),
            step("SHA-512 of all seeds", self.digest.clone(), fair.digest.clone()),
            step("decimal of its first 13 digits", number(self), number(&fair)),
            step("multiplier", result(self), result(&fair)),
        ]
    }
}

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
