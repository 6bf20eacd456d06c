//! A disk that syncs less often than it is asked to, for rows that can be fetched again.

use std::fmt::Debug;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Disk, DiskFile, FileStat, OpenMode, RealDisk};

/// How often written data is synced to the disk. A crash of the program never loses written rows; a
/// power failure can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// At every request, that is, after every row.
    #[default]
    Always,
    /// At most once in this interval, and when a file is closed.
    Interval(Duration),
    /// Never; the operating system decides.
    Never,
}

/// The disk of this machine, synced as often as its policy says.
#[derive(Clone, Copy, Debug)]
pub struct SparingDisk {
    policy: SyncPolicy,
    report: fn(&io::Error),
}

impl SparingDisk {
    /// Returns a disk with this policy.
    ///
    /// `report` is called if the sync on closing a file fails, because closing cannot return an
    /// error. Rows written since the last sync may then not survive a power failure.
    pub fn new(policy: SyncPolicy, report: fn(&io::Error)) -> Self {
        Self { policy, report }
    }
}

impl Disk for SparingDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.open(path, mode)?;
        Ok(match self.policy {
            SyncPolicy::Always => file,
            _ => Box::new(SparingFile::new(file, *self)),
        })
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
    disk: SparingDisk,
    synced_at: Instant,
    /// Whether a sync was requested and skipped.
    is_dirty: bool,
}

impl SparingFile {
    fn new(file: Box<dyn DiskFile>, disk: SparingDisk) -> Self {
        Self { file, disk, synced_at: Instant::now(), is_dirty: false }
    }

    fn is_due(&self) -> bool {
        match self.disk.policy {
            SyncPolicy::Always => true,
            SyncPolicy::Interval(interval) => self.synced_at.elapsed() >= interval,
            SyncPolicy::Never => false,
        }
    }
}

impl Write for SparingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[expect(clippy::disallowed_methods, reason = "passes a short write on as it is")]
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
        self.is_dirty = true;
        if self.is_due() {
            self.file.sync_data()?;
            self.synced_at = Instant::now();
            self.is_dirty = false;
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

impl Drop for SparingFile {
    fn drop(&mut self) {
        if self.is_dirty
            && self.disk.policy != SyncPolicy::Never
            && let Err(error) = self.file.sync_data()
        {
            (self.disk.report)(&error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug)]
    struct CountedSyncs(Arc<AtomicUsize>);

    impl Write for CountedSyncs {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl DiskFile for CountedSyncs {
        fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }

        fn sync_data(&mut self) -> io::Result<()> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        fn set_len(&mut self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn stat(&self) -> io::Result<FileStat> {
            Ok(FileStat { length: 0, is_in_place: true })
        }
    }

    #[track_caller]
    fn check_syncs(policy: SyncPolicy, rows: usize, expected: usize) {
        let count = Arc::default();
        let disk = SparingDisk::new(policy, |error| panic!("{error}"));
        let mut file = SparingFile::new(Box::new(CountedSyncs(Arc::clone(&count))), disk);
        for _ in 0..rows {
            file.sync_data().unwrap();
        }
        drop(file);
        assert_eq!(count.load(Ordering::SeqCst), expected);
    }

    #[test]
    fn rows_are_synced_as_often_as_the_policy_says_and_on_closing() {
        check_syncs(SyncPolicy::Always, 100, 100);
        check_syncs(SyncPolicy::Interval(Duration::from_hours(1)), 100, 1);
        check_syncs(SyncPolicy::Interval(Duration::ZERO), 100, 100);
        check_syncs(SyncPolicy::Interval(Duration::ZERO), 0, 0);
        check_syncs(SyncPolicy::Never, 100, 0);
    }
}
