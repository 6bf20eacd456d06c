//! How many rows of a file are stored at the hub.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rounds::{Chunk, Cursor, ReadOptions, Round, open_regular};
use serde::{Deserialize, Serialize};

/// Bytes read per batch; doubled until they contain a whole line.
const WINDOW: u64 = 64 * 1024;

/// Number of bytes before the cursor whose hash must not change.
const ANCHOR: u64 = 256;

/// How many rows of a file are at the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FilePosition {
    /// Every row before it is stored.
    cursor: Cursor,
    /// Number of rows before the cursor.
    before: u64,
    /// Number of stored rows, at least `before`.
    rows: u64,
    /// Hash of the bytes before the cursor's position, which detects a rewritten file.
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
    /// Returns the next rows that are not stored; `None` at the end of the file.
    ///
    /// A rewritten file is read again from its start; the hub rejects the rows that it has.
    pub(super) fn read(
        &mut self,
        path: &Path,
        options: &ReadOptions,
    ) -> io::Result<Option<RowBatch>> {
        let mut file = open_regular(path)?;
        let length = file.metadata()?.len();
        let read = self.cursor.position();
        if length < read || self.anchor != anchor(&mut file, read)? {
            tracing::warn!(file = %path.display(), "The file was rewritten; reading it from its start.");
            *self = Self::default();
            self.anchor = anchor(&mut file, 0)?;
        }
        let Some((cursor, chunk)) = self.chunk(&mut file, length, options)? else {
            return Ok(None);
        };
        let before = if chunk.from_start { 0 } else { self.before };
        let total = before + chunk.rounds.len() as u64;
        let known = usize::try_from(self.rows.saturating_sub(before)).unwrap_or(usize::MAX);
        let rounds: Vec<Round> = chunk.rounds.into_iter().skip(known).collect();
        let anchor = anchor(&mut file, cursor.position())?;
        let next = Self { before: total, rows: total, anchor, cursor };
        let first = total - rounds.len() as u64 + 1;
        Ok(Some(RowBatch { rounds, first, rejected: chunk.rejected_count, next }))
    }

    /// Reads the next whole lines; `None` if there are none up to `length`. What was read of a line that is too long for a
    /// row and has no end yet is remembered, because such a file may grow and grow.
    fn chunk(
        &mut self,
        file: &mut File,
        length: u64,
        options: &ReadOptions,
    ) -> io::Result<Option<(Cursor, Chunk)>> {
        let start = self.cursor.offset();
        let mut length_max = WINDOW;
        loop {
            let end = length.min(self.cursor.position() + length_max);
            let mut cursor = self.cursor.clone();
            let chunk = cursor.read_with(file, end, options)?;
            if cursor.offset() > start {
                return Ok(Some((cursor, chunk)));
            }
            // Rows that the start of the file turns out to have must be counted, so then it is read again.
            if !chunk.from_start || chunk.rounds.len() as u64 == self.before {
                self.anchor = anchor(file, cursor.position())?;
                self.cursor = cursor;
            }
            if end == length {
                return Ok(None);
            }
            length_max *= 2;
        }
    }

    /// Records that row `number` and all before it are stored.
    pub(super) fn acknowledge(&mut self, number: u64) {
        self.rows = self.rows.max(number);
    }

    /// Moves past a batch whose rows are all stored.
    pub(super) fn advance(&mut self, batch: RowBatch) {
        *self = batch.next;
    }
}

/// Returns the FNV-1a hash of the bytes before `offset`: stable across machines and versions. It detects accidents, not
/// attacks.
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

    use chrono::Timelike as _;

    use super::*;

    /// The row of a second of the day, spread as those of a crash game.
    fn row(number: usize) -> String {
        let share = (number as f64 * 0.618_033_988_749_895).fract();
        format!(
            "2025-12-10T{:02}:{:02}:{:02}.000Z,{:.2}\n",
            number / 3600,
            number / 60 % 60,
            number % 60,
            (0.97 / (1.0 - share)).max(1.0)
        )
    }

    fn file(rows: usize) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aviator_payouts_x.csv");
        let text: String = (0..rows).map(row).collect();
        write(&path, format!("timestamp,multiplier\n{text}")).unwrap();
        (dir, path)
    }

    fn numbers(batch: &RowBatch) -> Vec<u64> {
        let number = |round: &Round| round.time.num_seconds_from_midnight() + 1;
        batch.rounds.iter().map(|round| u64::from(number(round))).collect()
    }

    #[test]
    fn rows_come_in_batches_and_each_once() {
        let (_dir, path) = file(5000);
        let mut position = FilePosition::default();
        let (mut found, mut batches) = (Vec::new(), 0);
        while let Some(batch) = position.read(&path, &ReadOptions::default()).unwrap() {
            assert_eq!(numbers(&batch)[0], batch.first);
            found.extend(numbers(&batch));
            batches += 1;
            position.advance(batch);
        }
        assert_eq!(found, (1..=5000).collect::<Vec<_>>());
        assert!(batches > 1);
    }

    #[test]
    fn a_restored_position_continues_after_the_last_stored_row() {
        let (_dir, path) = file(10);
        let mut position = FilePosition::default();
        assert_eq!(
            position.read(&path, &ReadOptions::default()).unwrap().unwrap().rounds.len(),
            10
        );
        position.acknowledge(4);
        let text = serde_json::to_string(&position).unwrap();
        let mut position: FilePosition = serde_json::from_str(&text).unwrap();
        let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
        assert_eq!((batch.first, numbers(&batch)), (5, (5..=10).collect()));
        position.advance(batch);
        assert!(position.read(&path, &ReadOptions::default()).unwrap().is_none());
        OpenOptions::new().append(true).open(&path).unwrap().write_all(row(10).as_bytes()).unwrap();
        let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
        assert_eq!((batch.first, numbers(&batch)), (11, vec![11]));
    }

    #[test]
    fn rows_of_a_file_without_a_header_are_counted_from_its_start() {
        let (_dir, path) = file(0);
        write(&path, (0..5).map(row).collect::<String>()).unwrap();
        let mut position = FilePosition::default();
        let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
        assert_eq!(numbers(&batch), [1, 2, 3, 4, 5]);
        position.advance(batch);
        write(&path, (0..40).map(row).collect::<String>()).unwrap();
        let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
        assert_eq!((batch.first, numbers(&batch)), (6, (6..=40).collect()));
    }

    #[test]
    fn a_row_without_its_newline_is_not_read() {
        let (_dir, path) = file(2);
        let mut position = FilePosition::default();
        let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
        position.advance(batch);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"2025-12-10T00:00:02.000Z,3.0")
            .unwrap();
        assert!(position.read(&path, &ReadOptions::default()).unwrap().is_none());
    }

    /// A line without end grew to 5 GB and was read from its start again whenever it had grown.
    #[test]
    fn an_endless_line_is_read_once_while_it_grows_and_the_rows_after_it_are_found() {
        [0, 3].into_iter().for_each(check_endless);
    }

    fn check_endless(rows: usize) {
        let (_dir, path) = file(rows);
        let append = |bytes: &[u8]| {
            OpenOptions::new().append(true).open(&path).unwrap().write_all(bytes).unwrap();
            std::fs::metadata(&path).unwrap().len()
        };
        let read = |position: &mut FilePosition| {
            position.read(&path, &ReadOptions::default()).unwrap().map(|batch| {
                let found = (batch.first, numbers(&batch));
                position.advance(batch);
                found
            })
        };
        let mut position = FilePosition::default();
        assert_eq!(read(&mut position), Some((1, (1..=rows as u64).collect())));
        for growth in [1 << 20, 1000, 1 << 18] {
            let length = append(&vec![b'7'; growth]);
            assert_eq!(read(&mut position), None);
            assert_eq!(position.cursor.position(), length);
        }
        let text = serde_json::to_string(&position).unwrap();
        position = serde_json::from_str(&text).unwrap();
        append(format!("\n{}", row(rows)).as_bytes());
        let next = rows as u64 + 1;
        assert_eq!(read(&mut position), Some((next, vec![next])));
    }

    #[test]
    fn an_endless_line_that_rows_replace_is_noticed() {
        for replacement in [10, 60_000] {
            let (_dir, path) = file(0);
            write(&path, format!("timestamp,multiplier\n{}", "7".repeat(1 << 20))).unwrap();
            let mut position = FilePosition::default();
            while let Some(batch) = position.read(&path, &ReadOptions::default()).unwrap() {
                position.advance(batch);
            }
            let rows: String = (0..replacement).map(row).collect();
            write(&path, format!("timestamp,multiplier\n{rows}")).unwrap();
            let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
            assert_eq!((batch.first, numbers(&batch)[0]), (1, 1));
        }
    }

    #[test]
    fn a_rewritten_file_is_read_from_its_start() {
        let (_dir, path) = file(20);
        let mut position = FilePosition::default();
        let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
        position.advance(batch);
        let other: String = (0..30).map(|number| row(number + 100)).collect();
        write(&path, format!("timestamp,multiplier\n{other}")).unwrap();
        let batch = position.read(&path, &ReadOptions::default()).unwrap().unwrap();
        assert_eq!((batch.first, batch.rounds.len()), (1, 30));
    }
}
