//! Appends to a file in whole pieces, and undoes a piece that was written only in part.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{DiskFile, FileStat};

/// Appends each piece whole or not at all.
///
/// After a failure nothing may be written until [`Appender::settle`] has restored the file.
#[derive(Debug)]
pub(crate) struct Appender {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    /// Length in bytes of the part known to be on the disk: the good bytes.
    good: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The file holds exactly the good bytes.
    Good,
    /// The file may hold up to this many bytes after the good ones.
    Partial(u64),
    /// As `Partial`; and because a sync failed, it is unknown which bytes are on the disk.
    Unsynced(u64),
}

/// What can be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileState {
    /// It can be appended to.
    Good,
    /// It has been cut back to the good bytes, but a sync of it has failed.
    CutBack,
    /// Another program has changed it: it must not be written or cut again.
    Foreign,
    /// Another program has moved, replaced or deleted it: it must not be written or cut again.
    Away,
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
            // If this fails too, the next `settle` tries again.
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
    /// If this fails, nothing may be written, neither to this file nor to another one: readers may
    /// still see the piece that failed.
    pub(crate) fn settle(&mut self) -> io::Result<FileState> {
        let FileStat { length, is_in_place } = self.file.stat()?;
        if !is_in_place {
            return Ok(FileState::Away);
        }
        let (State::Partial(more) | State::Unsynced(more)) = self.state else {
            let is_ours = length == self.good;
            return Ok(if is_ours { FileState::Good } else { FileState::Foreign });
        };
        if length < self.good || length > self.good + more {
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

    /// Empties a file that [`Appender::settle`] has cut back, and starts it again.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.good = 0;
        self.file.sync_data()?;
        self.state = State::Good;
        Ok(())
    }

    /// Continues the file with whatever it holds now, without knowing that those bytes are on the
    /// disk.
    pub(crate) fn accept(&mut self) -> io::Result<()> {
        self.good = self.file.stat()?.length;
        self.state = State::Good;
        Ok(())
    }
}
