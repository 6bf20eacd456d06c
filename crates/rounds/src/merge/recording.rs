//! A file, or several merged files, as one recording in order of time.

use std::borrow::Cow;
use std::ops::Range;

use crate::round::Round;

/// Number of times compared to estimate the resolution and the pace.
const SAMPLE: usize = 512;
/// Resolution of times without seconds, in milliseconds.
const MINUTE: i64 = 60_000;

/// Rounds of one clock in order of time.
#[derive(Debug)]
pub(super) struct Recording<'a> {
    pub(super) rounds: Cow<'a, [Round]>,
    /// The files in it with the offset of the recording's clock from theirs, in milliseconds.
    pub(super) files: Vec<(u32, i64)>,
    /// The file of each round; empty while there is only one.
    owners: Vec<u32>,
    /// Resolution of its times in milliseconds: 1, 1,000 or 60,000.
    pub(super) resolution: i64,
}

/// A round in the form in which recordings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Time in milliseconds.
    pub(super) ms: i64,
    /// Multiplier in hundredths.
    pub(super) cents: u64,
    /// Whether several rounds have this time. They form a strip: rounds of a list that was scraped
    /// at once, whose common time is that of the scrape.
    pub(super) is_estimate: bool,
}

impl<'a> Recording<'a> {
    /// The rounds of one file, which must be in order of time.
    pub(super) fn new(file: u32, rounds: Cow<'a, [Round]>) -> Self {
        let resolution = resolution(&rounds);
        Self { rounds, files: vec![(file, 0)], owners: Vec::new(), resolution }
    }

    pub(super) fn len(&self) -> usize {
        self.rounds.len()
    }

    /// Returns the index of its first file.
    pub(super) fn first_file(&self) -> u32 {
        self.files[0].0
    }

    /// Returns the file of the round at `index`.
    pub(super) fn owner(&self, index: usize) -> u32 {
        self.owners.get(index).copied().unwrap_or(self.files[0].0)
    }

    /// Returns the correction of the times of `file` to the clock of the recording.
    pub(super) fn offset_of(&self, file: u32) -> i64 {
        self.files.iter().find(|(other, _)| *other == file).map_or(0, |(_, offset)| *offset)
    }

    pub(super) fn ms(&self, index: usize) -> i64 {
        self.rounds[index].time.timestamp_millis()
    }

    /// Returns the times of the first and the last round in milliseconds.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        Some((self.rounds.first()?.time, self.rounds.last()?.time))
            .map(|(first, last)| (first.timestamp_millis(), last.timestamp_millis()))
    }

    /// Returns the index of the first round at or after a time.
    pub(super) fn at(&self, ms: i64) -> usize {
        self.rounds.partition_point(|round| round.time.timestamp_millis() < ms)
    }

    /// Returns the indices of the rounds from one time to another, both included.
    pub(super) fn between(&self, from: i64, to: i64) -> Range<usize> {
        let start = self.at(from);
        start..self.at(to.saturating_add(1)).max(start)
    }

    /// Returns whether other rounds have the same time.
    pub(super) fn is_estimate(&self, index: usize) -> bool {
        let time = self.rounds[index].time;
        let has_time = |index: usize| self.rounds.get(index).is_some_and(|it| it.time == time);
        has_time(index + 1) || index.checked_sub(1).is_some_and(has_time)
    }

    pub(super) fn mark(&self, index: usize) -> Mark {
        let round = &self.rounds[index];
        Mark {
            ms: round.time.timestamp_millis(),
            cents: round.multiplier.cents(),
            is_estimate: self.is_estimate(index),
        }
    }

    pub(super) fn marks(&self, range: Range<usize>) -> Vec<Mark> {
        range.map(|index| self.mark(index)).collect()
    }

    /// Returns whether its times are whole minutes.
    pub(super) fn is_coarse(&self) -> bool {
        self.resolution >= MINUTE
    }

    /// Returns sampled times between neighbours in milliseconds, in ascending order; strips left out.
    pub(super) fn gaps(&self) -> Vec<i64> {
        let step = (self.len() / SAMPLE).max(1);
        let mut gaps: Vec<i64> = (1..self.len())
            .step_by(step)
            .map(|index| self.ms(index) - self.ms(index - 1))
            .filter(|gap| *gap > 0)
            .collect();
        gaps.sort_unstable();
        gaps
    }

    /// Replaces a range of the rounds by these, each with its file.
    pub(super) fn replace(&mut self, range: Range<usize>, with: Vec<(Round, u32)>) {
        if self.owners.is_empty() {
            self.owners = vec![self.files[0].0; self.rounds.len()];
        }
        self.owners.splice(range.clone(), with.iter().map(|(_, owner)| *owner));
        self.rounds.to_mut().splice(range, with.into_iter().map(|(round, _)| round));
    }

    /// Keeps the rounds whose index is not in `dropped`, which is in ascending order.
    pub(super) fn drop_rounds(&mut self, dropped: &[usize]) {
        let mut next = dropped.iter().copied().peekable();
        let mut kept = Vec::with_capacity(self.len() - dropped.len());
        let mut owners = Vec::with_capacity(self.owners.len());
        for index in 0..self.len() {
            if next.next_if_eq(&index).is_none() {
                kept.push(self.rounds[index]);
                owners.extend(self.owners.get(index));
            }
        }
        self.rounds = Cow::Owned(kept);
        self.owners = owners;
    }
}

fn resolution(rounds: &[Round]) -> i64 {
    let step = (rounds.len() / SAMPLE).max(1);
    let is_whole = |unit: i64| {
        rounds.iter().step_by(step).all(|round| round.time.timestamp_millis() % unit == 0)
    };
    match (is_whole(1000), is_whole(MINUTE)) {
        (true, true) if rounds.len() >= 10 => MINUTE,
        (true, _) => 1000,
        _ => 1,
    }
}
