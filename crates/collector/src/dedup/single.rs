//! Rounds that come one by one, with an id or without.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rounds::{EventKind, Round};
use serde_json::json;

use super::{Confirmed, Deduplicator, Known, Outcome, WINDOW, conflict, distance, gap, times};
use crate::observation::{Observation, Report};

/// The same round may come from the list and with its id this far apart.
const MERGE_WITHIN: Duration = Duration::from_secs(10);
/// While the list is read it shows every round by itself, so a name may come so late without being taken for a new round.
const NAME_WITHIN: Duration = Duration::from_mins(1);
/// A name comes before so many more rounds can have ended, or never.
const NAME_ROUNDS: u32 = 10;
/// The list is being read if it found its place so recently.
const LIST_ALIVE: Duration = Duration::from_secs(15);
/// A single round that comes before the history waits this long for it, so that the rounds in between stay in order.
const HOLD: Duration = MERGE_WITHIN;

impl Deduplicator {
    pub(super) fn must_hold(&self) -> bool {
        self.settings.shows_history() && !self.is_bridged && self.held.len() < WINDOW
    }

    /// Lets held rounds go when the history has come, or will not come.
    pub(super) fn release(&mut self, reading: &Observation, out: &mut Vec<Outcome>) {
        let Some(first) = self.held.first() else { return };
        let waited = reading.mono.saturating_duration_since(first.mono);
        let is_end = reading.said == Report::End;
        if !self.is_bridged && waited < HOLD && self.held.len() < WINDOW && !is_end {
            return;
        }
        for held in std::mem::take(&mut self.held) {
            self.hear_round(&held, out);
        }
    }

    pub(super) fn hear_round(&mut self, reading: &Observation, out: &mut Vec<Outcome>) {
        let Report::Round { id, multiplier, ended_at, backfill, detail } = &reading.said else {
            return;
        };
        let cents = multiplier.cents();
        if let Some(id) = id {
            if let Some(first) = self.cents_of(id) {
                out.extend(conflict(id, first, cents));
                return;
            }
            self.remember_id(id, cents);
            if self.name_listed(id, cents, reading.mono) {
                return;
            }
        }
        if *backfill && self.covers(*ended_at, cents) {
            return;
        }
        self.pass_waiting(reading.mono, out);
        self.mark_unbridged(reading, out);
        let (time, stepped_back) = self.time_of(*ended_at, reading.wall);
        out.push(Outcome::Accept {
            round: Round { time, multiplier: *multiplier },
            id: id.clone(),
            kind: if *backfill { EventKind::Backfill } else { EventKind::Live },
            detail: times::with_step(detail.clone(), stepped_back),
        });
        self.push(Known { id: id.clone(), ..Known::of_list(cents) });
        self.ahead = (self.ahead + 1).min(self.window.len());
        self.newest = Some(time);
        self.confirmed = Confirmed::Mono(reading.mono);
        self.is_bridged = true;
        self.is_first = false;
    }

    /// The list has given this round a while ago; now its name comes. If it is another round of the same value after all, the list
    /// will show that.
    fn name_listed(&mut self, id: &str, cents: u64, now: Instant) -> bool {
        let is_list_alive = self.list.is_alive(now, LIST_ALIVE);
        let within = if is_list_alive { NAME_WITHIN } else { MERGE_WITHIN };
        let fits = |known: &Known, within: Duration| {
            known.id.is_none()
                && known.cents == cents
                && known.listed.is_some_and(|at| distance(at, now) <= within)
        };
        // Names come in the order of the rounds, so it is one that no newer name has passed; else one that was passed lately.
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

    /// A round of a dated history is known if it ended before the newest row.
    fn covers(&self, ended_at: Option<DateTime<Utc>>, cents: u64) -> bool {
        let (Some(ended_at), Some(newest)) = (ended_at, self.newest) else { return false };
        let is_newest = ended_at == newest && self.window.front().is_some_and(|k| k.cents == cents);
        !self.settings.keeps_times() && (ended_at < newest || is_newest)
    }

    /// Nothing tells what was between the last connection and this round: say so before it.
    fn mark_unbridged(&mut self, reading: &Observation, out: &mut Vec<Outcome>) {
        if self.is_bridged || !self.settings.kind.is_live() || self.window.is_empty() {
            return;
        }
        let seconds = self.elapsed(reading).map(|elapsed| elapsed.as_secs());
        out.push(gap("no history after connecting", &json!({ "seconds": seconds })));
    }
}
