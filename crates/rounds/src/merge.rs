//! Merges the rounds of many files into one series in which one round counts once.
//!
//! Files of one directory are recordings of one table. What two of them share is left out once:
//!
//! 1. A file whose rounds are an unbroken run of another file is a copy of it.
//! 2. Files that agree on a run of multipliers which chance cannot explain (see the module
//!    `evidence`) are aligned with [`crate::align`], whatever their clocks: offsets of up to 15
//!    minutes, drifting or set, and time zone mistakes of up to 14 hours.
//! 3. Rounds of equal time and multiplier are one round. A file's own repetitions stay: of each
//!    time and multiplier, the largest number that any one file has is kept. Only a stretch that
//!    was pasted into it again counts once.
//! 4. Files that overlap in time and share no run are kept whole and reported.
//!
//! Files are compared only if their times are close.

mod clock;
mod copies;
mod equal;
mod evidence;
mod join;
mod law;
mod plain;
mod recording;
mod repeats;
mod report;
mod unresolved;

use std::borrow::Cow;
use std::cell::{LazyCell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::round::Round;

use clock::{ClockMap, REACH, Search, may_meet, time_zone, track};
use evidence::{CERTAIN, Pair, equal_evidence};
use join::{Pace, join};
use law::Law;
use recording::Recording;
use report::OverlapCounts;

pub use repeats::in_time_order;
pub use report::{
    CONFLICT_EXAMPLES_MAX, ClockOffset, Conflict, FileCopy, FileRepeats, Overlap, OverlapEvidence,
    UnresolvedOverlap,
};

/// The rounds of one file, in its order.
#[derive(Debug, Clone, Copy)]
pub struct FileRounds<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// Its rounds.
    pub rounds: &'a [Round],
}

/// The rounds of many files as one series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// By time; rounds of one time stay in the order of their files and rows, or in the reverse
    /// order of the rows of a file that has its newest round first.
    pub rounds: Vec<Round>,
    /// The files that were left out.
    pub copies: Vec<FileCopy>,
    /// Files that hold a stretch of rounds twice.
    pub repeats: Vec<FileRepeats>,
    /// Pairs of files that hold the same rounds, in the order of the files.
    pub overlaps: Vec<Overlap>,
    /// Pairs of files that overlap in time without shared rounds.
    pub unresolved: Vec<UnresolvedOverlap>,
    /// Clocks of the files that were aligned with others or are copies, in the order of their names.
    pub clocks: Vec<FileClock>,
}

/// The clock of a file that is one of several with the same rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileClock {
    /// The name of the file.
    pub file: String,
    /// The first of the files it was aligned with, or itself: all of them have the same one.
    pub recording: String,
    /// The correction of the times at its end to the clock of the series.
    pub correction: TimeDelta,
}

impl Merged {
    /// Number of rows that were left out: those of copies and repeats, shared rounds and conflicting ones.
    pub fn left_out(&self) -> u64 {
        let copies: u64 = self.copies.iter().map(|copy| copy.rounds).sum();
        let rows = |overlap: &Overlap| overlap.shared + overlap.conflicts;
        let repeats: u64 = self.repeats.iter().map(|file| file.rounds).sum();
        copies + repeats + self.overlaps.iter().map(rows).sum::<u64>()
    }
}

/// Proof that two recordings hold the same rounds, and how their clocks differ.
#[derive(Debug)]
struct Alignment {
    clock: ClockMap,
    pace: Pace,
    /// Decimal logarithm of the bound on the probability that the agreement is chance.
    chance_log10: i32,
}

/// Returns the rounds of all files in order of time, each of them once.
///
/// Of files that hold the same rounds the first one keeps its times and, where they conflict, its
/// multipliers. The series does not depend on the order of the files otherwise.
pub fn merge(files: &[FileRounds<'_>]) -> Merged {
    let (sorted, left_out): (Vec<Cow<'_, [Round]>>, Vec<u64>) =
        files.iter().map(|file| in_time_order(file.rounds)).unzip();
    let repeats = files.iter().zip(left_out).filter(|(_, rounds)| *rounds > 0);
    let repeats =
        repeats.map(|(file, rounds)| FileRepeats { file: file.file.to_owned(), rounds }).collect();
    let (copies, is_copy) = copies::find(files, &sorted);
    let law = LazyCell::new(|| Law::of(files.iter().map(|file| file.rounds)));
    let mut counts = OverlapCounts::default();
    let mut recordings: Vec<Recording<'_>> = Vec::new();
    for (index, rounds) in (0u32..).zip(&sorted) {
        if rounds.is_empty() || is_copy[index as usize] {
            continue;
        }
        let recording = Recording::new(index, Cow::Borrowed(&**rounds));
        add(recording, &mut recordings, &law, &mut counts);
    }
    recordings.retain(|recording| recording.len() > 0);
    recordings.sort_by_key(Recording::first_file);
    let name = |index: u32| files[index as usize].file.to_owned();
    let unresolved = unresolved::find(&recordings, name);
    Merged {
        rounds: in_one_series(&recordings),
        clocks: clocks(&recordings, &copies, name),
        copies,
        repeats,
        overlaps: counts.into_overlaps(name),
        unresolved,
    }
}

/// Joins a recording with those that hold the same rounds, or adds it to them.
fn add<'a, F: FnOnce() -> Law>(
    mut recording: Recording<'a>,
    recordings: &mut Vec<Recording<'a>>,
    law: &LazyCell<Law, F>,
    counts: &mut OverlapCounts,
) {
    let mut at = 0;
    while at < recordings.len() {
        if !is_near(&recordings[at], &recording) {
            at += 1;
        } else if let Some(found) = alignment(&recordings[at], &recording, law) {
            recording = join(recordings.remove(at), &recording, &found, counts);
        } else {
            equal::leave_out(&recordings[at], &mut recording, counts);
            at += 1;
        }
    }
    recordings.push(recording);
}

/// Clocks of all files of recordings that have several, copies included.
fn clocks(
    recordings: &[Recording<'_>],
    copies: &[FileCopy],
    name: impl Fn(u32) -> String,
) -> Vec<FileClock> {
    let holders: BTreeSet<&str> = copies.iter().map(|copy| copy.of.as_str()).collect();
    let mut clocks: BTreeMap<String, FileClock> = BTreeMap::new();
    for recording in recordings {
        let first = name(recording.first_file());
        if recording.files.len() == 1 && !holders.contains(&*first) {
            continue;
        }
        clocks.extend(recording.files.iter().map(|(file, offset)| {
            let (file, correction) = (name(*file), TimeDelta::milliseconds(*offset));
            (file.clone(), FileClock { file, recording: first.clone(), correction })
        }));
    }
    for FileCopy { file, of, .. } in copies {
        if let Some(holder) = clocks.get(of) {
            let copy = FileClock { file: file.clone(), ..holder.clone() };
            clocks.insert(file.clone(), copy);
        }
    }
    clocks.into_values().collect()
}

/// Returns the rounds of all recordings in order of time.
fn in_one_series(recordings: &[Recording<'_>]) -> Vec<Round> {
    let mut rounds = Vec::with_capacity(recordings.iter().map(Recording::len).sum());
    for recording in recordings {
        rounds.extend_from_slice(&recording.rounds);
    }
    rounds.sort_by_key(|round| round.time);
    rounds
}

/// Returns whether the recordings are close enough in time to hold the same rounds, whatever their clocks.
fn is_near(first: &Recording<'_>, second: &Recording<'_>) -> bool {
    let (Some(first), Some(second)) = (first.span(), second.span()) else { return false };
    first.0 - REACH <= second.1 && second.0 - REACH <= first.1
}

/// Returns how the clocks of the recordings differ, if they certainly hold the same rounds.
fn alignment(first: &Recording<'_>, second: &Recording<'_>, law: &Law) -> Option<Alignment> {
    let pace = OnceCell::new();
    let certain = |clock: ClockMap, search: Search| {
        let pace = *pace.get_or_init(|| Pace::of(first, second));
        let pair = Pair { first, second, clock: &clock };
        let nats = pair.evidence(pace.tolerance, search);
        (nats >= CERTAIN).then(|| Alignment { clock, pace, chance_log10: chance_log10(nats) })
    };
    let near = may_meet(first, second)
        .then(|| certain(track(first, second, law, Search::NEAR)?, Search::NEAR))
        .flatten();
    if near.is_some() {
        return near;
    }
    let nats = equal_evidence(first, second);
    if nats >= CERTAIN {
        let pace = Pace::of(first, second);
        let clock = ClockMap::constant(0);
        return Some(Alignment { clock, pace, chance_log10: chance_log10(nats) });
    }
    let zone = time_zone(first, second)
        .and_then(|search| certain(track(first, second, law, search)?, search));
    zone.or_else(|| {
        // Recordings of strips show no offset, so their clocks are assumed to agree.
        let has_common = evidence::common_span(first, second).is_some();
        let is_strip = |it: &Recording<'_>| it.gaps().len() * 2 < it.len().min(512);
        let may_be = has_common && (is_strip(first) || is_strip(second));
        may_be.then(|| certain(ClockMap::constant(0), Search::NEAR)).flatten()
    })
}

fn chance_log10(nats: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the number of rounds times 37")]
    let digits = (nats / std::f64::consts::LN_10).floor() as i32;
    -digits
}

#[cfg(test)]
pub(crate) mod tests;
