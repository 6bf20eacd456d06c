//! What the writer asks of a disk, so that a test can make each of it fail.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A place for files.
pub trait Disk: Debug + Send {
    /// Creates an empty file for appending.
    ///
    /// # Errors
    /// `AlreadyExists` if there is one of that name, or whatever the system says.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Makes the names of the files in a directory survive a loss of power.
    ///
    /// # Errors
    /// Whatever the system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file that is written at its end.
pub trait DiskFile: Write + Debug + Send {
    /// Waits until everything written so far, and the length, is on the disk.
    ///
    /// # Errors
    /// After one it is not known what of it is on the disk.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Cuts the file; the next write goes to the new end.
    ///
    /// # Errors
    /// Whatever the system says; the length is then not known.
    fn set_len(&mut self, length: u64) -> io::Result<()>;

    /// Length and name of the file as they are now, whoever changed them.
    ///
    /// # Errors
    /// Whatever the system says.
    fn standing(&self) -> io::Result<Standing>;
}

/// What has become of an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// In bytes.
    pub length: u64,
    /// False once it has been deleted; always true where the system does not say.
    pub is_linked: bool,
}

/// The disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        // On Windows a file opened for appending cannot be cut.
        if cfg!(unix) {
            options.append(true);
        }
        Ok(Box::new(RealFile(options.open(path)?)))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        sync_dir(dir)
    }
}

/// Windows keeps names by itself and cannot open a directory as a file.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

#[derive(Debug)]
struct RealFile(File);

impl Write for RealFile {
    #[expect(
        clippy::disallowed_methods,
        reason = "hands on the one call; the caller uses `write_all`"
    )]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for RealFile {
    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        use std::io::{Seek, SeekFrom};
        self.0.set_len(length)?;
        self.0.seek(SeekFrom::Start(length)).map(drop)
    }

    fn standing(&self) -> io::Result<Standing> {
        let metadata = self.0.metadata()?;
        #[cfg(unix)]
        let is_linked = std::os::unix::fs::MetadataExt::nlink(&metadata) > 0;
        #[cfg(not(unix))]
        let is_linked = true;
        Ok(Standing { length: metadata.len(), is_linked })
    }
}
