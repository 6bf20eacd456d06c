//! A recording as rows of text, which can be read repeatedly.

use std::io;

use crate::delimiter::Delimiter;
use crate::encoding::TextSource;
use crate::layout::{self, Layout};
use crate::lines::Lines;
use crate::options::Options;
use crate::record::Record;
use crate::refusal::{Refusal, RefusalKind};

/// Number of sample rows that decide about columns.
const SAMPLE_ROWS: usize = 2000;

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) layout: Layout,
    /// The kind of file, as shown to the user.
    pub(crate) kind: String,
    /// Whether the same round may occur in several places, not only in adjacent rows.
    pub(crate) may_repeat: bool,
    /// Whether the rows are in an order that somebody gave them.
    pub(crate) is_ordered: bool,
    rows: RowSource,
}

#[derive(Debug)]
enum RowSource {
    /// Lines of a text, read as they are needed.
    Text { text: TextSource, delimiter: Delimiter },
    /// Rows in memory.
    Held(Vec<Record>),
}

/// One step through a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Row,
    /// A line whose quotation mark is not closed.
    OpenQuote,
    End,
}

impl Table {
    /// Detects the layout of a text.
    pub(crate) fn text(text: TextSource, options: &Options) -> Result<Self, Refusal> {
        let mut lines = TextLines::open(&text)?;
        let sample = lines.take(SAMPLE_ROWS)?;
        if sample.is_empty() {
            return Err(Refusal::new(RefusalKind::Empty, "it has no rows"));
        }
        let split = layout::choose_delimiter(&sample, lines.named, options);
        let name = if text.encoding == encoding_rs::UTF_8 {
            String::new()
        } else {
            format!(", {}", text.encoding.name())
        };
        let kind = format!("text, {}{name}", split.delimiter);
        let rows = RowSource::Text { text, delimiter: split.delimiter };
        Ok(Self { layout: split.layout, kind, may_repeat: false, is_ordered: true, rows })
    }

    /// Returns a table of rows in memory; without names, the rows may begin with a header.
    pub(crate) fn held(names: Option<Vec<String>>, rows: Vec<Record>, kind: &str) -> Self {
        let layout = match names {
            Some(names) => Layout { width: names.len(), names: Some(names), skip: 0 },
            None => Layout::of(&rows[..rows.len().min(SAMPLE_ROWS)]),
        };
        Self {
            layout,
            kind: kind.to_owned(),
            may_repeat: false,
            is_ordered: true,
            rows: RowSource::Held(rows),
        }
    }

    /// Returns the table with another description of its kind.
    pub(crate) fn of_kind(self, kind: String) -> Self {
        Self { kind, ..self }
    }

    /// Returns the table with rows that somebody has put in order, or not.
    pub(crate) fn in_order(self, is_ordered: bool) -> Self {
        Self { is_ordered, ..self }
    }

    /// Returns the first rows of data.
    pub(crate) fn sample(&self) -> Result<Vec<Record>, Refusal> {
        let mut cursor = self.open()?;
        let mut rows = Vec::new();
        let mut record = Record::default();
        while rows.len() < SAMPLE_ROWS {
            match cursor.next(&mut record)? {
                Step::Row => rows.push(record.clone()),
                Step::OpenQuote => {}
                Step::End => break,
            }
        }
        rows.truncate(layout::before_new_header(&rows).len());
        Ok(rows)
    }

    /// Returns a cursor before the first row of data.
    pub(crate) fn open(&self) -> Result<Cursor<'_>, Refusal> {
        let mut cursor = match &self.rows {
            RowSource::Text { text, delimiter } => {
                Cursor::Text { lines: TextLines::open(text)?, delimiter: *delimiter }
            }
            RowSource::Held(rows) => Cursor::Held(rows.iter()),
        };
        let mut record = Record::default();
        for _ in 0..self.layout.skip {
            cursor.next(&mut record)?;
        }
        Ok(cursor)
    }
}

/// A position in a table.
pub(crate) enum Cursor<'a> {
    Text { lines: TextLines, delimiter: Delimiter },
    Held(std::slice::Iter<'a, Record>),
}

impl Cursor<'_> {
    pub(crate) fn next(&mut self, record: &mut Record) -> io::Result<Step> {
        match self {
            Self::Text { lines, delimiter } => {
                let Some((number, line)) = lines.next_numbered()? else { return Ok(Step::End) };
                let is_whole = delimiter.split(line, record);
                record.line = number;
                Ok(if is_whole { Step::Row } else { Step::OpenQuote })
            }
            Self::Held(rows) => {
                let Some(row) = rows.next() else { return Ok(Step::End) };
                record.clone_from(row);
                Ok(Step::Row)
            }
        }
    }

    /// Returns how many bytes of the source have been read; 0 for a table in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Text { lines, .. } => lines.lines.bytes(),
            Self::Held(_) => 0,
        }
    }
}

/// Returns the first lines of a text, up to `count`.
pub(crate) fn first_lines(text: &TextSource, count: usize) -> io::Result<Vec<String>> {
    TextLines::open(text)?.take(count)
}

/// Lines without blank ones, comments and the line `sep=;`.
pub(crate) struct TextLines {
    lines: Lines,
    /// The delimiter that a line names.
    named: Option<Delimiter>,
}

impl TextLines {
    pub(crate) fn open(text: &TextSource) -> io::Result<Self> {
        Ok(Self { lines: Lines::open(text)?, named: None })
    }

    /// Returns the next lines, up to `count`.
    fn take(&mut self, count: usize) -> io::Result<Vec<String>> {
        let mut taken = Vec::new();
        while taken.len() < count
            && let Some((_, line)) = self.next_numbered()?
        {
            taken.push(line.to_owned());
        }
        Ok(taken)
    }

    /// Returns the next line that is neither blank nor a comment, with its number in the text, from 1.
    pub(crate) fn next_numbered(&mut self) -> io::Result<Option<(u64, &str)>> {
        while self.lines.advance()? {
            let line = self.lines.line();
            let trimmed = line.trim();
            if trimmed.is_empty()
                || trimmed.starts_with('#') && !trimmed.starts_with("#,")
                || trimmed.starts_with("//")
            {
                continue;
            }
            if self.lines.count <= 3
                && let Some(delimiter) = Delimiter::named(trimmed)
            {
                self.named = Some(delimiter);
                continue;
            }
            return Ok(Some((self.lines.count, self.lines.line())));
        }
        Ok(None)
    }
}
