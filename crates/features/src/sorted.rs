//! A sorted sliding window.

/// The last `N` values or fewer, in ascending order.
///
/// Invariant: `values[..len]` is ascending by `total_cmp`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sorted<const N: usize> {
    values: [f64; N],
    len: usize,
}

impl<const N: usize> Sorted<N> {
    pub(crate) const EMPTY: Self = Self { values: [0.0; N], len: 0 };

    pub(crate) fn as_slice(&self) -> &[f64] {
        &self.values[..self.len]
    }

    /// Inserts `new`; once the window holds `N` values, removes `oldest`.
    pub(crate) fn slide(&mut self, oldest: Option<f64>, new: f64) {
        let place = self.rank(new);
        let Some(oldest) = oldest else {
            self.values.copy_within(place..self.len, place + 1);
            self.values[place] = new;
            self.len += 1;
            return;
        };
        let gap = self.rank(oldest);
        if place <= gap {
            self.values.copy_within(place..gap, place + 1);
            self.values[place] = new;
        } else {
            self.values.copy_within(gap + 1..place, gap);
            self.values[place - 1] = new;
        }
    }

    fn rank(&self, x: f64) -> usize {
        self.as_slice().partition_point(|value| value.total_cmp(&x).is_lt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sliding_equals_sorting_the_last_values() {
        let history: Vec<f64> = (0_u32..400).map(|i| f64::from((i * i * 7 + i) % 23)).collect();
        let mut slid = Sorted::<20>::EMPTY;
        for (i, &x) in history.iter().enumerate() {
            slid.slide(i.checked_sub(20).map(|oldest| history[oldest]), x);
            let mut sorted = history[(i + 1).saturating_sub(20)..=i].to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            assert_eq!(slid.as_slice(), sorted);
        }
    }
}
