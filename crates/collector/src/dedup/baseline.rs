//! Begins a recording from the first history: its rounds ended before.

use super::{
    Baseline, Deduplicator, HistoryContext, KnownRound, ListedRound, Outcome, entries,
    restart_event,
};
use crate::observation::{Observation, Report};

impl Deduplicator {
    /// Records the configured part of the first history. Rounds that were reported one by one while
    /// the history was awaited ended during the recording and are written too.
    pub(super) fn take_baseline(
        &mut self,
        shown: &[ListedRound<'_>],
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let asked = match self.settings.baseline {
            Baseline::All if self.is_first => shown.len(),
            Baseline::Newest if self.is_first => shown.len().min(1),
            _ => 0,
        };
        let fresh = asked.max(self.deferred_in(shown));
        if fresh < shown.len() {
            out.push(restart_event(&entries(&shown[fresh..])));
        }
        let known = shown[fresh..].iter().map(KnownRound::of_history);
        self.window.extend(known.take(super::WINDOW));
        if let (0, Some(newest)) = (fresh, self.window.front_mut()) {
            // Its id may still arrive.
            newest.listed = Some(observation.mono);
        }
        self.mark_round(observation.mono, false);
        self.accept_history(&shown[..fresh], HistoryContext { observation, after_gap: true }, out);
        self.unlisted_count = 0;
        self.confirm_continuity(observation.mono);
    }

    /// Returns how many of the newest entries are as new as the oldest deferred round with a shown
    /// id.
    fn deferred_in(&self, shown: &[ListedRound<'_>]) -> usize {
        let is_deferred = |shown: &ListedRound<'_>| {
            shown.id.is_some()
                && self.deferred.iter().any(|deferred| match &deferred.report {
                    Report::Round { id, .. } => id.as_deref() == shown.id,
                    _ => false,
                })
        };
        shown.iter().rposition(is_deferred).map_or(0, |oldest| oldest + 1)
    }
}
