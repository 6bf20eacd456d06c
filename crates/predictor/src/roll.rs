//! All rounds and what was forecast for the latest of them, as handlers read them.
//!
//! A snapshot carries the whole roll. It is cut into pieces that never change once they are full, so
//! a copy shares them and costs the same for a million rounds as for a thousand. A piece knows its
//! smallest and its largest multiplier, so a plot of everything does not look at everything.

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rounds::Round;

/// Rounds of a piece.
const PIECE: usize = 256;
/// Full pieces that still carry forecasts: more than any plot shows one by one.
const PIECES_WITH_FORECASTS: usize = 16;

/// What was forecast for a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Said {
    /// Both ends of the 80 % interval.
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    /// The point that was served.
    pub(crate) point: f64,
    /// Whether the interval held the round.
    pub(crate) inside: bool,
}

/// A round and its forecast, if it had one that is still kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    pub(crate) round: Round,
    pub(crate) said: Option<Said>,
}

/// Rounds in order; its copies are cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roll {
    full: Arc<Vec<Arc<Piece>>>,
    /// The newest, fewer than a piece.
    open: Vec<Row>,
}

#[derive(Debug)]
struct Piece {
    rounds: Vec<Round>,
    /// As many as there are rounds, or none at all.
    said: Vec<Option<Said>>,
    /// Where the smallest and the largest multiplier stand.
    extremes: (usize, usize),
}

impl Piece {
    fn of(rows: &[Row]) -> Self {
        let rounds: Vec<Round> = rows.iter().map(|row| row.round).collect();
        let extremes = extremes(0, &rounds).expect("a piece is full");
        Self { rounds, said: rows.iter().map(|row| row.said).collect(), extremes }
    }

    fn without_forecasts(&self) -> Self {
        Self { rounds: self.rounds.clone(), said: Vec::new(), extremes: self.extremes }
    }

    fn row(&self, at: usize) -> Row {
        Row { round: self.rounds[at], said: self.said.get(at).copied().flatten() }
    }
}

impl Roll {
    /// Adds the next round.
    pub(crate) fn push(&mut self, row: Row) {
        self.open.push(row);
        if self.open.len() < PIECE {
            return;
        }
        // Copied only while a snapshot shows it.
        let full = Arc::make_mut(&mut self.full);
        full.push(Arc::new(Piece::of(&self.open)));
        self.open.clear();
        if let Some(old) = full.len().checked_sub(PIECES_WITH_FORECASTS + 1) {
            full[old] = Arc::new(full[old].without_forecasts());
        }
    }

    /// How many rounds there are.
    pub(crate) fn len(&self) -> usize {
        self.full.len() * PIECE + self.open.len()
    }

    /// The round at this index.
    ///
    /// # Panics
    /// When there is none.
    pub(crate) fn row(&self, index: usize) -> Row {
        match self.full.get(index / PIECE) {
            Some(piece) => piece.row(index % PIECE),
            None => self.open[index - self.full.len() * PIECE],
        }
    }

    /// The newest rounds, so many or all, oldest first.
    pub(crate) fn newest(&self, count: usize) -> impl Iterator<Item = Row> + '_ {
        (self.len().saturating_sub(count)..self.len()).map(|index| self.row(index))
    }

    /// The index of the first round that ended at `time` or later.
    pub(crate) fn since(&self, time: DateTime<Utc>) -> usize {
        let is_earlier = |round: &Round| round.time < time;
        let pieces = self.full.partition_point(|piece| piece.rounds.last().is_some_and(is_earlier));
        let within = match self.full.get(pieces) {
            Some(piece) => piece.rounds.partition_point(is_earlier),
            None => self.open.partition_point(|row| is_earlier(&row.round)),
        };
        pieces * PIECE + within
    }

    /// Cuts the range into runs and gives the smallest and the largest multiplier of each, so that
    /// at most so many points stand for all of them; and the rounds of a run for each of its two
    /// points. Every round stands for itself when that is few enough.
    ///
    /// Runs begin at multiples of their length, so a further round moves no earlier point.
    pub(crate) fn thinned(&self, range: Range<usize>, points_max: usize) -> (usize, Vec<usize>) {
        let count = range.len();
        if count <= points_max {
            return (1, range.collect());
        }
        // One run more than fits exactly may be touched, as the first may begin before the range.
        let runs_max = (points_max / 2).saturating_sub(1).max(1);
        let step = count.div_ceil(runs_max).div_ceil(2);
        let run = 2 * step;
        let mut points = Vec::with_capacity(points_max + 2);
        let mut from = range.start;
        while from < range.end {
            let to = ((from / run + 1) * run).min(range.end);
            let Some((low, high)) = self.extremes(from..to) else { break };
            points.push(low.min(high));
            if low != high {
                points.push(low.max(high));
            }
            from = to;
        }
        (step, points)
    }

    /// Where the smallest and the largest multiplier of a range stand; the first of equal ones.
    fn extremes(&self, range: Range<usize>) -> Option<(usize, usize)> {
        let mut found: Option<(usize, usize)> = None;
        let mut at = range.start;
        while at < range.end {
            let start = at / PIECE * PIECE;
            let end = (start + PIECE).min(range.end);
            let here = match self.full.get(at / PIECE) {
                Some(piece) if at == start && end == start + PIECE => {
                    let (low, high) = piece.extremes;
                    Some((start + low, start + high))
                }
                Some(piece) => extremes(at, &piece.rounds[at - start..end - start]),
                None => {
                    let open = self.open[at - start..end - start].iter().map(|row| row.round);
                    extremes(at, &open.collect::<Vec<_>>())
                }
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
        let multiplier = |index| self.row(index).round.multiplier;
        (
            if multiplier(here.0) < multiplier(before.0) { here.0 } else { before.0 },
            if multiplier(here.1) > multiplier(before.1) { here.1 } else { before.1 },
        )
    }
}

fn extremes(first: usize, rounds: &[Round]) -> Option<(usize, usize)> {
    let (mut low, mut high) = (0, 0);
    for (index, round) in rounds.iter().enumerate() {
        if round.multiplier < rounds[low].multiplier {
            low = index;
        }
        if round.multiplier > rounds[high].multiplier {
            high = index;
        }
    }
    (!rounds.is_empty()).then_some((first + low, first + high))
}

#[cfg(test)]
mod tests {
    use rounds::Multiplier;

    use super::*;

    fn row(number: usize) -> Row {
        let seconds = i64::try_from(number).unwrap();
        let time = DateTime::from_timestamp(seconds, 0).unwrap();
        let cents = 100 + (number as u64 * 7919) % 4001;
        let said = Said { lo: 1.0, hi: 2.0, point: number as f64, inside: false };
        let round = Round { time, multiplier: Multiplier::from_cents(cents).unwrap() };
        Row { round, said: Some(said) }
    }

    fn roll(count: usize) -> Roll {
        let mut roll = Roll::default();
        (0..count).for_each(|number| roll.push(row(number)));
        roll
    }

    #[test]
    fn every_round_is_found_by_its_place_and_by_its_time() {
        for count in [0, 1, 255, 256, 257, 1000] {
            let roll = roll(count);
            assert_eq!(roll.len(), count);
            assert!((0..count).all(|index| roll.row(index) == row(index)), "{count}");
            for index in 0..=count {
                assert_eq!(roll.since(row(index).round.time), index, "{count}");
            }
            let newest: Vec<Row> = roll.newest(300).collect();
            let expected: Vec<Row> = (count.saturating_sub(300)..count).map(row).collect();
            assert_eq!(newest, expected, "{count}");
        }
    }

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut roll = roll(700);
        let copy = roll.clone();
        (700..1400).for_each(|number| roll.push(row(number)));
        assert_eq!(copy.len(), 700);
        assert!(copy.newest(700).eq((0..700).map(row)));
        assert!(roll.newest(1400).eq((0..1400).map(row)));
    }

    #[test]
    fn forecasts_of_at_least_the_last_four_thousand_rounds_are_kept() {
        let roll = roll(10_000);
        let kept = roll.newest(usize::MAX).filter(|row| row.said.is_some()).count();
        assert!((4000..5000).contains(&kept), "{kept}");
        assert!(roll.newest(4000).eq((6000..10_000).map(row)));
        assert_eq!(roll.row(0), Row { said: None, ..row(0) });
    }

    #[test]
    fn a_thinned_range_keeps_the_extremes_of_every_run() {
        for (count, range, points_max) in
            [(5000, 0..5000, 200), (5000, 37..4999, 100), (3000, 2999..3000, 2), (9000, 1..8999, 2)]
        {
            let roll = roll(count);
            let (step, points) = roll.thinned(range.clone(), points_max);
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
    fn few_rounds_stand_for_themselves() {
        assert_eq!(roll(500).thinned(10..210, 200), (1, (10..210).collect()));
        assert_eq!(roll(5).thinned(5..5, 200), (1, Vec::new()));
    }

    #[test]
    fn a_further_round_moves_no_earlier_point() {
        let (mut roll, points_max) = (roll(5000), 100);
        let (step, before) = roll.thinned(0..5000, points_max);
        roll.push(row(5000));
        let (same, after) = roll.thinned(0..5001, points_max);
        assert_eq!(step, same);
        let settled = |points: &[usize]| {
            let last_run = 4999 / (2 * step) * (2 * step);
            points.iter().copied().filter(|&at| at < last_run).collect::<Vec<_>>()
        };
        assert_eq!(settled(&before), settled(&after));
    }
}
