//! What a scan reports about a file.

use crate::cursor::Rejected;
use crate::round::Round;

/// What has changed in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The name of the file, without its directory.
    pub file: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// New and replaced files: all rounds of the file; appended ones: the new rounds. In file order.
    pub rounds: Vec<Round>,
    /// Lines that are not rounds, of the same stretch as `rounds`; at most [`crate::REJECTED_MAX`].
    pub rejected: Vec<Rejected>,
    /// Number of lines of that stretch that are not rounds.
    pub rejected_count: u64,
    /// Rounds of this file now.
    pub total: u64,
    /// Lines of this file that are not rounds, now.
    pub rejected_total: u64,
    /// Bytes after the last newline: a row being written, or one torn by a crash.
    pub torn_bytes: u64,
    /// Why the file cannot be read, for [`ChangeKind::Unreadable`].
    pub error: Option<String>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was not there, or not readable, before.
    New,
    /// Lines were appended.
    Appended,
    /// It was truncated, rewritten or replaced: its earlier rounds no longer count.
    Replaced,
    /// It is gone, and its rounds with it.
    Removed,
    /// Its size or modification time changed, its rows did not.
    Touched,
    /// It cannot be read; its earlier rounds still count. Reported once, retried at every scan.
    Unreadable,
}
