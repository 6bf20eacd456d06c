//! The gaps between rounds, compared with a pause and a slope fitted to the recording.

use std::collections::VecDeque;

use super::{Fault, RecordedRound};
use crate::ln_multiplier;

/// Number of the latest gaps that are kept.
const KEPT: usize = 4096;
/// Number of gaps from which a fit is made.
const FIT_MIN: usize = 200;
/// Minimum share and number of unusual gaps that make a fault. A recorder that is restarted once a day leaves one in
/// 2,000.
const SHARE_MIN: f64 = 0.005;
const COUNT_MIN: u64 = 3;
/// Minimum distance of two ln M from which the slope is estimated.
const LN_APART_MIN: f64 = 0.5;
/// Minimum number of timed rounds from which whole minutes are a fault.
const TIMED_MIN: u64 = 64;

/// Gaps and times of a recording.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    /// ln M of the round that ends it, and seconds.
    latest: VecDeque<(f64, f64)>,
    last: Option<f64>,
    timed: u64,
    off_the_minute: u64,
    out_of_order: u64,
}

/// The usual gap: `pause + slope * ln M` seconds, give or take `spread`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    pub(super) pause: f64,
    pub(super) slope: f64,
    /// The standard deviation of normal residuals with the same median distance.
    spread: f64,
}

impl Gaps {
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

    /// Returns the robust regression of the gap on ln M (Theil 1950, Sen 1968, on pairs half the sample
    /// apart in ln M): up to a quarter of all gaps may be anything.
    pub(super) fn fit(&self) -> Option<Fit> {
        if self.latest.len() < FIT_MIN {
            return None;
        }
        let mut sorted: Vec<(f64, f64)> = self.latest.iter().copied().collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (low, high) = sorted.split_at(sorted.len() / 2);
        let apart = |&(from, to): &(&(f64, f64), &(f64, f64))| to.0 - from.0 >= LN_APART_MIN;
        let slopes = low.iter().zip(high).filter(apart).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0));
        let slope = median(slopes.collect()).unwrap_or(0.0);
        let pause = median(sorted.iter().map(|(ln, gap)| gap - slope * ln).collect())?;
        let distance = |(ln, gap): &(f64, f64)| (gap - pause - slope * ln).abs();
        let spread = 1.4826 * median(sorted.iter().map(distance).collect())?;
        Some(Fit { pause, slope, spread })
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = Fault> {
        let to_the_minute = self.timed >= TIMED_MIN && self.off_the_minute == 0;
        let is_unordered = self.out_of_order >= COUNT_MIN;
        let order = is_unordered.then_some(Fault::OutOfOrder { count: self.out_of_order });
        // Times in whole minutes say nothing about gaps.
        let fit = self.fit().filter(|_| !to_the_minute);
        let unusual = fit.map(|fit| self.unusual(&fit)).into_iter().flatten();
        to_the_minute.then_some(Fault::TimesToTheMinute).into_iter().chain(order).chain(unusual)
    }

    /// Returns the faults of gaps. A missed round lengthens a gap by at least a pause and a doubled one shortens it by
    /// a pause, so a deviation of half a pause marks an unusual gap.
    fn unusual(&self, fit: &Fit) -> impl Iterator<Item = Fault> + use<> {
        let limit = (6.0 * fit.spread).max(fit.pause / 2.0).max(1.0);
        let (mut long, mut short) = (0, 0);
        for (ln, gap) in &self.latest {
            let excess = gap - fit.pause - fit.slope * ln;
            long += u64::from(excess > limit);
            short += u64::from(excess < -limit);
        }
        let of = self.latest.len() as u64;
        let is_fault = |count: u64| count >= COUNT_MIN && count as f64 >= SHARE_MIN * of as f64;
        let long = is_fault(long).then_some(Fault::GapsTooLong { count: long, of });
        let short = is_fault(short).then_some(Fault::GapsTooShort { count: short, of });
        long.into_iter().chain(short)
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(lower.midpoint(upper))
}
