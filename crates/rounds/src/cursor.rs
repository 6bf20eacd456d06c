//! A position in one CSV file, and reading on from it.

use std::io::{self, Read, Seek, SeekFrom};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::reader::Row;
use crate::reader::{
    Detected, FileFormat, LINE_BYTES_MAX, Neighbour, REJECTED_MAX, REJECTED_TEXT_MAX, ReadOptions,
    Refusal, RejectReason, Rejected, Rejections, RowError, columns_named, detect, instant,
    quick_row, read_row, within,
};
use crate::round::Round;
use crate::timestamp::Written;

/// How far a file has been read: always the start of a line, because a row is committed by its newline.
///
/// It can be stored and used later, also by another process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Bytes read; the byte before it is a newline, or it is 0.
    offset: u64,
    /// Lines read.
    line: u64,
    layout: Layout,
    /// The newest row read.
    #[serde(default)]
    last: Option<LastRow>,
    /// Bytes after the offset that belong to one unfinished line, already too long to be a row.
    #[serde(default)]
    skipped: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
enum Layout {
    /// Too few lines are known to tell; the file is read from its start again once it has grown.
    #[default]
    Open,
    /// Final: how the rows are written, or why none of them is read.
    Known(Box<Result<FileFormat, Refusal>>),
}

/// What the next row is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LastRow {
    round: Round,
    id: String,
    /// The rows are newest first.
    is_descending: bool,
}

/// The result of one read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// The rounds, in file order.
    pub rounds: Vec<Round>,
    /// The first [`REJECTED_MAX`] lines that are not rounds.
    pub rejected: Vec<Rejected>,
    /// Number of lines that are not rounds.
    pub rejected_count: u64,
    /// The numbers of these lines by reason.
    pub rejections: Rejections,
    /// Why none of the rows is read; `None` if they are.
    pub refused: Option<Refusal>,
    /// Bytes after the last newline: a row that is not committed.
    pub torn_bytes: u64,
    /// The file was read from its start, so this chunk holds all of it.
    pub from_start: bool,
}

/// Number of bytes examined to detect how the rows are written.
const HEAD_BYTES: usize = 1 << 18;

/// Bytes read at a time; holds several of the longest lines.
const CHUNK_BYTES: usize = 4 * LINE_BYTES_MAX;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Cursor {
    /// Returns the number of bytes read so far; the next line starts here.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the number of lines read so far, including header and rejected lines.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Returns the number of bytes that need not be read again: those up to the offset, and those of a line
    /// that is too long and has no end yet.
    pub fn position(&self) -> u64 {
        self.offset + self.skipped
    }

    /// Returns whether more lines can no longer change how the rows of the file are read.
    pub(crate) fn is_settled(&self) -> bool {
        self.layout != Layout::Open
    }

    /// Reads all whole lines from here to `length`, which is the length of the file, with the default
    /// [`ReadOptions`].
    ///
    /// # Errors
    /// Reading failed or the file ended before `length`; the cursor has not moved.
    pub fn read(&mut self, file: &mut (impl Read + Seek), length: u64) -> io::Result<Chunk> {
        self.read_with(file, length, &ReadOptions::default())
    }

    /// Reads all whole lines from here to `length`, which is the length of the file.
    ///
    /// The whole file is read again, and [`Chunk::from_start`] is set, as long as its first rows do not settle how all
    /// of them are written, and when a later row shows that earlier ones were misread.
    ///
    /// # Errors
    /// Reading failed or the file ended before `length`; the cursor has not moved.
    pub fn read_with(
        &mut self,
        file: &mut (impl Read + Seek),
        length: u64,
        options: &ReadOptions,
    ) -> io::Result<Chunk> {
        let mut next = self.clone();
        let mut piece = Chunk::default();
        let (mut format, is_final) = match std::mem::take(&mut next.layout) {
            Layout::Known(format) => (*format, true),
            Layout::Open => {
                next = Self::default();
                piece.from_start = true;
                let Detected { format, is_final } = detected(file, length)?;
                (format, is_final)
            }
        };
        while let Some(other) =
            Lines::new(&mut next, &mut piece, &mut format, options).read(file, length)?
        {
            format = other;
            next = Self::default();
            piece = Chunk { from_start: true, ..Chunk::default() };
        }
        if is_final {
            next.layout = Layout::Known(Box::new(format));
        }
        piece.torn_bytes = length - next.offset;
        *self = next;
        Ok(piece)
    }
}

impl Chunk {
    /// Removes what an earlier read had found; returns whether it was there.
    pub(crate) fn drop_start(&mut self, start: &Self) -> bool {
        let is_start = self.rounds.starts_with(&start.rounds)
            && self.rejected.starts_with(&start.rejected)
            && self.rejected_count >= start.rejected_count;
        if is_start {
            self.rounds.drain(..start.rounds.len());
            self.rejected.drain(..start.rejected.len());
            self.rejected_count -= start.rejected_count;
        }
        is_start
    }
}

/// Detects from the start of a file how its rows are written.
fn detected(file: &mut (impl Read + Seek), length: u64) -> io::Result<Detected> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.take(length.min(HEAD_BYTES as u64)).read_to_end(&mut head)?;
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
    Ok(detect(head, length > HEAD_BYTES as u64))
}

/// Reads the lines of a stretch of the file.
struct Lines<'a> {
    format: &'a mut Result<FileFormat, Refusal>,
    cursor: &'a mut Cursor,
    piece: &'a mut Chunk,
    options: &'a ReadOptions,
    /// No row was read so far, so the next line may be the header.
    awaits_header: bool,
    /// Bytes already discarded of a line that is too long.
    skipped: Option<u64>,
    /// The file must be read from its start in this way.
    restart: Option<Box<Result<FileFormat, Refusal>>>,
}

impl<'a> Lines<'a> {
    fn new(
        cursor: &'a mut Cursor,
        piece: &'a mut Chunk,
        format: &'a mut Result<FileFormat, Refusal>,
        options: &'a ReadOptions,
    ) -> Self {
        let awaits_header = piece.from_start;
        let skipped = (cursor.skipped > 0).then_some(cursor.skipped);
        Self { format, cursor, piece, options, awaits_header, skipped, restart: None }
    }

    /// Returns how the file must be read from its start instead, if a line shows that.
    fn read(
        mut self,
        file: &mut (impl Read + Seek),
        length: u64,
    ) -> io::Result<Option<Result<FileFormat, Refusal>>> {
        file.seek(SeekFrom::Start(self.cursor.position()))?;
        let mut left =
            length.checked_sub(self.cursor.position()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut buffer = Vec::with_capacity(CHUNK_BYTES);
        while left > 0 {
            let wanted = left.min((CHUNK_BYTES - buffer.len()) as u64);
            let got = file.by_ref().take(wanted).read_to_end(&mut buffer)?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left -= got as u64;
            let taken = self.chunk(&buffer);
            if let Some(restart) = self.restart {
                return Ok(Some(*restart));
            }
            buffer.drain(..taken);
        }
        self.finish();
        Ok(None)
    }

    /// Stores what the next read must know about this one.
    fn finish(self) {
        self.cursor.skipped = self.skipped.unwrap_or(0);
        self.piece.refused = match &*self.format {
            Err(refusal) if self.cursor.line > 0 || matches!(refusal, Refusal::OtherFormat(_)) => {
                Some(refusal.clone())
            }
            Ok(format) => self.open_date_order(format),
            Err(_) => None,
        };
        let rounds = &self.piece.rounds;
        if let Some(round) = rounds.last() {
            let id = match self.cursor.last.take() {
                Some(last) if last.round == *round => last.id,
                _ => String::new(),
            };
            let is_descending = self.is_descending();
            self.cursor.last = Some(LastRow { round: *round, id, is_descending });
        }
    }

    /// Returns why ambiguous dates were rejected, if no row shows the order of day and month.
    fn open_date_order(&self, format: &FileFormat) -> Option<Refusal> {
        let reasons = self.piece.rejections.reasons();
        let found = reasons.iter().find(|it| it.example.reason == RejectReason::AmbiguousDate)?;
        format.open_date_order(&found.example.text)
    }

    /// Whether the newest rows are in descending order of their times.
    fn is_descending(&self) -> bool {
        let mut times = self.piece.rounds.iter().rev().take(50).map(|round| round.time);
        let last = times.next();
        let other = times.find(|time| Some(*time) != last);
        match (other, last) {
            (Some(other), Some(last)) => other > last,
            _ => self.cursor.last.as_ref().is_some_and(|row| row.is_descending),
        }
    }

    /// The row above the next one.
    fn neighbour(&self) -> Option<Neighbour> {
        let time: DateTime<Utc> = match self.piece.rounds.last() {
            Some(round) => round.time,
            None => self.cursor.last.as_ref()?.round.time,
        };
        Some(Neighbour { time, is_descending: self.is_descending() })
    }

    /// Processes the lines in `bytes` and returns how many bytes are no longer needed.
    fn chunk(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if let Some(skipped) = self.skipped {
            let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
                self.skipped = Some(skipped + bytes.len() as u64);
                return bytes.len();
            };
            self.skipped = None;
            at = end + 1;
            self.step(skipped + at as u64);
            self.reject(RejectReason::TooLong, &[]);
        }
        at += self.whole_lines(&bytes[at..]);
        let tail = bytes.len() - at;
        if tail > LINE_BYTES_MAX {
            self.skipped = Some(tail as u64);
            at = bytes.len();
        }
        at
    }

    /// Processes all lines that end in `bytes` and returns their length.
    fn whole_lines(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while self.restart.is_none() {
            let rest = &bytes[at..];
            if let Some(taken) = self.quick(rest) {
                at += taken;
                continue;
            }
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { return at };
            let is_first = self.cursor.offset == 0;
            self.step(end as u64 + 1);
            at += end + 1;
            let mut line = &rest[..end];
            if is_first {
                line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            }
            self.line(line.strip_suffix(b"\r").unwrap_or(line));
        }
        at
    }

    /// Reads a row in the form we write; returns its length.
    fn quick(&mut self, bytes: &[u8]) -> Option<usize> {
        if !self.format.as_ref().is_ok_and(|format| format.columns.are_as_ours()) {
            return None;
        }
        let row = quick_row(bytes)?;
        let time = match row.time {
            Written::Instant(time) => time,
            written @ Written::WallClock(_) => {
                instant(written, self.options, self.neighbour()).ok()?
            }
        };
        let round = within(Round { time, multiplier: row.multiplier }, self.options).ok()?;
        self.piece.rounds.push(round);
        self.awaits_header = false;
        self.step(row.taken as u64);
        Some(row.taken)
    }

    fn step(&mut self, bytes: u64) {
        self.cursor.offset += bytes;
        self.cursor.line += 1;
    }

    fn line(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        if line.len() > LINE_BYTES_MAX {
            return self.reject(RejectReason::TooLong, &[]);
        }
        let neighbour = self.neighbour();
        let Ok(format) = self.format else {
            return self.reject(RejectReason::FileRefused, line);
        };
        match read_row(line, format, self.options, neighbour) {
            Ok(row) => {
                let has_bets = format.columns.has_bets;
                self.row(row, has_bets, line);
            }
            Err(RowError::NewFormat(format)) => self.restart = Some(format),
            Err(RowError::Rejected(reason)) => self.no_row(reason, line),
        }
    }

    fn row(&mut self, row: Row, has_bets: bool, line: &[u8]) {
        self.awaits_header = false;
        let same = self.cursor.last.as_ref().is_some_and(|last| {
            let is_named = !row.id.is_empty() || has_bets;
            is_named && last.round == row.round && last.id == row.id
        });
        if same {
            return self.reject(RejectReason::SameRound, line);
        }
        self.piece.rounds.push(row.round);
        if !row.id.is_empty() || has_bets {
            self.cursor.last = Some(LastRow { round: row.round, id: row.id, is_descending: false });
        }
    }

    /// A line that is not a row: perhaps the header, or one that names other columns from here on.
    fn no_row(&mut self, reason: RejectReason, line: &[u8]) {
        if let Ok(format) = self.format
            && let Some(columns) = columns_named(line)
        {
            let is_known = columns == format.columns;
            if !is_known {
                format.columns = columns;
                return;
            }
            if std::mem::take(&mut self.awaits_header) {
                return;
            }
        }
        if self.awaits_header && (line.starts_with(b"#") || line.starts_with(b"sep=")) {
            return;
        }
        self.reject(reason, line);
    }

    fn reject(&mut self, reason: RejectReason, line: &[u8]) {
        let number = self.cursor.line;
        let rejected = || {
            let text = String::from_utf8_lossy(&line[..line.len().min(REJECTED_TEXT_MAX * 4)]);
            let text = text.chars().take(REJECTED_TEXT_MAX).collect();
            Rejected { line: number, reason, text }
        };
        self.piece.rejected_count += 1;
        self.piece.rejections.add(reason, rejected);
        if self.piece.rejected.len() < REJECTED_MAX {
            self.piece.rejected.push(rejected());
        }
    }
}
