//! Handles rounds that arrive one by one, with or without an id.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rounds::{EventKind, Round};
use serde_json::json;

use super::{Deduplicator, KnownRound, Outcome, Since, WINDOW, distance, gap, times};
use crate::observation::{Observation, Report};

/// Maximum time between a list showing a round and its id arriving.
const MERGE_WITHIN: Duration = Duration::from_secs(10);
/// The same while lists are being read. It is longer, because lists show every round, so a late id
/// cannot hide a new one.
const NAME_WITHIN: Duration = Duration::from_mins(1);
/// An id that has not arrived by the time this many more rounds can have ended never will.
const NAME_ROUNDS: u32 = 10;
/// Lists are being read if one was aligned within this time.
const LIST_ALIVE: Duration = Duration::from_secs(15);
/// How long a single round waits for the history, so that the rounds before it can be written
/// first.
const DEFER_FOR: Duration = MERGE_WITHIN;

impl Deduplicator {
    pub(super) fn must_defer(&self) -> bool {
        self.settings.shows_history() && !self.is_continuous && self.deferred.len() < WINDOW
    }

    /// Handles deferred rounds once the history has arrived or is no longer expected.
    pub(super) fn release_deferred(&mut self, observation: &Observation, out: &mut Vec<Outcome>) {
        let Some(first) = self.deferred.first() else { return };
        let waited = observation.mono.saturating_duration_since(first.mono);
        let is_end = observation.report == Report::End;
        if !self.is_continuous && waited < DEFER_FOR && self.deferred.len() < WINDOW && !is_end {
            return;
        }
        for deferred in std::mem::take(&mut self.deferred) {
            self.observe_round(&deferred, out);
        }
    }

    pub(super) fn observe_round(&mut self, observation: &Observation, out: &mut Vec<Outcome>) {
        let Report::Round { id, multiplier, ended_at, backfill, detail } = &observation.report
        else {
            return;
        };
        let cents = multiplier.cents();
        if let Some(id) = id {
            if let Some(first) = self.cents_of(id) {
                self.note_conflict(id, first, cents, out);
                return;
            }
            self.remember_id(id, cents);
            if self.assign_id_to_listed(id, cents, observation.mono) {
                return;
            }
        }
        if *backfill && self.is_already_recorded(*ended_at, cents) {
            return;
        }
        self.flush_before_round(observation.mono, out);
        self.note_missing_history(observation, out);
        let (time, stepped_back) = self.time_of(*ended_at, observation.wall);
        let round = Round { time, multiplier: *multiplier };
        out.push(Outcome::Accept {
            round,
            id: id.clone(),
            kind: if *backfill { EventKind::Backfill } else { EventKind::Live },
            detail: times::with_step(detail.clone(), stepped_back),
        });
        self.push(KnownRound { id: id.clone(), ..KnownRound::of_row(&round) });
        self.unlisted_count = (self.unlisted_count + 1).min(self.window.len());
        self.newest = Some(time);
        self.mark_round(observation.mono, self.is_continuous && !*backfill);
        self.confirmed = Since::Mono(observation.mono);
        self.is_continuous = true;
        self.is_first = false;
    }

    /// Assigns the id to a matching round that a list has shown; returns whether there is one. If
    /// the id belongs to another round of the same value, a later list will show that.
    fn assign_id_to_listed(&mut self, id: &str, cents: u64, now: Instant) -> bool {
        let is_list_alive = self.list.placed_within(now, LIST_ALIVE);
        let within = if is_list_alive { NAME_WITHIN } else { MERGE_WITHIN };
        let fits = |known: &KnownRound, within: Duration| {
            known.id.is_none()
                && known.cents == Some(cents)
                && known.listed.is_some_and(|at| distance(at, now) <= within)
        };
        // Ids arrive in the order of the rounds: prefer a round newer than every round with an id,
        // else take a recent older one.
        let unpassed = self.window.iter().take_while(|known| known.id.is_none()).count();
        let lately = within.min(self.settings.round_min * NAME_ROUNDS);
        let found = (0..unpassed)
            .rev()
            .find(|&i| fits(&self.window[i], within))
            .or_else(|| self.window.iter().rposition(|known| fits(known, lately)));
        if let Some(i) = found {
            self.window[i].id = Some(id.to_owned());
        }
        found.is_some()
    }

    /// Returns whether a dated round of a history ended no later than the newest row.
    fn is_already_recorded(&self, ended_at: Option<DateTime<Utc>>, cents: u64) -> bool {
        let (Some(ended_at), Some(newest)) = (ended_at, self.newest) else { return false };
        let is_newest =
            ended_at == newest && self.window.front().is_some_and(|k| k.cents == Some(cents));
        !self.settings.keeps_times() && (ended_at < newest || is_newest)
    }

    /// Records a gap if nothing shows what happened between the previous connection and this round.
    fn note_missing_history(&mut self, observation: &Observation, out: &mut Vec<Outcome>) {
        if self.is_continuous || !self.settings.kind.is_live() || self.window.is_empty() {
            return;
        }
        let seconds = self.confirmed.elapsed(observation).map(|elapsed| elapsed.as_secs());
        out.push(gap("no history after connecting", &json!({ "seconds": seconds })));
    }
}
