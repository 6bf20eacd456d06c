//! Decides when the newest entry of a page's list is final. Many pages draw a placeholder first and
//! fill it in later, or let the value count up.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::DedupSettings;

/// How long the newest entry must stay unchanged, until the page has shown how it draws entries.
pub const SETTLING_TIME: Duration = Duration::from_secs(3);
/// After this many entries in a row that never changed, one more reading is enough.
const UNCHANGED_MIN: u32 = 30;
/// After this many entries in a row that never changed, a new one is likely to be final at once.
const LIKELY_MIN: u32 = 5;
/// A page on which this many entries changed after standing for so long draws slowly, and in the
/// background it may not draw at all. Its newest entry is final when it has changed and settled,
/// when the next round pushes it down, or after [`SLOW_MAX`].
const SLOW: Duration = Duration::from_secs(1);
const SLOW_MIN: u32 = 2;
const SLOW_MAX: Duration = Duration::from_secs(30);
/// The value at which every round begins, and with it many placeholders, must stay twice as long.
const FIRST_CENTS: u64 = 100;

/// A time on both clocks.
pub(super) type Moment = (Instant, DateTime<Utc>);

/// The readings of a page's list since its newest entry appeared.
#[derive(Debug)]
pub(super) struct NewestEntry {
    settling: Duration,
    /// Number of entries in a row that never changed.
    unchanged: u32,
    /// Number of changes after [`SLOW`].
    slow_changes: u32,
    /// How often the newest entry has changed.
    changes: u32,
    /// The last reading: hundredths, or `None` for an entry that cannot be read.
    reading: Vec<Option<u64>>,
    /// When the run of equal readings began, and its length.
    same_since: Option<Moment>,
    same_count: u32,
    /// When the second entry, then the newest, was first shown with its present value.
    second_since: Option<Moment>,
}

/// What a reading reveals about the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stability {
    /// All entries but the newest are as before.
    pub(super) is_stable: bool,
    /// The newest is final. One that cannot be read never is: it may be drawn later.
    pub(super) is_final: bool,
    /// The newest was read twice on a page that has not changed an entry for a while.
    pub(super) is_likely: bool,
    /// When the newest of the final entries was first shown with its present value.
    pub(super) shown_since: Moment,
}

impl NewestEntry {
    pub(super) fn new(settings: DedupSettings) -> Self {
        Self {
            settling: settings.settling,
            unchanged: 0,
            slow_changes: 0,
            changes: 0,
            reading: Vec::new(),
            same_since: None,
            same_count: 0,
            second_since: None,
        }
    }

    /// Forgets the last reading, but not what it has learnt of the page.
    pub(super) fn interrupted(&mut self) {
        self.reading.clear();
        self.same_since = None;
        self.same_count = 0;
        self.second_since = None;
        self.changes = 0;
    }

    /// Registers a reading of a page.
    pub(super) fn observe(&mut self, reading: &[Option<u64>], now: Moment) -> Stability {
        let since = self.same_since.unwrap_or(now);
        let is_stable = reading.len() == self.reading.len()
            && reading.get(1..) == self.reading.get(1..)
            && !reading.is_empty();
        if is_stable && reading == self.reading {
            self.same_count += 1;
        } else {
            if self.is_pushed_down(reading) {
                self.count_entry();
                self.second_since = self.same_since;
            } else if is_stable {
                let stood = now.0.saturating_duration_since(since.0);
                self.lengthen(stood);
            } else {
                self.second_since = None;
            }
            self.reading = reading.to_vec();
            self.same_since = Some(now);
            self.same_count = 1;
        }
        let same_since = self.same_since.unwrap_or(now);
        let stood = now.0.saturating_duration_since(same_since.0);
        let is_readable = reading.first().is_some_and(Option::is_some);
        let is_drawn = self.slow_changes < SLOW_MIN || self.changes > 0 || stood >= SLOW_MAX;
        let is_likely = is_readable && self.same_count > 1;
        let is_final = is_likely && is_drawn && stood >= self.settling_time(reading);
        let is_likely = is_likely && self.unchanged >= LIKELY_MIN;
        let shown_since = if is_final { same_since } else { self.second_since.unwrap_or(now) };
        Stability { is_stable, is_final, is_likely, shown_since }
    }

    /// Learns that a newest entry changed after it had been shown unchanged for `stood`.
    fn lengthen(&mut self, stood: Duration) {
        self.changes += 1;
        self.unchanged = 0;
        self.slow_changes += u32::from(stood >= SLOW);
        self.settling = self.settling.max(SETTLING_TIME).max(stood + stood / 2);
    }

    /// Returns whether `reading` shows what the last one showed, one entry further down.
    fn is_pushed_down(&self, reading: &[Option<u64>]) -> bool {
        let below = reading.get(1..).unwrap_or_default();
        let common = below.len().min(self.reading.len());
        common > 0
            && self.reading.len() <= reading.len()
            && below[..common] == self.reading[..common]
    }

    fn count_entry(&mut self) {
        self.unchanged = if self.changes > 0 { 0 } else { self.unchanged + 1 };
        self.changes = 0;
        if self.unchanged >= UNCHANGED_MIN {
            self.settling = Duration::ZERO;
            self.slow_changes = 0;
        }
    }

    fn settling_time(&self, reading: &[Option<u64>]) -> Duration {
        let is_first = reading.first() == Some(&Some(FIRST_CENTS));
        if is_first { self.settling * 2 } else { self.settling }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::tests::settings;

    struct WatchedPage {
        newest: NewestEntry,
        origin: Instant,
    }

    impl WatchedPage {
        fn new() -> Self {
            let settings = DedupSettings { settling: SETTLING_TIME, ..settings() };
            Self { newest: NewestEntry::new(settings), origin: Instant::now() }
        }

        fn is_final(&mut self, second: f64, cents: &[u64]) -> bool {
            let reading: Vec<Option<u64>> = cents.iter().map(|&cents| Some(cents)).collect();
            let at = self.origin + Duration::from_secs_f64(second);
            self.newest.observe(&reading, (at, DateTime::UNIX_EPOCH)).is_final
        }
    }

    #[test]
    fn an_entry_is_final_after_three_seconds_and_after_thirty_clean_ones_at_the_next_reading() {
        let mut page = WatchedPage::new();
        let list = |round: u64| [300 + round, 299 + round, 298 + round, 297 + round];
        for round in 0..31_u64 {
            let second = 10.0 * round as f64;
            assert!(!page.is_final(second, &list(round)));
            assert_eq!(page.is_final(second + 0.5, &list(round)), round >= 30, "{round}");
            assert_eq!(page.is_final(second + 2.9, &list(round)), round >= 30, "{round}");
            assert!(page.is_final(second + 3.0, &list(round)));
        }
    }

    #[test]
    fn a_change_lengthens_the_time_at_once() {
        let mut page = WatchedPage::new();
        for round in 0..40_u64 {
            page.is_final(10.0 * round as f64, &[300 + round, 299 + round, 298 + round]);
        }
        assert!(!page.is_final(400.0, &[100, 339, 338]));
        assert!(!page.is_final(402.5, &[231, 339, 338]));
        assert!(!page.is_final(406.0, &[231, 339, 338]));
        assert!(page.is_final(406.5, &[231, 339, 338]));
    }

    #[test]
    fn on_a_page_that_draws_slowly_an_entry_that_never_changed_is_not_final() {
        let mut page = WatchedPage::new();
        for round in 0..2_u64 {
            let second = 10.0 * round as f64;
            assert!(!page.is_final(second, &[100, 339 + round, 338 + round]));
            assert!(!page.is_final(second + 2.5, &[340 + round, 339 + round, 338 + round]));
        }
        assert!(!page.is_final(20.0, &[117, 341, 340]));
        assert!(!page.is_final(45.0, &[117, 341, 340]));
    }
}
