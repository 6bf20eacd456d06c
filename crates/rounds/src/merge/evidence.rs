//! Whether two recordings hold the same rounds: how improbable their agreement is by chance.
//!
//! The rounds of the sparser recording are taken in order of time. If the two are unrelated, the
//! other one has a round of the same multiplier `v` there with a probability of at most `m·s(v)`,
//! where `s` is the empirical share of a multiplier in the other recording and `m` the number of
//! its rounds near enough in time (1, or none, as clocks are corrected; many for a scraped strip).
//! Each compared round contributes the logarithm of a likelihood ratio that gives both outcomes a
//! half,
//!
//! > match: ln(½ + ½ / (m·s(v))) ≈ −ln s(v) − ln 2; no match: −ln 2.
//!
//! The evidence is the largest sum over a run of consecutive rounds, less the logarithms of the
//! number of runs, of clock offsets and of offset changes that were tried. The expectation of each
//! ratio is at most 1 for unrelated recordings, so Markov's inequality bounds the probability of
//! `e` nats of evidence by exp(−e) whatever the lengths of the recordings are. Rounds are the same
//! if that is at most 10⁻¹² (27.6 nats): a directory of 1,000 files that all overlap has 5·10⁵ pairs,
//! and the bound on one false merge among them is 5·10⁻⁷. The price is small: a shared round of a
//! crash game gives about 6 nats, so about ten shared rounds are enough.

use std::ops::Range;

use crate::Multiplier;

use super::clock::{ClockMap, Search, ln_zones, near};
use super::law::Law;
use super::recording::{Mark, Recording};

/// Evidence at which chance is ruled out: −ln 10⁻¹².
pub(super) const CERTAIN: f64 = 12.0 * std::f64::consts::LN_10;
/// Number of ways in which two recordings are compared: equal times, different clocks, different
/// time zones.
const WAYS: f64 = 3.0;
/// Cost of a change of the offset: when the clock was set, and to what.
const JUMP_COST: f64 = 12.0;
/// Cost of following a drifting clock.
const DRIFT_COST: f64 = 2.1;
/// Evidence at which the search stops early.
const ENOUGH: f64 = 250.0;
/// Number of rounds compared per step.
const WINDOW: usize = 1024;

/// How far apart two reports of one round may be in time, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance {
    /// Of observed times.
    pub(super) observed: i64,
    /// Where one of them is an estimate.
    pub(super) estimated: i64,
}

impl Tolerance {
    /// Returns whether reports may be of one round, by their times.
    fn admits(self, mark: &Mark, other: &Mark) -> bool {
        let is_loose = mark.is_estimate || other.is_estimate;
        let reach = if is_loose { self.estimated } else { self.observed };
        (mark.ms - other.ms).abs() <= reach
    }
}

/// Two recordings with the clock of the second one corrected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'p, 'a> {
    pub(super) first: &'p Recording<'a>,
    pub(super) second: &'p Recording<'a>,
    pub(super) clock: &'p ClockMap,
}

impl Pair<'_, '_> {
    /// Returns the time of a round of the second recording by the clock of the first.
    pub(super) fn corrected(&self, index: usize) -> i64 {
        self.second.ms(index) + self.clock.offset(index)
    }

    /// Returns the index of the first round of the second recording at or after a time by the first clock.
    pub(super) fn second_at(&self, ms: i64) -> usize {
        let (mut low, mut high) = (0, self.second.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.corrected(middle) < ms { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn second_marks(&self, range: Range<usize>) -> Vec<Mark> {
        let marks = self.second.marks(range.clone()).into_iter().zip(range);
        let mut latest = i64::MIN;
        marks
            .map(|(mark, index)| {
                latest = latest.max(mark.ms + self.clock.offset(index));
                Mark { ms: latest, ..mark }
            })
            .collect()
    }

    /// Returns the evidence in nats that the recordings hold the same rounds, for a search over offsets.
    pub(super) fn evidence(&self, tolerance: Tolerance, search: Search) -> f64 {
        let Some((start, end)) = self.first.span() else { return 0.0 };
        let reach = tolerance.estimated;
        let seconds = self.second_at(start - reach)..self.second_at(end + reach + 1);
        let Some(last) = seconds.end.checked_sub(1).filter(|last| *last >= seconds.start) else {
            return 0.0;
        };
        let firsts =
            self.first.between(self.corrected(seconds.start) - reach, self.corrected(last) + reach);
        let run = if seconds.len() <= firsts.len() {
            self.over_second(seconds, tolerance)
        } else {
            self.over_first(firsts, tolerance)
        };
        let zones = if search.base == 0 { 0.0 } else { ln_zones() };
        run.evidence() - search.ln_trials() - zones
    }

    /// Compares rounds of the second recording with those of the first.
    fn over_second(&self, seconds: Range<usize>, tolerance: Tolerance) -> Run {
        let law = Law::of([&*self.first.rounds].into_iter());
        let mut run = Run::default();
        for window in windows(seconds) {
            let marks = self.second_marks(window.clone());
            let others = self.first.marks(self.first_near(&marks, tolerance.estimated));
            let segments: Vec<usize> = window.map(|it| self.clock.segment(it)).collect();
            self.compare(&mut run, (&marks, &others), (&law, tolerance), &segments);
            if run.best >= ENOUGH {
                break;
            }
        }
        run
    }

    /// Compares rounds of the first recording with those of the second.
    fn over_first(&self, firsts: Range<usize>, tolerance: Tolerance) -> Run {
        let law = Law::of([&*self.second.rounds].into_iter());
        let last = self.second.len() - 1;
        let mut run = Run::default();
        for window in windows(firsts) {
            let marks = self.first.marks(window);
            let others = self.second_marks(self.second_near(&marks, tolerance.estimated));
            let segment = |mark: &Mark| self.clock.segment(self.second_at(mark.ms).min(last));
            let segments: Vec<usize> = marks.iter().map(segment).collect();
            self.compare(&mut run, (&marks, &others), (&law, tolerance), &segments);
            if run.best >= ENOUGH {
                break;
            }
        }
        run
    }

    /// Returns the rounds of the first recording near these of the second.
    fn first_near(&self, marks: &[Mark], reach: i64) -> Range<usize> {
        let (Some(start), Some(end)) = (marks.first(), marks.last()) else { return 0..0 };
        self.first.between(start.ms - reach, end.ms + reach)
    }

    /// Returns the rounds of the second recording near these of the first.
    fn second_near(&self, marks: &[Mark], reach: i64) -> Range<usize> {
        let (Some(start), Some(end)) = (marks.first(), marks.last()) else { return 0..0 };
        let from = self.second_at(start.ms - reach);
        from..self.second_at(end.ms + reach + 1).max(from)
    }

    /// Returns the cost of changes of the offset, from one segment to a later one.
    fn cost(&self, segments: Range<usize>) -> f64 {
        let cost = |it| if self.clock.is_jump(it + 1) { JUMP_COST } else { DRIFT_COST };
        segments.map(cost).sum()
    }

    /// Adds a window of rounds of the sparser recording to the run.
    fn compare(
        &self,
        run: &mut Run,
        (marks, others): (&[Mark], &[Mark]),
        (law, tolerance): (&Law, Tolerance),
        segments: &[usize],
    ) {
        let has_estimates = others.iter().any(|other| other.is_estimate);
        for (mark, &segment) in marks.iter().zip(segments) {
            run.pay(self.cost(run.segment..segment));
            run.segment = run.segment.max(segment);
            let is_loose = mark.is_estimate || has_estimates;
            let reach = if is_loose { tolerance.estimated } else { tolerance.observed };
            let near = near(others, mark.ms, reach);
            let here = near.iter().filter(|other| tolerance.admits(mark, other));
            let (count, equal) = here.fold((0, 0), |(count, equal), other| {
                (count + 1, equal + u32::from(other.cents == mark.cents))
            });
            let ratio = match (count, equal) {
                (_, 0) => 0.5,
                _ => 0.5 + 0.5 * f64::from(equal) / (f64::from(count) * law.share(mark.cents)),
            };
            run.add(ratio.ln());
        }
    }
}

fn windows(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(WINDOW).map(move |start| start..(start + WINDOW).min(end))
}

/// The best run so far, and the best one that ends here.
#[derive(Debug, Default)]
struct Run {
    best: f64,
    current: f64,
    rounds: u64,
    segment: usize,
}

impl Run {
    fn add(&mut self, nats: f64) {
        self.rounds += 1;
        self.current = (self.current + nats).max(0.0);
        self.best = self.best.max(self.current);
    }

    fn pay(&mut self, nats: f64) {
        self.current = (self.current - nats).max(0.0);
    }

    fn evidence(&self) -> f64 {
        let rounds = self.rounds as f64;
        self.best - (rounds * (rounds + 1.0) / 2.0).max(1.0).ln() - WAYS.ln()
    }
}

/// Returns the evidence in nats that the recordings hold the same rounds by one clock: rounds of equal time and
/// multiplier. A round of an unrelated recording has just this time with a probability of the step
/// of the times over the mean time between rounds, which makes each match worth more.
pub(super) fn equal_evidence(first: &Recording<'_>, second: &Recording<'_>) -> f64 {
    let Some((start, end)) = common_span(first, second) else { return 0.0 };
    let (firsts, seconds) = (first.between(start, end), second.between(start, end));
    let (sparse, dense) = if seconds.len() <= firsts.len() {
        ((second, seconds), (first, firsts))
    } else {
        ((first, firsts), (second, seconds))
    };
    if dense.1.len() < 2 {
        return 0.0;
    }
    let law = Law::of([&*dense.0.rounds].into_iter());
    let step = first.resolution.min(second.resolution) as f64;
    let chance = (step * dense.1.len() as f64 / (end - start).max(1) as f64).min(1.0);
    let mut run = Run::default();
    let mut at = dense.1.start;
    for round in &sparse.0.rounds[sparse.1] {
        while at < dense.1.end && dense.0.rounds[at].time < round.time {
            at += 1;
        }
        let same = dense.0.rounds[at..dense.1.end].iter();
        let mut same = same.take_while(|other| other.time == round.time);
        let is_match = same.any(|other| is_equal(other.multiplier, round.multiplier));
        let share = law.share(round.multiplier.cents()) * chance;
        run.add(if is_match { (0.5 + 0.5 / share).ln() } else { -std::f64::consts::LN_2 });
    }
    run.evidence()
}

/// Returns the milliseconds from the later start to the earlier end, if the recordings overlap.
pub(super) fn common_span(first: &Recording<'_>, second: &Recording<'_>) -> Option<(i64, i64)> {
    let (first, second) = (first.span()?, second.span()?);
    let (start, end) = (first.0.max(second.0), first.1.min(second.1));
    (start <= end).then_some((start, end))
}

fn is_equal(a: Multiplier, b: Multiplier) -> bool {
    a.cents() == b.cents()
}
