//! Joins two recordings of the same rounds, window by window, with [`crate::align`].

use chrono::{DateTime, TimeDelta, Utc};

use crate::align::{AlignedRound, Limits, RecordedRound, align_on_one_clock};
use crate::round::Round;

use super::clock::Segment;
use super::evidence::{Pair, Tolerance};
use super::plain::{Bounds, Decision, decisions};
use super::recording::Recording;
use super::report::{Conflict, OverlapCounts, Report};

/// Number of rounds of the second recording in one window.
const WINDOW: usize = 1024;
/// The same limit after a plain stretch.
const WINDOW_MIN: usize = 256;
/// A window ends with a shared round at least this many rounds before its end.
const MARGIN: usize = 64;
/// Largest difference of two reports of one round, in milliseconds.
const OBSERVED_MAX: i64 = 8_000;
/// The same limit in a game of the fastest pace.
const OBSERVED_MIN: i64 = 400;
/// Largest difference where one of the times is that of a scraped strip.
const STRIP: i64 = 15 * 60_000;
/// Largest difference where times have no seconds.
const COARSE: i64 = 75_000;
/// Time between rounds assumed if the recordings do not show it.
const PACE: i64 = 11_500;

/// Bounds on times for two recordings, from the pace of their rounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) tolerance: Tolerance,
    round: i64,
}

impl Pace {
    /// The pace is the 20-quantile of the times between rounds: reports of different rounds are
    /// hardly ever closer than 0.7 of it, whatever their delays.
    pub(super) fn of(first: &Recording<'_>, second: &Recording<'_>) -> Self {
        let fast = |recording: &Recording<'_>| {
            let gaps = recording.gaps();
            gaps.get(gaps.len() / 20).copied()
        };
        let pace = fast(first).into_iter().chain(fast(second)).min().unwrap_or(PACE);
        let is_coarse = first.is_coarse() || second.is_coarse();
        let observed = (pace * 7 / 10).clamp(OBSERVED_MIN, OBSERVED_MAX);
        let estimated = if is_coarse { COARSE } else { STRIP };
        Self {
            tolerance: Tolerance { observed: if is_coarse { COARSE } else { observed }, estimated },
            round: (pace / 2).min(5_000),
        }
    }

    pub(super) fn bounds(self, latest: i64) -> Bounds {
        Bounds { observed: self.tolerance.observed, round: self.round, latest }
    }

    /// Without estimates, no round is searched for at their larger distance.
    pub(super) fn limits(self, has_estimates: bool) -> Limits {
        let Tolerance { observed, estimated } = self.tolerance;
        Limits {
            observed: TimeDelta::milliseconds(observed),
            estimated: TimeDelta::milliseconds(if has_estimates { estimated } else { observed }),
            round: TimeDelta::milliseconds(self.round),
            ..Limits::default()
        }
    }
}

/// Puts the rounds of the second recording into the first one; shared ones count once.
pub(super) fn join<'a>(
    mut first: Recording<'a>,
    second: &Recording<'a>,
    found: &super::Alignment,
    counts: &mut OverlapCounts,
) -> Recording<'a> {
    let pair = Pair { first: &first, second, clock: &found.clock };
    let (Some(last), Some(_)) = (second.len().checked_sub(1), first.span()) else { return first };
    let reach = found.pace.tolerance.estimated + 1;
    let region = first.between(pair.corrected(0) - reach, pair.corrected(last) + reach);
    let mut seam = Seam {
        pair,
        chance_log10: found.chance_log10,
        counts,
        out: Vec::with_capacity(region.len() + second.len()),
        latest: i64::MIN,
    };
    let limits = |has_estimates| found.pace.limits(has_estimates);
    let (start, stop) = met(&pair, reach);
    seam.pass(0..start);
    let may_be_plain = !first.is_coarse() && !second.is_coarse();
    let (mut at, mut index) = (region.start, start);
    let mut size = WINDOW;
    while index < stop {
        if may_be_plain {
            let bounds = found.pace.bounds(seam.latest);
            let decisions = decisions(&pair, (at, region.end), (index, stop), bounds);
            (at, index) = seam.follow(&decisions, at, index);
            if !decisions.is_empty() {
                size = WINDOW_MIN;
                continue;
            }
        }
        let end = (index + size).min(stop);
        size = WINDOW;
        let is_last = end == stop;
        let until =
            if is_last { region.end } else { first.at(pair.corrected(end - 1) + reach).max(at) };
        let firsts = recorded(&first, at..until);
        let seconds = seam.seconds(index..end);
        let has_estimates = firsts.iter().chain(&seconds).any(|it| it.is_estimate);
        let aligned = align_on_one_clock(&firsts, &seconds, &limits(has_estimates));
        let cut = if is_last { None } else { cut(&aligned, seconds.len()) };
        let (firsts_taken, seconds_taken) = match cut {
            Some((first, second)) => (first + 1, second + 1),
            None if is_last => (firsts.len(), seconds.len()),
            None => {
                let passed = seconds.last().map_or(DateTime::UNIX_EPOCH, |last| last.round.time);
                (firsts.partition_point(|it| it.round.time <= passed), seconds.len())
            }
        };
        let window = Window { firsts: &firsts[..firsts_taken], seconds: &seconds, at, index };
        seam.emit(&window, &aligned[..seconds_taken]);
        at += firsts_taken;
        index += seconds_taken;
    }
    seam.take_rest(at..region.end);
    seam.pass(stop..second.len());
    let out = seam.out;
    // Later rounds have the clock offset of the last segment.
    let end = found.clock.offset(last);
    first.replace(region, out);
    let files = second.files.iter().map(|(file, offset)| (*file, offset + end));
    first.files.extend(files);
    first
}

/// The rounds of the second recording that may be in the first one, by their times.
fn met(pair: &Pair<'_, '_>, reach: i64) -> (usize, usize) {
    let Some((start, end)) = pair.first.span() else { return (0, 0) };
    let from = pair.second_at(start - reach);
    (from, pair.second_at(end + reach + 1).max(from))
}

/// The last shared round that is not too near to the end of the window.
fn cut(aligned: &[AlignedRound], length: usize) -> Option<(usize, usize)> {
    let limit = length.saturating_sub(MARGIN);
    aligned.iter().rev().find_map(|aligned| match *aligned {
        AlignedRound::Same { first, second } if second < limit => Some((first, second)),
        _ => None,
    })
}

fn recorded(recording: &Recording<'_>, range: std::ops::Range<usize>) -> Vec<RecordedRound> {
    let is_coarse = recording.is_coarse();
    range
        .map(|index| RecordedRound {
            round: recording.rounds[index],
            is_estimate: is_coarse || recording.is_estimate(index),
        })
        .collect()
}

/// A part of both recordings that is aligned at once.
struct Window<'w> {
    firsts: &'w [RecordedRound],
    seconds: &'w [RecordedRound],
    /// Index of the first of `firsts` in its recording.
    at: usize,
    /// Index of the first of `seconds` in its recording.
    index: usize,
}

/// The joined rounds so far.
struct Seam<'s, 'p, 'a> {
    pair: Pair<'p, 'a>,
    chance_log10: i32,
    counts: &'s mut OverlapCounts,
    /// Rounds with their files.
    out: Vec<(Round, u32)>,
    /// Latest corrected time of the second recording.
    latest: i64,
}

impl Seam<'_, '_, '_> {
    /// Rounds of the second recording by the clock of the first one, in order of time.
    fn seconds(&self, range: std::ops::Range<usize>) -> Vec<RecordedRound> {
        let mut seconds = recorded(self.pair.second, range.clone());
        let mut latest = self.latest;
        for (second, index) in seconds.iter_mut().zip(range) {
            let offset = self.pair.clock.offset(index);
            let time = second.round.time + TimeDelta::milliseconds(offset);
            // A clock that was set back must not reverse the order.
            let floor = DateTime::from_timestamp_millis(latest).unwrap_or(time);
            second.round.time = if latest == i64::MIN { time } else { time.max(floor) };
            latest = latest.max(second.round.time.timestamp_millis());
        }
        seconds
    }

    /// Adds the rounds of a window in their order: all of the first recording, those of the second
    /// one that the first lacks.
    fn emit(&mut self, window: &Window<'_>, aligned: &[AlignedRound]) {
        let ends = next_shared(aligned, window.firsts.len());
        let mut at = 0;
        for (joined, end) in aligned.iter().zip(ends) {
            match *joined {
                AlignedRound::Same { first, second } => {
                    self.take(window, &mut at, first + 1);
                    let report = self.report(window, first, second);
                    self.counts.share(report);
                }
                AlignedRound::Conflict { first, second } => {
                    self.take(window, &mut at, first + 1);
                    self.conflict(window, Some(first), second, first);
                }
                AlignedRound::Missing { second, time } => {
                    self.insert(window, (&mut at, end), second, time);
                }
                AlignedRound::NoRoom { second } | AlignedRound::Unplaced { second } => {
                    self.squeeze(window, (&mut at, end), second);
                }
            }
        }
        self.take(window, &mut at, window.firsts.len());
        if let Some(last) = aligned.len().checked_sub(1) {
            self.latest = self.latest.max(window.seconds[last].round.time.timestamp_millis());
        }
    }

    /// Adds rounds of the second recording that the first one cannot have, by their times.
    fn pass(&mut self, range: std::ops::Range<usize>) {
        let seconds = self.seconds(range.clone());
        self.out.reserve(seconds.len());
        for (second, index) in seconds.into_iter().zip(range) {
            let owner = self.pair.second.owner(index);
            self.latest = self.latest.max(second.round.time.timestamp_millis());
            self.out.push((second.round, owner));
        }
    }

    /// Adds the rounds of a plain stretch; returns the next rounds of both recordings.
    fn follow(
        &mut self,
        decisions: &[Decision],
        mut at: usize,
        mut index: usize,
    ) -> (usize, usize) {
        let Pair { first, second, clock } = self.pair;
        let mut segment = Segment::default();
        for decision in decisions {
            let (Decision::Same(until) | Decision::Missing(until)) = *decision;
            self.take_rest(at..until);
            at = until;
            if segment.end <= index {
                segment = clock.segment_from(index);
            }
            self.latest = second.ms(index) + segment.offset;
            if *decision == Decision::Same(at) {
                let (owner, other) = (first.owner(at), second.owner(index));
                let offset = first.offset_of(owner) - second.offset_of(other) - segment.offset;
                let aligned = Some((offset, self.chance_log10));
                let time = first.rounds[at].time;
                self.counts.share(Report { files: (owner, other), time, aligned });
                self.out.push((first.rounds[at], owner));
                at += 1;
            } else {
                let round = second.rounds[index];
                let time = round.time + TimeDelta::milliseconds(segment.offset);
                self.out.push((Round { time, ..round }, second.owner(index)));
            }
            index += 1;
        }
        (at, index)
    }

    /// Adds rounds of the first recording as they are.
    fn take_rest(&mut self, range: std::ops::Range<usize>) {
        for index in range {
            self.out.push((self.pair.first.rounds[index], self.pair.first.owner(index)));
        }
    }

    /// Adds rounds of the first recording up to an index.
    fn take(&mut self, window: &Window<'_>, at: &mut usize, end: usize) {
        while *at < end {
            let owner = self.pair.first.owner(window.at + *at);
            self.out.push((window.firsts[*at].round, owner));
            *at += 1;
        }
    }

    /// Adds a round without room between its neighbours if times are estimates; otherwise counts it
    /// as a conflict with the first recording.
    fn squeeze(&mut self, window: &Window<'_>, (at, end): (&mut usize, usize), second: usize) {
        let before = at.checked_sub(1);
        let near = [before.map(|before| &window.firsts[before]), window.firsts.get(*at)];
        let near = near.into_iter().flatten().chain([&window.seconds[second]]);
        if window.firsts.is_empty() || near.into_iter().any(|it| it.is_estimate) {
            self.insert(window, (at, end), second, window.seconds[second].round.time);
        } else {
            self.conflict(window, None, second, before.unwrap_or(0));
        }
    }

    /// Adds a round that the first recording lacks, after all of its rounds up to that time.
    fn insert(
        &mut self,
        window: &Window<'_>,
        (at, end): (&mut usize, usize),
        second: usize,
        time: DateTime<Utc>,
    ) {
        let before = window.firsts[..end].partition_point(|first| first.round.time <= time);
        self.take(window, at, before);
        let earliest = self.out.last().map_or(time, |(round, _)| round.time);
        let latest = window.firsts.get(*at).map_or(time, |next| next.round.time);
        let time = time.min(latest).max(earliest);
        let owner = self.pair.second.owner(window.index + second);
        self.out.push((Round { time, ..window.seconds[second].round }, owner));
    }

    fn conflict(&mut self, window: &Window<'_>, first: Option<usize>, second: usize, near: usize) {
        let report = self.report(window, near, second);
        let conflict = Conflict {
            first: first.map(|first| window.firsts[first].round),
            second: self.pair.second.rounds[window.index + second],
        };
        self.counts.conflict(report, conflict);
    }

    fn report(&self, window: &Window<'_>, first: usize, second: usize) -> Report {
        let index = window.index + second;
        let Pair { first: ours, second: theirs, clock } = self.pair;
        let (owner, other) = (ours.owner(window.at + first), theirs.owner(index));
        let offset = ours.offset_of(owner) - theirs.offset_of(other) - clock.offset(index);
        Report {
            files: (owner, other),
            time: window.firsts.get(first).map_or(theirs.rounds[index].time, |it| it.round.time),
            aligned: Some((offset, self.chance_log10)),
        }
    }
}

/// Returns for each entry the index in the first recording of the next shared round, or the end.
fn next_shared(aligned: &[AlignedRound], end: usize) -> Vec<usize> {
    let mut next = end;
    let mut ends: Vec<usize> = aligned
        .iter()
        .rev()
        .map(|aligned| {
            if let AlignedRound::Same { first, .. } = *aligned {
                next = first;
            }
            next
        })
        .collect();
    ends.reverse();
    ends
}
