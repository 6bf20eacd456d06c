//! Aligns two recordings of one table whose feed has no round ids.
//!
//! The two recorders' clocks differ, and each recorder misses rounds that the other has. What the
//! recordings share is the order of the multipliers. The clock offset is therefore the one on which
//! most pairs of equal multipliers agree, and the common rounds are the longest chain of equal
//! multipliers at about the same time that is in order in both recordings.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Round;

/// A round as one recorder observed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedRound {
    /// Time, by the recorder's clock, and multiplier.
    pub round: Round,
    /// Whether it comes from a history list, in which case its time is an estimate.
    pub is_estimate: bool,
}

/// Bounds on clocks and times that the alignment assumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum offset between the two clocks.
    pub clocks: TimeDelta,
    /// Maximum difference between the two observed times of a round, after the clock offset has
    /// been removed.
    pub observed: TimeDelta,
    /// The same maximum when at least one of the two times is an estimate.
    pub estimated: TimeDelta,
    /// Minimum time between the ends of two rounds.
    pub round: TimeDelta,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clocks: TimeDelta::minutes(10),
            observed: TimeDelta::seconds(3),
            estimated: TimeDelta::minutes(15),
            round: TimeDelta::seconds(5),
        }
    }
}

/// How a round of the second recording relates to the first one. Rounds are given by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlignedRound {
    /// Both recordings have the round.
    Same {
        /// Index in the first recording.
        first: usize,
        /// Index in the second recording.
        second: usize,
    },
    /// The first recording lacks the round.
    Missing {
        /// Index in the second recording.
        second: usize,
        /// When the round ended, by the first recorder's clock.
        time: DateTime<Utc>,
    },
    /// The first recording has a round with another multiplier at this point.
    Conflict {
        /// Index in the first recording.
        first: usize,
        /// Index in the second recording.
        second: usize,
    },
    /// The round cannot have been played: it does not fit between its neighbours in the first
    /// recording.
    NoRoom {
        /// Index in the second recording.
        second: usize,
    },
    /// The round cannot be placed: the recordings share too few rounds to determine the clock
    /// offset.
    Unplaced {
        /// Index in the second recording.
        second: usize,
    },
}

/// Number of consecutive rounds that share one estimate of the clock offset.
const BLOCK: usize = 256;
/// Minimum number of pairs of equal multipliers that must agree on a clock offset.
const AGREE: usize = 6;
/// Weight of a pair whose times agree to the millisecond; each millisecond apart costs 1.
const WORTH: i64 = 1 << 30;

/// Aligns the second recording with the first. Both must be sorted by time.
///
/// Returns one entry for each round of the second recording, in the order of that recording.
pub fn align(
    first: &[RecordedRound],
    second: &[RecordedRound],
    limits: &Limits,
) -> Vec<AlignedRound> {
    align_by(&Clocks::of(first, second, limits), first, second, limits)
}

/// Aligns the second recording with the first, as [`align`] does, where the times of both are by one
/// clock already: no difference of the clocks is estimated, so no round is [`AlignedRound::Unplaced`].
pub fn align_on_one_clock(
    first: &[RecordedRound],
    second: &[RecordedRound],
    limits: &Limits,
) -> Vec<AlignedRound> {
    let blocks = vec![TimeDelta::zero(); second.len().div_ceil(BLOCK)];
    align_by(&Clocks { blocks, is_known: true }, first, second, limits)
}

fn align_by(
    clocks: &Clocks,
    first: &[RecordedRound],
    second: &[RecordedRound],
    limits: &Limits,
) -> Vec<AlignedRound> {
    let ours: Vec<ChainRound> = first.iter().map(|it| ChainRound::of(it, it.round.time)).collect();
    let theirs = second.iter().enumerate();
    let theirs: Vec<ChainRound> =
        theirs.map(|(index, it)| ChainRound::of(it, clocks.time(second, index))).collect();
    let pairs = chain(&ours, &theirs, limits);
    let mut joined = Vec::with_capacity(second.len());
    let mut from = (0, 0);
    for to in pairs.into_iter().chain([(first.len(), second.len())]) {
        if from.1 < to.1 {
            let stretch = Stretch { first, second, clocks, limits, from, to };
            stretch.join(&mut joined);
        }
        if to.1 < second.len() {
            joined.push(AlignedRound::Same { first: to.0, second: to.1 });
        }
        from = (to.0 + 1, to.1 + 1);
    }
    joined
}

/// The offset of the second recorder's clock from the first one's, for each block of rounds.
#[derive(Debug)]
struct Clocks {
    /// Offsets to add to the second recorder's times.
    blocks: Vec<TimeDelta>,
    is_known: bool,
}

impl Clocks {
    fn of(first: &[RecordedRound], second: &[RecordedRound], limits: &Limits) -> Self {
        let found: Vec<Option<TimeDelta>> =
            second.chunks(BLOCK).map(|block| agreed(first, block, limits)).collect();
        let mut last = found.iter().copied().flatten().next();
        let is_known = last.is_some();
        let blocks = found.into_iter().map(|block| {
            last = block.or(last);
            last.unwrap_or_default()
        });
        Self { blocks: blocks.collect(), is_known }
    }

    /// Returns when a round of the second recording ended, by the first recorder's clock.
    fn time(&self, second: &[RecordedRound], index: usize) -> DateTime<Utc> {
        second[index].round.time + self.blocks[index / BLOCK]
    }
}

/// Returns the clock offset on which most pairs of equal multipliers agree, if there is a clear
/// one.
fn agreed(first: &[RecordedRound], block: &[RecordedRound], limits: &Limits) -> Option<TimeDelta> {
    let mut differences: Vec<i64> = Vec::new();
    for observed in block.iter().filter(|observed| !observed.is_estimate) {
        let time = observed.round.time;
        let near = between(first, time - limits.clocks, time + limits.clocks);
        let equal = near.iter().filter(|other| !other.is_estimate && is_equal(other, observed));
        differences.extend(equal.map(|other| (other.round.time - time).num_milliseconds()));
    }
    differences.sort_unstable();
    let reach = limits.observed.num_milliseconds();
    // For each difference, count those at most `reach` above it. Compare the largest group with the
    // largest one that does not overlap it.
    let ends: Vec<usize> = differences
        .iter()
        .map(|low| differences.partition_point(|difference| *difference <= low + reach))
        .collect();
    let count = |start: usize| ends[start] - start;
    let best = (0..differences.len()).max_by_key(|&start| (count(start), usize::MAX - start))?;
    let apart = |start: &usize| (differences[*start] - differences[best]).abs() > 2 * reach;
    let rival = (0..differences.len()).filter(apart).map(count).max().unwrap_or_default();
    let is_clear = count(best) >= AGREE && count(best) >= 2 * rival;
    is_clear.then(|| TimeDelta::milliseconds(differences[best + count(best) / 2]))
}

/// The data of a round that a chain needs.
#[derive(Debug, Clone, Copy)]
struct ChainRound {
    /// Time in microseconds, by the first recorder's clock.
    us: i64,
    /// Multiplier in hundredths.
    cents: u64,
    is_estimate: bool,
}

impl ChainRound {
    fn of(recorded: &RecordedRound, time: DateTime<Utc>) -> Self {
        let cents = recorded.round.multiplier.cents();
        Self { us: time.timestamp_micros(), cents, is_estimate: recorded.is_estimate }
    }
}

/// Returns the longest chain of equal multipliers at about the same time; of several, the one whose
/// times agree best.
fn chain(first: &[ChainRound], second: &[ChainRound], limits: &Limits) -> Vec<(usize, usize)> {
    let us = |delta: TimeDelta| delta.num_microseconds().unwrap_or(i64::MAX / 4);
    let (observed, estimated) = (us(limits.observed), us(limits.estimated));
    let reach = observed.max(estimated);
    let mut links: Vec<Link> = Vec::with_capacity(second.len());
    let mut best = Frontier::default();
    let mut found: Vec<(i64, Link)> = Vec::new();
    let mut start = 0;
    for (index, mark) in second.iter().enumerate() {
        start = seek(first, start, mark.us - reach);
        let near = first[start..].iter().take_while(|other| other.us <= mark.us + reach);
        for (other, at) in near.zip(start..) {
            let apart = (other.us - mark.us).abs();
            let is_loose = mark.is_estimate || other.is_estimate;
            if other.cents == mark.cents && apart <= if is_loose { estimated } else { observed } {
                let (worth, previous) = best.before(at);
                found.push((worth + WORTH - apart / 1000, Link { at: (at, index), previous }));
            }
        }
        for (worth, link) in found.drain(..) {
            best.enter(Chain { at: link.at.0, worth, link: links.len() });
            links.push(link);
        }
    }
    let mut pairs = Vec::with_capacity(second.len());
    let mut next = best.0.last().map(|chain| chain.link);
    while let Some(link) = next {
        pairs.push(links[link].at);
        next = links[link].previous;
    }
    pairs.reverse();
    pairs
}

/// Index of the first mark at or after a time, which is likely to be at a known index or soon after it.
fn seek(marks: &[ChainRound], mut likely: usize, us: i64) -> usize {
    if likely > 0 && marks[likely - 1].us >= us {
        return marks[..likely].partition_point(|mark| mark.us < us);
    }
    while marks.get(likely).is_some_and(|mark| mark.us < us) {
        likely += 1;
    }
    likely
}

/// A pair of equal rounds, and the index of the previous link of its chain.
#[derive(Debug)]
struct Link {
    at: (usize, usize),
    previous: Option<usize>,
}

/// A chain of equal rounds.
#[derive(Debug, Clone, Copy)]
struct Chain {
    /// The round of the first recording at which it ends.
    at: usize,
    worth: i64,
    /// Its last link.
    link: usize,
}

/// The best chains found so far, by their ends. A chain is kept only if it is worth more than every chain that
/// ends earlier. New chains end near the last one, so all searches go backwards.
#[derive(Debug, Default)]
struct Frontier(Vec<Chain>);

impl Frontier {
    /// Worth and last link of the best chain that ends before a round.
    fn before(&self, at: usize) -> (i64, Option<usize>) {
        let chain = self.0.iter().rev().find(|chain| chain.at < at);
        chain.map_or((0, None), |chain| (chain.worth, Some(chain.link)))
    }

    /// Adds a chain, unless one that ends no later is worth as much, and removes the later ones that are
    /// worth no more.
    fn enter(&mut self, new: Chain) {
        let from = self.0.iter().rposition(|chain| chain.at < new.at).map_or(0, |at| at + 1);
        let is_beaten = |chain: &Chain| chain.at <= new.at && chain.worth >= new.worth;
        if from.checked_sub(1).is_some_and(|before| is_beaten(&self.0[before]))
            || self.0.get(from).is_some_and(is_beaten)
        {
            return;
        }
        let worse = self.0[from..].iter().take_while(|chain| chain.worth <= new.worth).count();
        self.0.splice(from..from + worse, [new]);
    }
}

fn is_equal(a: &RecordedRound, b: &RecordedRound) -> bool {
    a.round.multiplier.cents() == b.round.multiplier.cents()
}

fn between(observed: &[RecordedRound], from: DateTime<Utc>, to: DateTime<Utc>) -> &[RecordedRound] {
    let start = observed.partition_point(|observed| observed.round.time < from);
    let end = observed.partition_point(|observed| observed.round.time <= to);
    &observed[start..end.max(start)]
}

/// The rounds between two pairs: those that only one recording has, or whose multipliers differ.
struct Stretch<'a> {
    first: &'a [RecordedRound],
    second: &'a [RecordedRound],
    clocks: &'a Clocks,
    limits: &'a Limits,
    from: (usize, usize),
    to: (usize, usize),
}

impl Stretch<'_> {
    fn join(&self, joined: &mut Vec<AlignedRound>) {
        let mut ours = self.from.0..self.to.0;
        // Estimated times cannot tell which rounds correspond; only an equal number of them can.
        let is_estimated =
            self.second[self.from.1..self.to.1].iter().any(|observed| observed.is_estimate)
                || self.first[ours.clone()].iter().any(|observed| observed.is_estimate);
        let is_one_to_one = is_estimated && ours.len() == self.to.1 - self.from.1;
        let mut last = self.from.0.checked_sub(1).map(|before| self.first[before].round.time);
        for second in self.from.1..self.to.1 {
            let time = self.clocks.time(self.second, second);
            let is_here = |&first: &usize| {
                is_one_to_one || (self.first[first].round.time - time).abs() <= self.limits.observed
            };
            if let Some(first) = ours.clone().find(is_here) {
                ours.start = first + 1;
                joined.push(AlignedRound::Conflict { first, second });
                last = Some(self.first[first].round.time);
                continue;
            }
            if !self.clocks.is_known && self.may_be_common(time) {
                joined.push(AlignedRound::Unplaced { second });
                continue;
            }
            match self.room(time, last) {
                Some(time) => {
                    last = Some(time);
                    joined.push(AlignedRound::Missing { second, time });
                }
                None => joined.push(AlignedRound::NoRoom { second }),
            }
        }
    }

    /// Returns whether the first recording has rounds at about that time.
    fn may_be_common(&self, time: DateTime<Utc>) -> bool {
        let reach = self.limits.clocks;
        !between(self.first, time - reach, time + reach).is_empty()
    }

    /// Returns `time`, moved as little as necessary to keep the order and the minimum distance from
    /// both neighbours; `None` if there is no such time.
    fn room(&self, time: DateTime<Utc>, last: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let end = self.first.get(self.to.0).map(|next| next.round.time);
        let earliest = last.map(|last| last + self.limits.round);
        let latest = end.map(|end| end - self.limits.round);
        if earliest.zip(latest).is_some_and(|(earliest, latest)| earliest > latest) {
            return None;
        }
        let time = earliest.map_or(time, |earliest| time.max(earliest));
        Some(latest.map_or(time, |latest| time.min(latest)))
    }
}

#[cfg(test)]
mod tests;
