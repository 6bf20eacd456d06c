//! How many rows of a file are stored at the hub.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rounds::{Chunk, Cursor, Round};
use serde::{Deserialize, Serialize};

/// Bytes read per batch; more for a longer line.
const WINDOW: u64 = 64 * 1024;

/// Number of bytes before the cursor that must be unchanged.
const ANCHOR: u64 = 256;

/// How many rows of a file are at the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FilePosition {
    /// Every row before it is stored.
    cursor: Cursor,
    /// Rows before the cursor.
    before: u64,
    /// Rows that are stored, at least `before`.
    rows: u64,
    /// Of the bytes before the cursor, to see that the file is still the same.
    anchor: u64,
}

/// A batch of rows of a file.
#[derive(Clone, Debug)]
pub(super) struct RowBatch {
    /// Rows that are not stored yet.
    pub(super) rounds: Vec<Round>,
    /// The number of the first of them, counted from 1.
    pub(super) first: u64,
    /// Number of lines that are not rounds.
    pub(super) rejected: u64,
    next: FilePosition,
}

impl FilePosition {
    /// The next rows that are not stored; `None` at the end of the file.
    ///
    /// A file that was rewritten is read from its start: what is stored already is refused by the hub.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Option<RowBatch>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if length < self.cursor.offset() || self.anchor != anchor(&mut file, self.cursor.offset())?
        {
            tracing::warn!(file = %path.display(), "The file was rewritten; reading it from its start.");
            *self = Self::default();
            self.anchor = anchor(&mut file, 0)?;
        }
        let Some((cursor, piece)) = self.piece(&mut file, length)? else { return Ok(None) };
        let before = if piece.from_start { 0 } else { self.before };
        let total = before + piece.rounds.len() as u64;
        let known = usize::try_from(self.rows.saturating_sub(before)).unwrap_or(usize::MAX);
        let rounds: Vec<Round> = piece.rounds.into_iter().skip(known).collect();
        let anchor = anchor(&mut file, cursor.offset())?;
        let next = Self { before: total, rows: total, anchor, cursor };
        let first = total - rounds.len() as u64 + 1;
        Ok(Some(RowBatch { rounds, first, rejected: piece.rejected_count, next }))
    }

    /// The next whole lines; `None` if there are none up to `length`.
    fn piece(&self, file: &mut File, length: u64) -> io::Result<Option<(Cursor, Chunk)>> {
        let start = self.cursor.offset();
        let mut reach = WINDOW;
        loop {
            let end = length.min(start + reach);
            let mut cursor = self.cursor.clone();
            let piece = cursor.read(file, end)?;
            if cursor.offset() > start {
                return Ok(Some((cursor, piece)));
            }
            if end == length {
                return Ok(None);
            }
            reach *= 2;
        }
    }

    /// The row of this number is stored, as all before it are.
    pub(super) fn acknowledge(&mut self, number: u64) {
        self.rows = self.rows.max(number);
    }

    /// All rows of a window are stored.
    pub(super) fn pass(&mut self, window: RowBatch) {
        *self = window.next;
    }
}

/// FNV-1a: the same on every machine and in every version, against accidents, not against attacks.
fn anchor(file: &mut File, offset: u64) -> io::Result<u64> {
    let start = offset.saturating_sub(ANCHOR);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(offset - start).read_to_end(&mut bytes)?;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    Ok(if bytes.is_empty() { 0 } else { bytes.iter().fold(0xcbf2_9ce4_8422_2325, step) })
}

#[cfg(test)]
mod tests {
    use std::fs::{OpenOptions, write};
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;

    fn row(number: usize) -> String {
        format!(
            "2025-12-10T{:02}:{:02}:{:02}.000Z,{}.00\n",
            number / 3600,
            number / 60 % 60,
            number % 60,
            number + 1
        )
    }

    fn file(rows: usize) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aviator_payouts_x.csv");
        let text: String = (0..rows).map(row).collect();
        write(&path, format!("timestamp,multiplier\n{text}")).unwrap();
        (dir, path)
    }

    fn numbers(window: &RowBatch) -> Vec<u64> {
        window.rounds.iter().map(|round| round.multiplier.cents() / 100).collect()
    }

    #[test]
    fn rows_come_in_windows_and_each_once() {
        let (_dir, path) = file(5000);
        let mut place = FilePosition::default();
        let (mut found, mut windows) = (Vec::new(), 0);
        while let Some(window) = place.read(&path).unwrap() {
            assert_eq!(numbers(&window)[0], window.first);
            found.extend(numbers(&window));
            windows += 1;
            place.pass(window);
        }
        assert_eq!(found, (1..=5000).collect::<Vec<_>>());
        assert!(windows > 1);
    }

    #[test]
    fn a_kept_place_goes_on_behind_the_last_row_that_is_stored() {
        let (_dir, path) = file(10);
        let mut place = FilePosition::default();
        assert_eq!(place.read(&path).unwrap().unwrap().rounds.len(), 10);
        place.acknowledge(4);
        let text = serde_json::to_string(&place).unwrap();
        let mut place: FilePosition = serde_json::from_str(&text).unwrap();
        let window = place.read(&path).unwrap().unwrap();
        assert_eq!((window.first, numbers(&window)), (5, (5..=10).collect()));
        place.pass(window);
        assert!(place.read(&path).unwrap().is_none());
        OpenOptions::new().append(true).open(&path).unwrap().write_all(row(10).as_bytes()).unwrap();
        let window = place.read(&path).unwrap().unwrap();
        assert_eq!((window.first, numbers(&window)), (11, vec![11]));
    }

    #[test]
    fn a_file_without_a_header_is_counted_from_its_start_too() {
        let (_dir, path) = file(0);
        write(&path, (0..5).map(row).collect::<String>()).unwrap();
        let mut place = FilePosition::default();
        let window = place.read(&path).unwrap().unwrap();
        assert_eq!(numbers(&window), [1, 2, 3, 4, 5]);
        place.pass(window);
        write(&path, (0..40).map(row).collect::<String>()).unwrap();
        let window = place.read(&path).unwrap().unwrap();
        assert_eq!((window.first, numbers(&window)), (6, (6..=40).collect()));
    }

    #[test]
    fn a_row_without_its_newline_is_not_there() {
        let (_dir, path) = file(2);
        let mut place = FilePosition::default();
        let window = place.read(&path).unwrap().unwrap();
        place.pass(window);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"2025-12-10T00:00:02.000Z,3.0")
            .unwrap();
        assert!(place.read(&path).unwrap().is_none());
    }

    #[test]
    fn a_rewritten_file_is_read_from_its_start() {
        let (_dir, path) = file(20);
        let mut place = FilePosition::default();
        let window = place.read(&path).unwrap().unwrap();
        place.pass(window);
        let other: String = (0..30).map(|number| row(number + 100)).collect();
        write(&path, format!("timestamp,multiplier\n{other}")).unwrap();
        let window = place.read(&path).unwrap().unwrap();
        assert_eq!((window.first, window.rounds.len()), (1, 30));
    }
}
