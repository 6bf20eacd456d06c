//! State kept about the lists that a page or feed has shown.

use std::time::{Duration, Instant};

use super::newest_entry::{Moment, NewestEntry};
use super::unplaced::UnplacedRounds;
use super::{DedupSettings, ListedRound};
use crate::observation::HistoryEntry;

/// A list that stays shorter than before for this long is no longer loading; it has become shorter.
const LOADS_FOR: Duration = Duration::from_secs(20);
/// Expected length of a page's list, until a longer one appears or a shorter one persists.
const USUAL_LEN: usize = 25;

/// A newest entry that is placed but not final. If the page is lost it is written, if it is likely
/// to be final.
#[derive(Debug)]
pub(super) struct PendingEntry {
    pub(super) entry: HistoryEntry,
    pub(super) is_likely: bool,
    pub(super) since: Moment,
}

/// State kept about earlier lists; values in hundredths, newest first.
#[derive(Debug)]
pub(super) struct ListState {
    pub(super) newest: NewestEntry,
    /// The last list of which every round is known.
    pub(super) complete: Vec<Option<u64>>,
    placed_at: Option<Instant>,
    pub(super) longest: usize,
    /// Rounds of the lists since then, none of which could be placed.
    pub(super) unplaced: UnplacedRounds,
    pub(super) unplaced_count: u32,
    /// Whether a list fitted in several places, so that the next row follows a discontinuity.
    pub(super) is_ambiguous: bool,
    /// The newest entry, if it is placed but not final.
    pub(super) pending: Option<PendingEntry>,
    /// Length of the current list, if it is shorter than earlier ones, and when it became so.
    short_since: Option<(usize, Instant)>,
}

impl ListState {
    pub(super) fn new(settings: DedupSettings) -> Self {
        let longest = if settings.needs_equal_reads() { USUAL_LEN } else { 0 };
        Self {
            newest: NewestEntry::new(settings),
            complete: Vec::new(),
            placed_at: None,
            unplaced: UnplacedRounds::default(),
            longest,
            unplaced_count: 0,
            is_ambiguous: false,
            pending: None,
            short_since: None,
        }
    }

    pub(super) fn interrupted(&mut self) {
        self.newest.interrupted();
        self.unplaced_count = 0;
        self.unplaced.interrupted();
    }

    /// Returns the state for another table on the same page.
    pub(super) fn of_other_table(&mut self, settings: DedupSettings) -> Self {
        let newest = std::mem::replace(&mut self.newest, NewestEntry::new(settings));
        let mut state = Self { newest, ..Self::new(settings) };
        state.newest.interrupted();
        state
    }

    pub(super) fn is_unplaced(&self) -> bool {
        self.unplaced_count > 1
    }

    /// Returns the greatest length of a list so far.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Returns whether a list was placed within the last `within`.
    pub(super) fn placed_within(&self, now: Instant, within: Duration) -> bool {
        self.placed_at.is_some_and(|at| now.saturating_duration_since(at) <= within)
    }

    pub(super) fn mark_placed(&mut self, list: &List<'_>, is_complete: bool, now: Instant) {
        self.placed_at = Some(now);
        self.complete = if is_complete { list.cents() } else { Vec::new() };
        self.unplaced = UnplacedRounds::default();
        self.unplaced_count = 0;
        self.short_since = None;
    }

    /// Returns whether a list of this length is complete, not one of a page that is still loading.
    pub(super) fn is_whole(&mut self, len: usize, now: Instant) -> bool {
        if len >= self.longest {
            self.longest = len;
            self.short_since = None;
            return true;
        }
        let since = match self.short_since {
            Some((seen, since)) if seen == len => since,
            _ => now,
        };
        self.short_since = Some((len, since));
        if now.saturating_duration_since(since) >= LOADS_FOR {
            self.longest = len;
        }
        false
    }
}

/// A list, followed by what earlier lists showed before it.
pub(super) struct List<'a> {
    pub(super) shown: Vec<ListedRound<'a>>,
    /// How many entries at the head belong to the list itself.
    pub(super) own: usize,
    /// Whether the list is complete. One that is still loading proves the rounds that it shows, but
    /// not that there are no others.
    pub(super) is_whole: bool,
    /// Whether its newest entry is final, or likely to be.
    pub(super) is_final: bool,
    pub(super) is_likely: bool,
    /// When it was first shown with these values.
    pub(super) shown_since: Moment,
}

impl<'a> List<'a> {
    pub(super) fn own(&self) -> &[ListedRound<'a>] {
        &self.shown[..self.own]
    }

    pub(super) fn cents(&self) -> Vec<Option<u64>> {
        self.own().iter().map(ListedRound::cents).collect()
    }

    /// Returns the index of the first final entry among the newest `fresh` ones.
    pub(super) fn first_final(&self, fresh: usize) -> usize {
        usize::from(!self.is_final).min(fresh)
    }
}
