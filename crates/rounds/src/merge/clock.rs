//! How the clock of one recording differs from that of another, round by round.
//!
//! Rounds with equal multipliers vote for the difference of their times. A vote weighs −ln of the
//! share of its multiplier. Blocks of rounds vote on their own, so a clock may drift; where two
//! neighbouring blocks disagree the clock was set, and the point that fits most rounds is taken.

use std::ops::Range;

use crate::round::Round;

use super::law::Law;
use super::recording::{Mark, Recording};

/// Number of rounds of the second recording in one block, which votes together.
const BLOCK: usize = 64;
/// Blocks grow at most by this factor where the first recording holds fewer rounds.
const BLOCK_GROWTH: usize = 32;
/// Two time differences agree if they are at most this many milliseconds apart.
pub(super) const AGREE: i64 = 2_000;
/// How far a clock may drift from one block to the next, in milliseconds.
const DRIFT: i64 = 3_000;
/// A larger difference between neighbouring blocks means that a clock was set.
const JUMP: i64 = 1_500;
/// Margin by which the best offset must beat every other one, in nats.
const CLEAR: f64 = 12.0;
/// Minimum number of matches for keeping the previous block's offset.
const HOLD: usize = 8;

/// Largest difference of clocks that is not a time zone mistake, in milliseconds.
pub(super) const CLOCKS: i64 = 15 * 60_000;
/// Time zone mistakes are multiples of this.
const ZONE: i64 = 15 * 60_000;
/// Largest time zone mistake.
const ZONE_MAX: i64 = 14 * 3_600_000;
/// Largest difference of clocks in addition to a time zone mistake.
const ZONE_SLACK: i64 = 90_000;
/// Largest difference that is searched for.
pub(super) const REACH: i64 = ZONE_MAX + ZONE_SLACK;
/// Minimum number of rare rounds with equal multipliers that must agree on an offset before it is examined …
const RARE_VOTES: usize = 3;
/// … and the probability below which unrelated recordings must have an offset with as many.
const MEETING_CHANCE: f64 = 0.01;
/// Overlapping offsets count as this many independent ones, an overestimate that makes the bound
/// conservative.
const OVERLAPPING: f64 = 8.0;
/// Minimum difference from the block before, in milliseconds, from which a clock counts as moved.
const STEP: i64 = 200;
/// Number of distinguishable clock offsets up to a quarter of an hour …
const NEAR_OFFSETS: f64 = CLOCKS as f64 / AGREE as f64;
/// … and around all time zone mistakes.
const ZONE_OFFSETS: f64 = 2.0 * (ZONE_MAX / ZONE) as f64 * (ZONE_SLACK as f64 / AGREE as f64);
/// Recordings with more rounds than this in their common time are examined only if their rare
/// rounds agree.
const MANY: usize = 1_000;
/// Smallest multiplier of a rare round, in hundredths: one round in ten is rare.
const RARE: u64 = 1_000;

/// The correction of the second recording's times, piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClockMap {
    /// First index and offset in milliseconds; ascending, the first one starts at 0.
    segments: Vec<(usize, i64)>,
}

impl ClockMap {
    pub(super) fn constant(offset: i64) -> Self {
        Self { segments: vec![(0, offset)] }
    }

    /// Returns the index of the segment of a round.
    pub(super) fn segment(&self, index: usize) -> usize {
        self.segments.partition_point(|(start, _)| *start <= index).saturating_sub(1)
    }

    /// Returns the segment that a round lies in.
    pub(super) fn segment_from(&self, index: usize) -> Segment {
        let segment = self.segment(index);
        let end = self.segments.get(segment + 1).map_or(usize::MAX, |(start, _)| *start);
        Segment { offset: self.offset_of(segment), end }
    }

    /// Returns the offset of a segment.
    pub(super) fn offset_of(&self, segment: usize) -> i64 {
        self.segments[segment].1
    }

    /// Returns the offset at a round.
    pub(super) fn offset(&self, index: usize) -> i64 {
        self.offset_of(self.segment(index))
    }

    /// Returns whether the clock was set from one segment to the next, rather than drifting.
    pub(super) fn is_jump(&self, segment: usize) -> bool {
        segment > 0 && (self.offset_of(segment) - self.offset_of(segment - 1)).abs() > JUMP
    }
}

/// Rounds with one offset.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Segment {
    /// In milliseconds.
    pub(super) offset: i64,
    /// Index after the last of them.
    pub(super) end: usize,
}

/// Where to look for the offset: within `reach` of `base`, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    pub(super) base: i64,
    pub(super) reach: i64,
}

impl Search {
    /// Clocks that are wrong by up to a quarter of an hour.
    pub(super) const NEAR: Self = Self { base: 0, reach: CLOCKS };

    /// Returns the logarithm of the number of offsets that are tried.
    pub(super) fn ln_trials(self) -> f64 {
        (2.0 * self.reach as f64 / AGREE as f64).ln()
    }
}

/// Logarithm of the number of time zone mistakes that are tried.
pub(super) fn ln_zones() -> f64 {
    (2.0 * (ZONE_MAX / ZONE) as f64).ln()
}

/// Estimates the clock of the second recording relative to the first; `None` if no block of rounds shows it.
pub(super) fn track(
    first: &Recording<'_>,
    second: &Recording<'_>,
    law: &Law,
    search: Search,
) -> Option<ClockMap> {
    let Search { base, reach } = search;
    let (start, end) = first.span()?;
    let region = second.between(start - base - reach, end - base + reach);
    let (from, to) =
        (region.start, region.end.checked_sub(1).filter(|last| *last >= region.start)?);
    let others = first.between(second.ms(from) + base - reach, second.ms(to) + base + reach);
    let growth = (region.len() / others.len().max(1)).clamp(1, BLOCK_GROWTH);
    let step = BLOCK * growth;
    let mut found: Vec<(Range<usize>, i64)> = Vec::new();
    for start in region.clone().step_by(step) {
        let block = start..(start + step).min(region.end);
        let marks = second.marks(block.clone());
        let last = found.last().map(|(_, offset)| *offset);
        let held = last.and_then(|offset| hold(first, &marks, offset));
        if let Some(offset) = held.or_else(|| vote(first, &marks, law, search)) {
            found.push((block, offset));
        }
    }
    segments(first, second, &found)
}

/// Returns the offset that continues the one of the block before, if half of the rounds match there.
fn hold(first: &Recording<'_>, marks: &[Mark], offset: i64) -> Option<i64> {
    let others = around(first, marks, offset, DRIFT);
    let usable = |mark: &&Mark| is_usable(mark, first);
    let mut differences: Vec<i64> = marks
        .iter()
        .filter(usable)
        .filter_map(|mark| {
            near(&others, mark.ms + offset, DRIFT)
                .iter()
                .filter(|other| other.cents == mark.cents && is_usable(other, first))
                .map(|other| other.ms - mark.ms)
                .min_by_key(|difference| (difference - offset).abs())
        })
        .collect();
    let rounds = marks.iter().filter(usable).count();
    if differences.len() < HOLD || differences.len() * 2 < rounds {
        return None;
    }
    differences.sort_unstable();
    Some(differences[differences.len() / 2])
}

/// Returns the offset with the most weight of equal multipliers, if it is clear.
fn vote(first: &Recording<'_>, marks: &[Mark], law: &Law, search: Search) -> Option<i64> {
    let Search { base, reach } = search;
    let others = around(first, marks, base, reach);
    let mut votes: Vec<(i64, f64)> = Vec::new();
    for mark in marks.iter().filter(|mark| is_usable(mark, first)) {
        let equal = near(&others, mark.ms + base, reach)
            .iter()
            .filter(|other| other.cents == mark.cents && is_usable(other, first));
        let before = votes.len();
        votes.extend(equal.map(|other| (other.ms - mark.ms, 0.0)));
        if votes.len() > before {
            let weight = -law.share(mark.cents).ln();
            votes[before..].iter_mut().for_each(|vote| vote.1 = weight);
        }
    }
    votes.sort_unstable_by_key(|(difference, _)| *difference);
    let (best, weight) = heaviest(&votes, |_| true)?;
    let low = votes[best.start].0 - AGREE;
    let high = votes[best.end - 1].0 + AGREE;
    let rival = heaviest(&votes, |difference| difference < low || difference > high);
    let rival = rival.map_or(0.0, |(_, weight)| weight);
    let is_clear = weight >= rival + CLEAR && weight >= search.ln_trials() + CLEAR;
    is_clear.then(|| votes[best.start + best.len() / 2].0)
}

/// Returns the heaviest group of eligible votes within [`AGREE`] of each other.
fn heaviest(votes: &[(i64, f64)], may: impl Fn(i64) -> bool) -> Option<(Range<usize>, f64)> {
    let mut best: Option<(Range<usize>, f64)> = None;
    let (mut start, mut sum) = (0, 0.0);
    for (end, (difference, weight)) in votes.iter().enumerate() {
        if !may(*difference) {
            (start, sum) = (end + 1, 0.0);
            continue;
        }
        sum += weight;
        while votes[start].0 < difference - AGREE {
            sum -= votes[start].1;
            start += 1;
        }
        if best.as_ref().is_none_or(|(_, most)| sum > *most) {
            best = Some((start..end + 1, sum));
        }
    }
    best
}

/// Returns whether the time of a round is when it ended, at least to the minute.
fn is_usable(mark: &Mark, first: &Recording<'_>) -> bool {
    !mark.is_estimate || first.is_coarse()
}

/// Returns the rounds of the first recording within `reach` of the marks at an offset.
fn around(first: &Recording<'_>, marks: &[Mark], offset: i64, reach: i64) -> Vec<Mark> {
    let (Some(start), Some(end)) = (marks.first(), marks.last()) else { return Vec::new() };
    first.marks(first.between(start.ms + offset - reach, end.ms + offset + reach))
}

/// Returns the marks within `reach` of a time.
pub(super) fn near(marks: &[Mark], ms: i64, reach: i64) -> &[Mark] {
    let start = marks.partition_point(|mark| mark.ms < ms - reach);
    let length = marks[start..].partition_point(|mark| mark.ms <= ms + reach);
    &marks[start..start + length]
}

/// Joins the offsets of blocks; between two that disagree the clock was set where most rounds fit.
fn segments(
    first: &Recording<'_>,
    second: &Recording<'_>,
    found: &[(Range<usize>, i64)],
) -> Option<ClockMap> {
    let mut segments = vec![(0, found.first()?.1)];
    for pair in found.windows(2) {
        let [(before, old), (block, new)] = pair else { continue };
        let (last, current) = segments.last().copied().unwrap_or_default();
        let start = if (old - new).abs() > JUMP {
            jump(first, second, before.start.max(last)..block.end, (*old, *new))
        } else if (current - new).abs() < STEP {
            continue;
        } else {
            block.start
        };
        segments.push((start, *new));
    }
    segments.dedup_by_key(|(_, offset)| *offset);
    Some(ClockMap { segments })
}

/// Returns the index from which more rounds match at the new offset than at the old one.
fn jump(
    first: &Recording<'_>,
    second: &Recording<'_>,
    range: Range<usize>,
    (old, new): (i64, i64),
) -> usize {
    let marks = second.marks(range.clone());
    let fits = |mark: &Mark, offset: i64, others: &[Mark]| {
        let others = near(others, mark.ms + offset, AGREE);
        i64::from(others.iter().any(|other| other.cents == mark.cents))
    };
    let at_old = around(first, &marks, old, AGREE);
    let at_new = around(first, &marks, new, AGREE);
    // Matches at the old offset before a point, less those at the new one: the rest is constant.
    let (mut gain, mut best) = (0, (0, 0));
    for (index, mark) in marks.iter().enumerate() {
        gain += fits(mark, old, &at_old) - fits(mark, new, &at_new);
        if gain > best.0 {
            best = (gain, index + 1);
        }
    }
    range.start + best.1
}

/// Searches for a time zone mistake: a multiple of 15 minutes, within [`ZONE_SLACK`], at which rare
/// multipliers of both recordings coincide.
pub(super) fn time_zone(first: &Recording<'_>, second: &Recording<'_>) -> Option<Search> {
    let base = meeting(first, second, REACH, ZONE_OFFSETS, is_zone)?;
    Some(Search { base, reach: ZONE_SLACK })
}

/// Returns whether it is worthwhile to [`track`] the clocks: recordings of many rounds are first
/// compared by their rare multipliers, which is much faster.
pub(super) fn may_meet(first: &Recording<'_>, second: &Recording<'_>) -> bool {
    let (Some(ours), Some(theirs)) = (first.span(), second.span()) else { return false };
    let (from, to) = (ours.0.max(theirs.0), ours.1.min(theirs.1));
    let is_many = |it: &Recording<'_>| it.between(from, to).len() > MANY;
    if from > to || !is_many(first) || !is_many(second) {
        return true;
    }
    let is_rare = |it: &Recording<'_>| {
        it.rounds.iter().step_by(it.len() / MANY).filter(|round| is_rare(round)).count() > MANY / 25
    };
    !is_rare(first)
        || !is_rare(second)
        || meeting(first, second, CLOCKS, NEAR_OFFSETS, |it| it.abs() <= CLOCKS).is_some()
}

/// Returns the difference of times at which most rare multipliers of both recordings are equal.
fn meeting(
    first: &Recording<'_>,
    second: &Recording<'_>,
    reach: i64,
    offsets: f64,
    may: impl Fn(i64) -> bool,
) -> Option<i64> {
    let (start, end) = second.span()?;
    let firsts = rare(first, first.between(start - reach, end + reach));
    let (start, end) = first.span()?;
    let seconds = rare(second, second.between(start - reach, end + reach));
    let mut differences: Vec<i64> = Vec::new();
    let mut from = 0;
    for &(cents, ms) in &seconds {
        from += firsts[from..].partition_point(|(other, _)| *other < cents);
        let equal = firsts[from..].iter().take_while(|(other, _)| *other == cents);
        differences.extend(equal.map(|(_, other)| other - ms).filter(|it| may(*it)));
    }
    differences.sort_unstable();
    let ends = |start: usize| {
        start + differences[start..].partition_point(|it| *it <= differences[start] + 2 * AGREE)
    };
    let best = (0..differences.len()).max_by_key(|&start| ends(start) - start)?;
    let votes = ends(best) - best;
    (votes >= votes_needed(differences.len(), offsets)).then(|| differences[best + votes / 2])
}

/// Returns the number of equal rare rounds at one offset that chance does not explain, given how many are spread over
/// `offsets`.
///
/// The number at an offset has a Poisson distribution; its upper tail, times the number of offsets, must be small.
fn votes_needed(differences: usize, offsets: f64) -> usize {
    let mean = differences as f64 / offsets;
    let (mut term, mut below, mut votes) = ((-mean).exp(), 0.0, 0);
    while votes < RARE_VOTES || (1.0 - below) * offsets * OVERLAPPING > MEETING_CHANCE {
        // Beyond this the sum is exact to the last digit.
        if votes > RARE_VOTES && term < f64::EPSILON * MEETING_CHANCE / offsets {
            break;
        }
        below += term;
        votes += 1;
        term *= mean / votes as f64;
    }
    votes
}

fn is_rare(round: &Round) -> bool {
    round.multiplier.as_f64() * 100.0 >= RARE as f64
}

/// Returns the multipliers and times of the rare rounds, in order.
fn rare(recording: &Recording<'_>, range: Range<usize>) -> Vec<(u64, i64)> {
    let rounds = recording.rounds[range].iter();
    let mut rare: Vec<(u64, i64)> = rounds
        .filter(|round| is_rare(round))
        .map(|round| (round.multiplier.cents(), round.time.timestamp_millis()))
        .collect();
    rare.sort_unstable();
    rare
}

fn is_zone(difference: i64) -> bool {
    let nearest = (difference + ZONE / 2).div_euclid(ZONE) * ZONE;
    nearest != 0 && nearest.abs() <= ZONE_MAX && (difference - nearest).abs() <= ZONE_SLACK
}
