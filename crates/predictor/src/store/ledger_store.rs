//! Keeps forecasts on disk, and continues in memory where no disk is to be had.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forecasting::ledger::{Entry, Ledger};
use rounds::Round;
use rounds::disk::Disk;

use crate::store::checkpoint::{Checkpoint, LedgerPosition, RoundsDigest};
use crate::store::checkpoint_file::CheckpointFile;
use crate::store::ledger_file::{LedgerFile, LedgerFileError, Unreadable};

/// Bytes of the ledger before a checkpoint's position that are read for display: some 9,000 forecasts.
const SHOWN_BYTES: u64 = 6 << 20;

/// The forecast ledger and the checkpoint of a state directory.
#[derive(Debug)]
pub(crate) struct LedgerStore {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    ledger_file: Option<LedgerFile>,
    checkpoints: CheckpointFile,
    /// The ledger holds every forecast that was scored.
    is_whole: bool,
    /// Entries await [`LedgerStore::sync`]; `unsynced` counts the forecasts among them.
    is_dirty: bool,
    unsynced: usize,
    /// The last append was of a forecast, and succeeded.
    ends_with_forecast: bool,
    /// A settlement that could not be written; it is retried before the next entry.
    owed: Option<Entry>,
    /// The last problem that was logged; each is logged once.
    trouble: Option<String>,
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
    pub(crate) fn new(dir: PathBuf, disk: Arc<dyn Disk>) -> Self {
        Self {
            checkpoints: CheckpointFile::new(dir.clone(), Arc::clone(&disk)),
            dir,
            disk,
            ledger_file: None,
            is_whole: false,
            is_dirty: false,
            unsynced: 0,
            ends_with_forecast: false,
            owed: None,
            trouble: None,
        }
    }

    /// The ledger's file, if it is open.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.ledger_file.as_ref().map(LedgerFile::path)
    }

    /// Reads what is stored for these rounds; empty when it cannot be read.
    pub(crate) fn read(&mut self, rounds: &[Round]) -> StoredState {
        self.owed = None;
        self.is_dirty = false;
        self.unsynced = 0;
        self.open();
        let read = self.try_read(rounds);
        self.is_whole = self.ledger_file.is_some();
        read.unwrap_or_else(|source| {
            let path = self.path().unwrap_or(&self.dir).to_owned();
            self.ledger_file = None;
            self.is_whole = false;
            self.go_without(&LedgerFileError::Io { path, source });
            StoredState::default()
        })
    }

    fn try_read(&mut self, rounds: &[Round]) -> io::Result<StoredState> {
        let Some(ledger_file) = &mut self.ledger_file else { return Ok(StoredState::default()) };
        let Some((checkpoint, digest)) = self.checkpoints.read(ledger_file, rounds)? else {
            let mut ledger = Ledger::default();
            let strange = ledger_file.read(0..u64::MAX, |entry| ledger.push(entry))?;
            say_strange(ledger_file.path(), &strange);
            return Ok(StoredState { restored: None, ledger });
        };
        let known = checkpoint.ledger.bytes;
        let mut shown = Ledger::default();
        ledger_file.read(known.saturating_sub(SHOWN_BYTES)..known, |entry| shown.push(entry))?;
        let mut ledger = Ledger::default();
        checkpoint.open.into_iter().for_each(|open| ledger.push(Entry::Forecast(open)));
        let strange = ledger_file.read(known..u64::MAX, |entry| ledger.push(entry))?;
        say_strange(ledger_file.path(), &strange);
        Ok(StoredState { restored: Some(RestoredCheckpoint { checkpoint, digest, shown }), ledger })
    }

    fn open(&mut self) {
        // Releases the lock before it is taken again.
        self.ledger_file = None;
        match LedgerFile::open(&self.dir, &self.disk) {
            Ok((ledger_file, torn_bytes)) => {
                if torn_bytes > 0 {
                    tracing::warn!(
                        "The last line of {} was torn; {torn_bytes} bytes have been cut off.",
                        ledger_file.path().display()
                    );
                }
                self.ledger_file = Some(ledger_file);
                self.trouble = None;
            }
            Err(error) => self.go_without(&error),
        }
    }

    /// Appends an entry; [`LedgerStore::sync`] makes it durable. Without a ledger it does nothing, which
    /// has been logged.
    ///
    /// # Errors
    /// There is a ledger, but the entry is not in it.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<(), NotWritten> {
        if self.ledger_file.as_ref().is_none_or(|ledger_file| !ledger_file.is_in_place()) {
            // The directory came late, was replaced, or its owner has gone. What was counted so far
            // is not in this ledger.
            self.owed = None;
            self.is_whole = false;
            self.open();
        }
        let Some(ledger_file) = &mut self.ledger_file else { return Ok(()) };
        let owed = self.owed.take();
        let appended = owed.iter().chain([entry]).try_for_each(|entry| ledger_file.append(entry));
        let is_forecast = matches!(entry, Entry::Forecast(_));
        self.ends_with_forecast = is_forecast && appended.is_ok();
        match appended {
            Ok(()) => {
                self.is_dirty = true;
                self.unsynced += usize::from(is_forecast);
                Ok(())
            }
            Err(error) => {
                // The rounds know how a forecast came out, so a settlement can wait.
                self.owed = owed.or((!is_forecast).then_some(*entry));
                self.say_not_kept(&error);
                Err(NotWritten)
            }
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
                self.say_it_works_again();
                Ok(())
            }
            Err(error) => {
                self.say_not_kept(&error);
                Err(match forecasts {
                    0 => CutOff::Settlements,
                    1 if self.ends_with_forecast => CutOff::Open,
                    _ => CutOff::Forecasts,
                })
            }
        }
    }

    /// The end of the ledger, if it holds every forecast that was scored.
    pub(crate) fn place(&mut self) -> Option<LedgerPosition> {
        let ledger_file = self.ledger_file.as_mut().filter(|_| self.is_whole && !self.is_dirty)?;
        ledger_file.end().ok().flatten()
    }

    /// Whether it is time for a checkpoint.
    pub(crate) fn is_checkpoint_due(&self, rounds: u64) -> bool {
        self.is_whole && self.checkpoints.is_due(rounds)
    }

    /// Whether anything has changed since the last checkpoint.
    pub(crate) fn is_checkpoint_old(&self, rounds: u64, ledger: &LedgerPosition) -> bool {
        self.checkpoints.is_old(rounds, ledger)
    }

    /// Starts to replace the last checkpoint.
    pub(crate) fn write(&mut self, checkpoint: Checkpoint) {
        self.checkpoints.write(checkpoint);
    }

    /// Waits until the checkpoint is written.
    pub(crate) fn finish(&mut self) {
        self.checkpoints.finish();
    }

    /// Writes no further checkpoints: the state is no longer what the ledger and the rounds give.
    pub(crate) fn disable_checkpoints(&mut self) {
        self.is_whole = false;
    }

    fn go_without(&mut self, error: &LedgerFileError) {
        self.say_once(error.to_string(), |text| {
            tracing::warn!(
                "Forecasts are kept in memory only and end with this run: {text}. \
                 Name another place with --state-dir."
            );
        });
    }

    fn say_not_kept(&mut self, error: &io::Error) {
        let path = self.path().unwrap_or(&self.dir).display();
        self.say_once(format!("{path}: {error}"), |text| {
            tracing::warn!(
                "Forecasts cannot be written, so they do not count until they can: {text}."
            );
        });
    }

    fn say_it_works_again(&mut self) {
        if self.trouble.take().is_some() {
            let path = self.path().unwrap_or(&self.dir).display();
            tracing::info!("Forecasts are written to {path} again.");
        }
    }

    fn say_once(&mut self, text: String, say: impl FnOnce(&str)) {
        if self.trouble.as_ref() != Some(&text) {
            say(&text);
            self.trouble = Some(text);
        }
    }
}

fn say_strange(path: &Path, strange: &Unreadable) {
    if let Some(first) = strange.first {
        tracing::warn!(
            "{} lines of {} are no entries and are left out; the first begins at byte {first}.",
            strange.count,
            path.display()
        );
    }
}

#[cfg(test)]
mod tests;
