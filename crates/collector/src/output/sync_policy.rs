//! How often the disk is asked to keep what was written over a loss of power. A crash of the program alone loses nothing,
//! whatever is chosen here.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rounds::disk::{Disk, DiskFile, FileStat, OpenMode, RealDisk};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::duration_arg::{DurationArg, TextOrNumber};

/// How often the disk is asked to keep what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// After every row: what a live game deserves; it takes under a millisecond of every 20 s.
    #[default]
    Row,
    /// So often, and at the end.
    Every(Duration),
    /// When the system likes.
    Never,
}

impl FromStr for SyncPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "row" => Ok(Self::Row),
            "never" => Ok(Self::Never),
            other => match other.parse::<DurationArg>() {
                Ok(DurationArg(every)) => Ok(Self::Every(every)),
                Err(_) => Err(format!("`{other}` is not row, never or a time such as 5s")),
            },
        }
    }
}

impl fmt::Display for SyncPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row => f.write_str("row"),
            Self::Every(every) => DurationArg(*every).fmt(f),
            Self::Never => f.write_str("never"),
        }
    }
}

impl Serialize for SyncPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SyncPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOrNumber::deserialize(deserializer)?
            .text()
            .parse()
            .map_err(<D::Error as serde::de::Error>::custom)
    }
}

/// The disk of this machine, asked to sync as often as is wanted.
#[derive(Debug)]
pub struct SparingDisk {
    fsync: SyncPolicy,
}

impl SparingDisk {
    /// A disk that is asked that often.
    pub fn new(fsync: SyncPolicy) -> Self {
        Self { fsync }
    }
}

impl Disk for SparingDisk {
    fn open(&self, path: &Path, opening: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.open(path, opening)?;
        Ok(match self.fsync {
            SyncPolicy::Row => file,
            fsync => Box::new(SparingFile { file, fsync, synced: Instant::now(), is_dirty: false }),
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
    fsync: SyncPolicy,
    synced: Instant,
    is_dirty: bool,
}

impl SparingFile {
    fn is_due(&self) -> bool {
        match self.fsync {
            SyncPolicy::Row => true,
            SyncPolicy::Every(every) => self.synced.elapsed() >= every,
            SyncPolicy::Never => false,
        }
    }
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
        self.is_dirty = true;
        if self.is_due() {
            self.file.sync_data()?;
            self.synced = Instant::now();
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
            && self.fsync != SyncPolicy::Never
            && let Err(error) = self.file.sync_data()
        {
            tracing::error!(%error, "The last rows may not survive a loss of power.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read() {
        assert_eq!("row".parse(), Ok(SyncPolicy::Row));
        assert_eq!("never".parse(), Ok(SyncPolicy::Never));
        assert_eq!("5s".parse(), Ok(SyncPolicy::Every(Duration::from_secs(5))));
        assert!("often".parse::<SyncPolicy>().is_err());
    }

    #[derive(Debug)]
    struct Counted(std::sync::Arc<std::sync::atomic::AtomicUsize>);

    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl DiskFile for Counted {
        fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }

        fn sync_data(&mut self) -> io::Result<()> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }

        fn set_len(&mut self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn stat(&self) -> io::Result<FileStat> {
            Ok(FileStat { length: 0, is_linked: true })
        }
    }

    #[track_caller]
    fn check_syncs(fsync: SyncPolicy, rows: usize, expected: usize) {
        let count = std::sync::Arc::default();
        let file = Box::new(Counted(std::sync::Arc::clone(&count)));
        let mut sparing = SparingFile { file, fsync, synced: Instant::now(), is_dirty: false };
        for _ in 0..rows {
            sparing.sync_data().unwrap();
        }
        drop(sparing);
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), expected);
    }

    #[test]
    fn rows_are_synced_as_often_as_asked_for_and_at_the_end() {
        check_syncs(SyncPolicy::Every(Duration::from_hours(1)), 100, 1);
        check_syncs(SyncPolicy::Every(Duration::ZERO), 100, 100);
        check_syncs(SyncPolicy::Every(Duration::ZERO), 0, 0);
        check_syncs(SyncPolicy::Never, 100, 0);
    }
}
