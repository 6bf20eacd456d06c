//! Rounds that were on the page, in two readings alike, but have found no place yet.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rounds::{EventKind, Multiplier};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::alignment::{Alignment, OVERLAP, shifts};
use super::{Confirmed, Deduplicator, Found, Outcome, Shown, WINDOW, gap};
use crate::observation::{Observation, Report};

/// Pieces that can wait beside the newest.
const PIECES: usize = 3;

/// Rounds of lists that fitted nowhere. Kept over an interruption, and in the file of a run over its end: the next list may show
/// where they belong, and if it does not they are written behind a mark.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Newest first.
    pub(super) list: Vec<Multiplier>,
    /// Other pieces of lists, that waited before these; oldest first, at most [`PIECES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    older: Vec<Self>,
    /// So many at its head ended after the list was first read whole.
    pub(super) ended: usize,
    was_whole: bool,
    /// The most rounds that could have ended since the window was up to date.
    bound: usize,
    /// When it was last read.
    at: DateTime<Utc>,
    #[serde(skip)]
    mono: Option<Instant>,
    /// Of the connection that stands now.
    #[serde(skip)]
    is_current: bool,
    /// A newer round has been written: it is too late for these.
    #[serde(skip)]
    is_passed: bool,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn interrupted(&mut self) {
        let mut pieces = in_order(self.take_pieces());
        *self = pieces.pop().unwrap_or_default();
        pieces.iter_mut().chain([&mut *self]).for_each(|piece| piece.is_current = false);
        self.older = pieces;
    }

    /// Takes in a list that was read twice. Gives the list with what waited below it, and what waited but lies elsewhere, oldest
    /// first.
    pub(super) fn join(
        &mut self,
        shown: &[Multiplier],
        is_whole: bool,
        (reading, bound): (&Observation, usize),
    ) -> (Vec<Multiplier>, Vec<Self>) {
        if !is_whole && is_twice(shown) {
            return (shown.to_vec(), Vec::new());
        }
        let mut left = std::mem::take(&mut self.older);
        let fresh = self.fresh(shown, OVERLAP).or_else(|| self.scrolled(shown));
        let older = match fresh {
            Some(fresh) => self.list.split_off((shown.len() - fresh).min(self.list.len())),
            // A page that fills from its old end shows what is in the middle.
            None if !is_whole && self.contains(shown) => {
                self.older = left;
                return (shown.to_vec(), Vec::new());
            }
            None => {
                let before = std::mem::take(self);
                left.extend((!before.is_empty()).then_some(before));
                Vec::new()
            }
        };
        self.list = shown.iter().copied().chain(older).take(WINDOW).collect();
        if self.was_whole {
            self.ended += fresh.unwrap_or(0);
        }
        self.was_whole |= is_whole;
        self.bound = bound;
        self.at = reading.wall;
        self.mono = Some(reading.mono);
        self.is_current = true;
        if is_whole {
            left = left.into_iter().rev().filter(|before| !self.reaches(before)).collect();
            left.reverse();
            return (self.list.clone(), in_order(left));
        }
        left.drain(..left.len().saturating_sub(PIECES));
        self.older = left;
        (self.list.clone(), Vec::new())
    }

    /// How many of `shown` are newer than what waits, if it continues that with an overlap of `least`.
    fn fresh(&self, shown: &[Multiplier], least: usize) -> Option<usize> {
        let same = |i: usize, j: usize| shown[i].cents() == self.list[j].cents();
        shifts(shown.len(), self.list.len(), least, shown.len(), same).first().copied()
    }

    /// The same for the few oldest rounds of a page that was filling a moment ago: of three one or two may have scrolled off.
    fn scrolled(&self, shown: &[Multiplier]) -> Option<usize> {
        let is_it = self.is_current && !self.was_whole && !self.is_empty();
        is_it.then(|| self.fresh(shown, 1)).flatten()
    }

    /// Of a connection before, a whole list, or so long ago that all of it can have scrolled off: not a piece of what a page showed
    /// while it was loading.
    pub(super) fn is_of_before(&self, now: Instant, scrolls_off: Duration) -> bool {
        let is_long_ago = |at: Instant| now.saturating_duration_since(at) >= scrolls_off;
        !self.is_current || self.was_whole || self.mono.is_none_or(is_long_ago)
    }

    fn contains(&self, shown: &[Multiplier]) -> bool {
        let is_it = |piece: &[Multiplier]| {
            piece.iter().zip(shown).all(|(waiting, shown)| waiting.cents() == shown.cents())
        };
        self.list.windows(shown.len().max(1)).any(is_it)
    }

    /// Takes over what waited longer, if this continues it.
    fn reaches(&mut self, before: &Self) -> bool {
        let Some(fresh) = before.fresh(&self.list, OVERLAP) else { return false };
        let overlap = (self.list.len() - fresh).min(before.list.len());
        self.list.extend(&before.list[overlap..]);
        self.list.truncate(WINDOW);
        if before.was_whole {
            self.ended = before.ended + fresh;
        }
        true
    }

    /// All that waits, oldest first.
    fn take_pieces(&mut self) -> Vec<Self> {
        let mut pieces = std::mem::take(&mut self.older);
        let newest = std::mem::take(self);
        pieces.extend((!newest.is_empty()).then_some(newest));
        pieces
    }

    fn cents(&self) -> Vec<u64> {
        self.list.iter().map(|multiplier| multiplier.cents()).collect()
    }

    fn shown(&self) -> Vec<Shown<'_>> {
        self.list.iter().map(|&multiplier| Shown { multiplier, id: None }).collect()
    }
}

/// Pieces whose order is known: of a page that was filling, now from this end and now from that, only the longest.
fn in_order(pieces: Vec<Waiting>) -> Vec<Waiting> {
    let (mut pieces, current): (Vec<_>, Vec<_>) =
        pieces.into_iter().partition(|piece| !piece.is_current);
    if current.iter().all(|piece| piece.was_whole) {
        pieces.extend(current);
    } else {
        pieces.extend(current.into_iter().max_by_key(|piece| piece.list.len()));
    }
    pieces
}

/// A filling page may show its few rounds twice.
fn is_twice(shown: &[Multiplier]) -> bool {
    let (first, second) = shown.split_at(shown.len() / 2);
    first.len() == second.len()
        && first.iter().zip(second).all(|(first, second)| first.cents() == second.cents())
}

impl Deduplicator {
    /// What must be known to go on after this run where it ends, beside what is in the files.
    pub fn waiting(&self) -> Option<&Waiting> {
        let waiting = &self.list.waiting;
        (!waiting.is_empty() && !waiting.is_passed && !self.window.is_empty()).then_some(waiting)
    }

    /// A single round is about to be written, which is newer than all that waits.
    pub(super) fn pass_waiting(&mut self, now: Instant, out: &mut Vec<Outcome>) {
        if self.list.waiting.is_current {
            self.list.waiting.is_passed = true;
        } else {
            let mut pieces = self.list.waiting.take_pieces();
            pieces.retain(|waiting| waiting.was_whole);
            for waiting in pieces {
                self.settle(&waiting, now, out);
            }
        }
    }

    /// Writes what waited, if there is some that `shown` does not show as well.
    pub(super) fn settle_beside(
        &mut self,
        shown: &[Shown<'_>],
        now: Instant,
        out: &mut Vec<Outcome>,
    ) -> bool {
        let (len, before) = (shown.len(), out.len());
        for waiting in in_order(self.list.waiting.take_pieces()) {
            let same = |i: usize, j: usize| shown[i].multiplier.cents() == waiting.list[j].cents();
            let fresh = shifts(len, waiting.list.len(), OVERLAP, len, same).first().copied();
            if fresh.is_none_or(|fresh| fresh + waiting.list.len() > len) {
                self.settle(&waiting, now, out);
            }
        }
        out.len() > before
    }

    /// What waited was on the page, and nothing will show better where it belongs: writes it, behind a mark where one is due.
    pub(super) fn settle(&mut self, waiting: &Waiting, now: Instant, out: &mut Vec<Outcome>) {
        if waiting.is_empty() || waiting.is_passed || self.window.is_empty() {
            return;
        }
        let (cents, shown) = (waiting.cents(), waiting.shown());
        let mono = waiting.mono.unwrap_or(now);
        let reading = &Observation { mono, wall: waiting.at, said: Report::Alive };
        let known = self.newest;
        if waiting.bound < self.list.longest() {
            // Too many for the time: another table. Of that only what ended before our eyes.
            if waiting.ended > 0 && self.ahead == 0 {
                let detail = json!({ "reason": "the list did not continue, and is gone" });
                out.push(Outcome::Note { kind: EventKind::Reset, detail });
                self.window.clear();
                self.extend_window(&cents[waiting.ended..], 0, 0);
                out.push(basis(&shown[waiting.ended..]));
                self.accept_history(
                    &shown[..waiting.ended],
                    Found { reading, after_gap: true },
                    out,
                );
            }
        } else {
            self.settle_in_place(&cents, &shown, (reading, waiting.bound), out);
        }
        if self.newest != known {
            self.ahead = 0;
        }
        // The rest of the list may hold newer ones.
        if self.newest != known && waiting.was_whole {
            self.confirmed = waiting.mono.map_or(Confirmed::Wall(waiting.at), Confirmed::Mono);
        }
        if waiting.mono.is_none() {
            self.window.iter_mut().for_each(|known| known.listed = None);
        }
    }

    fn settle_in_place(
        &mut self,
        cents: &[u64],
        shown: &[Shown<'_>],
        (reading, bound): (&Observation, usize),
        out: &mut Vec<Outcome>,
    ) {
        let (fresh, after_gap) = match self.place(cents, bound, true) {
            Alignment::Proven { lag: 1.., .. } => return,
            Alignment::Proven { fresh, .. } => (fresh, false),
            Alignment::Broken { fresh, kept } => {
                self.window.truncate(kept);
                (fresh, false)
            }
            Alignment::Weak { fresh } => {
                let detail = json!({ "reason": "too little overlap", "fresh": fresh });
                out.push(Outcome::Note { kind: EventKind::Weak, detail });
                (fresh, false)
            }
            Alignment::Nowhere if self.holds(cents) => return,
            Alignment::Nowhere => {
                out.push(gap("nothing of the list is known", &json!({ "shown": shown.len() })));
                self.window.clear();
                (shown.len(), true)
            }
        };
        self.extend_window(cents, fresh, 0);
        self.accept_history(&shown[..fresh], Found { reading, after_gap }, out);
    }

    /// All of these are somewhere among the known rounds.
    fn holds(&self, cents: &[u64]) -> bool {
        (0..self.window.len()).any(|lag| {
            let overlap = cents.len().min(self.window.len() - lag);
            overlap >= OVERLAP && (0..overlap).all(|i| cents[i] == self.window[i + lag].cents)
        })
    }
}

/// The list from which recording goes on, for the file: a later run may know no other rounds.
pub(super) fn basis(shown: &[Shown<'_>]) -> Outcome {
    let list: Vec<Multiplier> = shown.iter().map(|shown| shown.multiplier).collect();
    let detail = json!({ "reason": "recording goes on from this list", "list": list });
    Outcome::Note { kind: EventKind::Start, detail }
}
