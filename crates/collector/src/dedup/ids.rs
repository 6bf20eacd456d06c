//! Finds new rounds in a history with ids. Ids increase but are not consecutive, so they are never used for counting.

use rounds::{EventKind, Multiplier};
use serde_json::json;

use super::alignment::lcs_pairs;
use super::posterior::{Join, Patience, Placement, Posterior};
use super::unplaced::UnplacedRounds;
use super::{
    Deduplicator, HistoryContext, KnownRound, ListedRound, Outcome, entries, gap, restart_event,
};
use crate::observation::{HistoryEntry, Observation};

impl Deduplicator {
    pub(super) fn observe_history(
        &mut self,
        shown: &[(String, Multiplier)],
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        for (id, multiplier) in shown {
            if let Some(first) = self.cents_of(id) {
                self.note_conflict(id, first, multiplier.cents(), out);
            }
        }
        let named: Vec<(&str, HistoryEntry)> =
            shown.iter().map(|(id, multiplier)| (id.as_str(), (*multiplier).into())).collect();
        let shown: Vec<ListedRound<'_>> =
            named.iter().map(|(id, entry)| ListedRound { entry, id: Some(id) }).collect();
        if shown.is_empty() {
            return;
        }
        if self.window.is_empty() {
            self.take_baseline(&shown, observation, out);
        } else if shown.iter().any(|shown| self.knows_id(shown)) {
            self.join_by_id(&shown, observation, out);
        } else {
            self.join_by_value(&shown, observation, out);
        }
        for shown in shown.iter().rev() {
            self.remember(shown);
        }
        self.list.unplaced = UnplacedRounds::default();
        self.confirm_continuity(observation.mono);
    }

    fn knows_id(&self, shown: &ListedRound<'_>) -> bool {
        shown.id.is_some_and(|id| self.cents_of(id).is_some())
    }

    fn remember(&mut self, shown: &ListedRound<'_>) {
        if let (Some(id), Some(cents)) = (shown.id, shown.cents())
            && self.cents_of(id).is_none()
        {
            self.remember_id(id, cents);
        }
    }

    /// Handles a history with known ids. Entries above the newest round of the window are new; entries below it that
    /// are not in the window were missed.
    fn join_by_id(
        &mut self,
        shown: &[ListedRound<'_>],
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let same = |i: usize, j: usize| match &self.window[j].id {
            Some(id) => shown[i].id == Some(id),
            None => self.window[j].cents == shown[i].cents() && !self.knows_id(&shown[i]),
        };
        let pairs = self.head_by_id(shown).map_or_else(
            || lcs_pairs(shown.len(), self.window.len(), same),
            |(i, j)| {
                let head = (0..i).map(|at| (at + j).checked_sub(i));
                let below =
                    lcs_pairs(shown.len() - i, self.window.len() - j, |a, b| same(a + i, b + j));
                head.chain(below.into_iter().map(|pair| pair.map(|b| b + j))).collect()
            },
        );
        // Ids may have arrived out of order, so what is above the newest round of the window can
        // be known all the same.
        let is_known = |i: usize| pairs[i].is_some() || self.knows_id(&shown[i]);
        let newest = self.window.front().and_then(|known| known.id.as_deref());
        let has_newest =
            |i: usize| pairs[i] == Some(0) || (newest.is_some() && shown[i].id == newest);
        let reaches_newest = (0..shown.len()).any(has_newest);
        let first_known = (0..shown.len()).find(|&i| is_known(i));
        let fresh = first_known.filter(|_| reaches_newest).unwrap_or(0);
        let oldest = pairs.iter().rposition(Option::is_some).unwrap_or(0);
        let missed: Vec<Option<f64>> = (fresh..oldest)
            .filter(|&i| pairs[i].is_none() && !self.knows_id(&shown[i]))
            .map(|i| shown[i].multiplier().map(Multiplier::as_f64))
            .collect();
        for (shown, pair) in shown.iter().zip(&pairs) {
            if let Some(j) = pair {
                self.window[*j].id = shown.id.map(str::to_owned);
            }
        }
        if !missed.is_empty() {
            let more = json!({ "multipliers": missed });
            out.push(gap("missed before rounds that are written", &more));
            out.push(restart_event(&entries(&shown[fresh..])));
        }
        self.accept_with_ids(&shown[..fresh], false, observation, out);
    }

    /// Returns the positions `(shown, window)` of the newest round whose id is shown, if all rounds
    /// above it in the window match too. Otherwise a round without an id could be confused with
    /// another of the same value.
    fn head_by_id(&self, shown: &[ListedRound<'_>]) -> Option<(usize, usize)> {
        let is_it = |j: usize| {
            let id = self.window[j].id.as_deref()?;
            Some((shown.iter().position(|shown| shown.id == Some(id))?, j))
        };
        let (i, j) = (0..self.window.len()).find_map(is_it)?;
        let above = i.checked_sub(j)?;
        let fits = |at: usize| self.window[at].cents == shown[above + at].cents();
        (0..j).all(fits).then_some((i, j))
    }

    /// Handles a history without a known id, as after a restart: aligns it by its values.
    fn join_by_value(
        &mut self,
        shown: &[ListedRound<'_>],
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let prior = self.prior(self.last_round.elapsed(observation), false);
        let posterior = Posterior::of(shown, &self.window, &prior);
        let mut placement = posterior.placement(Patience::Waits);
        if placement == Placement::Undecided {
            if self.flush_unlisted(shown, observation.mono, out) {
                return self.join_by_value(shown, observation, out);
            }
            // A history is complete: no later one can show more of the known rounds.
            placement = posterior.placement(Patience::Ends);
        }
        match placement {
            // If a list has arrived first, the history may lack the newest rounds.
            Placement::Joined { join: Join { lag: lag @ 1.., .. }, .. } => {
                self.assign_ids(shown, lag);
            }
            Placement::Joined { join, others, is_certain } => {
                let fresh = join.fresh;
                if fresh > 0 && !(is_certain && others.is_empty()) {
                    let detail = json!({ "reason": "too little overlap", "fresh": fresh });
                    out.push(Outcome::Note { kind: EventKind::Weak, detail });
                }
                self.window.truncate(join.kept);
                self.assign_ids(&shown[fresh..], 0);
                self.accept_with_ids(&shown[..fresh], false, observation, out);
            }
            Placement::AllNew => {
                self.window.clear();
                self.unlisted_count = 0;
                out.push(gap("nothing of the history is known", &json!({ "shown": shown.len() })));
                self.accept_with_ids(shown, true, observation, out);
            }
            Placement::OtherList | Placement::Undecided => {
                self.window.clear();
                self.unlisted_count = 0;
                let detail = json!({ "reason": "the history does not continue" });
                out.push(Outcome::Note { kind: EventKind::Reset, detail });
                self.take_baseline(shown, observation, out);
            }
        }
    }

    /// Assigns ids to the window, except for the newest `lag` rounds, and extends it if the history reaches further
    /// back.
    fn assign_ids(&mut self, shown: &[ListedRound<'_>], lag: usize) {
        for (known, shown) in self.window.iter_mut().skip(lag).zip(shown) {
            known.id = shown.id.map(str::to_owned);
        }
        let older = shown.iter().skip(self.window.len() - lag).map(KnownRound::of_history);
        self.window.extend(older);
        self.window.truncate(super::WINDOW);
    }

    fn accept_with_ids(
        &mut self,
        fresh: &[ListedRound<'_>],
        after_gap: bool,
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        self.accept_history(fresh, HistoryContext { observation, after_gap }, out);
        self.unlisted_count = (self.unlisted_count + fresh.len()).min(self.window.len());
    }
}
