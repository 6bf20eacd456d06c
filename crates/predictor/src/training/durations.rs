//! A histogram of durations.

/// Upper ends in seconds; what takes longer is only counted.
pub(crate) const SECONDS: [f64; 8] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0];

/// Counts below each of [`SECONDS`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Durations {
    /// As many as took at most so long.
    pub(crate) within: [u64; SECONDS.len()],
    pub(crate) count: u64,
    /// Of all together, in seconds.
    pub(crate) sum: f64,
}

impl Durations {
    /// Counts one more.
    pub(crate) fn push(&mut self, seconds: f64) {
        self.count += 1;
        self.sum += seconds;
        for (within, end) in self.within.iter_mut().zip(SECONDS) {
            *within += u64::from(seconds <= end);
        }
    }
}
