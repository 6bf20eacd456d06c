//! The checkpoint's file, replaced atomically every few hundred rounds.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use evaluation::HouseLaw;
use rounds::disk::{Disk, OpenMode, ReadFrom};
use rounds::{Round, read_limited};

use crate::store::checkpoint::{Checkpoint, LedgerPosition, Refusal, RoundsDigest};
use crate::store::ledger_file::LedgerFile;

const FILE: &str = "checkpoint";
const NEW: &str = "checkpoint.new";
const BAD: &str = "checkpoint.bad";

/// Rounds between two checkpoints; a hundredth of all rounds if that is more. Scoring that many again
/// takes no noticeable time.
const EVERY: u64 = 500;

/// The checkpoint's file, written in the background.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    /// Rounds and bytes of the ledger that the last checkpoint covers.
    last: (u64, u64),
    writing: Option<JoinHandle<io::Result<()>>>,
    /// A failed write is logged once.
    has_logged_error: bool,
}

impl CheckpointFile {
    pub(crate) fn new(dir: PathBuf, disk: Arc<dyn Disk>) -> Self {
        Self { dir, disk, last: (0, 0), writing: None, has_logged_error: false }
    }

    /// Reads the checkpoint if it matches these rounds and this ledger. Any other is logged and not
    /// used; a damaged one is renamed.
    pub(crate) fn read(
        &mut self,
        ledger_file: &mut LedgerFile,
        rounds: &[Round],
        law: &HouseLaw,
    ) -> io::Result<Option<(Checkpoint, RoundsDigest)>> {
        self.finish();
        self.last = (0, 0);
        let path = self.dir.join(FILE);
        let bytes = match read(self.disk.as_ref(), &path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    let file = path.display();
                    tracing::warn!(%file, %error, "The checkpoint cannot be read; recomputing all scores.");
                }
                return Ok(None);
            }
        };
        let found = match Checkpoint::decode(&bytes) {
            Ok(found) if !is_at(&found.ledger, ledger_file)? => Err(Refusal::OtherLedger),
            Ok(found) => found
                .check_law(law)
                .and_then(|()| found.check_rounds(rounds))
                .map(|digest| (found, digest)),
            Err(refusal) => Err(refusal),
        };
        match found {
            Ok((found, digest)) => {
                self.last = (found.rounds, found.ledger.bytes);
                Ok(Some((found, digest)))
            }
            Err(refusal) => {
                self.refuse(&path, &refusal);
                Ok(None)
            }
        }
    }

    fn refuse(&self, path: &Path, refusal: &Refusal) {
        let file = path.display();
        if *refusal == Refusal::Damaged {
            let aside = self.dir.join(BAD);
            let moved = match self.disk.rename(path, &aside) {
                Ok(()) => format!("renamed to {}", aside.display()),
                Err(error) => format!("it could not be renamed: {error}"),
            };
            tracing::warn!(%file, %refusal, moved, "The checkpoint is damaged; recomputing all scores.");
        } else if let Refusal::OtherLaw { .. } = refusal {
            tracing::warn!(%file, %refusal, "The game has changed; learning it anew.");
        } else {
            tracing::warn!(%file, %refusal, "The checkpoint is not used; recomputing all scores.");
        }
    }

    /// Returns whether another checkpoint is due.
    pub(crate) fn is_due(&self, rounds: u64) -> bool {
        let (last, _) = self.last;
        rounds >= last + EVERY.max(last / 100)
    }

    /// Returns whether anything has changed since the last checkpoint.
    pub(crate) fn is_old(&self, rounds: u64, ledger: &LedgerPosition) -> bool {
        self.last != (rounds, ledger.bytes)
    }

    /// Replaces the checkpoint on a thread of its own, as this takes milliseconds, or longer on a slow
    /// disk. Does nothing while another is being written.
    pub(crate) fn write(&mut self, checkpoint: Checkpoint) {
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        self.finish();
        self.last = (checkpoint.rounds, checkpoint.ledger.bytes);
        let (dir, disk) = (self.dir.clone(), Arc::clone(&self.disk));
        let write = move || replace(disk.as_ref(), &dir, &checkpoint.encode());
        match thread::Builder::new().name("checkpoint".to_owned()).spawn(write) {
            Ok(writing) => self.writing = Some(writing),
            Err(error) => self.log_error(&error),
        }
    }

    /// Waits until the running write has ended.
    pub(crate) fn finish(&mut self) {
        let Some(writing) = self.writing.take() else { return };
        // The panic hook has reported a panic.
        if let Ok(Err(error)) = writing.join() {
            self.log_error(&error);
        }
    }

    fn log_error(&mut self, error: &io::Error) {
        if !self.has_logged_error {
            self.has_logged_error = true;
            tracing::warn!(
                file = %self.dir.join(FILE).display(), %error,
                "The checkpoint cannot be written; the next start will take longer."
            );
        }
    }
}

fn is_at(position: &LedgerPosition, ledger_file: &mut LedgerFile) -> io::Result<bool> {
    Ok(ledger_file.position(position.bytes)?.as_ref() == Some(position))
}

/// Largest size of a checkpoint that is read; one of 5,000,000 rounds is far smaller.
const BYTES_MAX: u64 = 1 << 30;

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let mut file = disk.open(path, OpenMode::Read)?;
    read_limited(ReadFrom::new(file.as_mut(), 0), BYTES_MAX)
}

/// Replaces the file atomically: a crash leaves the old one or the new one.
fn replace(disk: &dyn Disk, dir: &Path, text: &[u8]) -> io::Result<()> {
    let new = dir.join(NEW);
    let mut file = disk.open(&new, OpenMode::Empty)?;
    file.write_all(text)?;
    file.sync_data()?;
    drop(file);
    disk.rename(&new, &dir.join(FILE))?;
    disk.sync_dir(dir)
}
