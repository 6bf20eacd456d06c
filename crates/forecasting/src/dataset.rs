//! Training rows: the features known before each round, and its outcome as the target.
//!
//! The row of round t holds the features of the rounds up to t - 1 and the target `ln M` of round
//! t. The first ten rounds of a history have no row: their features would rest on too few rounds.
//!
//! Rows are stored column by column in chunks. A full chunk never changes again, so a snapshot for
//! the trainer shares all full chunks and copies only the last one. Features are stored as f32,
//! which halves the memory and loses nothing that a tree or a regression could use; targets are
//! f64.

use std::ops::Range;
use std::sync::Arc;

use features::{COUNT, Extractor, FeatureRow, WindowError, X_MAX};
use rounds::Round;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;

/// Number of rounds before the first one that has a row.
pub const HISTORY_MIN: usize = 10;

/// Rows per chunk.
const CHUNK_ROWS: usize = 4096;

/// Builds a dataset round by round.
#[derive(Debug, Clone, Default)]
pub struct Tabulator {
    extractor: Extractor,
    /// Features of the next round; `None` before the first round.
    features: Option<FeatureRow>,
    dataset: Dataset,
}

/// A growing set of training rows.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    full: Vec<Arc<Chunk>>,
    /// Invariant: not full.
    last: Chunk,
}

/// The rows of a [`Dataset`] at one moment, or a range of them. Cheap to clone and to send to
/// another thread.
#[derive(Debug, Clone)]
pub struct DatasetSnapshot {
    chunks: Arc<[Arc<Chunk>]>,
    range: Range<usize>,
}

/// Feature rows as a matrix in column-major order; every value is finite.
#[derive(Debug, Clone)]
pub struct Rows(DenseMatrix<f32>);

/// A fixed number of rows, stored column by column.
///
/// Invariant: every value is finite, and column c of row r is at `c * CHUNK_ROWS + r`.
#[derive(Debug, Clone)]
struct Chunk {
    features: Vec<f32>,
    targets: Vec<f64>,
}

impl Dataset {
    /// Returns a dataset without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the rows of a whole history of `ln M`, oldest first.
    ///
    /// # Errors
    /// A value is not the logarithm of a multiplier.
    pub fn of_history(history: &[f64]) -> Result<Self, WindowError> {
        let mut tabulator = Tabulator::default();
        history.iter().try_for_each(|&x| tabulator.push_ln(x))?;
        Ok(tabulator.dataset)
    }

    /// Returns the rows of all rounds, given oldest first.
    pub fn of_rounds(rounds: impl IntoIterator<Item = Round>) -> Self {
        let mut tabulator = Tabulator::default();
        rounds.into_iter().for_each(|round| tabulator.push(&round));
        tabulator.dataset
    }

    /// Adds the row of a round: its features, computed from the rounds before it, and its `ln M`.
    ///
    /// # Panics
    /// A value is not finite, which neither an `Extractor` nor a multiplier can produce.
    pub fn push(&mut self, features: &FeatureRow, target_ln: f64) {
        assert!(
            target_ln.is_finite() && features.iter().all(|value| value.is_finite()),
            "a row of the dataset is finite"
        );
        let row = self.last.targets.len();
        for (column, &value) in features.iter().enumerate() {
            self.last.features[column * CHUNK_ROWS + row] = narrow(value);
        }
        self.last.targets.push(target_ln);
        if self.last.targets.len() == CHUNK_ROWS {
            self.full.push(Arc::new(std::mem::take(&mut self.last)));
        }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.full.len() * CHUNK_ROWS + self.last.targets.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the current rows, which a trainer can use while this dataset grows.
    pub fn snapshot(&self) -> DatasetSnapshot {
        let last = (!self.last.targets.is_empty()).then(|| Arc::new(self.last.clone()));
        let chunks = self.full.iter().map(Arc::clone).chain(last).collect();
        DatasetSnapshot { chunks, range: 0..self.len() }
    }
}

impl Tabulator {
    /// Adds the next round; it has a row if at least [`HISTORY_MIN`] rounds came before it.
    pub fn push(&mut self, round: &Round) {
        self.push_ln(ln_of(round)).expect("ln of a multiplier, clamped to the limit");
    }

    /// Returns the rows of all rounds so far.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn push_ln(&mut self, x: f64) -> Result<(), WindowError> {
        let features = self.extractor.push(x)?;
        // `features` already includes this round; its row needs those from before.
        let before = self.features.replace(features);
        if let Some(row) = before.filter(|_| self.extractor.rounds() > HISTORY_MIN) {
            self.dataset.push(&row, x);
        }
        Ok(())
    }
}

/// Returns `ln M` as used in features and targets, clamped to the range of the features.
pub(crate) fn ln_of(round: &Round) -> f64 {
    round.multiplier.ln().min(X_MAX)
}

impl DatasetSnapshot {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Returns a range of these rows, counted from the first one and clipped to the last one.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let end = self.range.end.min(self.range.start + rows.end);
        let start = end.min(self.range.start + rows.start);
        Self { chunks: Arc::clone(&self.chunks), range: start..end }
    }

    /// Returns every `step`-th row from row `first` on, with its target.
    ///
    /// # Panics
    /// `step` is 0.
    pub fn every(&self, first: usize, step: usize) -> (Rows, Vec<f64>) {
        let mut wanted = first;
        let mut offset = 0;
        let mut places = Vec::new();
        for (chunk, rows) in self.blocks() {
            let end = offset + rows.len();
            if wanted < end {
                places.push((chunk, rows.start + wanted - offset..rows.end));
                wanted += (end - wanted).div_ceil(step) * step;
            }
            offset = end;
        }
        let mut targets = Vec::new();
        for (chunk, rows) in &places {
            targets.extend(chunk.targets[rows.clone()].iter().step_by(step));
        }
        let mut values = Vec::with_capacity(targets.len() * COUNT);
        for column in 0..COUNT {
            for (chunk, rows) in &places {
                values.extend(chunk.column(column)[rows.clone()].iter().step_by(step));
            }
        }
        (Rows::of_columns(targets.len(), values), targets)
    }

    /// Returns all targets in blocks of rows, oldest first.
    pub(crate) fn target_blocks(&self) -> impl Iterator<Item = &[f64]> {
        self.blocks().map(|(chunk, rows)| &chunk.targets[rows])
    }

    /// Returns all rows in blocks, oldest first: the columns of each block and its targets.
    pub(crate) fn column_blocks(&self) -> impl Iterator<Item = ([&[f32]; COUNT], &[f64])> {
        self.blocks().map(|(chunk, rows)| {
            let columns = std::array::from_fn(|column| &chunk.column(column)[rows.clone()]);
            (columns, &chunk.targets[rows])
        })
    }

    /// Returns the mean of the targets; 0 without rows.
    pub(crate) fn target_mean(&self) -> f64 {
        let sum: f64 = self.target_blocks().map(|block| block.iter().sum::<f64>()).sum();
        sum / self.len().max(1) as f64
    }

    fn blocks(&self) -> impl Iterator<Item = (&Chunk, Range<usize>)> {
        self.chunks.iter().enumerate().filter_map(|(i, chunk)| {
            let offset = i * CHUNK_ROWS;
            let start = self.range.start.saturating_sub(offset);
            let end = self.range.end.saturating_sub(offset).min(CHUNK_ROWS);
            (start < end).then_some((&**chunk, start..end))
        })
    }
}

impl Rows {
    /// Returns a matrix of one row.
    pub fn of(features: &FeatureRow) -> Self {
        Self::of_columns(1, features.map(narrow).to_vec())
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.0.shape().0
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns one of the rows.
    pub fn row(&self, index: usize) -> [f32; COUNT] {
        std::array::from_fn(|column| *self.0.get((index, column)))
    }

    /// Returns all values of a feature.
    pub(crate) fn column(&self, column: usize) -> &[f32] {
        &self.0.iter().as_slice()[column * self.len()..(column + 1) * self.len()]
    }

    /// Returns the matrix that the learners accept.
    pub(crate) fn matrix(&self) -> &DenseMatrix<f32> {
        &self.0
    }

    fn of_columns(rows: usize, values: Vec<f32>) -> Self {
        let matrix = DenseMatrix::new(rows, COUNT, values, true);
        Self(matrix.expect("as many values as rows times columns"))
    }
}

impl Chunk {
    fn column(&self, column: usize) -> &[f32] {
        &self.features[column * CHUNK_ROWS..(column + 1) * CHUNK_ROWS]
    }
}

impl Default for Chunk {
    fn default() -> Self {
        Self { features: vec![0.0; COUNT * CHUNK_ROWS], targets: Vec::with_capacity(CHUNK_ROWS) }
    }
}

/// Converts a feature to f32, in which models see it both when they are fitted and when they
/// forecast.
#[expect(clippy::cast_possible_truncation, reason = "features lie within 1e4 of 0")]
fn narrow(value: f64) -> f32 {
    value as f32
}
