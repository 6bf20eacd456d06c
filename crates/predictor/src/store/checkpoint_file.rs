//! The checkpoint's file, replaced atomically every few hundred rounds.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rounds::Round;
use rounds::disk::{Disk, OpenMode, ReadFrom};

use crate::store::checkpoint::{Checkpoint, LedgerPosition, Refusal, RoundsDigest};
use crate::store::ledger_file::LedgerFile;

const FILE: &str = "checkpoint";
const NEW: &str = "checkpoint.new";
const BAD: &str = "checkpoint.bad";

/// A new one is written after so many further rounds, or after a hundredth more if that is more: to
/// score that many again takes less time than anyone notices.
const EVERY: u64 = 500;

/// The file, and when it was written.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    /// What the last one stands for: rounds, and bytes of the ledger.
    last: (u64, u64),
    writing: Option<JoinHandle<io::Result<()>>>,
    /// That it cannot be written is said once.
    has_complained: bool,
}

impl CheckpointFile {
    pub(crate) fn new(dir: PathBuf, disk: Arc<dyn Disk>) -> Self {
        Self { dir, disk, last: (0, 0), writing: None, has_complained: false }
    }

    /// The one that holds for these rounds and this ledger. One that does not is named once, and a
    /// damaged one is put aside.
    pub(crate) fn read(
        &mut self,
        ledger_file: &mut LedgerFile,
        rounds: &[Round],
    ) -> io::Result<Option<(Checkpoint, RoundsDigest)>> {
        self.finish();
        self.last = (0, 0);
        let path = self.dir.join(FILE);
        let bytes = match read(self.disk.as_ref(), &path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    let file = path.display();
                    tracing::warn!("{file} cannot be read: {error}. Scores are computed anew.");
                }
                return Ok(None);
            }
        };
        let found = match Checkpoint::decode(&bytes) {
            Ok(found) if !is_at(&found.ledger, ledger_file)? => Err(Refusal::OtherLedger),
            Ok(found) => found.check_rounds(rounds).map(|digest| (found, digest)),
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
                Ok(()) => format!("it is now {}", aside.display()),
                Err(error) => format!("it could not be put aside: {error}"),
            };
            tracing::warn!("{file} is not used: {refusal}; {moved}. Scores are computed anew.");
        } else {
            tracing::warn!("{file} is not used: {refusal}. Scores are computed anew.");
        }
    }

    /// Whether it is time for another one.
    pub(crate) fn is_due(&self, rounds: u64) -> bool {
        let (last, _) = self.last;
        rounds >= last + EVERY.max(last / 100)
    }

    /// Whether the last one says less than is known now.
    pub(crate) fn is_old(&self, rounds: u64, ledger: &LedgerPosition) -> bool {
        self.last != (rounds, ledger.bytes)
    }

    /// Puts it in the place of the last one, on a thread of its own: it takes some milliseconds, and
    /// the disk may take longer. While one is being written, another is left out.
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
            Err(error) => self.complain(&error),
        }
    }

    /// Waits for the one that is being written.
    pub(crate) fn finish(&mut self) {
        let Some(writing) = self.writing.take() else { return };
        // A panic has been printed where it happened.
        if let Ok(Err(error)) = writing.join() {
            self.complain(&error);
        }
    }

    fn complain(&mut self, error: &io::Error) {
        if !self.has_complained {
            self.has_complained = true;
            let dir = self.dir.display();
            tracing::warn!("{dir}/{FILE}: {error}; the next start will take longer.");
        }
    }
}

fn is_at(place: &LedgerPosition, ledger_file: &mut LedgerFile) -> io::Result<bool> {
    Ok(ledger_file.place(place.bytes)?.as_ref() == Some(place))
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let mut file = disk.open(path, OpenMode::Read)?;
    let mut bytes = Vec::new();
    ReadFrom::new(file.as_mut(), 0).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A crash leaves the old one or the new one, whole.
fn replace(disk: &dyn Disk, dir: &Path, text: &[u8]) -> io::Result<()> {
    let new = dir.join(NEW);
    let mut file = disk.open(&new, OpenMode::Empty)?;
    file.write_all(text)?;
    file.sync_data()?;
    drop(file);
    disk.rename(&new, &dir.join(FILE))?;
    disk.sync_dir(dir)
}
