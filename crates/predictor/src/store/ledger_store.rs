//! Stores forecasts on disk, or in memory only where the disk cannot be used.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evaluation::HouseLaw;
use forecasting::ledger::{Entry, Ledger};
use rounds::Round;
use rounds::disk::Disk;

use crate::store::checkpoint::{Checkpoint, LedgerPosition, RoundsDigest};
use crate::store::checkpoint_file::CheckpointFile;
use crate::store::ledger_file::{LedgerFile, LedgerFileError, Unreadable};

/// Bytes of the ledger before a checkpoint's position that are read for display: some 9,000 forecasts.
const SHOWN_BYTES: u64 = 6 << 20;

/// Maximum number of entries that wait for a disk that can be written.
const UNWRITTEN_MAX: usize = 64;

/// The forecast ledger and the checkpoint of a state directory.
#[derive(Debug)]
pub(crate) struct LedgerStore {
    /// The law of the game; scores under another one are not restored.
    law: HouseLaw,
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    ledger_file: Option<LedgerFile>,
    checkpoints: CheckpointFile,
    /// The ledger holds every forecast that was scored.
    is_complete: bool,
    /// Entries await [`LedgerStore::sync`]; `unsynced` counts the forecasts among them.
    is_dirty: bool,
    unsynced: usize,
    /// Whether the last append was a forecast and succeeded.
    ends_with_forecast: bool,
    /// A settlement and reading marks that could not be written; they are retried before the next
    /// entry.
    unwritten: Vec<Entry>,
    /// The last problem that was logged; each is logged once.
    last_problem: Option<String>,
}

/// What earlier runs stored.
#[derive(Debug, Default)]
pub(crate) struct StoredState {
    /// The checkpoint, if one matches the rounds.
    pub(crate) restored: Option<RestoredCheckpoint>,
    /// The forecasts after the checkpoint, or all of them.
    pub(crate) ledger: Ledger,
}

/// A checkpoint that matches the rounds and the ledger.
#[derive(Debug)]
pub(crate) struct RestoredCheckpoint {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) digest: RoundsDigest,
    /// The latest forecasts before its position: already scored, read for display only.
    pub(crate) shown: Ledger,
}

/// An entry could not be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotWritten;

/// What a failed sync removed from the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutOff {
    /// Settlements only, which the CSV files hold as well.
    Settlements,
    /// The forecast for the next round, and perhaps settlements.
    Open,
    /// Forecasts that have been settled.
    Forecasts,
}

impl LedgerStore {
    /// Returns a store in this directory, for a game of this law.
    pub(crate) fn new(dir: PathBuf, disk: Arc<dyn Disk>, law: HouseLaw) -> Self {
        Self {
            law,
            checkpoints: CheckpointFile::new(dir.clone(), Arc::clone(&disk)),
            dir,
            disk,
            ledger_file: None,
            is_complete: false,
            is_dirty: false,
            unsynced: 0,
            ends_with_forecast: false,
            unwritten: Vec::new(),
            last_problem: None,
        }
    }

    /// Returns the path of the ledger, if it is open.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.ledger_file.as_ref().map(LedgerFile::path)
    }

    /// Reads what is stored for these rounds; empty when it cannot be read.
    pub(crate) fn read(&mut self, rounds: &[Round]) -> StoredState {
        self.unwritten.clear();
        self.is_dirty = false;
        self.unsynced = 0;
        self.open();
        let read = self.try_read(rounds);
        self.is_complete = self.ledger_file.is_some();
        read.unwrap_or_else(|source| {
            let path = self.path().unwrap_or(&self.dir).to_owned();
            self.ledger_file = None;
            self.is_complete = false;
            self.log_memory_only(&LedgerFileError::Io { path, source });
            StoredState::default()
        })
    }

    fn try_read(&mut self, rounds: &[Round]) -> io::Result<StoredState> {
        let Some(ledger_file) = &mut self.ledger_file else { return Ok(StoredState::default()) };
        let Some((checkpoint, digest)) = self.checkpoints.read(ledger_file, rounds, &self.law)?
        else {
            let mut ledger = Ledger::default();
            let unreadable = ledger_file.read(0..u64::MAX, |entry| ledger.push(entry))?;
            log_unreadable(ledger_file.path(), &unreadable);
            return Ok(StoredState { restored: None, ledger });
        };
        let known = checkpoint.ledger.bytes;
        let mut shown = Ledger::default();
        ledger_file.read(known.saturating_sub(SHOWN_BYTES)..known, |entry| shown.push(entry))?;
        let mut ledger = Ledger::default();
        checkpoint.open.into_iter().for_each(|open| ledger.push(Entry::Forecast(open)));
        let unreadable = ledger_file.read(known..u64::MAX, |entry| ledger.push(entry))?;
        log_unreadable(ledger_file.path(), &unreadable);
        Ok(StoredState { restored: Some(RestoredCheckpoint { checkpoint, digest, shown }), ledger })
    }

    fn open(&mut self) {
        // Drop the old file first: opening the ledger takes its lock again.
        self.ledger_file = None;
        match LedgerFile::open(&self.dir, &self.disk) {
            Ok((ledger_file, torn_bytes)) => {
                if torn_bytes > 0 {
                    tracing::warn!(
                        file = %ledger_file.path().display(), bytes = torn_bytes,
                        "Cut off an incomplete line at the end of the ledger."
                    );
                }
                self.ledger_file = Some(ledger_file);
                self.last_problem = None;
            }
            Err(error) => self.log_memory_only(&error),
        }
    }

    /// Appends an entry; [`LedgerStore::sync`] makes it durable. Does nothing if no ledger is open;
    /// that has been logged already.
    ///
    /// # Errors
    /// A ledger is open, but the entry could not be written to it.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<(), NotWritten> {
        if self.ledger_file.as_ref().is_none_or(|ledger_file| !ledger_file.is_in_place()) {
            // The directory appeared late, was replaced, or another process has released the lock. The
            // forecasts so far are not in this ledger.
            if let Some(path) = self.path() {
                tracing::warn!(
                    file = %path.display(),
                    "Another program truncated, moved or deleted the ledger; forecasts scored so far count until the next start."
                );
            }
            self.unwritten.clear();
            self.is_complete = false;
            self.open();
        }
        let Some(ledger_file) = &mut self.ledger_file else { return Ok(()) };
        let unwritten = std::mem::take(&mut self.unwritten);
        let appended =
            unwritten.iter().chain([entry]).try_for_each(|entry| ledger_file.append(entry));
        let is_forecast = matches!(entry, Entry::Forecast(_));
        self.ends_with_forecast = is_forecast && appended.is_ok();
        match appended {
            Ok(()) => {
                self.is_dirty = true;
                self.unsynced += usize::from(is_forecast);
                Ok(())
            }
            Err(error) => {
                self.unwritten = unwritten;
                self.keep_unwritten(entry);
                self.log_write_error(&error);
                Err(NotWritten)
            }
        }
    }

    /// Keeps an entry that could not be written and will still be true later. One settlement is
    /// enough, because the CSV files hold the outcomes of rounds; reading marks are rare.
    fn keep_unwritten(&mut self, entry: &Entry) {
        let is_settlement = |entry: &Entry| matches!(entry, Entry::Settled(_));
        let is_kept = match entry {
            Entry::Forecast(_) => false,
            Entry::Settled(_) => !self.unwritten.iter().any(is_settlement),
            Entry::Read(_) => self.unwritten.len() < UNWRITTEN_MAX,
        };
        if is_kept {
            self.unwritten.push(*entry);
        }
    }

    /// Syncs what was appended to disk.
    ///
    /// # Errors
    /// The state on disk is unknown, so everything appended since the last sync has been removed.
    pub(crate) fn sync(&mut self) -> Result<(), CutOff> {
        let Some(ledger_file) = self.ledger_file.as_mut().filter(|_| self.is_dirty) else {
            return Ok(());
        };
        self.is_dirty = false;
        let forecasts = std::mem::take(&mut self.unsynced);
        match ledger_file.sync() {
            Ok(()) => {
                self.log_recovery();
                Ok(())
            }
            Err(error) => {
                self.log_write_error(&error);
                Err(match forecasts {
                    0 => CutOff::Settlements,
                    1 if self.ends_with_forecast => CutOff::Open,
                    _ => CutOff::Forecasts,
                })
            }
        }
    }

    /// Returns the end of the ledger, if it holds every forecast that was scored.
    pub(crate) fn position(&mut self) -> Option<LedgerPosition> {
        let ledger_file =
            self.ledger_file.as_mut().filter(|_| self.is_complete && !self.is_dirty)?;
        ledger_file.end().ok().flatten()
    }

    /// Returns whether a checkpoint is due.
    pub(crate) fn is_checkpoint_due(&self, rounds: u64) -> bool {
        self.is_complete && self.checkpoints.is_due(rounds)
    }

    /// Returns whether anything has changed since the last checkpoint.
    pub(crate) fn is_checkpoint_old(&self, rounds: u64, ledger: &LedgerPosition) -> bool {
        self.checkpoints.is_old(rounds, ledger)
    }

    /// Starts replacing the checkpoint.
    pub(crate) fn write(&mut self, checkpoint: Checkpoint) {
        self.checkpoints.write(checkpoint);
    }

    /// Waits until the checkpoint is written.
    pub(crate) fn finish(&mut self) {
        self.checkpoints.finish();
    }

    /// Stops writing checkpoints: the state no longer follows from the ledger and the rounds.
    pub(crate) fn disable_checkpoints(&mut self) {
        self.is_complete = false;
    }

    fn log_memory_only(&mut self, error: &LedgerFileError) {
        self.log_once(error.to_string(), |text| {
            tracing::warn!(
                error = text,
                "Forecasts are kept in memory only and are lost when this program stops; \
                 choose another directory with --state-dir."
            );
        });
    }

    fn log_write_error(&mut self, error: &io::Error) {
        let path = self.path().unwrap_or(&self.dir).display();
        self.log_once(format!("{path}: {error}"), |text| {
            tracing::warn!(
                error = text,
                "Forecasts cannot be written and do not count until they can."
            );
        });
    }

    fn log_recovery(&mut self) {
        if self.last_problem.take().is_some() {
            let path = self.path().unwrap_or(&self.dir).display();
            tracing::info!(file = %path, "Forecasts are written again.");
        }
    }

    fn log_once(&mut self, text: String, log: impl FnOnce(&str)) {
        if self.last_problem.as_ref() != Some(&text) {
            log(&text);
            self.last_problem = Some(text);
        }
    }
}

fn log_unreadable(path: &Path, unreadable: &Unreadable) {
    if let Some(first) = unreadable.first {
        tracing::warn!(
            file = %path.display(), lines = unreadable.count, first_byte = first,
            "The ledger has unreadable lines."
        );
    }
}

#[cfg(test)]
mod tests;
