//! The disk operations that durable files need, behind a trait, so that tests can make each one
//! fail.
//!
//! Rounds, the predictor's ledger and the collector's status file are written through it.

mod sparing;

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::regular_file::{check_regular, file_identity};

pub use sparing::{SparingDisk, SyncPolicy};

/// A file system.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// The system's error.
    fn open(&self, path: &Path, opening: OpenMode) -> io::Result<Box<dyn DiskFile>>;

    /// Renames a file; replaces a file that already has the new name.
    ///
    /// # Errors
    /// The system's error.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Deletes a file.
    ///
    /// # Errors
    /// The system's error.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Syncs a directory, so that the names of its files survive a power failure.
    ///
    /// # Errors
    /// The system's error.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading; the file must exist.
    Read,
    /// For appending to a new file; fails with `AlreadyExists` if the name is taken.
    New,
    /// For reading and appending; created if it does not exist.
    Append,
    /// For writing, truncated; created if it does not exist.
    Empty,
    /// For overwriting from its start; the file must exist.
    Over,
}

/// An open file.
pub trait DiskFile: Write + Debug + Send {
    /// Reads some bytes at `offset`; returns 0 at the end of the file.
    ///
    /// # Errors
    /// The system's error.
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Waits until everything written so far, and the file's length, is on the disk.
    ///
    /// # Errors
    /// The system's error; it is then unknown which of the bytes are on the disk.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Truncates the file; the next write goes to the new end.
    ///
    /// # Errors
    /// The system's error; the length is then unknown.
    fn set_len(&mut self, length: u64) -> io::Result<()>;

    /// Returns the file's current length and whether its path still names it. Either may have been
    /// changed by another program.
    ///
    /// # Errors
    /// The system's error.
    fn stat(&self) -> io::Result<FileStat>;
}

/// The current state of an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStat {
    /// Length in bytes.
    pub length: u64,
    /// Whether the path at which it was opened still names this file, and no other; always true on a system that
    /// cannot tell.
    pub is_in_place: bool,
}

/// Reads an open file, starting at an offset.
#[derive(Debug)]
pub struct ReadFrom<'a> {
    file: &'a mut dyn DiskFile,
    offset: u64,
}

impl<'a> ReadFrom<'a> {
    /// Returns a reader that starts `offset` bytes after the start of the file.
    pub fn new(file: &'a mut dyn DiskFile, offset: u64) -> Self {
        Self { file, offset }
    }
}

impl Read for ReadFrom<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.offset, bytes)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// The disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, opening: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        // On Windows, a file opened for appending cannot be truncated.
        let mut options = OpenOptions::new();
        match opening {
            OpenMode::Read => options.read(true),
            OpenMode::New => options.create_new(true).write(true).append(cfg!(unix)),
            OpenMode::Append => options.create(true).read(true).write(true).append(cfg!(unix)),
            OpenMode::Empty => options.create(true).write(true).truncate(true),
            OpenMode::Over => options.write(true),
        };
        // Opening a named pipe would wait for its other end.
        if opening != OpenMode::New
            && let Ok(found) = fs::metadata(path)
        {
            check_regular(&found)?;
        }
        let appends = matches!(opening, OpenMode::New | OpenMode::Append);
        Ok(Box::new(RealFile { file: options.open(path)?, path: path.to_owned(), appends }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        sync_dir(dir)
    }
}

/// Syncs a directory. A no-op on Windows, which persists names by itself and cannot open a
/// directory.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(dir)?.sync_all() {
        // Some file systems, mostly network ones, do not support it.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
    appends: bool,
}

impl Write for RealFile {
    #[expect(clippy::disallowed_methods, reason = "forwards one call; the caller uses `write_all`")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.appends && cfg!(not(unix)) {
            self.file.seek(SeekFrom::End(0))?;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for RealFile {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read(bytes)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length)).map(drop)
    }

    fn stat(&self) -> io::Result<FileStat> {
        let metadata = self.file.metadata()?;
        Ok(FileStat { length: metadata.len(), is_in_place: is_at(&self.path, &metadata)? })
    }
}

/// Returns whether a path names the file with this metadata.
fn is_at(path: &Path, file: &fs::Metadata) -> io::Result<bool> {
    // Other systems do not let an open file be replaced.
    if cfg!(not(unix)) {
        return Ok(true);
    }
    match fs::metadata(path) {
        Ok(found) => Ok(file_identity(&found) == file_identity(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_opens_a_file_as_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let kind = |opening| RealDisk.open(&path, opening).map_err(|error| error.kind()).err();
        assert_eq!(kind(OpenMode::Read), Some(io::ErrorKind::NotFound));
        assert_eq!(kind(OpenMode::Over), Some(io::ErrorKind::NotFound));
        let mut file = RealDisk.open(&path, OpenMode::New).unwrap();
        file.write_all(b"first, ").unwrap();
        assert_eq!(kind(OpenMode::New), Some(io::ErrorKind::AlreadyExists));
        let mut again = RealDisk.open(&path, OpenMode::Append).unwrap();
        again.write_all(b"second").unwrap();
        let mut bytes = [0; 9];
        assert_eq!(again.read_at(7, &mut bytes).unwrap(), 6);
        assert_eq!(&bytes[..6], b"second");
        again.write_all(b"!").unwrap();
        again.set_len(13).unwrap();
        again.write_all(b".").unwrap();
        RealDisk.open(&path, OpenMode::Over).unwrap().write_all(b"FIRST").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"FIRST, second.");
        let other = dir.path().join("other");
        RealDisk.open(&other, OpenMode::Empty).unwrap().write_all(b"new").unwrap();
        RealDisk.rename(&other, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let file = RealDisk.open(&path, OpenMode::Empty).unwrap();
        assert_eq!(file.stat().unwrap().length, 0);
        RealDisk.remove(&path).unwrap();
        assert!(!path.exists());
        assert!(cfg!(not(unix)) || !file.stat().unwrap().is_in_place);
    }
}
