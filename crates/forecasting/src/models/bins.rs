//! Features as small integers, which trees sort and compare faster.
//!
//! The bounds are quantiles of a sample of the rows, so the bins hold about equally many rows. Each
//! fit computes its own bounds, so rows are never binned by the bounds of others; at some 6 ns per
//! value this takes a fiftieth of the fit.

use features::COUNT;
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::dataset::{DatasetSnapshot, Rows};

/// Maximum size of the sample, which is spread evenly over all rows.
const SAMPLE_MAX: usize = 16_384;

/// Upper bounds of the bins of each feature, ascending; one more bin lies above the last bound.
#[derive(Debug, Clone)]
pub(crate) struct Bins([Vec<f32>; COUNT]);

/// Rows as bin numbers, column after column.
#[derive(Debug, Clone)]
pub(crate) struct Binned {
    rows: usize,
    values: Vec<u8>,
}

impl Bins {
    /// Returns at most `count` bins for each feature of `rows`, fewer for a feature with fewer
    /// distinct values.
    pub(crate) fn of(rows: &DatasetSnapshot, count: usize) -> Self {
        let step = rows.len().div_ceil(SAMPLE_MAX).max(1);
        let (sample, _) = rows.every(0, step);
        Self(std::array::from_fn(|column| bounds(sample.column(column), count.clamp(2, 256))))
    }

    /// Returns the bin numbers of `rows`.
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
    /// Returns some of the columns as the matrix that a tree accepts.
    pub(crate) fn columns(&self, columns: &[usize]) -> DenseMatrix<u8> {
        let mut values = Vec::with_capacity(self.rows * columns.len());
        for column in columns {
            values.extend_from_slice(&self.values[column * self.rows..(column + 1) * self.rows]);
        }
        DenseMatrix::new(self.rows, columns.len(), values, true)
            .expect("each column has as many values as there are rows")
    }
}

/// Returns the distinct values at equal steps of rank, without the largest value.
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
    fn bounds_lie_at_equal_steps_of_the_ranks() {
        let values: Vec<f32> = (1_u8..=100).rev().map(f32::from).collect();
        assert_eq!(bounds(&values, 4), [25.0, 50.0, 75.0]);
    }

    #[test]
    fn a_frequent_value_has_one_bin_and_the_largest_value_is_no_bound() {
        let values = [&[0.0; 60][..], &[1.0; 20], &[2.0; 20]].concat();
        assert_eq!(bounds(&values, 10), [0.0, 1.0]);
        assert_eq!(bounds(&[3.0; 50], 10), [0.0_f32; 0]);
        assert_eq!(bounds(&[], 10), [0.0_f32; 0]);
    }

    #[test]
    fn with_fewer_values_than_bins_each_value_has_its_own_bin() {
        assert_eq!(bounds(&[5.0, 1.0, 3.0], 64), [1.0, 3.0]);
    }
}
