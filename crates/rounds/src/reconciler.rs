//! Rounds that several files of a table report while they grow: each counts once, at once.
//!
//! [`merge`](crate::merge()) compares whole files. Between two merges a [`Reconciler`] knows which
//! files record the same rounds and how their clocks differ, so a row at the end of a file is
//! settled by the newest rounds alone.

mod trial;

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::merge::{FileRounds, Merged};
use crate::round::Round;

use trial::{Outcome, Seen, Trial};

/// Newest rounds of the series that rows are compared with.
const RECENT_MAX: usize = 256;
/// Largest difference of two reports of one round.
const OBSERVED_MAX: TimeDelta = TimeDelta::seconds(8);
/// The same in a game of the fastest pace.
const OBSERVED_MIN: TimeDelta = TimeDelta::milliseconds(400);
/// Largest difference of two clocks that are not yet known to differ.
const CLOCKS: TimeDelta = TimeDelta::minutes(15);
/// The known clock difference follows a newly observed one by one part in this many, because clocks
/// drift slowly.
const FOLLOW: i32 = 4;

/// What rows at the end of a file mean for the series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// The series goes on with these rounds, by its own clock; the other rows are left out.
    Append(Vec<Round>),
    /// Only [`merge`](crate::merge()) can decide: rows are older than the newest round, or files
    /// have just proved to record the same rounds. Create a new `Reconciler` afterwards.
    Merge,
}

/// Settles rows at the end of growing files against the newest rounds of the series.
///
/// Of a row of a file whose clock is known (see [`Merged::clocks`]) one of these holds:
///
/// - another file has reported the round, at about that time by the corrected clock: it is left
///   out, whichever recorder was first;
/// - another file has reported another multiplier for it: it is left out and counted as a conflict;
/// - it is newer than all rounds: it continues the series;
/// - otherwise a merge must find its place.
///
/// Rows of a file that is not known to record the same rounds as others continue the series if they
/// are newer than all of it. While two such files grow in turn, rows that repeat multipliers of the
/// other file in its order are held back until chance is ruled out (then a merge aligns the files)
/// or the order breaks (then a merge counts them).
#[derive(Debug, Clone, Default)]
pub struct Reconciler {
    recent: VecDeque<Known>,
    /// Number of the first of `recent` since the start.
    first: u64,
    /// Index of each file in `states`.
    files: HashMap<String, usize>,
    states: Vec<GrowingFile>,
    /// Number of the next recording without aligned files.
    recordings: u32,
    arrivals: u64,
    left_out: u64,
    conflicts: u64,
}

/// A round of the series and the recording it belongs to.
#[derive(Debug, Clone)]
struct Known {
    round: Round,
    recording: u32,
    /// The file whose report was taken.
    file: usize,
}

/// What is known about a growing file.
#[derive(Debug, Clone)]
struct GrowingFile {
    id: usize,
    recording: u32,
    /// Its clock is that of the series.
    is_reference: bool,
    /// To be added to its times.
    correction: TimeDelta,
    /// Number of the round its latest row was settled by, plus one.
    next: u64,
    /// When its latest row arrived, in numbers of rows.
    arrival: Option<u64>,
    trial: Trial,
}

/// The decision about one row.
enum Settled {
    New(Round),
    Known { number: u64, clock: Option<TimeDelta> },
    Conflict(u64),
    Held,
    Merge,
}

impl Reconciler {
    /// Starts from a merge of these files.
    pub fn new(files: &[FileRounds<'_>], merged: &Merged) -> Self {
        let mut reconciler = Self::default();
        let from = merged.rounds.len().saturating_sub(RECENT_MAX);
        let mut recordings: HashMap<&str, u32> = HashMap::new();
        for clock in &merged.clocks {
            let next = u32::try_from(recordings.len()).unwrap_or(u32::MAX);
            let recording = *recordings.entry(&clock.recording).or_insert(next);
            reconciler.recordings = reconciler.recordings.max(recording + 1);
            let is_reference = clock.file == clock.recording;
            reconciler.enter_file(&clock.file, recording);
            if let Some(state) = reconciler.states.last_mut() {
                (state.is_reference, state.correction) = (is_reference, clock.correction);
            }
        }
        let newest = &merged.rounds[from..];
        let oldest = newest.first().map(|round| round.time);
        for file in files {
            let is_live = file.rounds.last().is_some_and(|last| oldest <= Some(last.time));
            if is_live && !reconciler.files.contains_key(file.file) {
                reconciler.enter_alone(file.file);
            }
        }
        let owners = reconciler.owners(files, newest);
        for (round, (file, recording)) in newest.iter().zip(owners) {
            reconciler.recent.push_back(Known { round: *round, recording, file });
        }
        for file in files {
            reconciler.resume(file);
        }
        reconciler
    }

    /// Starts again from a merge, and keeps what is known of files that it did not align.
    #[must_use]
    pub fn renewed(&self, files: &[FileRounds<'_>], merged: &Merged) -> Self {
        let mut reconciler = Self::new(files, merged);
        let aligned: HashSet<&str> = merged.clocks.iter().map(|it| it.file.as_str()).collect();
        reconciler.arrivals = self.arrivals;
        for file in files.iter().filter(|file| !aligned.contains(file.file)) {
            let (Some(old), Some(&new)) = (self.state(file.file), reconciler.files.get(file.file))
            else {
                continue;
            };
            let repeated = old.trial.next().checked_sub(1);
            let repeated = repeated.and_then(|number| self.numbered(number).next());
            let time = repeated.map(|(_, known)| known.round.time);
            let seen = reconciler.recent.iter().take_while(|it| Some(it.round.time) <= time);
            let next = reconciler.first + seen.count() as u64;
            let state = &mut reconciler.states[new];
            (state.arrival, state.trial) = (old.arrival, old.trial.resumed(next));
        }
        reconciler
    }

    /// Rows left out so far: repeated, conflicting or held back.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Rows left out so far because another file reports another multiplier.
    pub fn conflicts(&self) -> u64 {
        self.conflicts
    }

    /// Settles rows at the end of a file, in their order.
    pub fn append(&mut self, file: &str, rows: &[Round]) -> Intake {
        let index = match self.files.get(file) {
            Some(index) => *index,
            None => self.enter_alone(file),
        };
        let mut new = Vec::new();
        for row in rows {
            match self.settle(index, row) {
                Settled::New(round) => {
                    new.push(round);
                    self.push(round, index);
                    self.states[index].next = self.first + self.recent.len() as u64;
                }
                Settled::Known { number, clock } => {
                    self.states[index].next = number + 1;
                    self.follow(index, number, clock);
                    self.left_out += 1;
                }
                Settled::Conflict(number) => {
                    self.states[index].next = number + 1;
                    self.left_out += 1;
                    self.conflicts += 1;
                }
                Settled::Held => self.left_out += 1,
                Settled::Merge => return Intake::Merge,
            }
            self.arrivals += 1;
            self.states[index].arrival = Some(self.arrivals);
        }
        Intake::Append(new)
    }

    /// Corrects a file's clock by a round that two files report; of the two, the reference file
    /// keeps its clock.
    fn follow(&mut self, index: usize, number: u64, clock: Option<TimeDelta>) {
        let Some(ahead) = clock else { return };
        if !self.states[index].is_reference {
            self.states[index].correction += ahead / FOLLOW;
            return;
        }
        let reported = self.numbered(number).next().map(|(_, known)| known.file);
        let other = reported.and_then(|file| self.states.get_mut(file));
        if let Some(other) = other.filter(|other| !other.is_reference) {
            other.correction -= ahead / FOLLOW;
        }
    }

    fn settle(&mut self, index: usize, row: &Round) -> Settled {
        let state = &self.states[index];
        let time = row.time + state.correction;
        let mut here: Vec<(u64, &Known)> = self.here(state, time).collect();
        here.sort_by_key(|(_, known)| (known.round.time - time).abs());
        if let Some((number, known)) = here.iter().find(|(_, known)| is_equal(known, row)) {
            return Settled::Known { number: *number, clock: Some(known.round.time - time) };
        }
        if let Some((number, _)) = here.first() {
            return Settled::Conflict(*number);
        }
        if let Some(number) = self.same(state, row) {
            return Settled::Known { number, clock: None };
        }
        let is_newest = self.recent.back().is_none_or(|newest| {
            newest.round.time < time || (newest.round.time == time && newest.file == index)
        });
        if self.grows_in_turn(state) {
            let seen = self.seen(state, row, is_newest);
            match self.states[index].trial.enter(row, &seen) {
                Outcome::Held => return Settled::Held,
                Outcome::Decided => return Settled::Merge,
                Outcome::Unlike => {}
            }
        }
        if is_newest { Settled::New(Round { time, ..*row }) } else { Settled::Merge }
    }

    /// Returns the rounds of other recordings that a row may repeat.
    fn seen(&self, state: &GrowingFile, row: &Round, is_newest: bool) -> Seen {
        let is_other = |known: &Known| known.recording != state.recording;
        let equal = self
            .numbered(state.trial.next())
            .filter(|(_, known)| {
                is_other(known)
                    && (known.round.time - row.time).abs() <= CLOCKS
                    && is_equal(known, row)
            })
            .map(|(number, known)| (number, known.round));
        let others = self.states.iter().filter(|other| other.recording != state.recording);
        Seen {
            equal: equal.collect(),
            is_newest,
            share: self.share(row),
            newest: self.recent.iter().rev().find(|it| is_other(it)).map(|it| it.round.time),
            evidence: others.map(|other| state.trial.evidence_against(&other.trial)).sum(),
        }
    }

    /// Rounds of the same recording, reported by other files, at about a time.
    fn here<'s>(
        &'s self,
        state: &'s GrowingFile,
        time: DateTime<Utc>,
    ) -> impl Iterator<Item = (u64, &'s Known)> {
        let tolerance = self.tolerance();
        self.numbered(state.next).filter(move |(_, known)| {
            known.recording == state.recording
                && known.file != state.id
                && (known.round.time - time).abs() <= tolerance
        })
    }

    /// A round of another recording with the same time and multiplier.
    fn same(&self, state: &GrowingFile, row: &Round) -> Option<u64> {
        let is_same = |known: &Known| known.round.time == row.time && is_equal(known, row);
        let mut others = self.numbered(state.next);
        others
            .find(|(_, known)| known.recording != state.recording && is_same(known))
            .map(|(number, _)| number)
    }

    /// Whether a file that is not aligned with this one has grown since this one did.
    fn grows_in_turn(&self, state: &GrowingFile) -> bool {
        state.arrival.is_some_and(|own| {
            let others = self.states.iter().filter(|other| other.recording != state.recording);
            others.filter_map(|other| other.arrival).any(|arrival| arrival > own)
        })
    }

    /// The newest rounds from a number on, with their numbers.
    fn numbered(&self, from: u64) -> impl Iterator<Item = (u64, &Known)> {
        let skipped = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let skipped = skipped.min(self.recent.len());
        (self.first + skipped as u64..).zip(self.recent.range(skipped..))
    }

    /// 0.7 of the fastest pace, the 20-quantile of times between rounds.
    fn tolerance(&self) -> TimeDelta {
        let pairs = self.recent.iter().zip(self.recent.iter().skip(1));
        let mut gaps: Vec<TimeDelta> = pairs
            .map(|(a, b)| b.round.time - a.round.time)
            .filter(|gap| *gap > TimeDelta::zero())
            .collect();
        gaps.sort_unstable();
        let pace = gaps.get(gaps.len() / 20).copied().unwrap_or(OBSERVED_MAX * 2);
        (pace * 7 / 10).clamp(OBSERVED_MIN, OBSERVED_MAX)
    }

    /// Returns the share of a multiplier among the newest rounds, rather over- than underestimated.
    fn share(&self, row: &Round) -> f64 {
        let equal = self.recent.iter().filter(|known| is_equal(known, row)).count();
        (equal + 1) as f64 / (self.recent.len() + 1) as f64
    }

    fn push(&mut self, round: Round, file: usize) {
        let recording = self.states[file].recording;
        self.recent.push_back(Known { round, recording, file });
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
            self.first += 1;
        }
    }

    /// Enters a file that is not aligned with another one.
    fn enter_alone(&mut self, file: &str) -> usize {
        let recording = self.recordings;
        self.recordings += 1;
        self.enter_file(file, recording)
    }

    fn enter_file(&mut self, file: &str, recording: u32) -> usize {
        let id = self.states.len();
        self.states.push(GrowingFile {
            id,
            recording,
            is_reference: true,
            correction: TimeDelta::zero(),
            next: 0,
            arrival: None,
            trial: Trial::default(),
        });
        self.files.insert(file.to_owned(), id);
        id
    }

    fn state(&self, file: &str) -> Option<&GrowingFile> {
        self.states.get(*self.files.get(file)?)
    }

    /// For each of the newest rounds the file, and its recording, that holds it; nothing of a
    /// round that no file holds as it is in the series.
    fn owners(&self, files: &[FileRounds<'_>], newest: &[Round]) -> Vec<(usize, u32)> {
        let mut owners: HashMap<Round, (usize, u32)> = HashMap::new();
        for file in files {
            let Some(state) = self.state(file.file) else { continue };
            for round in file.rounds.iter().rev().take(RECENT_MAX) {
                let time = round.time + state.correction;
                owners.entry(Round { time, ..*round }).or_insert((state.id, state.recording));
            }
        }
        let unknown = (usize::MAX, u32::MAX);
        let mut last = unknown;
        newest
            .iter()
            .map(|round| {
                last = owners.get(round).copied().unwrap_or((usize::MAX, last.1));
                last
            })
            .collect()
    }

    /// Finds the round of the series that settles the latest row of a file.
    fn resume(&mut self, file: &FileRounds<'_>) {
        let (Some(last), Some(state)) = (file.rounds.last(), self.state(file.file)) else {
            return;
        };
        let time = last.time + state.correction;
        let tolerance = self.tolerance();
        let settles = |(_, known): &(u64, &Known)| {
            known.recording == state.recording
                && is_equal(known, last)
                && (known.round.time - time).abs() <= tolerance
        };
        let found = self.numbered(self.first).filter(settles).last().map(|(number, _)| number + 1);
        let before = || {
            let before = self.recent.iter().take_while(|known| known.round.time <= time).count();
            self.first + before as u64
        };
        let (id, next) = (state.id, found.unwrap_or_else(before));
        self.states[id].next = next;
    }
}

fn is_equal(known: &Known, row: &Round) -> bool {
    known.round.multiplier.cents() == row.multiplier.cents()
}

#[cfg(test)]
mod tests;
