//! The ledger's file: one JSON line per entry, append-only.
//!
//! Like a row of the CSV files, a line exists once its newline does. One process writes; the lock
//! is a file of its own, so that the ledger itself can be read by anyone at any time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forecasting::ledger::Entry;
use rounds::disk::{Disk, DiskFile, OpenMode, ReadFrom};

use crate::store::checkpoint::LedgerPosition;

const FILE: &str = "forecasts.jsonl";
const LOCK: &str = "forecasts.lock";

/// Bytes before a position that its digest covers.
const DIGEST_BYTES: u64 = 4096;

/// An open ledger file.
///
/// Invariant: the file ends with the newline at byte `length`, or the next append makes it so.
#[derive(Debug)]
pub(crate) struct LedgerFile {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// Directories whose entries are not synced yet.
    unsynced_dirs: Vec<PathBuf>,
    file: Box<dyn DiskFile>,
    length: u64,
    /// Bytes known to be on disk.
    synced: u64,
    _lock: File,
}

/// Complete lines that are not valid entries; they stay in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) count: u64,
    /// Byte at which the first of them begins.
    pub(crate) first: Option<u64>,
}

/// Why the ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerFileError {
    /// Another predictor has the ledger open.
    #[error("another predictor stores its forecasts in {0}")]
    Locked(PathBuf),
    /// The system refused.
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl LedgerFile {
    /// Opens or creates the ledger in `dir`, which is created if its parent exists. Also returns how
    /// many bytes of an incomplete last line were cut off.
    pub(crate) fn open(dir: &Path, disk: &Arc<dyn Disk>) -> Result<(Self, u64), LedgerFileError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| LedgerFileError::Io { path, source }
        };
        match fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io(dir)(error));
            }
            _ => {}
        }
        let lock_path = dir.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&lock_path)
            .map_err(io(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerFileError::Locked(dir.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io(&lock_path)(error)),
        }
        let path = dir.join(FILE);
        let mut file = disk.open(&path, OpenMode::Append).map_err(io(&path))?;
        let (length, torn_bytes) = whole_lines(file.as_mut()).map_err(io(&path))?;
        if torn_bytes > 0 {
            file.set_len(length).map_err(io(&path))?;
        }
        // Sync what an earlier process appended, in case it was killed before its own sync. If this
        // fails, the next sync covers it too.
        drop(file.sync_data());
        let above = dir.parent().map(|it| if it == Path::new("") { Path::new(".") } else { it });
        let unsynced_dirs = above.into_iter().chain([dir]).map(Path::to_owned).collect();
        let disk = Arc::clone(disk);
        let ledger_file =
            Self { path, disk, unsynced_dirs, file, length, synced: length, _lock: lock };
        Ok((ledger_file, torn_bytes))
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the file is still at its path; it is not after the directory was replaced.
    pub(crate) fn is_in_place(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.len() >= self.length)
    }

    /// Appends an entry. After an error the file is unchanged.
    pub(crate) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let line = entry.line();
        self.cut_back()?;
        if let Err(error) = self.file.write_all(&line) {
            // If this fails too, the next append truncates the file.
            drop(self.file.set_len(self.length));
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Removes what a failed append, or another process, left after the last entry.
    fn cut_back(&mut self) -> io::Result<()> {
        let end = self.file.stat()?.length;
        if end < self.length {
            return Err(io::Error::other("another process has truncated it"));
        }
        if end > self.length { self.file.set_len(self.length) } else { Ok(()) }
    }

    /// Syncs everything appended so far to disk. After an error the state on disk is unknown, so the
    /// file is cut back to what is known to be there.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        let synced = self.file.sync_data().and_then(|()| self.sync_dirs());
        if synced.is_ok() {
            self.synced = self.length;
        } else {
            self.length = self.synced;
            // If this fails, the next append truncates the file.
            drop(self.file.set_len(self.length));
        }
        synced
    }

    fn sync_dirs(&mut self) -> io::Result<()> {
        while let Some(dir) = self.unsynced_dirs.last() {
            self.disk.sync_dir(dir)?;
            self.unsynced_dirs.pop();
        }
        Ok(())
    }

    /// Returns the position of the end, after removing anything that follows it.
    pub(crate) fn end(&mut self) -> io::Result<Option<LedgerPosition>> {
        self.cut_back()?;
        self.position(self.length)
    }

    /// Returns the position after `bytes` bytes; `None` if the file is shorter.
    pub(crate) fn position(&mut self, bytes: u64) -> io::Result<Option<LedgerPosition>> {
        if bytes > self.length {
            return Ok(None);
        }
        let from = bytes.saturating_sub(DIGEST_BYTES);
        let mut last = Vec::new();
        ReadFrom::new(self.file.as_mut(), from).take(bytes - from).read_to_end(&mut last)?;
        Ok(Some(LedgerPosition::after(bytes, &last)))
    }

    /// Passes the entries whose lines begin within this range of bytes to `each`.
    pub(crate) fn read(
        &mut self,
        range: Range<u64>,
        mut each: impl FnMut(Entry),
    ) -> io::Result<Unreadable> {
        let mut unreadable = Unreadable::default();
        // Start one byte earlier: a line begins after a newline.
        let mut at = range.start.saturating_sub(1);
        let rest = ReadFrom::new(self.file.as_mut(), at).take(self.length - at);
        let mut reader = BufReader::with_capacity(1 << 16, rest);
        let mut line = Vec::new();
        if range.start > 0 {
            at += reader.read_until(b'\n', &mut line)? as u64;
        }
        while at < range.end {
            line.clear();
            let bytes = reader.read_until(b'\n', &mut line)? as u64;
            if bytes == 0 {
                break;
            }
            if let Some(entry) = Entry::read(&line) {
                each(entry);
            } else {
                unreadable.count += 1;
                unreadable.first.get_or_insert(at);
            }
            at += bytes;
        }
        Ok(unreadable)
    }
}

/// Returns the length of all complete lines, and of the incomplete one after them.
fn whole_lines(file: &mut dyn DiskFile) -> io::Result<(u64, u64)> {
    let end = file.stat()?.length;
    let mut block = Vec::new();
    let mut to = end;
    while to > 0 {
        let from = to.saturating_sub(1 << 16);
        block.clear();
        ReadFrom::new(file, from).take(to - from).read_to_end(&mut block)?;
        if let Some(newline) = block.iter().rposition(|&byte| byte == b'\n') {
            let length = from + newline as u64 + 1;
            return Ok((length, end - length));
        }
        to = from;
    }
    Ok((0, end))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use forecasting::ledger::Settled;
    use test_support::{Fault, FaultyDisk};

    use super::*;

    fn entry(round: u64) -> Entry {
        let time = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        Entry::Settled(Settled { round, time, actual: 2.31, settled_at: time })
    }

    fn disk() -> Arc<dyn Disk> {
        Arc::new(FaultyDisk::default())
    }

    fn open(dir: &Path) -> LedgerFile {
        LedgerFile::open(dir, &disk()).unwrap().0
    }

    fn rounds(ledger_file: &mut LedgerFile) -> Vec<u64> {
        rounds_of(ledger_file, 0..u64::MAX)
    }

    fn rounds_of(ledger_file: &mut LedgerFile, range: Range<u64>) -> Vec<u64> {
        let mut rounds = Vec::new();
        let unreadable = ledger_file.read(range, |entry| {
            rounds.push(match entry {
                Entry::Settled(settled) => settled.round,
                Entry::Forecast(forecast) => forecast.round,
                Entry::Read(mark) => mark.rounds,
            });
        });
        assert_eq!(unreadable.unwrap(), Unreadable::default());
        rounds
    }

    #[test]
    fn a_file_cut_at_any_byte_opens_with_its_complete_lines_and_takes_more() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger_file = open(dir.path());
        for round in 1..=3 {
            ledger_file.append(&entry(round)).unwrap();
        }
        let path = ledger_file.path().to_owned();
        drop(ledger_file);
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut ledger_file, torn) = LedgerFile::open(dir.path(), &disk()).unwrap();
            let lines = whole[..cut].split(|&byte| byte == b'\n').count() as u64 - 1;
            assert_eq!(rounds(&mut ledger_file), (1..=lines).collect::<Vec<_>>(), "cut at {cut}");
            assert_eq!(ledger_file.length + torn, cut as u64);
            ledger_file.append(&entry(9)).unwrap();
            drop(ledger_file);
            let (mut ledger_file, torn) = LedgerFile::open(dir.path(), &disk()).unwrap();
            assert_eq!(torn, 0);
            assert_eq!(rounds(&mut ledger_file).last(), Some(&9));
        }
    }

    #[test]
    fn a_range_holds_the_entries_whose_lines_begin_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger_file = open(dir.path());
        let mut begins = Vec::new();
        for round in 1..=3 {
            begins.push(ledger_file.length);
            ledger_file.append(&entry(round)).unwrap();
        }
        let end = ledger_file.length;
        for from in 0..=end {
            let expected: Vec<u64> =
                (1..=3).zip(&begins).filter(|&(_, &at)| at >= from).map(|(it, _)| it).collect();
            assert_eq!(rounds_of(&mut ledger_file, from..u64::MAX), expected, "from {from}");
            let rest: Vec<u64> = (1..=3).filter(|round| !expected.contains(round)).collect();
            assert_eq!(rounds_of(&mut ledger_file, 0..from), rest, "up to {from}");
        }
    }

    #[test]
    fn a_position_is_identified_by_the_bytes_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger_file = open(dir.path());
        (1..=100).for_each(|round| ledger_file.append(&entry(round)).unwrap());
        let (path, end) = (ledger_file.path().to_owned(), ledger_file.length);
        let position = ledger_file.position(end).unwrap();
        ledger_file.append(&entry(101)).unwrap();
        assert_eq!(ledger_file.position(end).unwrap(), position);
        assert_ne!(ledger_file.position(end - 1).unwrap(), position);
        assert_eq!(ledger_file.position(ledger_file.length + 1).unwrap(), None);
        drop(ledger_file);
        let mut bytes = fs::read(&path).unwrap();
        let at = usize::try_from(end).unwrap() - 10;
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_ne!(open(dir.path()).position(end).unwrap(), position);
    }

    #[test]
    fn only_one_process_opens_the_ledger() {
        let dir = tempfile::tempdir().unwrap();
        let ledger_file = open(dir.path());
        let second = LedgerFile::open(dir.path(), &disk());
        assert!(matches!(second, Err(LedgerFileError::Locked(_))));
        drop(ledger_file);
        open(dir.path());
    }

    #[test]
    fn bytes_of_another_process_at_the_end_are_removed_before_the_next_line() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger_file = open(dir.path());
        ledger_file.append(&entry(1)).unwrap();
        let mut other = OpenOptions::new().append(true).open(ledger_file.path()).unwrap();
        other.write_all(b"{\"half").unwrap();
        ledger_file.append(&entry(2)).unwrap();
        drop(ledger_file);
        let (mut ledger_file, torn) = LedgerFile::open(dir.path(), &disk()).unwrap();
        assert_eq!((rounds(&mut ledger_file), torn), (vec![1, 2], 0));
    }

    #[test]
    fn no_position_is_given_while_a_partial_line_follows_it() {
        let dir = tempfile::tempdir().unwrap();
        let faulty = FaultyDisk::default();
        let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
        let (mut ledger_file, _) = LedgerFile::open(dir.path(), &disk).unwrap();
        ledger_file.append(&entry(1)).unwrap();
        ledger_file.sync().unwrap();
        let end = ledger_file.end().unwrap();
        // The write after the check of the length is short, and the file cannot be truncated.
        faulty.fail(Fault::Short, 2, 100);
        ledger_file.append(&entry(2)).unwrap_err();
        assert!(fs::metadata(ledger_file.path()).unwrap().len() > ledger_file.length);
        ledger_file.end().unwrap_err();
        faulty.heal();
        assert_eq!(ledger_file.end().unwrap(), end);
        assert_eq!(fs::metadata(ledger_file.path()).unwrap().len(), ledger_file.length);
    }

    #[test]
    fn a_deleted_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger_file = open(dir.path());
        ledger_file.append(&entry(1)).unwrap();
        assert!(ledger_file.is_in_place());
        fs::remove_file(ledger_file.path()).unwrap();
        assert!(!ledger_file.is_in_place());
    }

    #[test]
    fn a_directory_is_created_but_not_its_parents() {
        let dir = tempfile::tempdir().unwrap();
        open(&dir.path().join("state"));
        let error = LedgerFile::open(&dir.path().join("no/state"), &disk()).unwrap_err();
        assert!(error.to_string().contains("no/state"), "{error}");
    }
}
