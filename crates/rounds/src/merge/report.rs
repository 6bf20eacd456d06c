//! What a merge left out, and why: copies, overlaps, conflicts, and what stays unresolved.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::counted::{counted, grouped};
use crate::round::Round;

/// Conflicts of a pair of files that are kept as examples.
pub const CONFLICT_EXAMPLES_MAX: usize = 5;
/// An offset this close to a multiple of 15 minutes is taken for a time zone mistake.
const TIME_ZONE_SLACK: TimeDelta = TimeDelta::seconds(90);
/// Time zones differ by multiples of this.
const TIME_ZONE_STEP: TimeDelta = TimeDelta::minutes(15);

/// A file whose rounds all occur, as an unbroken run, in another file too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCopy {
    /// The file that was left out.
    pub file: String,
    /// The file that holds its rounds.
    pub of: String,
    /// Number of rounds left out.
    pub rounds: u64,
}

/// A file that holds a stretch of rounds twice: it was pasted into it again, or exports that overlap were joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRepeats {
    /// The file.
    pub file: String,
    /// Number of rounds left out.
    pub rounds: u64,
}

impl fmt::Display for FileRepeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in it twice: counted once", counted(self.rounds, "round"))
    }
}

/// Two files that hold the same rounds, each of which counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The file whose rounds and times are kept.
    pub first: String,
    /// The file whose report of these rounds is left out.
    pub second: String,
    /// Time of the first shared round, by the clock of the merged series.
    pub from: DateTime<Utc>,
    /// Time of the last shared round.
    pub to: DateTime<Utc>,
    /// Rounds that both files hold: counted once.
    pub shared: u64,
    /// Rounds of the second file left out because the first one has another multiplier there, or
    /// has no time for another round.
    pub conflicts: u64,
    /// The first few of the conflicts, at most [`CONFLICT_EXAMPLES_MAX`].
    pub examples: Vec<Conflict>,
    /// Why the rounds are the same.
    pub evidence: OverlapEvidence,
}

/// Why two files hold the same rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverlapEvidence {
    /// The rounds have equal times and multipliers; too few are shared for more.
    EqualRounds,
    /// A run of equal multipliers that chance cannot explain.
    Aligned {
        /// How the clocks of the two files differ.
        clock: ClockOffset,
        /// Upper bound of the probability of such a run between unrelated files, as a decimal
        /// logarithm: at most −12.
        chance_log10: i32,
    },
}

/// How far the clock of the second file is ahead of that of the first; negative if behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockOffset {
    /// At the first shared round.
    pub at_start: TimeDelta,
    /// At the last shared round: another value where a clock drifts or was set.
    pub at_end: TimeDelta,
}

impl ClockOffset {
    /// Returns the time zone mistake that explains the offset: a multiple of 15 minutes at most 90 s away.
    /// None if the clocks differ by less than a quarter of an hour, or by something else.
    pub fn time_zone(&self) -> Option<TimeDelta> {
        let step = TIME_ZONE_STEP.num_milliseconds();
        let offset = self.at_start.num_milliseconds();
        let nearest = (offset + step / 2).div_euclid(step) * step;
        let is_near = (offset - nearest).abs() <= TIME_ZONE_SLACK.num_milliseconds();
        (nearest != 0 && is_near).then(|| TimeDelta::milliseconds(nearest))
    }
}

/// A round that two files report differently; the report of the first one is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The round of the first file; none if it has no time for another round there.
    pub first: Option<Round>,
    /// The round of the second file, by its own clock.
    pub second: Round,
}

/// Two files that overlap in time and share no run of rounds: both are kept whole.
///
/// Either they are recordings of different tables or they hold too few rounds in common for
/// certainty. In the second case rounds count twice, so the series cannot be trusted there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedOverlap {
    /// The two files.
    pub files: [String; 2],
    /// Time of the first round that ended while both files recorded.
    pub from: DateTime<Utc>,
    /// Time of the last such round.
    pub to: DateTime<Utc>,
    /// Such rounds in each of the files.
    pub rounds: [u64; 2],
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = span(self.from, self.to);
        let rounds = counted(self.shared, "round");
        write!(f, "2 files record the same rounds from {from} to {to}: {rounds} counted once")?;
        if self.conflicts > 0 {
            write!(f, "; {} conflicting", grouped(self.conflicts))?;
        }
        match self.evidence {
            OverlapEvidence::Aligned { clock, .. } => clock.fmt_after_semicolon(f),
            OverlapEvidence::EqualRounds => Ok(()),
        }
    }
}

impl ClockOffset {
    fn fmt_after_semicolon(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at_start.abs() < TimeDelta::seconds(1) && self.at_end.abs() < TimeDelta::seconds(1)
        {
            return Ok(());
        }
        let seconds = |offset: TimeDelta| offset.num_milliseconds() as f64 / 1000.0;
        write!(f, "; clocks {:+.1} s apart", seconds(self.at_start))?;
        if (self.at_end - self.at_start).abs() >= TimeDelta::seconds(1) {
            write!(f, " at the start, {:+.1} s at the end", seconds(self.at_end))?;
        }
        if let Some(zone) = self.time_zone() {
            let minutes = zone.num_minutes();
            let sign = if minutes < 0 { '-' } else { '+' };
            let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
            write!(f, " (time zone {sign}{hours:02}:{minutes:02})")?;
        }
        Ok(())
    }
}

impl fmt::Display for UnresolvedOverlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = span(self.from, self.to);
        let [first, second] = self.rounds;
        write!(
            f,
            "2 files overlap from {from} to {to} ({} and {}) and share no run of rounds",
            counted(first, "round"),
            counted(second, "round"),
        )
    }
}

/// Formats both times, the second with its date only if that differs.
fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> (String, String) {
    let day = "%Y-%m-%d %H:%M";
    let end = if from.date_naive() == to.date_naive() { "%H:%M" } else { day };
    (from.format(day).to_string(), to.format(end).to_string())
}

/// Overlaps while they are counted, by pairs of files.
#[derive(Debug, Default)]
pub(super) struct OverlapCounts {
    others: BTreeMap<(u32, u32), Counts>,
    /// The pair that was counted last, kept at hand because the next round is nearly always of the
    /// same files.
    recent: Option<((u32, u32), Counts)>,
}

#[derive(Debug)]
struct Counts {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    shared: u64,
    conflicts: u64,
    examples: Vec<Conflict>,
    /// Clock of the second file minus that of the first, at both ends, in milliseconds.
    offsets: Option<(i64, i64)>,
    chance_log10: i32,
}

/// The kept file and the one whose report is left out, where the report stands in time, and what
/// is known of the clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    pub(super) files: (u32, u32),
    pub(super) time: DateTime<Utc>,
    /// Offset of the clocks in milliseconds and chance, unless only equal rounds are known.
    pub(super) aligned: Option<(i64, i32)>,
}

impl OverlapCounts {
    /// Counts a round that both files hold.
    pub(super) fn share(&mut self, report: Report) {
        self.enter(report).shared += 1;
    }

    /// Counts a round that the files report differently.
    pub(super) fn conflict(&mut self, report: Report, conflict: Conflict) {
        let counts = self.enter(report);
        counts.conflicts += 1;
        if counts.examples.len() < CONFLICT_EXAMPLES_MAX {
            counts.examples.push(conflict);
        }
    }

    fn enter(&mut self, report: Report) -> &mut Counts {
        let Report { files, time, aligned } = report;
        if self.recent.as_ref().is_none_or(|(recent, _)| *recent != files) {
            self.others.extend(self.recent.take());
        }
        let others = &mut self.others;
        let (_, counts) = self.recent.get_or_insert_with(|| {
            let counts = others.remove(&files).unwrap_or_else(|| Counts {
                from: time,
                to: time,
                shared: 0,
                conflicts: 0,
                examples: Vec::new(),
                offsets: None,
                chance_log10: 0,
            });
            (files, counts)
        });
        counts.from = counts.from.min(time);
        counts.to = counts.to.max(time);
        if let Some((offset, chance)) = aligned {
            let start = counts.offsets.map_or(offset, |(start, _)| start);
            counts.offsets = Some((start, offset));
            counts.chance_log10 = counts.chance_log10.min(chance);
        }
        counts
    }

    /// Returns the overlaps in the order of the files.
    pub(super) fn into_overlaps(mut self, name: impl Fn(u32) -> String) -> Vec<Overlap> {
        let overlap = |((first, second), counts): ((u32, u32), Counts)| Overlap {
            first: name(first),
            second: name(second),
            from: counts.from,
            to: counts.to,
            shared: counts.shared,
            conflicts: counts.conflicts,
            examples: counts.examples,
            evidence: counts.offsets.map_or(OverlapEvidence::EqualRounds, |(start, end)| {
                OverlapEvidence::Aligned {
                    clock: ClockOffset {
                        at_start: TimeDelta::milliseconds(start),
                        at_end: TimeDelta::milliseconds(end),
                    },
                    chance_log10: counts.chance_log10,
                }
            }),
        };
        self.others.extend(self.recent.take());
        self.others.into_iter().map(overlap).collect()
    }
}
