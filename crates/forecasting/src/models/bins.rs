//! Features as small integers, which trees sort and compare faster.
//!
//! Bounds lie at equal steps of the ranks of a sample of the rows at hand, so bins hold about as
//! many rows each. They depend on the rows alone. Each fit makes its own: that takes some 6 ns a
//! value, a fiftieth of the fit, and the rows at hand are never binned by the bounds of others.

use features::COUNT;
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::dataset::{DatasetSnapshot, Rows};

/// Rows whose quantiles become bounds, at most; they are spread evenly over all rows.
const SAMPLE_MAX: usize = 16_384;

/// Upper bounds of the bins of each feature, ascending; above the last lies one more bin.
#[derive(Debug, Clone)]
pub(crate) struct Bins([Vec<f32>; COUNT]);

/// Rows as numbers of bins, column after column.
#[derive(Debug, Clone)]
pub(crate) struct Binned {
    rows: usize,
    values: Vec<u8>,
}

impl Bins {
    /// At most `count` bins for each feature of `rows`; fewer where fewer values differ.
    pub(crate) fn of(rows: &DatasetSnapshot, count: usize) -> Self {
        let step = rows.len().div_ceil(SAMPLE_MAX).max(1);
        let (sample, _) = rows.every(0, step);
        Self(std::array::from_fn(|column| bounds(sample.column(column), count.clamp(2, 256))))
    }

    /// The bins of `rows`.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 256 bins")]
    pub(crate) fn binned(&self, rows: &Rows) -> Binned {
        let mut values = Vec::with_capacity(rows.len() * COUNT);
        for (column, bounds) in self.0.iter().enumerate() {
            let bin = |&value: &f32| bounds.partition_point(|&bound| bound < value) as u8;
            values.extend(rows.column(column).iter().map(bin));
        }
        Binned { rows: rows.len(), values }
    }
}

impl Binned {
    /// Some of the columns, as a tree takes them.
    pub(crate) fn columns(&self, columns: &[usize]) -> DenseMatrix<u8> {
        let mut values = Vec::with_capacity(self.rows * columns.len());
        for column in columns {
            values.extend_from_slice(&self.values[column * self.rows..(column + 1) * self.rows]);
        }
        DenseMatrix::new(self.rows, columns.len(), values, true)
            .expect("each column has as many values as there are rows")
    }
}

/// A value at an equal step of the ranks bounds a bin, once; none does that has nothing above it.
fn bounds(values: &[f32], count: usize) -> Vec<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut bounds: Vec<f32> = (1..count)
        .filter_map(|bin| sorted.get((bin * sorted.len() / count).checked_sub(1)?).copied())
        .filter(|bound| sorted.last() > Some(bound))
        .collect();
    bounds.dedup();
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_lie_at_equal_steps_of_ranks() {
        let values: Vec<f32> = (1_u8..=100).rev().map(f32::from).collect();
        assert_eq!(bounds(&values, 4), [25.0, 50.0, 75.0]);
    }

    #[test]
    fn a_frequent_value_has_one_bin_and_the_highest_bounds_none() {
        let values = [&[0.0; 60][..], &[1.0; 20], &[2.0; 20]].concat();
        assert_eq!(bounds(&values, 10), [0.0, 1.0]);
        assert_eq!(bounds(&[3.0; 50], 10), [0.0_f32; 0]);
        assert_eq!(bounds(&[], 10), [0.0_f32; 0]);
    }

    #[test]
    fn fewer_values_than_bins_keep_apart() {
        assert_eq!(bounds(&[5.0, 1.0, 3.0], 64), [1.0, 3.0]);
    }
}
