//! Compares every written row with the rounds that were played, and counts the differences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

use rounds::EventKind;

use super::{Position, SHOWN, Simulation};

/// The results of a simulation. The last three fields are those of the naive rule (`text != last`) on the same input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) played: usize,
    pub(crate) written: usize,
    pub(crate) duplicates: usize,
    pub(crate) false_rows: usize,
    /// Missing rounds without a recorded discontinuity.
    pub(crate) unmarked: usize,
    /// Missing rounds at a recorded discontinuity.
    pub(crate) marked: usize,
    /// Missing rounds that two polls in a row had shown.
    pub(crate) seen_twice_but_missing: usize,
    /// Of these, rounds with the value of a known round in the same position, where the list overlapped by only one or two
    /// rounds. The two cases cannot be told apart, and a weak join was recorded.
    pub(crate) lookalikes: usize,
    /// Of these, the others that were only visible while the page was filling: a part of a list that disappears again cannot
    /// be placed.
    pub(crate) in_pieces: usize,
    /// Missing rounds that at least one poll had shown. A list that was read only once is not accepted.
    pub(crate) seen_once_but_missing: usize,
    pub(crate) gaps: usize,
    pub(crate) weak: usize,
    pub(crate) resets: usize,
    /// Rows in the files that differ from the accepted rounds.
    pub(crate) file_differences: usize,
    pub(crate) reloads: usize,
    pub(crate) outages: usize,
    pub(crate) restarts: usize,
    pub(crate) switches: usize,
    pub(crate) doubles: usize,
    pub(crate) naive_written: usize,
    pub(crate) naive_false: usize,
    pub(crate) naive_missing: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { played, reloads, outages, restarts, switches, doubles, .. } = self;
        writeln!(
            f,
            "played {played} rounds; {reloads} reloads, {outages} outages, {restarts} restarts, {switches} table switches, {doubles} double lists"
        )?;
        let Self { written, duplicates, false_rows, unmarked, marked, gaps, weak, resets, .. } =
            self;
        writeln!(
            f,
            "  deduplicator: written {written}, duplicates {duplicates}, false rows {false_rows}, missing without a discontinuity {unmarked}, missing at a discontinuity {marked}"
        )?;
        writeln!(
            f,
            "                of the missing rounds, {} were read twice ({} look like a known round at a weak join, {} only while the page was filling); {} were read once",
            self.seen_twice_but_missing,
            self.lookalikes,
            self.in_pieces,
            self.seen_once_but_missing
        )?;
        writeln!(
            f,
            "                discontinuities: {gaps} gap, {weak} weak, {resets} reset; rows that differ in the files: {}",
            self.file_differences
        )?;
        writeln!(
            f,
            "  text != last: written {}, false rows {}, missing {}",
            self.naive_written, self.naive_false, self.naive_missing
        )
    }
}

/// Compares every written row with the rounds that were played.
#[derive(Default)]
pub(super) struct TruthCheck {
    pub(super) counts: Counts,
    pub(super) before: Option<Position>,
    pub(super) is_marked: bool,
    /// Rounds missing without a discontinuity when the next one was written.
    pub(super) holes: usize,
    pub(super) accepted: Vec<u64>,
    pub(super) written: BTreeSet<Position>,
    /// Rounds, ended since the table was first seen, that two polls in a row have shown.
    pub(super) seen_twice: BTreeSet<Position>,
    /// Those of them that a whole list has shown.
    pub(super) seen_in_whole_list: BTreeSet<Position>,
    /// Rounds, ended since the table was first seen, that at least one poll has shown.
    pub(super) seen_once: BTreeSet<Position>,
    /// Rounds that a weak join took for known ones.
    pub(super) lookalikes: BTreeSet<Position>,
    /// All rounds that two polls in a row have shown.
    pub(super) read: BTreeSet<Position>,
    /// For each table, the index of the first round that must be recorded; older ones ended before the first poll.
    pub(super) due_from: BTreeMap<usize, usize>,
    pub(super) naive_last: Option<u64>,
    pub(super) naive_newest: Option<Position>,
    pub(super) naive_seen: BTreeMap<usize, usize>,
}

impl TruthCheck {
    pub(super) fn on_event(
        &mut self,
        kind: EventKind,
        detail: &serde_json::Value,
        shown: &[Position],
    ) {
        match kind {
            EventKind::Gap => self.counts.gaps += 1,
            EventKind::Weak => {
                self.counts.weak += 1;
                let fresh = detail["fresh"].as_u64().and_then(|fresh| usize::try_from(fresh).ok());
                self.lookalikes.extend(shown.iter().skip(fresh.unwrap_or(SHOWN)));
            }
            EventKind::Reset => self.counts.resets += 1,
            _ => return,
        }
        self.is_marked = true;
        // This event names missing rounds that belong before rows that are already written.
        let late = detail["multipliers"].as_array().map_or(0, Vec::len).min(self.holes);
        self.holes -= late;
        self.counts.marked += late;
    }

    /// Registers a list of three or more rounds on the page; its table has played `rounds` rounds.
    pub(super) fn on_list(&mut self, shown: &[Position], is_read_again: bool, rounds: usize) {
        let table = shown[0].0;
        if is_read_again && shown.len() == SHOWN {
            // The rounds of the first whole list ended before the first poll.
            self.due_from.entry(table).or_insert(rounds);
        }
        let Some(&due_from) = self.due_from.get(&table) else { return };
        let due = shown.iter().filter(|(_, index)| *index >= due_from);
        self.seen_once.extend(due.clone());
        if is_read_again {
            self.seen_twice.extend(due.clone());
            self.read.extend(shown);
            if shown.len() == SHOWN {
                self.seen_in_whole_list.extend(due);
            }
        }
    }

    /// Returns the position of `cents` if they are rounds that were read twice and written later.
    pub(super) fn deferred(&self, cents: &[u64], game: &Simulation<'_>) -> Option<Position> {
        let after = self.before.map_or(Bound::Unbounded, Bound::Excluded);
        let is_it = |&&(table, index): &&Position| {
            (0..cents.len()).all(|row| self.read.contains(&(table, index + row)))
                && game.is_truth(cents, (table, index))
        };
        self.read.range((after, Bound::Unbounded)).find(is_it).copied()
    }

    pub(super) fn on_row(&mut self, position: Option<Position>, truth: Option<u64>, cents: u64) {
        self.counts.written += 1;
        self.accepted.push(cents);
        let Some(position) = position.filter(|_| truth == Some(cents)) else {
            self.counts.false_rows += 1;
            return;
        };
        self.written.insert(position);
        if let Some(before) = self.before {
            let missing = position.1.saturating_sub(before.1 + 1);
            match position.0 == before.0 {
                true if position <= before => self.counts.duplicates += 1,
                false if self.is_marked => {}
                true if self.is_marked => self.counts.marked += missing,
                true => self.holes += missing,
                // Another table must be marked even if nothing is missing.
                false => self.counts.unmarked += 1,
            }
        }
        self.before = self.before.max(Some(position));
        self.is_marked = false;
    }

    /// Applies the rule of most recorders: a row whenever the newest text differs from the one before.
    pub(super) fn naive(&mut self, newest: Position, cents: u64) {
        if self.naive_last.replace(cents) == Some(cents) {
            return;
        }
        self.counts.naive_written += 1;
        if self.naive_newest.is_some_and(|before| newest <= before) {
            self.counts.naive_false += 1;
        } else {
            *self.naive_seen.entry(newest.0).or_default() += 1;
        }
        self.naive_newest = self.naive_newest.max(Some(newest));
    }
}
