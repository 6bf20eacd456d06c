//! All rounds, and the forecasts for the latest of them.
//!
//! Every snapshot holds the whole history and shares the chunks that no longer change.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rounds::Round;

use crate::input::compact_rounds::CompactRounds;

/// Forecasts in a chunk.
const CHUNK_ROUNDS: usize = 256;
/// Number of full chunks of forecasts in memory: more than any plot shows individually.
const CHUNKS_KEPT: usize = 16;

/// The served forecast for a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ServedInterval {
    /// Both ends of the 80 % interval.
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    /// The served point.
    pub(crate) point: f64,
    /// Whether the interval held the round.
    pub(crate) inside: bool,
}

/// A round and its forecast, if that is still in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HistoryRow {
    pub(crate) round: Round,
    pub(crate) forecast: Option<ServedInterval>,
}

/// The forecasts for the latest rounds; cheap to clone.
///
/// Chunked like [`CompactRounds`], but not packed, and the oldest chunks are dropped. A container
/// for both would save little more than the division by the length of a chunk.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentForecasts {
    /// Index of the first round with a forecast in memory.
    from: usize,
    full: VecDeque<Arc<[Option<ServedInterval>]>>,
    /// The newest forecasts, fewer than a chunk.
    open: Vec<Option<ServedInterval>>,
}

impl RecentForecasts {
    /// Adds the forecast for the next round, if there was one.
    pub(crate) fn push(&mut self, forecast: Option<ServedInterval>) {
        self.open.push(forecast);
        if self.open.len() < CHUNK_ROUNDS {
            return;
        }
        self.full.push_back(Arc::from(self.open.as_slice()));
        self.open.clear();
        if self.full.len() > CHUNKS_KEPT {
            self.full.pop_front();
            self.from += CHUNK_ROUNDS;
        }
    }

    fn get(&self, index: usize) -> Option<ServedInterval> {
        let at = index.checked_sub(self.from)?;
        let chunk = self.full.get(at / CHUNK_ROUNDS).map(|chunk| &**chunk);
        *chunk.unwrap_or(&self.open).get(at % CHUNK_ROUNDS)?
    }

    /// Returns the number of rounds added.
    fn len(&self) -> usize {
        self.from + self.full.len() * CHUNK_ROUNDS + self.open.len()
    }
}

/// Rounds in order and the forecasts for them; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundHistory {
    /// May hold more rounds than the history covers.
    rounds: CompactRounds,
    forecasts: RecentForecasts,
}

impl RoundHistory {
    /// Returns the history of the first of these rounds, as many as `forecasts` has entries.
    pub(crate) fn new(rounds: CompactRounds, forecasts: RecentForecasts) -> Self {
        Self { rounds, forecasts }
    }

    /// Returns the number of rounds.
    pub(crate) fn len(&self) -> usize {
        self.forecasts.len()
    }

    /// Returns the rows of a range, oldest first; a range may reach beyond the last row.
    pub(crate) fn range(&self, range: Range<usize>) -> impl Iterator<Item = HistoryRow> + '_ {
        let range = range.start..range.end.min(self.len());
        let rounds = self.rounds.range(range.clone());
        (range.start..)
            .zip(rounds)
            .map(|(at, round)| HistoryRow { round, forecast: self.forecasts.get(at) })
    }

    /// Returns the row at this index.
    pub(crate) fn row(&self, index: usize) -> Option<HistoryRow> {
        self.range(index..index.saturating_add(1)).next()
    }

    /// Returns the newest rounds, at most `count`, oldest first.
    pub(crate) fn newest(&self, count: usize) -> impl Iterator<Item = HistoryRow> + '_ {
        self.range(self.len().saturating_sub(count)..self.len())
    }

    /// Returns the index of the first round that ended at `time` or later.
    pub(crate) fn since(&self, time: DateTime<Utc>) -> usize {
        self.rounds.since(time).min(self.len())
    }

    /// Thins a range to at most `points_max` rounds: returns half the length of a run, and the indices
    /// of the smallest and the largest multiplier of each run; or 1 and all indices if they are few
    /// enough.
    ///
    /// Runs begin at multiples of their length, so a further round moves no earlier point.
    pub(crate) fn thinned(&self, range: Range<usize>, points_max: usize) -> (usize, Vec<usize>) {
        let count = range.len();
        if count <= points_max {
            return (1, range.collect());
        }
        // The range may touch one run more than its length suggests, because the first run may
        // begin before it.
        let runs_max = (points_max / 2).saturating_sub(1).max(1);
        let step = count.div_ceil(runs_max).div_ceil(2);
        let run = 2 * step;
        let mut points = Vec::with_capacity(points_max + 2);
        let mut from = range.start;
        while from < range.end {
            let to = ((from / run + 1) * run).min(range.end);
            let Some((low, high)) = self.rounds.extremes(from..to) else { break };
            points.push(low.min(high));
            if low != high {
                points.push(low.max(high));
            }
            from = to;
        }
        (step, points)
    }
}

#[cfg(test)]
mod tests {
    use rounds::Multiplier;

    use super::*;

    fn row(number: usize) -> HistoryRow {
        let seconds = i64::try_from(number).unwrap();
        let time = DateTime::from_timestamp(seconds, 0).unwrap();
        let cents = 100 + (number as u64 * 7919) % 4001;
        let forecast = ServedInterval { lo: 1.0, hi: 2.0, point: number as f64, inside: false };
        let round = Round { time, multiplier: Multiplier::from_cents(cents).unwrap() };
        HistoryRow { round, forecast: Some(forecast) }
    }

    fn history_of(count: usize) -> RoundHistory {
        let mut forecasts = RecentForecasts::default();
        (0..count).for_each(|number| forecasts.push(row(number).forecast));
        // There are no forecasts for the last rounds yet.
        RoundHistory::new((0..count + 300).map(|number| row(number).round).collect(), forecasts)
    }

    #[test]
    fn every_round_is_found_by_its_index_and_by_its_time() {
        for count in [0, 1, 255, 256, 257, 1000] {
            let history = history_of(count);
            assert_eq!(history.len(), count);
            assert!((0..count).all(|index| history.row(index) == Some(row(index))), "{count}");
            for index in 0..=count {
                assert_eq!(history.since(row(index).round.time), index, "{count}");
            }
            let newest: Vec<HistoryRow> = history.newest(300).collect();
            let expected: Vec<HistoryRow> = (count.saturating_sub(300)..count).map(row).collect();
            assert_eq!(newest, expected, "{count}");
        }
    }

    #[test]
    fn forecasts_of_at_least_the_last_four_thousand_rounds_are_kept() {
        let history = history_of(10_000);
        let known = history.newest(usize::MAX).filter(|row| row.forecast.is_some()).count();
        assert!((4000..5000).contains(&known), "{known}");
        assert!(history.newest(4000).eq((6000..10_000).map(row)));
        assert_eq!(history.row(0), Some(HistoryRow { forecast: None, ..row(0) }));
    }

    #[test]
    fn a_thinned_range_keeps_the_extremes_of_every_run() {
        for (count, range, points_max) in
            [(5000, 0..5000, 200), (5000, 37..4999, 100), (3000, 2999..3000, 2), (9000, 1..8999, 2)]
        {
            let history = history_of(count);
            let (step, points) = history.thinned(range.clone(), points_max);
            assert!(points.len() <= points_max.max(4), "{} of {points_max}", points.len());
            assert!(points.is_sorted_by(|a, b| a < b));
            let mut expected = Vec::new();
            for run in (0..count).step_by(2 * step) {
                let run = run.max(range.start)..(run + 2 * step).min(range.end);
                let low = run.clone().min_by_key(|&at| row(at).round.multiplier.cents());
                let high = run.rev().max_by_key(|&at| row(at).round.multiplier.cents());
                let mut both: Vec<usize> = low.into_iter().chain(high).collect();
                both.sort_unstable();
                both.dedup();
                expected.extend(both);
            }
            if step > 1 {
                assert_eq!(points, expected, "{range:?}");
            }
        }
    }

    #[test]
    fn few_rounds_are_not_thinned() {
        assert_eq!(history_of(500).thinned(10..210, 200), (1, (10..210).collect()));
        assert_eq!(history_of(5).thinned(5..5, 200), (1, Vec::new()));
    }

    #[test]
    fn a_further_round_moves_no_earlier_point() {
        let points_max = 100;
        let (step, before) = history_of(5000).thinned(0..5000, points_max);
        let (same, after) = history_of(5001).thinned(0..5001, points_max);
        assert_eq!(step, same);
        let settled = |points: &[usize]| {
            let last_run = 4999 / (2 * step) * (2 * step);
            points.iter().copied().filter(|&at| at < last_run).collect::<Vec<_>>()
        };
        assert_eq!(settled(&before), settled(&after));
    }
}
