//! Rounds out of a visible list without ids.

use std::time::{Duration, Instant};

use rounds::{EventKind, Multiplier};
use serde_json::json;

use super::alignment::{
    Alignment, BASELINE_LEN, OVERLAP, broken_shift, pairs, shifts, undoubled_len,
};
use super::unplaced::{Waiting, basis};
use super::{Baseline, Deduplicator, Found, Known, Outcome, Settings, Shown, gap};
use crate::observation::Observation;

/// A list that fits nowhere is believed the sixth time: until then a page may still be filling.
const FAILURES_OF_A_PAGE: u32 = 6;
/// A message is whole; once may be a mistake of the other side.
const FAILURES_OF_A_MESSAGE: u32 = 2;
/// A list that stays shorter than it was for so long is not filling: it is the list now.
const SHORT_FOR: Duration = Duration::from_secs(20);
/// What a page is expected to show, until it has shown more or has stayed at less.
const USUAL_LEN: usize = 25;

/// What the ledger remembers of the lists it has read; all values in hundredths, newest first.
#[derive(Debug)]
pub(super) struct Progress {
    /// The list of the reading before.
    previous: Vec<u64>,
    /// The last list that found its place.
    aligned: Vec<u64>,
    aligned_at: Option<Instant>,
    longest: usize,
    /// Rounds of the lists that have fitted nowhere since then.
    pub(super) waiting: Waiting,
    failures: u32,
    /// The list is shorter than it was: how long, and since when.
    short_since: Option<(usize, Instant)>,
}

impl Progress {
    pub(super) fn new(settings: Settings) -> Self {
        let longest = if settings.lists_settle() { USUAL_LEN } else { 0 };
        Self {
            previous: Vec::new(),
            aligned: Vec::new(),
            aligned_at: None,
            waiting: Waiting::default(),
            longest,
            failures: 0,
            short_since: None,
        }
    }

    pub(super) fn forget_reading(&mut self) {
        self.previous.clear();
        self.failures = 0;
        self.waiting.interrupted();
    }

    /// The longest that the list has been.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// A list found its place not longer ago than `within`.
    pub(super) fn is_alive(&self, now: Instant, within: Duration) -> bool {
        self.aligned_at.is_some_and(|at| now.saturating_duration_since(at) <= within)
    }

    fn align(&mut self, cents: &[u64], now: Instant) {
        self.aligned_at = Some(now);
        self.aligned = cents.to_vec();
        self.waiting = Waiting::default();
        self.failures = 0;
        self.short_since = None;
    }

    /// The list is as long as it ever was, or has been as short for a while: it is not filling.
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

/// A list, and below it what lists before it have shown.
struct List<'a> {
    cents: Vec<u64>,
    shown: Vec<Shown<'a>>,
    /// So many at the head are of the list itself.
    own: usize,
    /// A list that is filling proves rounds, but not that there are no others.
    is_whole: bool,
}

impl List<'_> {
    fn new(gathered: &[Multiplier], own: usize, is_whole: bool) -> Self {
        Self {
            cents: gathered.iter().map(|multiplier| multiplier.cents()).collect(),
            shown: gathered.iter().map(|&multiplier| Shown { multiplier, id: None }).collect(),
            own,
            is_whole,
        }
    }

    fn own_cents(&self) -> &[u64] {
        &self.cents[..self.own]
    }
}

impl Deduplicator {
    pub(super) fn hear_list(
        &mut self,
        shown: &[Multiplier],
        reading: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let mut cents: Vec<u64> = shown.iter().map(|multiplier| multiplier.cents()).collect();
        let all = cents.len();
        cents.truncate(undoubled_len(&cents));
        if self.settings.lists_settle() && self.list.previous != cents {
            self.list.previous = cents;
            return;
        }
        if cents.len() < OVERLAP {
            return;
        }
        // A list of a few values over and over is as long as it is; one that is too long stands there twice.
        let len = if all <= self.list.longest { all } else { cents.len() };
        let is_whole = self.list.is_whole(len, reading.mono);
        if self.list.aligned == cents && !self.window.is_empty() {
            self.list.align(&cents, reading.mono);
            return self.bridge(reading.mono);
        }
        let bound = self.bound(reading);
        let (gathered, left) =
            self.list.waiting.join(&shown[..cents.len()], is_whole, (reading, bound));
        let list = List::new(&gathered, cents.len(), is_whole);
        self.settle_left(left, &list, reading, out);
        if self.window.is_empty() {
            if all >= BASELINE_LEN && is_whole {
                self.list.align(&cents, reading.mono);
                self.take_baseline(&list.shown[..list.own], reading, out);
            }
        } else if self.place_list(&list, reading, out) {
            self.list.align(&cents, reading.mono);
            self.bridge(reading.mono);
        }
    }

    /// Writes what waited from before an interruption, and is not in this list: it has scrolled off. If the list continues what is
    /// known there was never room for it, and it was no list of this game.
    fn settle_left(
        &mut self,
        mut left: Vec<Waiting>,
        list: &List<'_>,
        reading: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let bound = self.bound(reading);
        let scrolls_off = self.settings.round_min * u32::try_from(self.list.longest).unwrap_or(0);
        left.retain(|waiting| waiting.is_of_before(reading.mono, scrolls_off));
        if left.is_empty() || self.window.is_empty() {
            return;
        }
        let place = self.place(list.own_cents(), bound, list.is_whole);
        if matches!(place, Alignment::Proven { .. } | Alignment::Broken { .. }) {
            return;
        }
        for waiting in left {
            self.settle(&waiting, reading.mono, out);
        }
    }

    /// True if everything that the page has shown is known now.
    fn place_list(
        &mut self,
        list: &List<'_>,
        reading: &Observation,
        out: &mut Vec<Outcome>,
    ) -> bool {
        let bound = self.bound(reading);
        let (place, cents) = self.place_at_all(list, bound);
        let (fresh, lag) = match place {
            Alignment::Proven { fresh, lag, others } => {
                if !others.is_empty() {
                    out.push(ambiguous(fresh, &others));
                }
                (fresh, lag)
            }
            Alignment::Broken { fresh, kept } => {
                self.window.truncate(kept);
                (fresh, 0)
            }
            Alignment::Weak { fresh } => {
                let detail = json!({ "reason": "too little overlap", "fresh": fresh });
                out.push(Outcome::Note { kind: EventKind::Weak, detail });
                (fresh, 0)
            }
            Alignment::Nowhere if !list.is_whole => return false,
            Alignment::Nowhere if self.ahead == self.window.len() => {
                // All that is known came as single rounds after this list.
                self.rebuild(list.own_cents());
                return true;
            }
            Alignment::Nowhere => {
                if !self.believes_stranger() {
                    return false;
                }
                if !self.mend(list, bound, Heard { reading, out }) {
                    self.start_over(list, bound, Heard { reading, out });
                }
                return true;
            }
        };
        self.extend_window(cents, fresh, lag);
        self.accept_history(&list.shown[..fresh], Found { reading, after_gap: false }, out);
        self.ahead = lag;
        // A page that fills from its old end has not shown the newest rounds yet.
        list.is_whole
    }

    /// Where the list lies; if it proves nothing by itself, where it lies with what lists before it have shown.
    fn place_at_all<'a>(&self, list: &'a List<'_>, bound: usize) -> (Alignment, &'a [u64]) {
        let place = self.place(list.own_cents(), bound, list.is_whole);
        match place {
            Alignment::Weak { .. } | Alignment::Nowhere if list.own < list.cents.len() => {
                (self.place(&list.cents, bound, list.is_whole), &list.cents)
            }
            _ => (place, list.own_cents()),
        }
    }

    fn believes_stranger(&mut self) -> bool {
        self.list.failures += 1;
        let limit =
            if self.settings.lists_settle() { FAILURES_OF_A_PAGE } else { FAILURES_OF_A_MESSAGE };
        self.list.failures >= limit
    }

    pub(super) fn place(&self, cents: &[u64], bound: usize, is_whole: bool) -> Alignment {
        let known = self.window.len();
        let least = OVERLAP.min(known);
        let same = |i: usize, j: usize| cents[i] == self.window[j].cents;
        let mut found = shifts(cents.len(), known, least, bound, same).into_iter();
        let first = found.next();
        let others: Vec<usize> = found.collect();
        if first == Some(0) {
            return Alignment::Proven { fresh: 0, lag: 0, others };
        }
        for lag in 1..=self.ahead.min(known.saturating_sub(OVERLAP)) {
            let same = |i: usize, j: usize| same(i, j + lag);
            if !shifts(cents.len(), known - lag, OVERLAP, 0, same).is_empty() {
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
        let broken = broken_shift(cents.len(), known, bound, may_break, same);
        if let Some((fresh, kept)) = broken.filter(|_| is_whole) {
            return Alignment::Broken { fresh, kept };
        }
        let may_be_weak = is_whole && bound.saturating_add(2) >= cents.len();
        let weak =
            if may_be_weak { shifts(cents.len(), known, 1, bound, same) } else { Vec::new() };
        weak.first().map_or(Alignment::Nowhere, |&fresh| Alignment::Weak { fresh })
    }

    /// Takes over the older end of a list that reaches further back than the window.
    pub(super) fn extend_window(&mut self, cents: &[u64], fresh: usize, lag: usize) {
        let overlap = self.window.len() - lag;
        let older = cents.iter().skip(fresh + overlap);
        self.window.extend(older.map(|&cents| Known::of_list(cents)));
        self.window.truncate(super::WINDOW);
    }

    /// The list fits below the rounds that came with their ids, but shows others in their place: those cannot be written in
    /// their order any more. Says so and goes on from the list.
    fn mend(&mut self, list: &List<'_>, bound: usize, heard: Heard<'_>) -> bool {
        let Heard { reading, out } = heard;
        let (cents, shown) = (list.own_cents(), &list.shown);
        let (ahead, below) = (self.ahead, self.window.len() - self.ahead);
        let same = |i: usize, j: usize| cents[i] == self.window[j + ahead].cents;
        let bound = bound.saturating_add(ahead);
        let fits = shifts(cents.len(), below, OVERLAP, bound, same);
        let (Some(&above), true) = (fits.first(), ahead > 0) else { return false };
        let same = |i: usize, j: usize| cents[i] == self.window[j].cents;
        let pairs = pairs(above, ahead, same);
        // What stands above the newest written round is new.
        let fresh = pairs.iter().position(|pair| *pair == Some(0)).unwrap_or(0);
        let missed: Vec<f64> = (fresh..above)
            .filter(|&i| pairs[i].is_none())
            .map(|i| shown[i].multiplier.as_f64())
            .collect();
        out.push(gap("missed before rounds that are written", &json!({ "multipliers": missed })));
        self.rebuild(&cents[fresh..]);
        out.push(basis(&shown[fresh..cents.len()]));
        self.accept_history(&shown[..fresh], Found { reading, after_gap: false }, out);
        true
    }

    /// Nothing of the list is known. Either so much time has passed that all of it is new, or it is the list of another game.
    fn start_over(&mut self, list: &List<'_>, bound: usize, heard: Heard<'_>) {
        let Heard { reading, out } = heard;
        let cents = list.own_cents();
        if bound >= cents.len() {
            let seen = &list.shown;
            out.push(gap("nothing of the list is known", &json!({ "shown": seen.len() })));
            self.window.clear();
            self.ahead = 0;
            self.accept_history(seen, Found { reading, after_gap: true }, out);
            return;
        }
        let known = self.window.len();
        let reversed = |i: usize, j: usize| cents[cents.len() - 1 - i] == self.window[j].cents;
        let is_reversed = !shifts(cents.len(), known, OVERLAP, bound, reversed).is_empty();
        let hint = if is_reversed {
            "the list is upside down: see --order"
        } else {
            "another game or table, or a list that changed"
        };
        let detail = json!({ "reason": "the list does not continue", "hint": hint });
        out.push(Outcome::Note { kind: EventKind::Reset, detail });
        // What ended since the list was first seen is ours; frames may have given it already.
        let ended = if self.ahead == 0 { self.list.waiting.ended.min(cents.len()) } else { 0 };
        self.rebuild(&cents[ended..]);
        out.push(basis(&list.shown[ended..cents.len()]));
        self.accept_history(&list.shown[..ended], Found { reading, after_gap: true }, out);
    }

    /// Makes the list the window. Rounds that came with their ids and that it does not show yet stay above it.
    fn rebuild(&mut self, cents: &[u64]) {
        let ahead: Vec<Known> = self.window.drain(..self.ahead).collect();
        let pairs = pairs(cents.len(), ahead.len(), |i, j| cents[i] == ahead[j].cents);
        let newer = pairs.iter().flatten().min().copied().unwrap_or(ahead.len());
        let of_list = cents.iter().zip(&pairs).map(|(&cents, pair)| Known {
            id: pair.and_then(|j| ahead[j].id.clone()),
            ..Known::of_list(cents)
        });
        self.window = ahead[..newer].iter().cloned().chain(of_list).take(super::WINDOW).collect();
        self.ahead = newer;
    }

    /// The first history ever: its rounds ended before anyone looked.
    pub(super) fn take_baseline(
        &mut self,
        shown: &[Shown<'_>],
        reading: &Observation,
        out: &mut Vec<Outcome>,
    ) {
        let fresh = match self.settings.baseline {
            Baseline::All if self.is_first => shown.len(),
            Baseline::Newest if self.is_first => shown.len().min(1),
            _ => 0,
        };
        if fresh < shown.len() {
            out.push(basis(&shown[fresh..]));
        }
        let known = shown[fresh..].iter().map(Known::of_history);
        self.window.extend(known.take(super::WINDOW));
        if let (0, Some(newest)) = (fresh, self.window.front_mut()) {
            // Its id may be on the way.
            newest.listed = Some(reading.mono);
        }
        self.accept_history(&shown[..fresh], Found { reading, after_gap: true }, out);
        self.ahead = 0;
        self.bridge(reading.mono);
    }
}

/// A reading and where to put what follows from it.
struct Heard<'a> {
    reading: &'a Observation,
    out: &'a mut Vec<Outcome>,
}

fn ambiguous(fresh: usize, others: &[usize]) -> Outcome {
    let detail = json!({ "reason": "fits in several places", "fresh": fresh, "others": others });
    Outcome::Note { kind: EventKind::Weak, detail }
}
