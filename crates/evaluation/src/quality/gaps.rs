//! The gaps between rounds, compared with a pause and a slope: those fitted to the recording, unless known.

use std::collections::VecDeque;

use super::gap_fit::GapFit;
use super::{Fault, RecordedRound};
use crate::{Pace, ln_multiplier};

/// Number of the latest gaps that are kept.
const KEPT: usize = 4096;
/// Minimum share and number of unusual gaps that make a fault. A recorder that is restarted once a day leaves one in
/// 2,000.
const SHARE_MIN: f64 = 0.005;
const COUNT_MIN: u64 = 3;
/// Minimum number of timed rounds from which whole minutes are a fault.
const TIMED_MIN: u64 = 64;

/// Returns each gap between two timed rounds: the index of the round that ends it, ln M of that round, and its seconds.
pub(crate) fn gaps(rounds: &[RecordedRound]) -> impl Iterator<Item = (usize, (f64, f64))> {
    rounds.windows(2).enumerate().filter_map(|(index, pair)| {
        let seconds = pair[1].unix_seconds? - pair[0].unix_seconds?;
        Some((index + 1, (ln_multiplier(pair[1].cents), seconds)))
    })
}

/// Gaps and times of a recording.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    /// The pace by which gaps are judged, instead of the recording's own.
    known: Option<Pace>,
    /// ln M of the round that ends it, and seconds.
    latest: VecDeque<(f64, f64)>,
    last: Option<f64>,
    timed: u64,
    off_the_minute: u64,
    out_of_order: u64,
}

impl Gaps {
    pub(super) fn with_pace(known: Option<Pace>) -> Self {
        Self { known, ..Self::default() }
    }

    pub(super) fn push(&mut self, round: &RecordedRound) {
        let Some(time) = round.unix_seconds else {
            self.last = None;
            return;
        };
        self.timed += 1;
        self.off_the_minute += u64::from(time.rem_euclid(60.0) > 0.0);
        if let Some(last) = self.last {
            self.out_of_order += u64::from(time < last);
            self.latest.push_back((ln_multiplier(round.cents), time - last));
            if self.latest.len() > KEPT {
                self.latest.pop_front();
            }
        }
        self.last = Some(time);
    }

    /// Returns the usual gap of the latest rounds; `None` while it is not known.
    pub(super) fn fit(&self) -> Option<GapFit> {
        let latest: Vec<(f64, f64)> = self.latest.iter().copied().collect();
        match self.known {
            Some(pace) => Some(GapFit::with_pace(pace, &latest)),
            None => GapFit::of(latest),
        }
    }

    pub(super) fn faults(&self, fit: Option<&GapFit>) -> impl Iterator<Item = Fault> {
        let to_the_minute = self.timed >= TIMED_MIN && self.off_the_minute == 0;
        let is_unordered = self.out_of_order >= COUNT_MIN;
        let order = is_unordered.then_some(Fault::OutOfOrder { count: self.out_of_order });
        // Times in whole minutes say nothing about gaps.
        let fit = fit.filter(|_| !to_the_minute);
        let unusual = fit.map(|fit| self.unusual(fit)).into_iter().flatten();
        to_the_minute.then_some(Fault::TimesToTheMinute).into_iter().chain(order).chain(unusual)
    }

    /// Returns the faults of gaps.
    fn unusual(&self, fit: &GapFit) -> impl Iterator<Item = Fault> + use<> {
        let tolerance = fit.tolerance();
        let (mut long, mut short) = (0, 0);
        for &(ln_m, gap) in &self.latest {
            let excess = fit.excess(ln_m, gap);
            long += u64::from(excess > tolerance);
            short += u64::from(excess < -tolerance);
        }
        let of = self.latest.len() as u64;
        let is_fault = |count: u64| count >= COUNT_MIN && count as f64 >= SHARE_MIN * of as f64;
        let long = is_fault(long).then_some(Fault::GapsTooLong { count: long, of });
        let short = is_fault(short).then_some(Fault::GapsTooShort { count: short, of });
        long.into_iter().chain(short)
    }
}
