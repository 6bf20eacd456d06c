//! Rounds in memory, about four bytes each.
//!
//! A year has millions of rounds. They are stored in chunks; a full chunk never changes, so clones share
//! it and cost the same for a million rounds as for a thousand. Each chunk stores the indices of its
//! smallest and its largest multiplier, so that a plot of all rounds need not read all of them.

mod chunk;

use std::iter::{once, repeat};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rounds::Round;

use self::chunk::Chunk;

/// Rounds in a chunk.
const CHUNK_ROUNDS: usize = 256;

/// Rounds in order; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompactRounds {
    full: Arc<Vec<Arc<Chunk>>>,
    /// The newest rounds, fewer than a chunk.
    open: Vec<Round>,
}

impl CompactRounds {
    /// Adds the next round.
    pub(crate) fn push(&mut self, round: Round) {
        self.open.push(round);
        if self.open.len() == CHUNK_ROUNDS {
            // The list of chunks is copied only while a snapshot holds it.
            Arc::make_mut(&mut self.full).push(Arc::new(Chunk::of(&self.open)));
            self.open.clear();
        }
    }

    /// Returns the number of rounds.
    pub(crate) fn len(&self) -> usize {
        self.full.len() * CHUNK_ROUNDS + self.open.len()
    }

    /// Returns whether there is no round.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the round at this index. For several in a row, [`range`](Self::range) is faster.
    pub(crate) fn get(&self, index: usize) -> Option<Round> {
        self.range(index..index.saturating_add(1)).next()
    }

    /// Returns the newest round.
    pub(crate) fn last(&self) -> Option<Round> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Returns the rounds of a range, oldest first; a range may reach beyond the last round.
    pub(crate) fn range(&self, range: Range<usize>) -> impl Iterator<Item = Round> + '_ {
        let chunks = self.full.get(range.start / CHUNK_ROUNDS..).unwrap_or_default();
        let skip_full = if chunks.is_empty() { 0 } else { range.start % CHUNK_ROUNDS };
        let open_from = self.full.len() * CHUNK_ROUNDS;
        let open = self.open.get(range.start.saturating_sub(open_from)..).unwrap_or_default();
        chunks
            .iter()
            .zip(once(skip_full).chain(repeat(0)))
            .flat_map(|(chunk, skip)| chunk.rounds(skip))
            .chain(open.iter().copied())
            .take(range.len())
    }

    /// Returns all rounds, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Round> + '_ {
        self.range(0..self.len())
    }

    /// Returns the index of the first round that ended at `time` or later. Rounds must be in order of time.
    pub(crate) fn since(&self, time: DateTime<Utc>) -> usize {
        let chunks = self.full.partition_point(|chunk| chunk.last_time() < time);
        let from = chunks * CHUNK_ROUNDS;
        from + self.range(from..from + CHUNK_ROUNDS).take_while(|round| round.time < time).count()
    }

    /// Returns the indices of the smallest and the largest multiplier of a range; the first of equal ones.
    pub(crate) fn extremes(&self, range: Range<usize>) -> Option<(usize, usize)> {
        let mut found: Option<(usize, usize)> = None;
        let mut at = range.start;
        while at < range.end {
            let start = at / CHUNK_ROUNDS * CHUNK_ROUNDS;
            let end = (start + CHUNK_ROUNDS).min(range.end);
            let here = match self.full.get(at / CHUNK_ROUNDS) {
                Some(chunk) if at == start && end == start + CHUNK_ROUNDS => {
                    let (low, high) = chunk.extremes();
                    Some((start + low, start + high))
                }
                _ => extremes(self.range(at..end)).map(|(low, high)| (at + low, at + high)),
            };
            found = match (found, here) {
                (Some(before), Some(here)) => Some(self.wider(before, here)),
                (before, here) => before.or(here),
            };
            at = end;
        }
        found
    }

    fn wider(&self, before: (usize, usize), here: (usize, usize)) -> (usize, usize) {
        let multiplier = |index| self.get(index).map(|round| round.multiplier);
        (
            if multiplier(here.0) < multiplier(before.0) { here.0 } else { before.0 },
            if multiplier(here.1) > multiplier(before.1) { here.1 } else { before.1 },
        )
    }
}

impl Extend<Round> for CompactRounds {
    fn extend<I: IntoIterator<Item = Round>>(&mut self, rounds: I) {
        rounds.into_iter().for_each(|round| self.push(round));
    }
}

impl FromIterator<Round> for CompactRounds {
    fn from_iter<I: IntoIterator<Item = Round>>(rounds: I) -> Self {
        let mut all = Self::default();
        all.extend(rounds);
        all
    }
}

/// Returns the positions of the smallest and the largest multiplier; the first of equal ones.
fn extremes(mut rounds: impl Iterator<Item = Round>) -> Option<(usize, usize)> {
    let first = rounds.next()?.multiplier;
    let (mut low, mut high) = ((0, first), (0, first));
    for (at, Round { multiplier, .. }) in (1..).zip(rounds) {
        if multiplier < low.1 {
            low = (at, multiplier);
        }
        if multiplier > high.1 {
            high = (at, multiplier);
        }
    }
    Some((low.0, high.0))
}

#[cfg(test)]
mod tests {
    use rounds::Multiplier;

    use super::*;

    fn round(number: usize) -> Round {
        let time = DateTime::from_timestamp(i64::try_from(number).unwrap(), 0).unwrap();
        let cents = 100 + (number as u64 * 7919) % 4001;
        Round { time, multiplier: Multiplier::from_cents(cents).unwrap() }
    }

    fn packed(count: usize) -> CompactRounds {
        (0..count).map(round).collect()
    }

    #[test]
    fn every_round_is_found_by_its_index_and_by_its_time() {
        for count in [0, 1, 255, 256, 257, 1000] {
            let packed = packed(count);
            assert_eq!((packed.len(), packed.is_empty()), (count, count == 0));
            assert_eq!(packed.last(), count.checked_sub(1).map(round));
            assert!(packed.iter().eq((0..count).map(round)), "{count}");
            for index in 0..=count {
                assert_eq!(packed.get(index), (index < count).then(|| round(index)), "{count}");
                assert_eq!(packed.since(round(index).time), index, "{count}");
            }
        }
    }

    #[test]
    fn a_range_holds_its_rounds_wherever_it_begins_and_ends() {
        for (count, length) in [0, 1, 255, 256, 257, 700]
            .into_iter()
            .flat_map(|count| [0, 1, 255, 256, 600, usize::MAX].map(|length| (count, length)))
        {
            let packed = packed(count);
            for start in (0..=count + 2).step_by(3) {
                let range = start..start.saturating_add(length);
                let expected = (start..range.end.min(count)).map(round);
                assert!(packed.range(range.clone()).eq(expected), "{range:?} of {count}");
            }
        }
    }

    #[test]
    fn a_clone_does_not_change() {
        let mut packed = packed(700);
        let copy = packed.clone();
        packed.extend((700..1400).map(round));
        assert!(copy.iter().eq((0..700).map(round)));
        assert!(packed.iter().eq((0..1400).map(round)));
    }

    #[test]
    fn extremes_are_the_first_of_the_smallest_and_of_the_largest() {
        // 4001 is prime, so multipliers repeat only after 4001 rounds.
        let packed = packed(9000);
        for range in [0..9000, 1..8999, 255..257, 256..512, 300..301, 5000..5256, 8900..9000] {
            let cents = |at: &usize| round(*at).multiplier.cents();
            let low = range.clone().min_by_key(cents);
            let high = range.clone().rev().max_by_key(cents);
            assert_eq!(packed.extremes(range.clone()), low.zip(high), "{range:?}");
        }
        assert_eq!(packed.extremes(5..5), None);
        assert_eq!(packed.extremes(9000..9001), None);
    }
}
