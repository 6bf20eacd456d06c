//! Checks every row against the truth, and counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

use rounds::EventKind;

use super::{Place, SHOWN, Simulation};

/// What came out. All but the last three concern the ledger, those the `text != last` rule on the same input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) played: usize,
    pub(crate) written: usize,
    pub(crate) duplicates: usize,
    pub(crate) false_rows: usize,
    /// Missing rounds before a row without a mark between.
    pub(crate) unmarked: usize,
    /// Missing rounds behind a mark.
    pub(crate) marked: usize,
    /// Missing rounds that stood in the list twice in a row while the collector looked.
    pub(crate) seen_but_missing: usize,
    /// Of these, rounds that had the value of a known round in its place, where the list overlapped by one or two: the list is the
    /// same whether it is that round or another, so that nobody can tell, and the weak mark says so.
    pub(crate) lookalikes: usize,
    /// Of these, the others that were only ever read in a page that was filling: a piece that is gone again, for good, may have
    /// been anything.
    pub(crate) in_pieces: usize,
    /// Missing rounds that stood in the list at least once. A list that was read only once is not believed.
    pub(crate) glimpsed_but_missing: usize,
    pub(crate) gaps: usize,
    pub(crate) weak: usize,
    pub(crate) resets: usize,
    /// Rows in the files that differ from the rows that were accepted.
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
            "  ledger:       written {written}, duplicates {duplicates}, false rows {false_rows}, missing without a mark {unmarked}, missing behind a mark {marked}"
        )?;
        writeln!(
            f,
            "                of the missing ones {} had been read twice ({} look like a known round behind a weak mark, {} only in a page that was filling); {} had been read once",
            self.seen_but_missing, self.lookalikes, self.in_pieces, self.glimpsed_but_missing
        )?;
        writeln!(
            f,
            "                marks: {gaps} gap, {weak} weak, {resets} reset; rows that differ in the files: {}",
            self.file_differences
        )?;
        writeln!(
            f,
            "  text != last: written {}, false rows {}, missing without a mark {}",
            self.naive_written, self.naive_false, self.naive_missing
        )
    }
}

/// Checks every written row against the truth.
#[derive(Default)]
pub(super) struct Judge {
    pub(super) counts: Counts,
    pub(super) before: Option<Place>,
    pub(super) is_marked: bool,
    /// Rounds that were missing without a mark when the next one was written.
    pub(super) holes: usize,
    pub(super) accepted: Vec<u64>,
    pub(super) written: BTreeSet<Place>,
    /// Shown by two polls in a row, of the rounds that ended since the table was first seen.
    pub(super) seen: BTreeSet<Place>,
    /// The same, in a whole list.
    pub(super) seen_whole: BTreeSet<Place>,
    /// The same, shown at least once.
    pub(super) glimpsed: BTreeSet<Place>,
    /// What a weak mark took for known.
    pub(super) lookalikes: BTreeSet<Place>,
    /// All that two polls in a row have shown.
    pub(super) read: BTreeSet<Place>,
    /// By table: older rounds were there before anyone looked.
    pub(super) due_from: BTreeMap<usize, usize>,
    pub(super) naive_last: Option<u64>,
    pub(super) naive_newest: Option<Place>,
    pub(super) naive_seen: BTreeMap<usize, usize>,
}

impl Judge {
    pub(super) fn mark(&mut self, kind: EventKind, detail: &serde_json::Value, shown: &[Place]) {
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
        // This mark names rounds that were missing before rows that are written already.
        let late = detail["multipliers"].as_array().map_or(0, Vec::len).min(self.holes);
        self.holes -= late;
        self.counts.marked += late;
    }

    /// A list of three rounds or more is on the page, again or for the first time; its table has played so many.
    pub(super) fn look(&mut self, shown: &[Place], is_read_again: bool, rounds: usize) {
        let table = shown[0].0;
        if is_read_again && shown.len() == SHOWN {
            // What the first whole list shows was there before anyone looked.
            self.due_from.entry(table).or_insert(rounds);
        }
        let Some(&due_from) = self.due_from.get(&table) else { return };
        let due = shown.iter().filter(|(_, index)| *index >= due_from);
        self.glimpsed.extend(due.clone());
        if is_read_again {
            self.seen.extend(due.clone());
            self.read.extend(shown);
            if shown.len() == SHOWN {
                self.seen_whole.extend(due);
            }
        }
    }

    /// Where `cents` begin, if they are rounds that were read twice and have waited since.
    pub(super) fn waited(&self, cents: &[u64], game: &Simulation<'_>) -> Option<Place> {
        let after = self.before.map_or(Bound::Unbounded, Bound::Excluded);
        let is_it = |&&(table, index): &&Place| {
            (0..cents.len()).all(|row| self.read.contains(&(table, index + row)))
                && game.is_truth(cents, (table, index))
        };
        self.read.range((after, Bound::Unbounded)).find(is_it).copied()
    }

    pub(super) fn row(&mut self, place: Option<Place>, truth: Option<u64>, cents: u64) {
        self.counts.written += 1;
        self.accepted.push(cents);
        let Some(place) = place.filter(|_| truth == Some(cents)) else {
            self.counts.false_rows += 1;
            return;
        };
        self.written.insert(place);
        if let Some(before) = self.before {
            let missing = place.1.saturating_sub(before.1 + 1);
            match place.0 == before.0 {
                true if place <= before => self.counts.duplicates += 1,
                false if self.is_marked => {}
                true if self.is_marked => self.counts.marked += missing,
                true => self.holes += missing,
                // Another table must be marked even if nothing is missing.
                false => self.counts.unmarked += 1,
            }
        }
        self.before = self.before.max(Some(place));
        self.is_marked = false;
    }

    /// The rule of most recorders: a row whenever the newest text is another than before.
    pub(super) fn naive(&mut self, newest: Place, cents: u64) {
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
