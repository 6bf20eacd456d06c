//! The formulas of bustabit and of the games that copied it.

use super::scheme::{ChainEnd, HashChain, Published, Scheme, SchemeError, chain_steps};
use super::{
    HexError, Step, at_least_one, classic_cents, digest_of_text, hmac_sha256, leading,
    reciprocal_cents, remainder, sha256, sha256_of_text, unhex,
};
use crate::Multiplier;

/// The three series of games, each with its own salt, chain and formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// Until 2018: one game in 101 ends at once.
    V1,
    /// From the seeding event of 2018.
    V2,
    /// Games 12,279,451 and later, "classic".
    V3,
}

impl Scheme for Version {
    fn name(&self) -> &'static str {
        match self {
            Self::V1 => "bustabit1",
            Self::V2 => "bustabit2",
            Self::V3 => "bustabit3",
        }
    }

    fn summary(&self) -> &'static str {
        match self {
            Self::V1 => "bustabit until 2018: a chain of hashes",
            Self::V2 => "bustabit from the seeding event of 2018",
            Self::V3 => "bustabit from game 12,279,451",
        }
    }

    fn steps(&self, published: &Published) -> Result<Vec<Step>, SchemeError> {
        chain_steps(self, published)
    }

    fn chain(&self) -> Option<&dyn HashChain> {
        Some(self)
    }
}

impl HashChain for Version {
    fn digest(&self, hash: &str) -> Result<String, HexError> {
        match self {
            Self::V1 => digest_of_text(hash, self.salt()),
            Self::V2 | Self::V3 => Ok(hmac_sha256(self.salt().as_bytes(), &unhex(hash)?)),
        }
    }

    fn multiplier(&self, digest: &str) -> Result<Multiplier, HexError> {
        cents(*self, digest).map(at_least_one)
    }

    fn previous(&self, hash: &str) -> Result<String, HexError> {
        // Versions 1 and 2 hash the hexadecimal text, version 3 its bytes.
        match self {
            Self::V1 | Self::V2 => sha256_of_text(hash),
            Self::V3 => Ok(sha256(&unhex(hash)?)),
        }
    }

    fn end(&self) -> Option<ChainEnd> {
        match self {
            Self::V1 => None,
            Self::V2 => Some(ChainEnd { hash: V2_TERMINATING_HASH, number: Some(0) }),
            Self::V3 => Some(ChainEnd { hash: V3_TERMINATING_HASH, number: Some(V3_GAME_OFFSET) }),
        }
    }
}

/// The last hash of the chain of [`Version::V2`]: game n reaches it in n steps.
pub const V2_TERMINATING_HASH: &str =
    "86728f5fc3bd99db94d3cdaf105d67788194e9701bf95d049ad0e1ee3d004277";

/// The last hash of the chain of [`Version::V3`]: game 10,000,000 + n reaches it in n steps.
pub const V3_TERMINATING_HASH: &str =
    "567a98370fb7545137ddb53687723cf0b8a1f5e93b1f76f4a1da29416930fa59";

/// The number of the game whose hash is [`V3_TERMINATING_HASH`].
pub const V3_GAME_OFFSET: u64 = 10_000_000;

impl Version {
    /// All versions.
    pub const ALL: [Self; 3] = [Self::V1, Self::V2, Self::V3];

    /// Returns the public salt, the hash of a Bitcoin block mined after the chain was published.
    pub fn salt(self) -> &'static str {
        match self {
            Self::V1 => "000000000000000007a9a31ff7f07463d91af6b5454241d5faf282e5e0fe1b3a",
            Self::V2 => "0000000000000000004d6ec16dafe9d8370958664c1dc422f452892264c59526",
            Self::V3 => "00000000000000000001e08b7fd44f95e3e950ac65650a8031a6d5e1750e34be",
        }
    }
}

/// Returns the first 13 hexadecimal digits as a number: 0 to 2^52 - 1.
///
/// # Errors
/// The digest does not begin with 13 hexadecimal digits.
pub fn decimal(digest: &str) -> Result<u64, HexError> {
    leading(digest, 13)
}

/// Returns the result in hundredths; 0 is the instant end of [`Version::V1`].
///
/// The operator computes in floating point; the integers here give the same result unless a quotient
/// lies within a rounding error of a whole hundredth.
///
/// # Errors
/// The digest is not 64 hexadecimal digits.
pub fn cents(version: Version, digest: &str) -> Result<u64, HexError> {
    let h = decimal(digest)?;
    Ok(match version {
        Version::V1 if remainder(digest, 101)? == 0 => 0,
        Version::V1 => classic_cents(h),
        Version::V2 | Version::V3 => reciprocal_cents(99, h).max(100),
    })
}
