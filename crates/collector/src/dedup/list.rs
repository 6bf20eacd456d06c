//! Finds new rounds in a visible list without ids.

use std::time::{Duration, Instant};

use rounds::{EventKind, Multiplier};
use serde_json::json;

use super::alignment::{
    Alignment, BASELINE_LEN, OVERLAP, lcs_pairs, len_without_repeat, matching_offsets,
    offset_with_hole,
};
use super::unplaced::{UnplacedRounds, restart_event};
use super::{
    Baseline, DedupSettings, Deduplicator, HistoryContext, KnownRound, ListedRound, Outcome, gap,
};
use crate::observation::Observation;

/// Number of mismatches after which a page's list is accepted all the same; until then the page may
/// still be loading.
const FAILURES_OF_A_PAGE: u32 = 6;
/// The same for a message, which is always complete; but a single one may be a mistake of the
/// server.
const FAILURES_OF_A_MESSAGE: u32 = 2;
/// A list that stays shorter than before for this long is no longer loading; it has become shorter.
const SHORT_FOR: Duration = Duration::from_secs(20);
/// Expected length of a page's list, until a longer one appears or a shorter one persists.
const USUAL_LEN: usize = 25;

/// What is remembered of earlier lists; values in hundredths, newest first.
#[derive(Debug)]
pub(super) struct ListState {
    /// The previous list.
    previous: Vec<u64>,
    /// The last list that could be aligned.
    aligned: Vec<u64>,
    aligned_at: Option<Instant>,
    longest: usize,
    /// Rounds of the lists since then, none of which could be aligned.
    pub(super) unplaced: UnplacedRounds,
    failures: u32,
    /// The length of a list that is shorter than before, and since when.
    short_since: Option<(usize, Instant)>,
}

impl ListState {
    pub(super) fn new(settings: DedupSettings) -> Self {
        let longest = if settings.needs_equal_reads() { USUAL_LEN } else { 0 };
        Self {
            previous: Vec::new(),
            aligned: Vec::new(),
            aligned_at: None,
            unplaced: UnplacedRounds::default(),
            longest,
            failures: 0,
            short_since: None,
        }
    }

    pub(super) fn forget_last_read(&mut self) {
        self.previous.clear();
        self.failures = 0;
        self.unplaced.interrupted();
    }

    /// Returns the greatest length of a list so far.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Returns whether a list was aligned within the last `within`.
    pub(super) fn aligned_within(&self, now: Instant, within: Duration) -> bool {
        self.aligned_at.is_some_and(|at| now.saturating_duration_since(at) <= within)
    }

    fn mark_aligned(&mut self, cents: &[u64], now: Instant) {
        self.aligned_at = Some(now);
        self.aligned = cents.to_vec();
        self.unplaced = UnplacedRounds::default();
        self.failures = 0;
        self.short_since = None;
    }

    /// Returns whether a list of this length is complete: as long as the longest so far, or shorter
    /// but unchanged for [`SHORT_FOR`].
    fn is_whole(&mut self, len: usize, now: Instant) -> bool {
        self.longest = self.longest.max(len);
        if len == self.longest {
            self.short_since = None;
            return true;
        }
        let since = match self.short_since {
            Some((seen, since)) if seen == len => since,
            _ => now,
        };
        self.short_since = Some((len, since));
        if now.saturating_duration_since(since) >= SHORT_FOR {
            self.longest = len;
        }
        false
    }
}

/// A list, followed by what earlier lists showed before it.
struct List<'a> {
    cents: Vec<u64>,
    shown: Vec<ListedRound<'a>>,
    /// How many entries at the head belong to the list itself.
    own: usize,
    /// Whether the list is complete. One that is still loading proves the rounds that it shows, but
    /// not that there are no others.
    is_whole: bool,
}

impl List<'_> {
    fn new(combined: &[Multiplier], own: usize, is_whole: bool) -> Self {
        Self {
            cents: combined.iter().map(|multiplier| multiplier.cents()).collect(),
            shown: combined
                .iter()
                .map(|&multiplier| ListedRound { multiplier, id: None })
                .collect(),
            own,
            is_whole,
        }
    }

    fn own_cents(&self) -> &[u64] {
        &self.cents[..self.own]
    }
}

impl Deduplicator {
    pub(super) fn observe_list(
        &mut self,
        shown: &[Multiplier],
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let mut cents: Vec<u64> = shown.iter().map(|multiplier| multiplier.cents()).collect();
        let all = cents.len();
        cents.truncate(len_without_repeat(&cents));
        if self.settings.needs_equal_reads() && self.list.previous != cents {
            self.list.previous = cents;
            return;
        }
        if cents.len() < OVERLAP {
            return;
        }
        // In a list of familiar length a repeat is a coincidence; a list longer than any before it
        // is shown twice.
        let len = if all <= self.list.longest { all } else { cents.len() };
        let is_whole = self.list.is_whole(len, observation.mono);
        if self.list.aligned == cents && !self.window.is_empty() {
            self.list.mark_aligned(&cents, observation.mono);
            return self.confirm_continuity(observation.mono);
        }
        let max_new_rounds = self.max_new_rounds(observation);
        let (combined, left) =
            self.list.unplaced.join(&shown[..cents.len()], is_whole, (observation, max_new_rounds));
        let list = List::new(&combined, cents.len(), is_whole);
        self.flush_scrolled_off(left, &list, observation, out);
        if self.window.is_empty() {
            if all >= BASELINE_LEN && is_whole {
                self.list.mark_aligned(&cents, observation.mono);
                self.take_baseline(&list.shown[..list.own], observation, out);
            }
        } else if self.apply_list(&list, observation, out) {
            self.list.mark_aligned(&cents, observation.mono);
            self.confirm_continuity(observation.mono);
        }
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
        let max_new_rounds = self.max_new_rounds(observation);
        let scrolls_off = self.settings.round_min * u32::try_from(self.list.longest).unwrap_or(0);
        left.retain(|unplaced| unplaced.is_from_earlier_list(observation.mono, scrolls_off));
        if left.is_empty() || self.window.is_empty() {
            return;
        }
        let alignment = self.align(list.own_cents(), max_new_rounds, list.is_whole);
        if matches!(alignment, Alignment::Proven { .. } | Alignment::WithHole { .. }) {
            return;
        }
        for unplaced in left {
            self.flush_unplaced(&unplaced, observation.mono, out);
        }
    }

    /// Applies the list to the window. Returns whether every round that the page shows is now
    /// known.
    fn apply_list(
        &mut self,
        list: &List<'_>,
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) -> bool {
        let max_new_rounds = self.max_new_rounds(observation);
        let (alignment, cents) = self.align_extended(list, max_new_rounds);
        let (fresh, lag) = match alignment {
            Alignment::Proven { fresh, lag, others } => {
                if !others.is_empty() {
                    out.push(ambiguous(fresh, &others));
                }
                (fresh, lag)
            }
            Alignment::WithHole { fresh, kept } => {
                self.window.truncate(kept);
                (fresh, 0)
            }
            Alignment::Weak { fresh } => {
                let detail = json!({ "reason": "too little overlap", "fresh": fresh });
                out.push(Outcome::Note { kind: EventKind::Weak, detail });
                (fresh, 0)
            }
            Alignment::Unaligned if !list.is_whole => return false,
            Alignment::Unaligned if self.unlisted_count == self.window.len() => {
                // All known rounds arrived one by one, after this list.
                self.replace_window(list.own_cents());
                return true;
            }
            Alignment::Unaligned => {
                if !self.accept_mismatch() {
                    return false;
                }
                if !self.repair_order(list, max_new_rounds, ListContext { observation, out }) {
                    self.reset_to(list, max_new_rounds, ListContext { observation, out });
                }
                return true;
            }
        };
        self.extend_window(cents, fresh, lag);
        self.accept_history(
            &list.shown[..fresh],
            HistoryContext { observation, after_gap: false },
            out,
        );
        self.unlisted_count = lag;
        // A page that fills up from the oldest round has not shown the newest ones yet.
        list.is_whole
    }

    /// Aligns the list by itself or, if that proves nothing, together with what earlier lists
    /// showed.
    fn align_extended<'a>(
        &self,
        list: &'a List<'_>,
        max_new_rounds: usize,
    ) -> (Alignment, &'a [u64]) {
        let alignment = self.align(list.own_cents(), max_new_rounds, list.is_whole);
        match alignment {
            Alignment::Weak { .. } | Alignment::Unaligned if list.own < list.cents.len() => {
                (self.align(&list.cents, max_new_rounds, list.is_whole), &list.cents)
            }
            _ => (alignment, list.own_cents()),
        }
    }

    fn accept_mismatch(&mut self) -> bool {
        self.list.failures += 1;
        let limit = if self.settings.needs_equal_reads() {
            FAILURES_OF_A_PAGE
        } else {
            FAILURES_OF_A_MESSAGE
        };
        self.list.failures >= limit
    }

    pub(super) fn align(&self, cents: &[u64], max_new_rounds: usize, is_whole: bool) -> Alignment {
        let known = self.window.len();
        let least = OVERLAP.min(known);
        let same = |i: usize, j: usize| cents[i] == self.window[j].cents;
        let mut found =
            matching_offsets(cents.len(), known, least, max_new_rounds, same).into_iter();
        let first = found.next();
        let others: Vec<usize> = found.collect();
        if first == Some(0) {
            return Alignment::Proven { fresh: 0, lag: 0, others };
        }
        for lag in 1..=self.unlisted_count.min(known.saturating_sub(OVERLAP)) {
            let same = |i: usize, j: usize| same(i, j + lag);
            if !matching_offsets(cents.len(), known - lag, OVERLAP, 0, same).is_empty() {
                return Alignment::Proven { fresh: 0, lag, others };
            }
        }
        if let Some(fresh) = first {
            return if known < OVERLAP {
                Alignment::Weak { fresh }
            } else {
                Alignment::Proven { fresh, lag: 0, others }
            };
        }
        let may_break = |j: usize| self.window[j].is_old;
        let broken = offset_with_hole(cents.len(), known, max_new_rounds, may_break, same);
        if let Some((fresh, kept)) = broken.filter(|_| is_whole) {
            return Alignment::WithHole { fresh, kept };
        }
        let may_be_weak = is_whole && max_new_rounds.saturating_add(2) >= cents.len();
        let weak = if may_be_weak {
            matching_offsets(cents.len(), known, 1, max_new_rounds, same)
        } else {
            Vec::new()
        };
        weak.first().map_or(Alignment::Unaligned, |&fresh| Alignment::Weak { fresh })
    }

    /// Appends the older end of a list that reaches further back than the window.
    pub(super) fn extend_window(&mut self, cents: &[u64], fresh: usize, lag: usize) {
        let overlap = self.window.len() - lag;
        let older = cents.iter().skip(fresh + overlap);
        self.window.extend(older.map(|&cents| KnownRound::of_list(cents)));
        self.window.truncate(super::WINDOW);
    }

    /// Handles a list that matches the window below the rounds observed one by one but shows
    /// different rounds in their place. Those can no longer be written in order, so this records
    /// the gap, continues from the list, and returns true. Returns false for any other list.
    fn repair_order(
        &mut self,
        list: &List<'_>,
        max_new_rounds: usize,
        context: ListContext<'_>,
    ) -> bool {
        let ListContext { observation, out } = context;
        let (cents, shown) = (list.own_cents(), &list.shown);
        let (unlisted_count, below) =
            (self.unlisted_count, self.window.len() - self.unlisted_count);
        let same = |i: usize, j: usize| cents[i] == self.window[j + unlisted_count].cents;
        let max_new_rounds = max_new_rounds.saturating_add(unlisted_count);
        let fits = matching_offsets(cents.len(), below, OVERLAP, max_new_rounds, same);
        let (Some(&above), true) = (fits.first(), unlisted_count > 0) else { return false };
        let same = |i: usize, j: usize| cents[i] == self.window[j].cents;
        let pairs = lcs_pairs(above, unlisted_count, same);
        // Entries above the newest written round are new.
        let fresh = pairs.iter().position(|pair| *pair == Some(0)).unwrap_or(0);
        let missed: Vec<f64> = (fresh..above)
            .filter(|&i| pairs[i].is_none())
            .map(|i| shown[i].multiplier.as_f64())
            .collect();
        out.push(gap("missed before rounds that are written", &json!({ "multipliers": missed })));
        self.replace_window(&cents[fresh..]);
        out.push(restart_event(&shown[fresh..cents.len()]));
        self.accept_history(&shown[..fresh], HistoryContext { observation, after_gap: false }, out);
        true
    }

    /// Handles a list without a known round: either enough time has passed for all of it to be new, or it belongs to
    /// another game.
    fn reset_to(&mut self, list: &List<'_>, max_new_rounds: usize, context: ListContext<'_>) {
        let ListContext { observation, out } = context;
        let cents = list.own_cents();
        if max_new_rounds >= cents.len() {
            let seen = &list.shown;
            out.push(gap("nothing of the list is known", &json!({ "shown": seen.len() })));
            self.window.clear();
            self.unlisted_count = 0;
            self.accept_history(seen, HistoryContext { observation, after_gap: true }, out);
            return;
        }
        let known = self.window.len();
        let reversed = |i: usize, j: usize| cents[cents.len() - 1 - i] == self.window[j].cents;
        let is_reversed =
            !matching_offsets(cents.len(), known, OVERLAP, max_new_rounds, reversed).is_empty();
        let hint = if is_reversed {
            "the list is upside down: see --order"
        } else {
            "another game or table, or a list that changed"
        };
        let detail = json!({ "reason": "the list does not continue", "hint": hint });
        out.push(Outcome::Note { kind: EventKind::Reset, detail });
        // Rounds that ended since the list was first read belong to this recording, unless they
        // have already arrived one by one.
        let ended =
            if self.unlisted_count == 0 { self.list.unplaced.ended.min(cents.len()) } else { 0 };
        self.replace_window(&cents[ended..]);
        out.push(restart_event(&list.shown[ended..cents.len()]));
        self.accept_history(
            &list.shown[..ended],
            HistoryContext { observation, after_gap: true },
            out,
        );
    }

    /// Replaces the window with the list. Rounds that the list does not show yet stay above it.
    fn replace_window(&mut self, cents: &[u64]) {
        let unlisted: Vec<KnownRound> = self.window.drain(..self.unlisted_count).collect();
        let pairs = lcs_pairs(cents.len(), unlisted.len(), |i, j| cents[i] == unlisted[j].cents);
        let newer = pairs.iter().flatten().min().copied().unwrap_or(unlisted.len());
        let of_list = cents.iter().zip(&pairs).map(|(&cents, pair)| KnownRound {
            id: pair.and_then(|j| unlisted[j].id.clone()),
            ..KnownRound::of_list(cents)
        });
        self.window =
            unlisted[..newer].iter().cloned().chain(of_list).take(super::WINDOW).collect();
        self.unlisted_count = newer;
    }

    /// Records the configured part of the first history: its rounds ended before recording began.
    pub(super) fn take_baseline(
        &mut self,
        shown: &[ListedRound<'_>],
        observation: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let fresh = match self.settings.baseline {
            Baseline::All if self.is_first => shown.len(),
            Baseline::Newest if self.is_first => shown.len().min(1),
            _ => 0,
        };
        if fresh < shown.len() {
            out.push(restart_event(&shown[fresh..]));
        }
        let known = shown[fresh..].iter().map(KnownRound::of_history);
        self.window.extend(known.take(super::WINDOW));
        if let (0, Some(newest)) = (fresh, self.window.front_mut()) {
            // Its id may still arrive.
            newest.listed = Some(observation.mono);
        }
        self.accept_history(&shown[..fresh], HistoryContext { observation, after_gap: true }, out);
        self.unlisted_count = 0;
        self.confirm_continuity(observation.mono);
    }
}

/// An observation and the outcomes it leads to.
struct ListContext<'a> {
    observation: &'a Observation,
    out: &'a mut Vec<Outcome>,
}

fn ambiguous(fresh: usize, others: &[usize]) -> Outcome {
    let detail = json!({ "reason": "fits in several places", "fresh": fresh, "others": others });
    Outcome::Note { kind: EventKind::Weak, detail }
}
