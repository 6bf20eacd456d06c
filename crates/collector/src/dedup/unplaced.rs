//! Keeps rounds that a page has shown but that could not be aligned yet.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rounds::{EventKind, Multiplier};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::alignment::{Alignment, OVERLAP, matching_offsets};
use super::{Confirmed, Deduplicator, HistoryContext, ListedRound, Outcome, WINDOW, gap};
use crate::observation::{Observation, Report};

/// Number of older pieces kept beside the newest.
const PIECES_MAX: usize = 3;

/// Rounds of lists that could not be aligned. They survive a lost connection and, saved in the
/// event file, the end of the run. A later list may show where they belong; otherwise they are
/// written after a discontinuity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnplacedRounds {
    /// Newest first.
    pub(super) list: Vec<Multiplier>,
    /// Pieces of earlier lists, oldest first, at most [`PIECES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    older: Vec<Self>,
    /// How many rounds at the head of the list ended after it was first read completely.
    pub(super) ended: usize,
    was_whole: bool,
    /// The maximum number of rounds that can have ended since the window was last up to date.
    #[serde(rename = "bound")]
    max_new_rounds: usize,
    /// When the list was last read.
    at: DateTime<Utc>,
    #[serde(skip)]
    mono: Option<Instant>,
    /// It was read over the current connection.
    #[serde(skip)]
    is_current: bool,
    /// A newer round has been written, so these can no longer be written in order.
    #[serde(skip)]
    is_superseded: bool,
}

impl UnplacedRounds {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn interrupted(&mut self) {
        let mut pieces = ordered_pieces(self.take_pieces());
        *self = pieces.pop().unwrap_or_default();
        pieces.iter_mut().chain([&mut *self]).for_each(|piece| piece.is_current = false);
        self.older = pieces;
    }

    /// Merges a new list with the unplaced rounds. Returns the list, extended by the unplaced
    /// rounds that it continues, and the pieces that it does not continue, oldest first.
    pub(super) fn join(
        &mut self,
        shown: &[Multiplier],
        is_whole: bool,
        (observation, max_new_rounds): (&Observation, usize),
    ) -> (Vec<Multiplier>, Vec<Self>) {
        if !is_whole && is_doubled(shown) {
            return (shown.to_vec(), Vec::new());
        }
        let mut left = std::mem::take(&mut self.older);
        let fresh = self.fresh(shown, OVERLAP).or_else(|| self.fresh_after_scroll(shown));
        let older = match fresh {
            Some(fresh) => self.list.split_off((shown.len() - fresh).min(self.list.len())),
            // A page that fills up from the oldest round shows a stretch of rounds already seen.
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
        self.max_new_rounds = max_new_rounds;
        self.at = observation.wall;
        self.mono = Some(observation.mono);
        self.is_current = true;
        if is_whole {
            left = left.into_iter().rev().filter(|before| !self.absorb(before)).collect();
            left.reverse();
            return (self.list.clone(), ordered_pieces(left));
        }
        left.drain(..left.len().saturating_sub(PIECES_MAX));
        self.older = left;
        (self.list.clone(), Vec::new())
    }

    /// Returns how many of `shown` are newer than the unplaced rounds, if `shown` continues these
    /// with an overlap of at least `least`.
    fn fresh(&self, shown: &[Multiplier], least: usize) -> Option<usize> {
        let same = |i: usize, j: usize| shown[i].cents() == self.list[j].cents();
        matching_offsets(shown.len(), self.list.len(), least, shown.len(), same).first().copied()
    }

    /// Like `fresh`, for a page that was still loading at the previous read and had shown only its
    /// few oldest rounds. One value in common is enough, as one or two of three may have scrolled
    /// off.
    fn fresh_after_scroll(&self, shown: &[Multiplier]) -> Option<usize> {
        let is_it = self.is_current && !self.was_whole && !self.is_empty();
        is_it.then(|| self.fresh(shown, 1)).flatten()
    }

    /// Returns whether this is more than a piece of a loading page: from an earlier connection, a complete list, or
    /// old enough for all of it to have scrolled off.
    pub(super) fn is_from_earlier_list(&self, now: Instant, scrolls_off: Duration) -> bool {
        let is_long_ago = |at: Instant| now.saturating_duration_since(at) >= scrolls_off;
        !self.is_current || self.was_whole || self.mono.is_none_or(is_long_ago)
    }

    fn contains(&self, shown: &[Multiplier]) -> bool {
        let is_it = |piece: &[Multiplier]| {
            piece.iter().zip(shown).all(|(unplaced, shown)| unplaced.cents() == shown.cents())
        };
        self.list.windows(shown.len().max(1)).any(is_it)
    }

    /// Appends the older piece `before` if this piece continues it.
    fn absorb(&mut self, before: &Self) -> bool {
        let Some(fresh) = before.fresh(&self.list, OVERLAP) else { return false };
        let overlap = (self.list.len() - fresh).min(before.list.len());
        self.list.extend(&before.list[overlap..]);
        self.list.truncate(WINDOW);
        if before.was_whole {
            self.ended = before.ended + fresh;
        }
        true
    }

    /// Removes and returns all pieces, oldest first.
    fn take_pieces(&mut self) -> Vec<Self> {
        let mut pieces = std::mem::take(&mut self.older);
        let newest = std::mem::take(self);
        pieces.extend((!newest.is_empty()).then_some(newest));
        pieces
    }

    fn cents(&self) -> Vec<u64> {
        self.list.iter().map(|multiplier| multiplier.cents()).collect()
    }

    fn shown(&self) -> Vec<ListedRound<'_>> {
        self.list.iter().map(|&multiplier| ListedRound { multiplier, id: None }).collect()
    }
}

/// Returns the pieces whose order is known. A page may load from either end, so of the pieces of
/// one that was loading only the longest is kept.
fn ordered_pieces(pieces: Vec<UnplacedRounds>) -> Vec<UnplacedRounds> {
    let (mut pieces, current): (Vec<_>, Vec<_>) =
        pieces.into_iter().partition(|piece| !piece.is_current);
    if current.iter().all(|piece| piece.was_whole) {
        pieces.extend(current);
    } else {
        pieces.extend(current.into_iter().max_by_key(|piece| piece.list.len()));
    }
    pieces
}

/// Returns whether a page that is still loading shows its few rounds twice.
fn is_doubled(shown: &[Multiplier]) -> bool {
    let (first, second) = shown.split_at(shown.len() / 2);
    first.len() == second.len()
        && first.iter().zip(second).all(|(first, second)| first.cents() == second.cents())
}

impl Deduplicator {
    /// Returns what the next run needs beside the files to continue.
    pub fn unplaced(&self) -> Option<&UnplacedRounds> {
        let unplaced = &self.list.unplaced;
        (!unplaced.is_empty() && !unplaced.is_superseded && !self.window.is_empty())
            .then_some(unplaced)
    }

    /// Writes or gives up the unplaced rounds before a single round, which is newer than all of
    /// them.
    pub(super) fn flush_before_round(&mut self, now: Instant, out: &mut Vec<Outcome>) {
        if self.list.unplaced.is_current {
            self.list.unplaced.is_superseded = true;
        } else {
            let mut pieces = self.list.unplaced.take_pieces();
            pieces.retain(|unplaced| unplaced.was_whole);
            for unplaced in pieces {
                self.flush_unplaced(&unplaced, now, out);
            }
        }
    }

    /// Writes the pieces that are not part of `shown`; returns whether anything was written.
    pub(super) fn flush_unlisted(
        &mut self,
        shown: &[ListedRound<'_>],
        now: Instant,
        out: &mut Vec<Outcome>,
    ) -> bool {
        let (len, before) = (shown.len(), out.len());
        for unplaced in ordered_pieces(self.list.unplaced.take_pieces()) {
            let same = |i: usize, j: usize| shown[i].multiplier.cents() == unplaced.list[j].cents();
            let fresh =
                matching_offsets(len, unplaced.list.len(), OVERLAP, len, same).first().copied();
            if fresh.is_none_or(|fresh| fresh + unplaced.list.len() > len) {
                self.flush_unplaced(&unplaced, now, out);
            }
        }
        out.len() > before
    }

    /// Writes a piece, because no later list can show where it belongs; precedes it with a
    /// discontinuity where one is needed.
    pub(super) fn flush_unplaced(
        &mut self,
        unplaced: &UnplacedRounds,
        now: Instant,
        out: &mut Vec<Outcome>,
    ) {
        if unplaced.is_empty() || unplaced.is_superseded || self.window.is_empty() {
            return;
        }
        let (cents, shown) = (unplaced.cents(), unplaced.shown());
        let mono = unplaced.mono.unwrap_or(now);
        let observation = &Observation { mono, wall: unplaced.at, report: Report::Alive };
        let known = self.newest;
        if unplaced.max_new_rounds < self.list.longest() {
            // The list has more rounds than the time allows, so it is that of another table. Write
            // only the rounds that ended while it was being read.
            if unplaced.ended > 0 && self.unlisted_count == 0 {
                let detail = json!({ "reason": "the list did not continue, and is gone" });
                out.push(Outcome::Note { kind: EventKind::Reset, detail });
                self.window.clear();
                self.extend_window(&cents[unplaced.ended..], 0, 0);
                out.push(restart_event(&shown[unplaced.ended..]));
                self.accept_history(
                    &shown[..unplaced.ended],
                    HistoryContext { observation, after_gap: true },
                    out,
                );
            }
        } else {
            self.flush_aligned(&cents, &shown, (observation, unplaced.max_new_rounds), out);
        }
        if self.newest != known {
            self.unlisted_count = 0;
        }
        // The rest of the list may hold newer rounds.
        if self.newest != known && unplaced.was_whole {
            self.confirmed = unplaced.mono.map_or(Confirmed::Wall(unplaced.at), Confirmed::Mono);
        }
        if unplaced.mono.is_none() {
            self.window.iter_mut().for_each(|known| known.listed = None);
        }
    }

    fn flush_aligned(
        &mut self,
        cents: &[u64],
        shown: &[ListedRound<'_>],
        (observation, max_new_rounds): (&Observation, usize),
        out: &mut Vec<Outcome>,
    ) {
        let (fresh, after_gap) = match self.align(cents, max_new_rounds, true) {
            Alignment::Proven { lag: 1.., .. } => return,
            Alignment::Proven { fresh, .. } => (fresh, false),
            Alignment::WithHole { fresh, kept } => {
                self.window.truncate(kept);
                (fresh, false)
            }
            Alignment::Weak { fresh } => {
                let detail = json!({ "reason": "too little overlap", "fresh": fresh });
                out.push(Outcome::Note { kind: EventKind::Weak, detail });
                (fresh, false)
            }
            Alignment::Unaligned if self.holds(cents) => return,
            Alignment::Unaligned => {
                out.push(gap("nothing of the list is known", &json!({ "shown": shown.len() })));
                self.window.clear();
                (shown.len(), true)
            }
        };
        self.extend_window(cents, fresh, 0);
        self.accept_history(&shown[..fresh], HistoryContext { observation, after_gap }, out);
    }

    /// Returns whether the known rounds contain these in a row, as far back as they reach.
    fn holds(&self, cents: &[u64]) -> bool {
        (0..self.window.len()).any(|lag| {
            let overlap = cents.len().min(self.window.len() - lag);
            overlap >= OVERLAP && (0..overlap).all(|i| cents[i] == self.window[i + lag].cents)
        })
    }
}

/// Returns an event with the list from which recording continues: a later run may know no other rounds.
pub(super) fn restart_event(shown: &[ListedRound<'_>]) -> Outcome {
    let list: Vec<Multiplier> = shown.iter().map(|shown| shown.multiplier).collect();
    let detail = json!({ "reason": "recording goes on from this list", "list": list });
    Outcome::Note { kind: EventKind::Start, detail }
}
