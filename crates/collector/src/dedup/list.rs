//! Finds new rounds in a visible list without ids.

use rounds::EventKind;
use serde_json::json;

use super::alignment::{BASELINE_LEN, OVERLAP, lcs_pairs, len_without_repeat, matching_offsets};
use super::list_state::{List, PendingEntry};
use super::newest_entry::Stability;
use super::posterior::{Join, Patience, Placement, Posterior};
use super::unplaced::UnplacedRounds;
use super::{
    Baseline, Deduplicator, HistoryContext, KnownRound, ListedRound, Outcome, Prior, entries, gap,
    listed, restart_event,
};
use crate::observation::{HistoryEntry, Observation, Report};

/// Number of readings of a page that may stay unplaced before the likeliest hypothesis is accepted:
/// until then the page may still be loading.
const UNPLACED_MAX_OF_A_PAGE: u32 = 6;
/// The same for messages, which are always complete; but a single one may be a mistake of the
/// server.
const UNPLACED_MAX_OF_A_FEED: u32 = 2;

impl Deduplicator {
    pub(super) fn observe_list(
        &mut self,
        shown: &[HistoryEntry],
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let mut cents: Vec<Option<u64>> = shown.iter().map(HistoryEntry::cents).collect();
        let all = cents.len();
        cents.truncate(len_without_repeat(&cents));
        let now = (observation.mono, observation.wall);
        let stability = if self.settings.needs_equal_reads() {
            self.list.newest.observe(&cents, now)
        } else {
            Stability { is_stable: true, is_final: true, is_likely: true, shown_since: now }
        };
        if !stability.is_stable || cents.len() < OVERLAP {
            return;
        }
        // A repeat in a list of the usual length is a coincidence; in a list longer than any
        // before, it means that the page shows the list twice.
        let len = if all <= self.list.longest { all } else { cents.len() };
        let is_whole = self.list.is_whole(len, observation.mono);
        let own = cents.len();
        if self.list.complete == cents && !self.window.is_empty() {
            let list = Self::list_of(&shown[..own], own, (is_whole, stability));
            self.list.mark_placed(&list, true, observation.mono);
            return self.confirm_continuity(observation.mono);
        }
        let elapsed = self.last_round.elapsed(observation);
        let reading = (observation, elapsed, stability.is_final);
        let (combined, left) = self.list.unplaced.join(&shown[..own], is_whole, reading);
        let list = Self::list_of(&combined, own, (is_whole, stability));
        self.flush_scrolled_off(left, &list, observation, out);
        if self.window.is_empty() {
            if all >= BASELINE_LEN && is_whole && self.may_begin(&list) {
                self.list.mark_placed(&list, list.is_final, observation.mono);
                self.take_baseline(list.own(), observation, out);
                self.window.iter_mut().take(1).for_each(|newest| newest.is_drawn = !list.is_final);
            }
        } else if self.apply_list(&list, observation, out) {
            self.list.mark_placed(&list, list.is_final, observation.mono);
            self.confirm_continuity(observation.mono);
        }
    }

    fn list_of(
        entries: &[HistoryEntry],
        own: usize,
        (is_whole, stability): (bool, Stability),
    ) -> List<'_> {
        let Stability { is_final, is_likely, shown_since, .. } = stability;
        List { shown: listed(entries), own, is_whole, is_final, is_likely, shown_since }
    }

    /// Returns whether the first list can be taken: what is written of it must be final.
    fn may_begin(&self, list: &List<'_>) -> bool {
        list.is_final || self.settings.baseline == Baseline::None || !self.is_first
    }

    /// Writes the unplaced rounds of earlier lists that this list no longer shows because they have
    /// scrolled off. If the list continues the known rounds, the unplaced ones were never part of
    /// this game and are dropped.
    fn flush_scrolled_off(
        &mut self,
        mut left: Vec<UnplacedRounds>,
        list: &List<'_>,
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let scrolls_off = self.settings.round_min * u32::try_from(self.list.longest).unwrap_or(0);
        left.retain(|unplaced| unplaced.is_from_earlier_list(observation.mono, scrolls_off));
        if left.is_empty() || self.window.is_empty() {
            return;
        }
        let placement = self.posterior(list, observation).placement(Patience::Waits);
        if matches!(placement, Placement::Joined { .. }) {
            return;
        }
        for unplaced in left {
            self.flush_unplaced(&unplaced, observation.mono, out);
        }
    }

    /// Returns the probabilities of the list's places among the known rounds.
    fn posterior(&self, list: &List<'_>, observation: &Observation) -> Posterior {
        let prior = self.prior(self.last_round.elapsed(observation), !list.is_whole);
        let prior = Prior { is_drawn: !list.is_final, ..prior };
        Posterior::of(&list.shown, &self.window, &prior)
    }

    /// Applies the list to the window. Returns whether every round that the page shows is now
    /// known, but for the newest if it is not final.
    fn apply_list(
        &mut self,
        list: &List<'_>,
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) -> bool {
        let mut placement = self.posterior(list, observation).placement(Patience::Waits);
        if placement == Placement::Undecided && list.is_whole {
            if self.unlisted_count == self.window.len() {
                // All known rounds arrived one by one, after this list.
                self.replace_window(list.own());
                return true;
            }
            self.list.unplaced_count += 1;
            let is_last = self.list.unplaced_count >= self.unplaced_max();
            if is_last {
                // It may be the one round that the list has in common with the known ones.
                self.accept_pending(out);
            }
            if is_last && self.repair_order(list, observation, out) {
                return true;
            }
            // If the known rounds are few, no later list can show more of them.
            if is_last || self.window.len() < OVERLAP {
                placement = self.posterior(list, observation).placement(Patience::Ends);
            }
        }
        match placement {
            Placement::Undecided => return false,
            Placement::AllNew => self.continue_after_gap(list, out),
            Placement::OtherList => self.reset_to(list, out),
            Placement::Joined { join, others, is_certain } => {
                let is_sure = is_certain && others.is_empty();
                if !list.is_whole && !is_sure {
                    return false;
                }
                self.apply_join(list, join, (&others, is_certain), out);
            }
        }
        // A page that fills up from the oldest round has not shown the newest ones yet.
        list.is_whole
    }

    fn unplaced_max(&self) -> u32 {
        if self.settings.needs_equal_reads() {
            UNPLACED_MAX_OF_A_PAGE
        } else {
            UNPLACED_MAX_OF_A_FEED
        }
    }

    fn apply_join(
        &mut self,
        list: &List<'_>,
        join: Join,
        (others, is_certain): (&[usize], bool),
        out: &mut Vec<Outcome>,
    ) {
        let Join { fresh, lag, kept, .. } = join;
        let first = list.first_final(fresh);
        self.list.pending = None;
        self.list.is_ambiguous |= !others.is_empty();
        if fresh > first && (self.list.is_ambiguous || !is_certain) {
            self.list.is_ambiguous = false;
            let reason =
                if others.is_empty() { "too little overlap" } else { "fits in several places" };
            let detail = json!({ "reason": reason, "fresh": fresh, "others": others });
            out.push(Outcome::Note { kind: EventKind::Weak, detail });
        }
        self.window.truncate(kept);
        self.correct(list, join, out);
        self.extend_window(&list.shown, fresh, lag);
        self.accept_final(list, fresh, false, out);
        self.unlisted_count = lag;
    }

    /// Accepts the newest `fresh` entries; the newest of all only if it is final.
    fn accept_final(
        &mut self,
        list: &List<'_>,
        fresh: usize,
        after_gap: bool,
        out: &mut Vec<Outcome>,
    ) {
        let first = list.first_final(fresh);
        self.list.pending = (first > 0).then(|| PendingEntry {
            entry: list.shown[0].entry.clone(),
            is_likely: list.is_likely,
            since: list.shown_since,
        });
        let (mono, wall) = list.shown_since;
        let observation = &Observation { mono, wall, report: Report::Alive };
        self.accept_history(
            &list.shown[first..fresh],
            HistoryContext { observation, after_gap },
            out,
        );
    }

    /// Accepts the newest entry of the last placed list, if it is likely to be final.
    pub(super) fn accept_pending(&mut self, out: &mut Vec<Outcome>) {
        let Some(pending) = self.list.pending.take_if(|pending| pending.is_likely) else { return };
        let (mono, wall) = pending.since;
        let observation = &Observation { mono, wall, report: Report::Alive };
        let shown = [ListedRound { entry: &pending.entry, id: None }];
        self.accept_history(&shown, HistoryContext { observation, after_gap: false }, out);
    }

    /// Settles the newest entry when the recording ends: accepts it, or records a discontinuity in
    /// its place.
    pub(super) fn flush_pending(&mut self, out: &mut Vec<Outcome>) {
        self.accept_pending(out);
        if let Some(pending) = self.list.pending.take() {
            let text = json!({ "text": pending.entry });
            out.push(gap("the newest entry was not final when the recording ended", &text));
            out.push(restart_event(&self.window_entries()));
        }
    }

    /// Follows the list where it shows a known round with another value, and records that if a row
    /// has been written of it.
    fn correct(&mut self, list: &List<'_>, join: Join, out: &mut Vec<Outcome>) {
        for (index, shown) in list.own().iter().enumerate().skip(join.fresh) {
            let Some(known) = self.window.get_mut(index - join.fresh + join.lag) else { return };
            let is_drawn = index == 0 && !list.is_final;
            if is_drawn || known.cents == shown.cents() || shown.cents().is_none() {
                continue;
            }
            // A value with an id came from the game's server.
            if known.id.is_some() {
                continue;
            }
            known.is_drawn = false;
            let before = std::mem::replace(&mut known.cents, shown.cents());
            if let (Some(before), true) = (before, known.is_row) {
                let detail = json!({
                    "reason": "the list shows another value now",
                    "position": index, "first_cents": before, "now_cents": shown.cents(),
                });
                out.push(Outcome::Note { kind: EventKind::Conflict, detail });
            }
        }
    }

    /// Appends the older end of a list that reaches further back than the window.
    pub(super) fn extend_window(&mut self, shown: &[ListedRound<'_>], fresh: usize, lag: usize) {
        let overlap = self.window.len() - lag;
        let older = shown.iter().skip(fresh + overlap);
        self.window.extend(older.map(|shown| KnownRound::of_list(shown.cents())));
        self.window.truncate(super::WINDOW);
    }

    /// Handles a list that matches the window below the rounds observed one by one but shows
    /// different rounds in their place. Those can no longer be written in order, so this records
    /// the gap, continues from the list, and returns true. Returns false for any other list.
    fn repair_order(
        &mut self,
        list: &List<'_>,
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) -> bool {
        let (shown, unlisted) = (list.own(), self.unlisted_count);
        let below = self.window.iter().skip(unlisted).cloned().collect();
        let prior = self.prior(self.last_round.elapsed(observation), false);
        let rounds_possible = prior.rounds_possible.saturating_add(unlisted);
        let prior = Prior { rounds_possible, unlisted: 0, ..prior };
        let placement = Posterior::of(shown, &below, &prior).placement(Patience::Waits);
        let Placement::Joined { join: Join { fresh: above, lag: 0, .. }, .. } = placement else {
            return false;
        };
        if unlisted == 0 {
            return false;
        }
        let same = |i: usize, j: usize| shown[i].cents() == self.window[j].cents;
        let pairs = lcs_pairs(above, unlisted, same);
        // Entries above the newest written round are new.
        let fresh = pairs.iter().position(|pair| *pair == Some(0)).unwrap_or(0);
        let missed: Vec<Option<f64>> = (fresh..above)
            .filter(|&i| pairs[i].is_none())
            .map(|i| shown[i].multiplier().map(rounds::Multiplier::as_f64))
            .collect();
        out.push(gap("missed before rounds that are written", &json!({ "multipliers": missed })));
        self.replace_window(&shown[fresh..]);
        out.push(restart_event(&entries(&shown[fresh..])));
        self.accept_final(list, fresh, false, out);
        true
    }

    /// Continues from a list of this table that shows no known round.
    fn continue_after_gap(&mut self, list: &List<'_>, out: &mut Vec<Outcome>) {
        let seen = list.shown.len();
        self.list.pending = None;
        out.push(gap("nothing of the list is known", &json!({ "shown": seen })));
        self.window.clear();
        self.unlisted_count = 0;
        self.accept_final(list, seen, true, out);
    }

    /// Continues from a list of another table.
    fn reset_to(&mut self, list: &List<'_>, out: &mut Vec<Outcome>) {
        self.list.pending = None;
        let shown = list.own();
        let (len, known) = (shown.len(), self.window.len());
        let reversed = |i: usize, j: usize| shown[len - 1 - i].cents() == self.window[j].cents;
        let is_reversed = !matching_offsets(len, known, OVERLAP, len, reversed).is_empty();
        let hint = if is_reversed {
            "the list is in the other order: see --order"
        } else {
            "another game or table, or a list that changed"
        };
        let detail = json!({ "reason": "the list does not continue", "hint": hint });
        out.push(Outcome::Note { kind: EventKind::Reset, detail });
        // Rounds that ended since the list was first read belong to this recording, unless they
        // have already arrived one by one.
        let ended = if self.unlisted_count == 0 { self.list.unplaced.ended.min(len) } else { 0 };
        self.replace_window(&shown[ended..]);
        out.push(restart_event(&entries(&shown[ended..])));
        self.accept_final(list, ended, true, out);
    }

    /// Replaces the window with the list. Rounds that the list does not show yet stay above it.
    fn replace_window(&mut self, shown: &[ListedRound<'_>]) {
        let unlisted: Vec<KnownRound> = self.window.drain(..self.unlisted_count).collect();
        let pairs =
            lcs_pairs(shown.len(), unlisted.len(), |i, j| shown[i].cents() == unlisted[j].cents);
        let newer = pairs.iter().flatten().min().copied().unwrap_or(unlisted.len());
        let of_list = shown.iter().zip(&pairs).map(|(shown, pair)| KnownRound {
            id: pair.and_then(|j| unlisted[j].id.clone()),
            ..KnownRound::of_list(shown.cents())
        });
        self.window =
            unlisted[..newer].iter().cloned().chain(of_list).take(super::WINDOW).collect();
        self.unlisted_count = newer;
    }
}
