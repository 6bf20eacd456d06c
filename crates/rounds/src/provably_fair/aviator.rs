//! The formula of Spribe Aviator.
//!
//! The operator publishes how seeds become a digest; the step from the digest to the multiplier is a
//! reconstruction that reproduces the panels seen in public.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};

use super::scheme::{Published, Scheme, SchemeError};
use super::{HexError, Step, at_least_one, hex, leading, reciprocal_cents, sha256};
use crate::Multiplier;

/// The game as a [`Scheme`].
#[derive(Debug, Clone, Copy)]
pub struct Aviator;

impl Scheme for Aviator {
    fn name(&self) -> &'static str {
        "aviator"
    }

    fn summary(&self) -> &'static str {
        "Spribe Aviator: server seed and players' seeds"
    }

    /// Without seeds, only the steps after the digest can be checked.
    fn steps(&self, published: &Published) -> Result<Vec<Step>, SchemeError> {
        let Published { hash, server_seed, client_seeds, commitment, multiplier, .. } = published;
        if let Some(server_seed) = server_seed {
            let claim = Claim {
                server_seed: server_seed.clone(),
                client_seeds: client_seeds.clone(),
                commitment: commitment.clone(),
                digest: hash.clone(),
                decimal: None,
                multiplier: *multiplier,
            };
            return Ok(claim.steps());
        }
        let digest =
            hash.as_deref().ok_or(SchemeError::Missing("the seeds or their digest"))?.trim();
        let decimal = decimal(digest)?;
        let shown = multiplier.map(|multiplier| multiplier.to_string());
        Ok(vec![
            Step::new(DECIMAL, None, decimal.to_string()),
            Step::new("multiplier", shown.as_deref(), at_least_one(cents(decimal)).to_string()),
        ])
    }
}

const DECIMAL: &str = "decimal of its first 13 digits";

/// What the operator published about a round; `None` for what it did not show.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// Server seed, shown after the round.
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
    /// Returns the claim with everything that follows from the seeds.
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

    /// Recomputes each step from the seeds.
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
            step(DECIMAL, number(self), number(&fair)),
            step("multiplier", result(self), result(&fair)),
        ]
    }
}

/// Returns the commitment shown before the round: SHA-256 of the server seed.
pub fn commit(server_seed: &str) -> String {
    sha256(server_seed.as_bytes())
}

/// Returns the SHA-512 of the server seed and the seeds of the first three players, in panel order,
/// concatenated without a separator.
pub fn digest(server_seed: &str, client_seeds: &[&str]) -> String {
    let mut hasher = Sha512::new();
    hasher.update(server_seed);
    for seed in client_seeds {
        hasher.update(seed);
    }
    hex(&hasher.finalize())
}

/// Returns the first 13 hexadecimal digits as a number, the panel's "decimal": 0 to 2^52 - 1.
///
/// # Errors
/// The digest does not begin with 13 hexadecimal digits.
pub fn decimal(digest: &str) -> Result<u64, HexError> {
    leading(digest, 13)
}

/// Returns `max(100, floor(97 E / (E - h)))` hundredths, E = 2^52.
///
/// # Panics
/// `decimal` is 2^52 or more, which 13 digits cannot be.
pub fn cents(decimal: u64) -> u64 {
    reciprocal_cents(97, decimal).max(100)
}

/// Returns the multiplier of a digest.
///
/// # Errors
/// The digest does not begin with 13 hexadecimal digits.
pub fn multiplier(digest: &str) -> Result<Multiplier, HexError> {
    decimal(digest).map(|h| at_least_one(cents(h)))
}
