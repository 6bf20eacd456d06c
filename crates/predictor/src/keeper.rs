//! Keeps forecasts on disk, and goes on without a disk where there is none to be had.

use std::path::{Path, PathBuf};

use crate::journal::{Journal, JournalError};
use crate::ledger::{Entry, Ledger};

/// The ledger's place, open or not.
#[derive(Debug)]
pub(crate) struct Keeper {
    dir: PathBuf,
    journal: Option<Journal>,
    /// Entries wait for [`Keeper::sync`].
    is_dirty: bool,
    /// What was complained about last; each trouble is said once.
    trouble: Option<String>,
}

impl Keeper {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, journal: None, is_dirty: false, trouble: None }
    }

    /// The file, if there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.journal.as_ref().map(Journal::path)
    }

    /// What is in the ledger; empty when it cannot be had.
    pub(crate) fn read(&mut self) -> Ledger {
        // The lock is given back first.
        self.journal = None;
        match Journal::open(&self.dir) {
            Ok((journal, contents)) => {
                let path = journal.path().display();
                if contents.torn_bytes > 0 {
                    tracing::warn!(
                        "The last line of {path} was torn; {} bytes have been cut off.",
                        contents.torn_bytes
                    );
                }
                if let Some(first) = contents.strange_lines.first() {
                    tracing::warn!(
                        "{} lines of {path} are no entries and are left out; the first is line {first}.",
                        contents.strange_lines.len()
                    );
                }
                self.journal = Some(journal);
                self.trouble = None;
                Ledger::from_entries(contents.entries)
            }
            Err(error) => {
                self.complain(&error);
                Ledger::default()
            }
        }
    }

    /// Appends an entry; [`Keeper::sync`] makes it last.
    pub(crate) fn append(&mut self, entry: &Entry) {
        if self.journal.as_ref().is_none_or(|journal| !journal.is_in_place()) {
            // The directory came late, was replaced, or its owner has gone.
            drop(self.read());
        }
        let Some(journal) = &mut self.journal else { return };
        match journal.append(entry) {
            Ok(()) => self.is_dirty = true,
            Err(source) => {
                let path = journal.path().to_owned();
                self.complain(&JournalError::Io { path, source });
            }
        }
    }

    /// Puts what was appended on the disk.
    pub(crate) fn sync(&mut self) {
        let Some(journal) = self.journal.as_ref().filter(|_| self.is_dirty) else { return };
        self.is_dirty = false;
        if let Err(source) = journal.sync() {
            let path = journal.path().to_owned();
            self.complain(&JournalError::Io { path, source });
        }
    }

    fn complain(&mut self, error: &JournalError) {
        let text = error.to_string();
        if self.trouble.as_ref() != Some(&text) {
            tracing::warn!(
                "Forecasts are kept in memory only and end with this run: {text}. \
                 Name another place with --state-dir."
            );
            self.trouble = Some(text);
        }
    }
}
