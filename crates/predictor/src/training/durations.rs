//! A histogram of durations.

/// Upper ends of the buckets in seconds; a longer duration is in `count` and `sum` only.
pub(crate) const SECONDS: [f64; 8] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0];

/// A histogram with a bucket for each of [`SECONDS`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Durations {
    /// Number of durations up to each end.
    pub(crate) within: [u64; SECONDS.len()],
    pub(crate) count: u64,
    /// Sum of all durations in seconds.
    pub(crate) sum: f64,
}

impl Durations {
    /// Adds a duration in seconds.
    pub(crate) fn push(&mut self, seconds: f64) {
        self.count += 1;
        self.sum += seconds;
        for (within, end) in self.within.iter_mut().zip(SECONDS) {
            *within += u64::from(seconds <= end);
        }
    }
}
