//! Training rows: the features known before each round, and its outcome as the target.
//!
//! A row of round t holds features of the rounds up to t - 1 and the target `ln M` of round t. The
//! first ten rounds of a history give no row: their features have hardly a past.
//!
//! Rows are kept in columns of chunks. A new row is written to 25 places; a full chunk never
//! changes again, so a snapshot for the trainer shares all full chunks and copies the last one
//! only. Features are kept as f32, which halves memory and loses nothing that a tree or a
//! regression could use; targets stay f64.

use std::ops::Range;
use std::sync::Arc;

use features::{COUNT, Extractor, FeatureRow, WindowError, X_MAX};
use rounds::Round;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;

/// Rounds that must have passed before a round can be a row.
pub const HISTORY_MIN: usize = 10;

/// Rows in a chunk.
const CHUNK_ROWS: usize = 4096;

/// Rows of rounds as they come.
#[derive(Debug, Clone, Default)]
pub struct Tabulator {
    extractor: Extractor,
    /// Of the rounds so far; none before the first.
    features: Option<FeatureRow>,
    dataset: Dataset,
}

/// Rows to learn from, growing.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    full: Vec<Arc<Chunk>>,
    /// Invariant: not full.
    last: Chunk,
}

/// The rows of a [`Dataset`] at some moment, or a range of them. Cheap to clone and to send.
#[derive(Debug, Clone)]
pub struct DatasetSnapshot {
    chunks: Arc<[Arc<Chunk>]>,
    range: Range<usize>,
}

/// Feature rows in columns, every value finite.
#[derive(Debug, Clone)]
pub struct Rows(DenseMatrix<f32>);

/// Invariant: every value is finite, and column c of row r stands at `c * CHUNK_ROWS + r`.
#[derive(Debug, Clone)]
struct Chunk {
    features: Vec<f32>,
    targets: Vec<f64>,
}

impl Dataset {
    /// A dataset without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows of a whole history of `ln M`, oldest first.
    ///
    /// # Errors
    /// When a value is not the logarithm of a multiplier.
    pub fn of_history(history: &[f64]) -> Result<Self, WindowError> {
        let mut tabulator = Tabulator::default();
        history.iter().try_for_each(|&x| tabulator.push_ln(x))?;
        Ok(tabulator.dataset)
    }

    /// The rows of all rounds, oldest first.
    pub fn of_rounds(rounds: impl IntoIterator<Item = Round>) -> Self {
        let mut tabulator = Tabulator::default();
        rounds.into_iter().for_each(|round| tabulator.push(&round));
        tabulator.dataset
    }

    /// Adds a round: its features, from the rounds before it, and its `ln M`.
    ///
    /// # Panics
    /// When a value is not finite, which neither an `Extractor` nor a multiplier can produce.
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

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.full.len() * CHUNK_ROWS + self.last.targets.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows as they are now, for a trainer to keep while this dataset grows on.
    pub fn snapshot(&self) -> DatasetSnapshot {
        let last = (!self.last.targets.is_empty()).then(|| Arc::new(self.last.clone()));
        let chunks = self.full.iter().map(Arc::clone).chain(last).collect();
        DatasetSnapshot { chunks, range: 0..self.len() }
    }
}

impl Tabulator {
    /// Takes the next round; it gives a row once there were [`HISTORY_MIN`] before it.
    pub fn push(&mut self, round: &Round) {
        self.push_ln(ln_of(round)).expect("ln of a multiplier, cut at the limit");
    }

    /// Rows of all rounds so far.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn push_ln(&mut self, x: f64) -> Result<(), WindowError> {
        let features = self.extractor.push(x)?;
        // Its own features know the round.
        let before = self.features.replace(features);
        if let Some(row) = before.filter(|_| self.extractor.rounds() > HISTORY_MIN) {
            self.dataset.push(&row, x);
        }
        Ok(())
    }
}

/// `ln M` as features and targets take it: cut where no game pays more.
pub(crate) fn ln_of(round: &Round) -> f64 {
    round.multiplier.ln().min(X_MAX)
}

impl DatasetSnapshot {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Some of these rows, counted from the first of them; what lies beyond the end is left out.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let end = self.range.end.min(self.range.start + rows.end);
        let start = end.min(self.range.start + rows.start);
        Self { chunks: Arc::clone(&self.chunks), range: start..end }
    }

    /// Every `step`-th row from row `first` on, and their targets.
    ///
    /// # Panics
    /// When `step` is 0.
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

    /// All targets in blocks of rows, oldest first.
    pub(crate) fn target_blocks(&self) -> impl Iterator<Item = &[f64]> {
        self.blocks().map(|(chunk, rows)| &chunk.targets[rows])
    }

    /// All rows in blocks, oldest first: the 25 columns of each and its targets.
    pub(crate) fn column_blocks(&self) -> impl Iterator<Item = ([&[f32]; COUNT], &[f64])> {
        self.blocks().map(|(chunk, rows)| {
            let columns = std::array::from_fn(|column| &chunk.column(column)[rows.clone()]);
            (columns, &chunk.targets[rows])
        })
    }

    /// The mean of the targets; 0 when there is no row.
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
    /// One row.
    pub fn of(features: &FeatureRow) -> Self {
        Self::of_columns(1, features.map(narrow).to_vec())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.shape().0
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of the rows.
    pub fn row(&self, index: usize) -> [f32; COUNT] {
        std::array::from_fn(|column| *self.0.get((index, column)))
    }

    /// All values of a feature.
    pub(crate) fn column(&self, column: usize) -> &[f32] {
        &self.0.iter().as_slice()[column * self.len()..(column + 1) * self.len()]
    }

    /// As the matrix that learners take.
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

/// Models see features as f32, when they learn and when they forecast.
#[expect(clippy::cast_possible_truncation, reason = "features lie within 1e4 of 0")]
fn narrow(value: f64) -> f32 {
    value as f32
}
