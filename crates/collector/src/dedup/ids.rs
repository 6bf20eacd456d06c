//! Rounds out of a history with ids. Ids only rise; they are not consecutive, so nothing is ever counted with them.

use rounds::{EventKind, Multiplier};
use serde_json::json;

use super::alignment::{OVERLAP, broken_shift, pairs, shifts};
use super::unplaced::{Waiting, basis};
use super::{Deduplicator, Found, Known, Outcome, Shown, conflict, gap};
use crate::observation::Observation;

impl Deduplicator {
    pub(super) fn hear_ids(
        &mut self,
        shown: &[(String, Multiplier)],
        reading: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        for (id, multiplier) in shown {
            let first = self.cents_of(id);
            out.extend(first.and_then(|first| conflict(id, first, multiplier.cents())));
        }
        let shown: Vec<Shown<'_>> = shown
            .iter()
            .map(|(id, multiplier)| Shown { multiplier: *multiplier, id: Some(id) })
            .collect();
        if shown.is_empty() {
            return;
        }
        if self.window.is_empty() {
            self.take_baseline(&shown, reading, out);
        } else if shown.iter().any(|shown| self.knows(shown)) {
            self.join_by_id(&shown, reading, out);
        } else {
            self.join_by_value(&shown, reading, out);
        }
        for shown in shown.iter().rev() {
            self.remember(shown);
        }
        self.list.waiting = Waiting::default();
        self.bridge(reading.mono);
    }

    fn knows(&self, shown: &Shown<'_>) -> bool {
        shown.id.is_some_and(|id| self.cents_of(id).is_some())
    }

    fn remember(&mut self, shown: &Shown<'_>) {
        if let Some(id) = shown.id.filter(|id| self.cents_of(id).is_none()) {
            self.remember_id(id, shown.multiplier.cents());
        }
    }

    /// Some ids are known. What stands above the newest round of the window is new; what stands below it and is not in the window
    /// was missed.
    fn join_by_id(&mut self, shown: &[Shown<'_>], reading: &Observation, out: &mut Vec<Outcome>) {
        let same = |i: usize, j: usize| match &self.window[j].id {
            Some(id) => shown[i].id == Some(id),
            None => self.window[j].cents == shown[i].multiplier.cents() && !self.knows(&shown[i]),
        };
        let pairs = self.head_by_id(shown).map_or_else(
            || pairs(shown.len(), self.window.len(), same),
            |(i, j)| {
                let head = (0..i).map(|at| (at + j).checked_sub(i));
                let below =
                    pairs(shown.len() - i, self.window.len() - j, |a, b| same(a + i, b + j));
                head.chain(below.into_iter().map(|pair| pair.map(|b| b + j))).collect()
            },
        );
        let fresh = pairs.iter().position(|pair| *pair == Some(0)).unwrap_or(0);
        let oldest = pairs.iter().rposition(Option::is_some).unwrap_or(0);
        let missed: Vec<f64> = (fresh..oldest)
            .filter(|&i| pairs[i].is_none() && !self.knows(&shown[i]))
            .map(|i| shown[i].multiplier.as_f64())
            .collect();
        for (shown, pair) in shown.iter().zip(&pairs) {
            if let Some(j) = pair {
                self.window[*j].id = shown.id.map(str::to_owned);
            }
        }
        if !missed.is_empty() {
            let more = json!({ "multipliers": missed });
            out.push(gap("missed before rounds that are written", &more));
            out.push(basis(&shown[fresh..]));
        }
        self.accept_named(&shown[..fresh], false, reading, out);
    }

    /// The newest round of the window whose id is shown, `(shown, window)`, if all above it in the window fit in their places
    /// too: without an id a round may look like any other of its value.
    fn head_by_id(&self, shown: &[Shown<'_>]) -> Option<(usize, usize)> {
        let is_it = |j: usize| {
            let id = self.window[j].id.as_deref()?;
            Some((shown.iter().position(|shown| shown.id == Some(id))?, j))
        };
        let (i, j) = (0..self.window.len()).find_map(is_it)?;
        let above = i.checked_sub(j)?;
        let fits = |at: usize| self.window[at].cents == shown[above + at].multiplier.cents();
        (0..j).all(fits).then_some((i, j))
    }

    /// No id is known, as after a restart: what counts is where the values lie.
    fn join_by_value(
        &mut self,
        shown: &[Shown<'_>],
        reading: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let (bound, known) = (self.bound(reading), self.window.len());
        let same = |i: usize, j: usize| {
            self.window[j].id.is_none() && self.window[j].cents == shown[i].multiplier.cents()
        };
        let proven = shifts(shown.len(), known, OVERLAP, bound, same);
        if let Some(&fresh) = proven.first() {
            self.name_window(&shown[fresh..], 0);
            return self.accept_named(&shown[..fresh], false, reading, out);
        }
        // A list may be faster than the message with the history, which then lacks the newest rounds.
        let fits_below = |&lag: &usize| {
            let same = |i: usize, j: usize| same(i, j + lag);
            !shifts(shown.len(), known - lag, OVERLAP, 0, same).is_empty()
        };
        if let Some(lag) = (1..=known.saturating_sub(OVERLAP)).find(fits_below) {
            return self.name_window(shown, lag);
        }
        let may_break = |j: usize| self.window[j].is_old;
        if let Some((fresh, kept)) = broken_shift(shown.len(), known, bound, may_break, same) {
            self.window.truncate(kept);
            self.name_window(&shown[fresh..], 0);
            return self.accept_named(&shown[..fresh], false, reading, out);
        }
        let is_short = known < OVERLAP || bound.saturating_add(2) >= shown.len();
        let weak = if is_short { shifts(shown.len(), known, 1, bound, same) } else { Vec::new() };
        if self.settle_beside(shown, reading.mono, out) {
            return self.join_by_value(shown, reading, out);
        }
        if let Some(&fresh) = weak.first() {
            let detail = json!({ "reason": "too little overlap", "fresh": fresh });
            out.push(Outcome::Note { kind: EventKind::Weak, detail });
            self.name_window(&shown[fresh..], 0);
            return self.accept_named(&shown[..fresh], false, reading, out);
        }
        self.window.clear();
        self.ahead = 0;
        if bound >= shown.len() {
            out.push(gap("nothing of the history is known", &json!({ "shown": shown.len() })));
            self.accept_named(shown, true, reading, out);
        } else {
            let detail = json!({ "reason": "the history does not continue" });
            out.push(Outcome::Note { kind: EventKind::Reset, detail });
            self.take_baseline(shown, reading, out);
        }
    }

    /// Gives the window its names, but for the newest `lag`, and its older end if the history reaches further back.
    fn name_window(&mut self, shown: &[Shown<'_>], lag: usize) {
        for (known, shown) in self.window.iter_mut().skip(lag).zip(shown) {
            known.id = shown.id.map(str::to_owned);
        }
        let older = shown.iter().skip(self.window.len() - lag).map(Known::of_history);
        self.window.extend(older);
        self.window.truncate(super::WINDOW);
    }

    fn accept_named(
        &mut self,
        fresh: &[Shown<'_>],
        after_gap: bool,
        reading: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        self.accept_history(fresh, Found { reading, after_gap }, out);
        self.ahead = (self.ahead + fresh.len()).min(self.window.len());
    }
}
