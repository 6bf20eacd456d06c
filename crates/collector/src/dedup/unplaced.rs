//! Keeps rounds that a page has shown but that could not be placed yet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rounds::EventKind;
use serde_json::json;

use super::alignment::OVERLAP;
use super::posterior::{Join, Patience, Placement, Posterior};
use super::prior::{Continuity, Prior};
use super::{
    Deduplicator, HistoryContext, KnownRound, ListedRound, Outcome, Since, WINDOW, entries, gap,
    listed, restart_event,
};
use crate::observation::{HistoryEntry, Observation, Report};

/// Number of older pieces kept beside the newest.
const PIECES_MAX: usize = 3;

/// Rounds of lists that could not be placed. They survive a lost connection. A later list may show
/// where they belong; otherwise, and at the end of the run, they are written after a discontinuity.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct UnplacedRounds {
    /// Newest first.
    list: Vec<HistoryEntry>,
    /// Pieces of earlier lists, oldest first, at most [`PIECES_MAX`].
    older: Vec<Self>,
    /// How many rounds at the head of the list ended after it was first read completely.
    pub(super) ended: usize,
    was_whole: bool,
    /// Whether its newest entry is final.
    is_final: bool,
    /// Time between the newest known round and the last reading of the list; `None` if unknown.
    elapsed: Option<Duration>,
    /// When the list was last read.
    at: DateTime<Utc>,
    mono: Option<Instant>,
    /// Whether the last reading was made over the current connection.
    is_current: bool,
}

impl UnplacedRounds {
    fn is_empty(&self) -> bool {
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
        shown: &[HistoryEntry],
        is_whole: bool,
        (observation, elapsed, is_final): (&Observation, Option<Duration>, bool),
    ) -> (Vec<HistoryEntry>, Vec<Self>) {
        if !is_whole && is_doubled(shown) {
            return (shown.to_vec(), Vec::new());
        }
        let mut left = std::mem::take(&mut self.older);
        let fresh =
            self.continued_by(&listed(shown)).or_else(|| self.continued_after_scroll(shown));
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
        self.list = shown.iter().cloned().chain(older).take(WINDOW).collect();
        if self.was_whole {
            self.ended += fresh.unwrap_or(0);
        }
        self.was_whole |= is_whole;
        self.is_final = is_final;
        self.elapsed = elapsed;
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

    /// Returns how many of `shown` are newer than the unplaced rounds, if `shown` continues these.
    fn continued_by(&self, shown: &[ListedRound<'_>]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let known = self.list.iter().map(|entry| KnownRound::of_list(entry.cents()));
        let mut known: VecDeque<KnownRound> = known.collect();
        if let Some(newest) = known.front_mut() {
            newest.is_drawn = !self.is_final;
        }
        let posterior = Posterior::of(shown, &known, &Prior::timeless(Continuity::Broken));
        match posterior.placement(Patience::Waits) {
            Placement::Joined { join: Join { fresh, lag: 0, .. }, .. } => Some(fresh),
            _ => None,
        }
    }

    /// The same for a page that was still loading at the previous read and had shown only its few
    /// oldest rounds. One value in common is enough, as one or two of three may have scrolled off.
    fn continued_after_scroll(&self, shown: &[HistoryEntry]) -> Option<usize> {
        let is_it = self.is_current && !self.was_whole && !self.is_empty();
        let continues = |fresh: &usize| begins_with(&shown[*fresh..], &self.list);
        is_it.then(|| (0..shown.len()).find(continues)).flatten()
    }

    /// Returns whether this is more than a piece of a loading page: from an earlier connection, a complete list, or
    /// old enough for all of it to have scrolled off.
    pub(super) fn is_from_earlier_list(&self, now: Instant, scrolls_off: Duration) -> bool {
        let is_long_ago = |at: Instant| now.saturating_duration_since(at) >= scrolls_off;
        !self.is_current || self.was_whole || self.mono.is_none_or(is_long_ago)
    }

    fn contains(&self, shown: &[HistoryEntry]) -> bool {
        self.list.windows(shown.len().max(1)).any(|piece| begins_with(piece, shown))
    }

    /// Appends the older piece `before` if this piece continues it.
    fn absorb(&mut self, before: &Self) -> bool {
        let Some(fresh) = before.continued_by(&listed(&self.list)) else { return false };
        let overlap = (self.list.len() - fresh).min(before.list.len());
        self.list.extend(before.list[overlap..].iter().cloned());
        self.list.truncate(WINDOW);
        if before.was_whole {
            self.ended = before.ended + fresh;
        }
        true
    }

    /// Removes and returns all pieces, oldest first.
    pub(super) fn take_pieces(&mut self) -> Vec<Self> {
        let mut pieces = std::mem::take(&mut self.older);
        let newest = std::mem::take(self);
        pieces.extend((!newest.is_empty()).then_some(newest));
        pieces
    }

    /// Returns the final entries, and how many of them ended while the list was being read.
    fn final_entries(&self) -> (&[HistoryEntry], usize) {
        let first = usize::from(!self.is_final).min(self.list.len());
        (&self.list[first..], self.ended.saturating_sub(first))
    }
}

/// Returns whether two lists agree as far as both reach.
fn begins_with(list: &[HistoryEntry], other: &[HistoryEntry]) -> bool {
    list.iter().zip(other).all(|(a, b)| a.cents() == b.cents())
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
fn is_doubled(shown: &[HistoryEntry]) -> bool {
    let (first, second) = shown.split_at(shown.len() / 2);
    first.len() == second.len() && begins_with(first, second)
}

impl Deduplicator {
    /// Writes or gives up the unplaced rounds before a single round, which is newer than all of
    /// them. A page that still shows them will show them again.
    pub(super) fn flush_before_round(&mut self, now: Instant, out: &mut Vec<Outcome>) {
        let is_current = self.list.unplaced.is_current;
        let mut pieces = self.list.unplaced.take_pieces();
        pieces.retain(|unplaced| unplaced.was_whole && !is_current);
        for unplaced in pieces {
            self.flush_unplaced(&unplaced, now, out);
        }
    }

    /// Writes all unplaced rounds, because the recording ends.
    pub(super) fn flush_all(&mut self, now: Instant, out: &mut Vec<Outcome>) {
        for unplaced in ordered_pieces(self.list.unplaced.take_pieces()) {
            self.flush_unplaced(&unplaced, now, out);
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
            let fresh = unplaced.continued_by(shown);
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
        let (list, ended) = unplaced.final_entries();
        if list.is_empty() || self.window.is_empty() {
            return;
        }
        let shown = listed(list);
        let mono = unplaced.mono.unwrap_or(now);
        let observation = &Observation { mono, wall: unplaced.at, report: Report::Alive };
        let (known, last_round) = (self.newest, self.last_round);
        if self.rounds_possible(unplaced.elapsed) < self.list.longest() {
            // The list has more rounds than the time allows, so it is that of another table. Write
            // only the rounds that ended while it was being read.
            if ended > 0 && self.unlisted_count == 0 {
                let detail = json!({ "reason": "the list did not continue, and is gone" });
                out.push(Outcome::Note { kind: EventKind::Reset, detail });
                self.window.clear();
                self.extend_window(&shown[ended..], 0, 0);
                out.push(restart_event(&entries(&shown[ended..])));
                let context = HistoryContext { observation, after_gap: true };
                self.accept_history(&shown[..ended], context, out);
            }
        } else {
            self.flush_placed(&shown, (observation, unplaced.elapsed), out);
        }
        if self.newest != known {
            self.unlisted_count = 0;
            // The rest of the list may hold newer rounds.
            if unplaced.was_whole {
                self.confirmed = Since::Mono(mono);
            } else {
                self.last_round = last_round;
            }
        }
    }

    fn flush_placed(
        &mut self,
        shown: &[ListedRound<'_>],
        (observation, elapsed): (&Observation, Option<Duration>),
        out: &mut Vec<Outcome>,
    ) {
        let prior = Prior { continuity: Continuity::Broken, ..self.prior(elapsed, false) };
        let posterior = Posterior::of(shown, &self.window, &prior);
        let (fresh, after_gap) = match posterior.placement(Patience::Ends) {
            Placement::Joined { join: Join { lag: 1.., .. }, .. }
            | Placement::OtherList
            | Placement::Undecided => return,
            Placement::Joined { join, others, is_certain } => {
                self.window.truncate(join.kept);
                if join.fresh > 0 && !(is_certain && others.is_empty()) {
                    let detail = json!({ "reason": "too little overlap", "fresh": join.fresh });
                    out.push(Outcome::Note { kind: EventKind::Weak, detail });
                }
                (join.fresh, false)
            }
            Placement::AllNew if self.holds(shown) => return,
            Placement::AllNew => {
                out.push(gap("nothing of the list is known", &json!({ "shown": shown.len() })));
                self.window.clear();
                (shown.len(), true)
            }
        };
        self.extend_window(shown, fresh, 0);
        self.accept_history(&shown[..fresh], HistoryContext { observation, after_gap }, out);
    }

    /// Returns whether the known rounds contain these in a row, as far back as they reach.
    fn holds(&self, shown: &[ListedRound<'_>]) -> bool {
        (0..self.window.len()).any(|lag| {
            let overlap = shown.len().min(self.window.len() - lag);
            overlap >= OVERLAP
                && (0..overlap).all(|i| shown[i].cents() == self.window[i + lag].cents)
        })
    }
}
