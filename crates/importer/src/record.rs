//! One row of a table as its cells of text.

/// The cells of one row, kept in one string so that reading a row allocates nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
    /// Line of the source, from 1; in sources without lines, the row.
    pub(crate) line: u64,
}

impl Record {
    /// Returns an empty row.
    pub(crate) fn at(line: u64) -> Self {
        Self { line, ..Self::default() }
    }

    /// Returns an empty row with room for its cells, so that pushing them allocates nothing.
    pub(crate) fn with_room(line: u64, cells: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(cells), line }
    }

    pub(crate) fn of<T: AsRef<str>>(cells: impl IntoIterator<Item = T>, line: u64) -> Self {
        let mut record = Self::at(line);
        cells.into_iter().for_each(|cell| record.push(cell.as_ref()));
        record
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Appends a cell.
    pub(crate) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// Appends to the last cell; the first call after [`Record::clear`] needs a cell.
    pub(crate) fn extend_last(&mut self, more: &str) {
        self.text.push_str(more);
        if let Some(end) = self.ends.last_mut() {
            *end = self.text.len();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns a cell without the white space around it.
    pub(crate) fn get(&self, column: usize) -> Option<&str> {
        let end = *self.ends.get(column)?;
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        Some(self.text[start..end].trim())
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|column| self.get(column))
    }

    /// Returns how many cells there are up to the last one that is not empty.
    pub(crate) fn filled(&self) -> usize {
        (0..self.len()).rev().find(|&at| self.get(at) != Some("")).map_or(0, |at| at + 1)
    }

    /// Whether the row has this many cells; more are allowed where they are empty.
    pub(crate) fn fits(&self, width: usize) -> bool {
        self.len() == width || self.len() > width && self.filled() <= width
    }

    /// Returns the row as it can be shown in a message, at most `max` characters long.
    pub(crate) fn excerpt(&self, max: usize) -> String {
        let cells: Vec<&str> = self.cells().collect();
        excerpt(&cells.join(" | "), max)
    }
}

/// Returns the first `max` characters of a text, without control characters.
pub(crate) fn excerpt(text: &str, max: usize) -> String {
    let mut shown: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect();
    if text.chars().nth(max).is_some() {
        shown.push('…');
    }
    shown
}
