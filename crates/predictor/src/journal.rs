//! The ledger's file: one JSON line per entry, appended and never changed.
//!
//! Like a row of the CSV files, a line exists once its newline does. One process writes; the lock
//! is a file of its own, so that the ledger itself can be read by anyone at any time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::ledger::Entry;

const FILE: &str = "forecasts.jsonl";
const LOCK: &str = "forecasts.lock";

/// An open ledger file.
///
/// Invariant: the file ends with the newline at byte `length`, or the next append makes it so.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    _lock: File,
}

/// What was found in the file.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
    /// Bytes of a last line without its newline; they have been cut off.
    pub(crate) torn_bytes: u64,
    /// Whole lines that are no entries, by number; they stay in the file.
    pub(crate) strange_lines: Vec<u64>,
}

/// Why forecasts cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// Another predictor has it open.
    #[error("another predictor keeps its forecasts in {0}")]
    Locked(PathBuf),
    /// The system refused.
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl Journal {
    /// Opens or creates the ledger in `dir`, which is created if its parent is there.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Contents), JournalError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::Io { path, source }
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
            Err(TryLockError::WouldBlock) => return Err(JournalError::Locked(dir.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io(&lock_path)(error)),
        }
        let path = dir.join(FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(io(&path))?;
        let (contents, length) = read(&mut file).map_err(io(&path))?;
        if contents.torn_bytes > 0 {
            file.set_len(length).and_then(|()| file.sync_data()).map_err(io(&path))?;
        }
        Ok((Self { path, file, length, _lock: lock }, contents))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is still where it was; a directory that was replaced takes it along.
    pub(crate) fn is_in_place(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.len() >= self.length)
    }

    /// Adds an entry. After an error the file holds what it held before.
    pub(crate) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry).expect("entries are plain numbers and times");
        line.push(b'\n');
        let end = self.file.seek(SeekFrom::End(0))?;
        if end != self.length {
            self.file.set_len(self.length)?;
        }
        if let Err(error) = self.file.write_all(&line) {
            // Should this fail too, the next append does it.
            drop(self.file.set_len(self.length));
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Puts everything appended so far on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn read(file: &mut File) -> io::Result<(Contents, u64)> {
    let mut contents = Contents { entries: Vec::new(), torn_bytes: 0, strange_lines: Vec::new() };
    let mut reader = BufReader::new(file);
    let (mut length, mut number, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line)? as u64;
        if bytes == 0 {
            return Ok((contents, length));
        }
        if line.last() != Some(&b'\n') {
            contents.torn_bytes = bytes;
            return Ok((contents, length));
        }
        length += bytes;
        number += 1;
        match serde_json::from_slice(&line) {
            Ok(entry) => contents.entries.push(entry),
            Err(_) => contents.strange_lines.push(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::ledger::Settled;

    fn entry(round: u64) -> Entry {
        let time = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        Entry::Settled(Settled { round, time, actual: 2.31, settled_at: time })
    }

    fn rounds(contents: &Contents) -> Vec<u64> {
        let round = |entry: &Entry| match entry {
            Entry::Settled(settled) => settled.round,
            Entry::Forecast(forecast) => forecast.round,
        };
        contents.entries.iter().map(round).collect()
    }

    #[test]
    fn cut_at_any_byte_the_file_opens_with_its_whole_lines_and_can_be_written_on() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        for round in 1..=3 {
            journal.append(&entry(round)).unwrap();
        }
        let path = journal.path().to_owned();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, contents) = Journal::open(dir.path()).unwrap();
            let lines = whole[..cut].split(|&byte| byte == b'\n').count() as u64 - 1;
            assert_eq!(rounds(&contents), (1..=lines).collect::<Vec<_>>(), "cut at {cut}");
            journal.append(&entry(9)).unwrap();
            drop(journal);
            let (_, contents) = Journal::open(dir.path()).unwrap();
            assert_eq!(contents.torn_bytes, 0);
            assert_eq!(rounds(&contents).last(), Some(&9));
        }
    }

    #[test]
    fn one_at_a_time_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(dir.path()).unwrap();
        assert!(matches!(Journal::open(dir.path()), Err(JournalError::Locked(_))));
        drop(journal);
        assert!(Journal::open(dir.path()).is_ok());
    }

    #[test]
    fn what_someone_else_left_at_the_end_is_cut_off_before_the_next_line() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        journal.append(&entry(1)).unwrap();
        let mut other = OpenOptions::new().append(true).open(journal.path()).unwrap();
        other.write_all(b"{\"half").unwrap();
        journal.append(&entry(2)).unwrap();
        drop(journal);
        let (_, contents) = Journal::open(dir.path()).unwrap();
        assert_eq!(rounds(&contents), [1, 2]);
        assert_eq!((contents.torn_bytes, contents.strange_lines.len()), (0, 0));
    }

    #[test]
    fn a_file_that_has_gone_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        journal.append(&entry(1)).unwrap();
        assert!(journal.is_in_place());
        fs::remove_file(journal.path()).unwrap();
        assert!(!journal.is_in_place());
    }

    #[test]
    fn a_directory_is_made_but_not_its_parents() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Journal::open(&dir.path().join("state")).is_ok());
        let error = Journal::open(&dir.path().join("no/state")).unwrap_err();
        assert!(error.to_string().contains("no/state"), "{error}");
    }
}
