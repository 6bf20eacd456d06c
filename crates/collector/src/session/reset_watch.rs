//! Detects resets in quick succession: the list is then misread, rather than another table's each time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Number of resets within [`WITHIN`] that make a series. Nobody opens so many tables in that time.
const RESETS: usize = 3;
const WITHIN: Duration = Duration::from_mins(2);

/// The times of the last resets.
#[derive(Debug, Default)]
pub(super) struct ResetWatch(VecDeque<Instant>);

impl ResetWatch {
    /// Notes a reset; returns whether it completes a series that has not been reported.
    pub(super) fn is_series(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.duration_since(*at) < WITHIN);
        self.0.push_back(now);
        let is_series = self.0.len() >= RESETS;
        if is_series {
            self.0.clear();
        }
        is_series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_resets_within_two_minutes_are_a_series_and_three_in_an_hour_are_not() {
        let start = Instant::now();
        let series = |seconds: &[u64]| {
            let mut watch = ResetWatch::default();
            let at = |second: &u64| start + Duration::from_secs(*second);
            seconds.iter().map(|second| watch.is_series(at(second))).collect::<Vec<_>>()
        };
        assert_eq!(series(&[0, 20, 40, 60, 80, 100]), [false, false, true, false, false, true]);
        assert_eq!(series(&[0, 60, 120, 240, 360]), [false; 5]);
    }
}
