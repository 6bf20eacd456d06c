//! Lines of a text that end with LF, CRLF or CR.

use std::io;
use std::ops::Range;

use crate::encoding::{Text, TextSource};

/// A longer line is cut off: no row of a recording is that long.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024;

/// Reads a text line by line, in bounded memory.
pub(crate) struct Lines {
    text: Text,
    buffer: String,
    /// Where the current line is in `buffer`.
    current: Range<usize>,
    /// Where the next line starts in `buffer`.
    start: usize,
    is_at_end: bool,
    /// Lines returned so far.
    pub(crate) count: u64,
    /// Lines that were cut off at [`LINE_BYTES_MAX`].
    pub(crate) cut: u64,
}

impl Lines {
    pub(crate) fn open(text: &TextSource) -> io::Result<Self> {
        Ok(Self {
            text: text.open()?,
            buffer: String::new(),
            current: 0..0,
            start: 0,
            is_at_end: false,
            count: 0,
            cut: 0,
        })
    }

    /// Returns the current line without its end.
    pub(crate) fn line(&self) -> &str {
        &self.buffer[self.current.clone()]
    }

    /// Returns how many bytes of the source have been read.
    pub(crate) fn bytes(&self) -> u64 {
        self.text.bytes_read
    }

    /// Advances to the next line; false if there is none.
    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        let mut searched = self.start;
        let mut is_cut = false;
        let (end, next) = loop {
            if let Some(found) = self.line_end(searched) {
                break found;
            }
            if self.is_at_end && self.start == self.buffer.len() {
                return Ok(false);
            }
            if self.is_at_end {
                break (self.buffer.len(), self.buffer.len());
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            if self.buffer.len() > LINE_BYTES_MAX {
                is_cut = true;
                let keep = self.buffer.floor_char_boundary(LINE_BYTES_MAX);
                self.buffer.truncate(keep);
            }
            // A CR at the very end may be the first half of a CRLF.
            searched = self.buffer.len() - usize::from(self.buffer.ends_with('\r'));
            self.is_at_end = !self.text.read(&mut self.buffer)?;
        };
        self.count += 1;
        self.cut += u64::from(is_cut);
        self.current = self.start..end;
        self.start = next;
        Ok(true)
    }

    /// Returns where the line ends and where the next one starts.
    fn line_end(&self, from: usize) -> Option<(usize, usize)> {
        let bytes = self.buffer.as_bytes();
        let at = from + bytes[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        match (bytes[at], bytes.get(at + 1)) {
            (b'\n', _) => Some((at, at + 1)),
            (_, Some(b'\n')) => Some((at, at + 2)),
            (_, None) if !self.is_at_end => None,
            _ => Some((at, at + 1)),
        }
    }
}
