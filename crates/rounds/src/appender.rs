//! A file that grows by whole pieces only.

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
    /// The file holds exactly the good bytes.
    Good,
    /// The file may hold up to this many bytes more.
    Partial(u64),
    /// As `Partial`, and a failed sync leaves open which bytes are on the disk.
    Unsynced(u64),
}

/// What can be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileState {
    /// It can be appended to.
    Good,
    /// It holds the good bytes and no more, but a sync of it has failed once.
    CutBack,
    /// Another program has changed or deleted it: it must not be written or cut any more.
    Foreign,
}

impl Appender {
    /// Returns an appender to an empty file.
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
    /// After an error the piece is not in the file, or the next `settle` removes it.
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

    /// Restores the file to its good bytes.
    ///
    /// After an error nothing may be written, neither here nor elsewhere: the piece that failed may
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

    /// Empties the file, which [`Appender::settle`] has cut back.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.good = 0;
        self.file.sync_data()?;
        self.state = State::Good;
        Ok(())
    }

    /// Continues a file whose earlier bytes need not be certain.
    pub(crate) fn accept(&mut self) -> io::Result<()> {
        self.good = self.file.stat()?.length;
        self.state = State::Good;
        Ok(())
    }
}
