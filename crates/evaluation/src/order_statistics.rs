//! Order statistics of all rounds so far: ranks and quantiles in O(log n), however heavy the tail.

use serde::{Deserialize, Serialize};

use crate::{ln_multiplier, multiplier};

/// Each multiplier below 164.84x has its own slot; 99.4 % of fair rounds fall into these.
const DENSE: usize = 16_384;

/// From 164.84x up, 64 slots for each doubling of the offset, each with a short list of multipliers.
const PER_DOUBLING: u64 = 64;
const FIRST_EXPONENT: u32 = 14;
const SLOTS: usize = DENSE + 50 * 64;

/// ln M is stored in whole units of 2^-36, so that sums do not depend on the order of addition.
const LN_UNITS: f64 = 68_719_476_736.0;

/// The multipliers of all rounds so far, ordered by size.
///
/// Two Fenwick trees (Fenwick 1994) over slots of multipliers hold the counts and the sums of ln M.
/// They are serialised as plain counts, about 100 kB after a million fair rounds, and rebuilt from
/// them in one pass.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "StoredCounts", into = "StoredCounts")]
pub(crate) struct OrderStatistics {
    rounds: u64,
    counts: Vec<u64>,
    ln_sums: Vec<u64>,
    /// Per slot from `DENSE` up: multipliers and their counts, ascending.
    tail: Vec<Vec<(u64, u64)>>,
}

/// The stored form: counts from 1.00x up, then the tail.
#[derive(Clone, Serialize, Deserialize)]
struct StoredCounts {
    dense: Vec<u64>,
    tail: Vec<(u64, u64)>,
}

/// The rank of a multiplier among the rounds so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rank {
    /// Rounds below.
    pub(crate) below: u64,
    /// Rounds of exactly this multiplier.
    pub(crate) equal: u64,
    /// The sum of ln M of the rounds below.
    pub(crate) ln_below: f64,
}

impl OrderStatistics {
    pub(crate) fn new() -> Self {
        Self {
            rounds: 0,
            counts: vec![0; SLOTS + 1],
            ln_sums: vec![0; SLOTS + 1],
            tail: vec![Vec::new(); SLOTS - DENSE],
        }
    }

    /// Returns the number of rounds.
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns the sum of ln M of all rounds.
    pub(crate) fn ln_total(&self) -> f64 {
        prefix(&self.ln_sums, SLOTS) as f64 / LN_UNITS
    }

    /// Returns the rank of a round of `cents` among those so far.
    pub(crate) fn rank(&self, cents: u64) -> Rank {
        let slot = slot(cents);
        let mut below = prefix(&self.counts, slot);
        let mut ln_below = prefix(&self.ln_sums, slot);
        let mut equal = prefix(&self.counts, slot + 1) - below;
        if slot >= DENSE {
            let list = &self.tail[slot - DENSE];
            let place = list.partition_point(|&(other, _)| other < cents);
            below += list[..place].iter().map(|&(_, count)| count).sum::<u64>();
            ln_below += list[..place].iter().map(|&(other, n)| n * ln_units(other)).sum::<u64>();
            equal = list.get(place).filter(|&&(other, _)| other == cents).map_or(0, |&(_, n)| n);
        }
        Rank { below, equal, ln_below: ln_below as f64 / LN_UNITS }
    }

    /// Adds a round.
    pub(crate) fn insert(&mut self, cents: u64) {
        self.insert_many(cents, 1);
    }

    fn insert_many(&mut self, cents: u64, count: u64) {
        let slot = slot(cents);
        if slot >= DENSE {
            let list = &mut self.tail[slot - DENSE];
            let place = list.partition_point(|&(other, _)| other < cents);
            match list.get_mut(place) {
                Some((other, known)) if *other == cents => *known += count,
                _ => list.insert(place, (cents, count)),
            }
        }
        self.rounds += count;
        add(&mut self.counts, slot, count);
        add(&mut self.ln_sums, slot, count * ln_units(cents));
    }

    /// Returns the multiplier at the 0-based position `place` in ascending order, in cents.
    pub(crate) fn nth(&self, place: u64) -> Option<u64> {
        if place >= self.rounds {
            return None;
        }
        let (slot, mut left) = descend(&self.counts, place);
        if slot < DENSE {
            return Some(slot as u64 + 100);
        }
        for &(cents, count) in &self.tail[slot - DENSE] {
            if left < count {
                return Some(cents);
            }
            left -= count;
        }
        None
    }

    /// Returns the median as a multiplier: the mean of the middle two for an even number of rounds.
    pub(crate) fn median(&self) -> Option<f64> {
        let upper = self.nth(self.rounds / 2)?;
        if self.rounds % 2 == 1 {
            return Some(multiplier(upper));
        }
        let lower = self.nth(self.rounds / 2 - 1)?;
        Some(multiplier(lower).midpoint(multiplier(upper)))
    }
}

impl From<StoredCounts> for OrderStatistics {
    fn from(stored: StoredCounts) -> Self {
        let mut sizes = Self::new();
        for (cents, count) in (100..).zip(stored.dense).take(DENSE).chain(stored.tail) {
            if count > 0 {
                sizes.insert_many(cents, count);
            }
        }
        sizes
    }
}

impl From<OrderStatistics> for StoredCounts {
    fn from(sizes: OrderStatistics) -> Self {
        let mut dense = Vec::with_capacity(DENSE);
        let mut before = 0;
        for slot in 1..=DENSE {
            let upto = prefix(&sizes.counts, slot);
            dense.push(upto - before);
            before = upto;
        }
        while dense.last() == Some(&0) {
            dense.pop();
        }
        Self { dense, tail: sizes.tail.into_iter().flatten().collect() }
    }
}

/// Returns the slot of a multiplier; anything below 1.00x counts as 1.00x.
fn slot(cents: u64) -> usize {
    let offset = cents.max(100) - 100;
    let place = if offset < DENSE as u64 {
        offset
    } else {
        let exponent = offset.ilog2();
        let within = (offset >> (exponent - 6)) % PER_DOUBLING;
        DENSE as u64 + u64::from(exponent - FIRST_EXPONENT) * PER_DOUBLING + within
    };
    usize::try_from(place).expect("there are fewer than 20,000 slots")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 <= ln M < 40, so the product fits"
)]
fn ln_units(cents: u64) -> u64 {
    (ln_multiplier(cents) * LN_UNITS).round() as u64
}

/// Returns the sum of the first `slots` slots.
fn prefix(tree: &[u64], slots: usize) -> u64 {
    let mut sum = 0;
    let mut i = slots;
    while i > 0 {
        sum += tree[i];
        i &= i - 1;
    }
    sum
}

fn add(tree: &mut [u64], slot: usize, amount: u64) {
    let mut i = slot + 1;
    while i < tree.len() {
        tree[i] += amount;
        i += i & i.wrapping_neg();
    }
}

/// Returns the slot that contains position `place`, and the position within that slot.
fn descend(tree: &[u64], place: u64) -> (usize, u64) {
    let mut slot = 0;
    let mut left = place;
    let mut step = tree.len().next_power_of_two() / 2;
    while step > 0 {
        if slot + step < tree.len() && tree[slot + step] <= left {
            slot += step;
            left -= tree[slot];
        }
        step /= 2;
    }
    (slot, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pit::SplitMix64;

    /// Rounds over all magnitudes, with many ties.
    fn rounds() -> Vec<u64> {
        let mut random = SplitMix64::new(5);
        (0..3000)
            .map(|_| 100 + (random.next_u64() >> (24 + random.next_u64() % 40)) / 7 * 7)
            .collect()
    }

    #[test]
    fn ranks_equal_a_direct_count() {
        let mut sizes = OrderStatistics::new();
        let mut seen: Vec<u64> = Vec::new();
        for cents in rounds() {
            let rank = sizes.rank(cents);
            let below: Vec<u64> = seen.iter().copied().filter(|&other| other < cents).collect();
            let ln_below: f64 = below.iter().map(|&other| ln_multiplier(other)).sum();
            assert_eq!(rank.below, below.len() as u64);
            assert_eq!(rank.equal, seen.iter().filter(|&&other| other == cents).count() as u64);
            assert!((rank.ln_below - ln_below).abs() < 1e-6);
            sizes.insert(cents);
            seen.push(cents);
        }
        seen.sort_unstable();
        for (place, &cents) in (0..).zip(&seen) {
            assert_eq!(sizes.nth(place), Some(cents));
        }
        assert_eq!(sizes.nth(sizes.rounds()), None);
    }

    #[test]
    fn serialising_and_restoring_changes_nothing() {
        let mut sizes = OrderStatistics::new();
        for cents in rounds() {
            sizes.insert(cents);
        }
        let text = serde_json::to_string(&sizes).unwrap();
        let back: OrderStatistics = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (back.counts, back.ln_sums, back.tail),
            (sizes.counts, sizes.ln_sums, sizes.tail)
        );
    }

    #[test]
    fn slots_rise_with_the_multiplier() {
        let mut last = 0;
        for cents in (100..200_000).chain((200_000..100_000_000).step_by(777)) {
            assert!(slot(cents) >= last && slot(cents) < SLOTS);
            last = slot(cents);
        }
        assert!(slot(u64::MAX) < SLOTS);
    }
}
