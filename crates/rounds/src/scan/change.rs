//! What a scan reports about a file.

use crate::reader::{Refusal, Rejected, Rejections};
use crate::round::Round;

/// What has changed in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The name of the file, without its directory.
    pub file: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The rounds, in file order: all of them for a new or replaced file, only the new ones for an
    /// appended file.
    pub rounds: Vec<Round>,
    /// Rejected lines of the same part of the file as `rounds`; at most [`crate::REJECTED_MAX`].
    pub rejected: Vec<Rejected>,
    /// Number of rejected lines in that part of the file.
    pub rejected_count: u64,
    /// Total number of rounds in the file.
    pub total: u64,
    /// Lines of this file that are not rounds, now, by reason.
    pub rejections: Rejections,
    /// Why none of its rows is read; `None` if they are.
    pub refused: Option<Refusal>,
    /// Bytes after the last newline: a row being written, or one torn by a crash.
    pub torn_bytes: u64,
    /// Why the file is not read, for [`ChangeKind::Unreadable`] and [`ChangeKind::Misnamed`].
    pub error: Option<String>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It did not exist, or could not be read, until now.
    New,
    /// Lines were appended.
    Appended,
    /// It was truncated, rewritten or replaced: its earlier rounds no longer count.
    Replaced,
    /// It is gone, and its rounds with it.
    Removed,
    /// Its size or modification time changed, but its rows did not.
    Touched,
    /// It cannot be read; its earlier rounds still count. Reported once, retried at every scan.
    Unreadable,
    /// Its name is not UTF-8, so it is not read. Reported once.
    Misnamed,
}
