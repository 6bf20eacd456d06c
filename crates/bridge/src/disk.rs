//! A disk that is not asked to sync every row: what a loss of power takes, the hub gives again.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rounds::disk::{Disk, DiskFile, FileStat, OpenMode, RealDisk};

/// The disk of this machine, asked to sync at most so often.
#[derive(Clone, Copy, Debug)]
pub struct SparingDisk {
    /// Between two syncs of a file.
    pub every: Duration,
}

impl Disk for SparingDisk {
    fn open(&self, path: &Path, opening: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.open(path, opening)?;
        Ok(Box::new(SparingFile { file, every: self.every, synced: Instant::now() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
}

#[derive(Debug)]
struct SparingFile {
    file: Box<dyn DiskFile>,
    every: Duration,
    synced: Instant,
}

impl Write for SparingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[expect(clippy::disallowed_methods, reason = "hands a short write on as it is")]
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for SparingFile {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, bytes)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        if self.synced.elapsed() >= self.every {
            self.file.sync_data()?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn stat(&self) -> io::Result<FileStat> {
        self.file.stat()
    }
}
