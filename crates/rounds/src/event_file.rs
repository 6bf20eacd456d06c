//! Reads event files (`….events.jsonl`), which a recorder writes beside its CSV files.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::event::EventLine;
use crate::regular_file::open_regular;

/// The ending of an event file's name, in place of `.csv`.
pub const EVENT_FILE_SUFFIX: &str = ".events.jsonl";

/// Maximum length of a line in bytes; a longer one is skipped without being kept in memory.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// Returns the path of the event file that belongs to a CSV file.
pub fn event_file_of(csv: &Path) -> PathBuf {
    csv.with_extension(&EVENT_FILE_SUFFIX[1..])
}

/// Returns the path of the CSV file that an event file belongs to; `None` if `path` has another
/// name.
pub fn csv_file_of(event_file: &Path) -> Option<PathBuf> {
    let stem = event_file.file_name()?.to_str()?.strip_suffix(EVENT_FILE_SUFFIX)?;
    Some(event_file.with_file_name(format!("{stem}.csv")))
}

/// Returns all readable lines of the event file that belongs to a CSV file; none if it does not
/// exist.
///
/// # Errors
/// The file cannot be read.
pub fn read_events(csv: &Path) -> io::Result<Vec<EventLine>> {
    let reader = EventReader::beside(csv)?;
    reader.into_iter().flatten().filter_map(|line| line.map(Result::ok).transpose()).collect()
}

/// Why a line of an event file is not an event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventLineError {
    /// The line is longer than [`EVENT_BYTES_MAX`].
    #[error("longer than {EVENT_BYTES_MAX} bytes")]
    TooLong,
    /// The line is not the JSON of an [`EventLine`].
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Reads the lines of an event file in order.
///
/// As in a CSV file, a line is committed by its newline: iteration ends before an unfinished line,
/// and a reader opened later at [`EventReader::position`] continues with that line. Blank lines are
/// skipped.
#[derive(Debug)]
pub struct EventReader {
    file: BufReader<File>,
    position: EventPosition,
    line: u64,
    torn_bytes: u64,
    /// Bytes of a line that is too long that one reader skips.
    skipped_max: u64,
}

/// How far an event file has been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventPosition {
    /// Where the next line starts, in bytes from the start of the file.
    pub offset: u64,
    /// Bytes of that line that need not be read again: it has no end yet and is already too long to be an event.
    skipped: u64,
}

impl EventPosition {
    /// Returns the number of bytes that need not be read again.
    pub fn bytes_read(self) -> u64 {
        self.offset + self.skipped
    }
}

impl EventReader {
    /// Opens an event file where another reader ended.
    ///
    /// # Errors
    /// The file cannot be opened (`NotFound` if it does not exist).
    pub fn open(path: &Path, position: EventPosition) -> io::Result<Self> {
        let mut file = BufReader::new(open_regular(path)?);
        file.seek(SeekFrom::Start(position.bytes_read()))?;
        Ok(Self { file, position, line: 0, torn_bytes: 0, skipped_max: u64::MAX })
    }

    /// Ends iteration after about `bytes` of a line that is too long; a reader opened at the position goes on there.
    #[must_use]
    pub fn skipping_at_most(self, bytes: u64) -> Self {
        Self { skipped_max: bytes, ..self }
    }

    /// Opens the event file that belongs to a CSV file; `None` if it does not exist.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn beside(csv: &Path) -> io::Result<Option<Self>> {
        match Self::open(&event_file_of(csv), EventPosition::default()) {
            Ok(reader) => Ok(Some(reader)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns how far the file has been read.
    pub fn position(&self) -> EventPosition {
        self.position
    }

    /// Returns the number of lines read so far, which is the number of the line returned last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Returns how many bytes follow the last newline; known once iteration has ended.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Reads to the next newline; `None` if there is none.
    fn next_line(&mut self) -> io::Result<Option<Result<Vec<u8>, EventLineError>>> {
        let mut text = Vec::new();
        let limit = EVENT_BYTES_MAX as u64 + 1;
        let before = self.position.skipped;
        let (mut length, mut is_whole) = (before, false);
        if before == 0 {
            length = (&mut self.file).take(limit).read_until(b'\n', &mut text)? as u64;
            is_whole = text.last() == Some(&b'\n');
        }
        let is_too_long = before > 0 || !is_whole && length == limit;
        while is_too_long && !is_whole && length - before < self.skipped_max {
            text.clear();
            let more = (&mut self.file).take(limit).read_until(b'\n', &mut text)? as u64;
            if more == 0 {
                break;
            }
            length += more;
            is_whole = text.last() == Some(&b'\n');
        }
        if !is_whole {
            self.torn_bytes = length;
            // The part of an unfinished line that was read is read again once the line is complete.
            self.position.skipped = if is_too_long { length } else { 0 };
            self.file.seek(SeekFrom::Start(self.position.bytes_read()))?;
            return Ok(None);
        }
        self.position = EventPosition { offset: self.position.offset + length, skipped: 0 };
        self.line += 1;
        Ok(Some(if is_too_long { Err(EventLineError::TooLong) } else { Ok(text) }))
    }
}

impl Iterator for EventReader {
    type Item = io::Result<Result<EventLine, EventLineError>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            return match self.next_line() {
                Ok(None) => None,
                Ok(Some(Err(error))) => Some(Ok(Err(error))),
                Ok(Some(Ok(text))) if text.trim_ascii().is_empty() => continue,
                Ok(Some(Ok(text))) => Some(Ok(serde_json::from_slice(&text).map_err(Into::into))),
                Err(error) => Some(Err(error)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Event, EventKind};

    fn line(seq: u64) -> String {
        let event = Event::new(EventKind::Live, "demo");
        let line = EventLine { seq, unix_ms: 5, event, row: Some(seq), file: None };
        serde_json::to_string(&line).unwrap() + "\n"
    }

    /// Returns the numbers of the events after `offset`; 0 for a line that is not an event.
    fn read(path: &Path, position: EventPosition) -> (Vec<u64>, EventReader) {
        let mut reader = EventReader::open(path, position).unwrap();
        let found = reader.by_ref().map(|line| line.unwrap().map_or(0, |line| line.seq)).collect();
        (found, reader)
    }

    #[test]
    fn a_line_is_read_once_it_has_its_newline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.events.jsonl");
        let (first, second) = (line(1), line(2));
        fs::write(&path, format!("{first}{}", &second[..20])).unwrap();
        let (found, reader) = read(&path, EventPosition::default());
        assert_eq!(
            (found, reader.position().offset, reader.torn_bytes()),
            (vec![1], first.len() as u64, 20)
        );
        fs::write(&path, format!("{first}{second}")).unwrap();
        let (found, reader) = read(&path, reader.position());
        assert_eq!((found, reader.torn_bytes()), (vec![2], 0));
    }

    #[test]
    fn lines_that_are_not_events_are_reported_in_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.events.jsonl");
        let long = "x".repeat(2 * EVENT_BYTES_MAX + 10);
        fs::write(&path, format!("{}\nnonsense\n{long}\n{}", line(1), line(2))).unwrap();
        let (found, reader) = read(&path, EventPosition::default());
        assert_eq!((found, reader.line()), (vec![1, 0, 0, 2], 5));
        assert_eq!(reader.position().offset, fs::metadata(&path).unwrap().len());
        let csv = csv_file_of(&path).unwrap();
        assert_eq!(event_file_of(&csv), path);
        assert_eq!(read_events(&csv).unwrap().len(), 2);
    }

    /// A line without end grew to 5 GB and was read from its start again whenever it had grown.
    #[cfg(unix)]
    #[test]
    fn an_endless_line_is_read_once_while_it_grows_and_reported_when_it_ends() {
        const HUGE: u64 = 1 << 42;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.events.jsonl");
        fs::write(&path, line(1)).unwrap();
        let start = fs::metadata(&path).unwrap().len();
        // A hole in the file: it takes no space, but to read 4 TiB would take hours.
        let file = File::options().append(true).open(&path).unwrap();
        file.set_len(HUGE).unwrap();
        let mut reader = EventReader::open(&path, EventPosition::default()).unwrap();
        reader = reader.skipping_at_most(1 << 20);
        assert_eq!(reader.next().unwrap().unwrap().unwrap().seq, 1);
        assert!(reader.next().is_none());
        let position = reader.position();
        assert_eq!(position.offset, start);
        assert!((1 << 20..2 << 20).contains(&position.skipped), "{position:?}");
        let mut reader = EventReader::open(&path, position).unwrap().skipping_at_most(1 << 20);
        assert!(reader.next().is_none());
        assert!(reader.position().skipped >= 2 << 20);
        // As if all of it had been read by and by.
        let position = EventPosition { offset: start, skipped: HUGE - start };
        fs::write(dir.path().join("more"), format!("\n{}", line(2))).unwrap();
        io::copy(&mut File::open(dir.path().join("more")).unwrap(), &mut &file).unwrap();
        let mut reader = EventReader::open(&path, position).unwrap();
        assert!(matches!(reader.next(), Some(Ok(Err(EventLineError::TooLong)))));
        assert_eq!(reader.next().unwrap().unwrap().unwrap().seq, 2);
        assert!(reader.next().is_none());
    }

    #[test]
    fn a_missing_event_file_holds_no_events() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_events(&dir.path().join("a.csv")).unwrap(), []);
        assert_eq!(csv_file_of(Path::new("a.jsonl")), None);
    }
}
