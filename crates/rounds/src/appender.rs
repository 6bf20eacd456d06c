//! A file that only grows by whole pieces.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{DiskFile, FileStat};

/// Appends pieces whole, or not at all.
///
/// After a failure nothing more is written until [`Appender::settle`] has put the file right.
#[derive(Debug)]
pub(crate) struct Appender {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    /// Bytes known to be on the disk.
    good: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Exactly the good bytes are in the file.
    Good,
    /// Up to so many bytes more may be in it.
    Partial(u64),
    /// As before, and a failed sync left open which bytes are on the disk.
    Unsynced(u64),
}

/// What a file is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileState {
    /// It can be appended to.
    Good,
    /// It holds the good bytes and no more, but a sync of it has failed once.
    CutBack,
    /// Someone else has changed or deleted it: it is not ours to write or cut any more.
    Foreign,
}

impl Appender {
    /// Takes over an empty file.
    pub(crate) fn new(file: Box<dyn DiskFile>, path: PathBuf) -> Self {
        Self { file, path, good: 0, state: State::Good }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.good == 0
    }

    /// Appends a piece and waits until it is on the disk.
    ///
    /// After an error the piece is not in the file, or will be taken out by the next `settle`.
    pub(crate) fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        debug_assert_eq!(self.state, State::Good, "an unsettled file is not written to");
        let length = piece.len() as u64;
        if let Err(error) = self.file.write_all(piece) {
            self.state = State::Partial(length);
            // Where this fails, too, the next `settle` tries again.
            drop(self.settle());
            return Err(error);
        }
        if let Err(error) = self.file.sync_data() {
            self.state = State::Unsynced(length);
            return Err(error);
        }
        self.good += length;
        Ok(())
    }

    /// Brings the file back to its good bytes.
    ///
    /// On an error nothing may be written yet, neither here nor elsewhere: the piece that failed may
    /// still be readable in this file.
    pub(crate) fn settle(&mut self) -> io::Result<FileState> {
        let FileStat { length, is_linked } = self.file.stat()?;
        let (State::Partial(more) | State::Unsynced(more)) = self.state else {
            let is_ours = is_linked && length == self.good;
            return Ok(if is_ours { FileState::Good } else { FileState::Foreign });
        };
        if !is_linked || length < self.good || length > self.good + more {
            // Cutting could remove what another program has appended.
            return Ok(FileState::Foreign);
        }
        if length > self.good {
            self.file.set_len(self.good)?;
        }
        if matches!(self.state, State::Partial(_)) {
            self.state = State::Good;
            return Ok(FileState::Good);
        }
        self.file.sync_data()?;
        Ok(FileState::CutBack)
    }

    /// Starts afresh in the same file, which [`Appender::settle`] has cut back.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.good = 0;
        self.file.sync_data()?;
        self.state = State::Good;
        Ok(())
    }

    /// Goes on with a file whose earlier bytes are not needed for certain.
    pub(crate) fn accept(&mut self) -> io::Result<()> {
        self.good = self.file.stat()?.length;
        self.state = State::Good;
        Ok(())
    }
}
