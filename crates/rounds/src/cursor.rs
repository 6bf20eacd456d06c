//! A position in one CSV file, and reading on from it.

use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use crate::round::Round;
use crate::row::{self, Columns, LINE_BYTES_MAX, RejectReason};

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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
enum Layout {
    /// Too few lines are known: once the file has grown it is read from its start again.
    #[default]
    Open,
    /// The columns are final, taken from the header or the first rows; `None`: they cannot be told.
    Known(Option<Columns>),
}

/// What one read has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// The rounds, in file order.
    pub rounds: Vec<Round>,
    /// The first [`REJECTED_MAX`] lines that are not rounds.
    pub rejected: Vec<Rejected>,
    /// Number of lines that are not rounds.
    pub rejected_count: u64,
    /// Bytes after the last newline: a row that is not committed.
    pub torn_bytes: u64,
    /// The file was read from its start, so this chunk holds all of it.
    pub from_start: bool,
}

/// A line that is not a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Number of the line, counted from 1.
    pub line: u64,
    /// Why it was rejected.
    pub reason: RejectReason,
    /// The first characters of the line, at most [`REJECTED_TEXT_MAX`].
    pub text: String,
}

/// Rejected lines kept per read; further ones are only counted.
pub const REJECTED_MAX: usize = 1000;

/// Characters kept of a rejected line.
pub const REJECTED_TEXT_MAX: usize = 80;

/// Number of lines that determine the columns of a file without a header.
const LAYOUT_LINES: usize = 16;

/// Bytes searched for the first [`LAYOUT_LINES`] lines.
const HEAD_BYTES: usize = 1 << 20;

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

    /// Returns whether the columns of the file are final.
    pub(crate) fn is_settled(&self) -> bool {
        self.layout != Layout::Open
    }

    /// Reads all whole lines from here to `length`, which is the length of the file.
    ///
    /// A file whose columns are not settled yet, because it has no header and fewer than sixteen
    /// lines, is read from its start: [`Chunk::from_start`] says so.
    ///
    /// # Errors
    /// Reading failed or the file ended before `length`; the cursor has not moved.
    pub fn read(&mut self, file: &mut (impl Read + Seek), length: u64) -> io::Result<Chunk> {
        let mut next = self.clone();
        let mut piece = Chunk::default();
        if next.layout == Layout::Open {
            piece.from_start = true;
            next = Self { layout: layout(file, length)?, ..Self::default() };
        }
        let columns = match next.layout {
            Layout::Known(columns) => columns,
            Layout::Open => shown_so_far(file, length)?,
        };
        let awaits_header = piece.from_start;
        let mut lines =
            Lines { columns, cursor: &mut next, piece: &mut piece, awaits_header, skipped: None };
        lines.read(file, length)?;
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

/// Returns the whole lines at the start of a file, without a byte order mark.
fn head(file: &mut (impl Read + Seek), length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.take(length.min(HEAD_BYTES as u64)).read_to_end(&mut head)?;
    head.truncate(head.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1));
    if head.starts_with(BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(head)
}

fn first_lines(head: &[u8]) -> Vec<&[u8]> {
    head.split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(LAYOUT_LINES)
        .collect()
}

/// Settles the columns by a header at once, by content only after enough lines.
fn layout(file: &mut (impl Read + Seek), length: u64) -> io::Result<Layout> {
    let head = head(file, length)?;
    let lines = first_lines(&head);
    if let Some(columns) = lines.first().and_then(|line| Columns::named(line)) {
        return Ok(Layout::Known(Some(columns)));
    }
    if lines.len() >= LAYOUT_LINES || length >= HEAD_BYTES as u64 {
        return Ok(Layout::Known(Columns::shown_by(&lines)));
    }
    Ok(Layout::Open)
}

fn shown_so_far(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<Columns>> {
    let head = head(file, length)?;
    Ok(Columns::shown_by(&first_lines(&head)))
}

/// Reads the lines of a stretch of the file.
struct Lines<'a> {
    columns: Option<Columns>,
    cursor: &'a mut Cursor,
    piece: &'a mut Chunk,
    /// Only empty lines were read so far, so the next line may be the header.
    awaits_header: bool,
    /// Bytes already discarded of a line that is too long.
    skipped: Option<u64>,
}

impl Lines<'_> {
    fn read(&mut self, file: &mut (impl Read + Seek), length: u64) -> io::Result<()> {
        file.seek(SeekFrom::Start(self.cursor.offset))?;
        let mut left = length - self.cursor.offset;
        let mut buffer = Vec::with_capacity(CHUNK_BYTES);
        while left > 0 {
            let wanted = left.min((CHUNK_BYTES - buffer.len()) as u64);
            let got = file.by_ref().take(wanted).read_to_end(&mut buffer)?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left -= got as u64;
            let taken = self.chunk(&buffer);
            buffer.drain(..taken);
        }
        Ok(())
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
        let is_ours = self.columns == Some(Columns::OURS);
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            if is_ours && let Some((round, taken)) = row::quick(rest) {
                self.piece.rounds.push(round);
                self.awaits_header = false;
                self.step(taken as u64);
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
        let Some(columns) = self.columns else {
            return self.reject(RejectReason::UnknownColumns, line);
        };
        let may_be_header = std::mem::take(&mut self.awaits_header);
        match row::parse(line, columns) {
            Ok(round) => self.piece.rounds.push(round),
            Err(_) if may_be_header && Columns::named(line) == Some(columns) => {}
            Err(reason) => self.reject(reason, line),
        }
    }

    fn reject(&mut self, reason: RejectReason, line: &[u8]) {
        self.piece.rejected_count += 1;
        if self.piece.rejected.len() < REJECTED_MAX {
            let text = String::from_utf8_lossy(&line[..line.len().min(REJECTED_TEXT_MAX * 4)]);
            let text = text.chars().take(REJECTED_TEXT_MAX).collect();
            self.piece.rejected.push(Rejected { line: self.cursor.line, reason, text });
        }
    }
}
