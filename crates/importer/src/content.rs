//! Rounds to be written, and the files they come from.

use rounds::{Origin, Round};

use crate::discontinuities::Discontinuity;

/// What is written: rounds, and the files they come from.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// Oldest first.
    pub rounds: &'a [Round],
    /// Whether their times were generated at the game's usual pace.
    pub is_estimated: bool,
    /// Where rounds may be missing, in the order of the rounds.
    pub discontinuities: &'a [Discontinuity],
    /// The files that hold the rounds.
    pub sources: &'a [SourceFile],
    /// What kind of rounds they are.
    pub origin: Origin,
    /// What writes them, as the source of their events: [`BY_IMPORT`] or [`BY_MERGE`].
    pub by: &'static str,
}

/// Rounds that an import has read.
pub const BY_IMPORT: &str = "import";
/// Rounds that a merge has joined.
pub const BY_MERGE: &str = "merge";

/// A file whose rounds are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, perhaps with its path.
    pub name: String,
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Number of rounds in it.
    pub rounds: u64,
}
