//! Decides which observed rounds are new. Passes on each round once and in order, and records a
//! discontinuity wherever rounds may be missing.
//!
//! Pure: the times come with the observations. There are three kinds of observations. A visible
//! list is placed among the known rounds by maximum a posteriori (`posterior`), which says how many
//! of its entries are new. A history with ids is joined by id. A single round is new unless its id
//! is known or a list has already shown it. Rounds from all three kinds are kept in one window,
//! newest first.

mod alignment;
mod baseline;
mod ids;
mod likelihood;
mod list;
mod list_state;
mod newest_entry;
mod posterior;
mod prior;
mod single;
mod times;
mod unplaced;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use rounds::{EventKind, Multiplier, Round};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::list_state::ListState;
use self::prior::{Continuity, Prior, rounds_in};
use crate::observation::{HistoryEntry, Observation, Report, SourceKind};

pub use newest_entry::SETTLING_TIME;

/// Number of recent rounds kept for comparison; a [`ResumePoint`] needs no more.
pub const WINDOW: usize = 64;
/// Number of ids remembered.
const IDS_MAX: usize = 256;
/// Number of rounds over which the pace is averaged.
const PACE_MEMORY: u32 = 16;
/// Maximum time since the previous observation for the newest round of a list to count as observed live.
const LIVE_WITHIN: Duration = Duration::from_secs(30);

/// What to record of the first list: its rounds ended before recording began.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Baseline {
    /// Nothing: recording starts with the next round.
    #[default]
    None,
    /// The newest round only.
    Newest,
    /// The whole list, with estimated times.
    All,
}

/// The properties of the source that deduplication depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DedupSettings {
    /// The kind of source.
    pub kind: SourceKind,
    /// What to record of the first list.
    pub baseline: Baseline,
    /// Minimum time between two rounds; more in less time are unlikely.
    pub round_min: Duration,
    /// How long the newest entry of a page's list must stay unchanged at first; see
    /// [`SETTLING_TIME`].
    pub settling: Duration,
}

impl DedupSettings {
    /// Returns whether a list counts only once two reads in a row agree. A page may be half
    /// rendered; a message is always complete.
    fn needs_equal_reads(self) -> bool {
        self.kind == SourceKind::Browser
    }

    /// Returns whether the source shows a history after connecting; single rounds are deferred until then.
    fn shows_history(self) -> bool {
        self.kind == SourceKind::Browser
    }

    /// Returns whether round times are written unchanged, even if they step back.
    fn keeps_times(self) -> bool {
        self.kind == SourceKind::Replay
    }
}

/// What an observation leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A new round to write.
    Accept {
        /// Its time and multiplier.
        round: Round,
        /// The game's id of the round.
        id: Option<String>,
        /// Observed live or backfilled from a history.
        kind: EventKind,
        /// Details for the event file.
        detail: Option<Value>,
    },
    /// An event between rounds, such as a discontinuity.
    Note {
        /// Which one: gap, weak, reset, conflict, reconnect or start.
        kind: EventKind,
        /// Details for the event file.
        detail: Value,
    },
}

impl Outcome {
    /// Returns the outcome for a round whose time is an estimate: it was not observed as it ended.
    #[must_use]
    pub fn estimated(self) -> Self {
        match self {
            Self::Accept { round, id, kind: EventKind::Live, detail } => {
                Self::Accept { round, id, kind: EventKind::Backfill, detail }
            }
            other => other,
        }
    }
}

/// A round that was accepted, or that the first list showed.
#[derive(Clone, Debug)]
struct KnownRound {
    /// `None` if its multiplier could not be read.
    cents: Option<u64>,
    id: Option<String>,
    /// When a list showed it, if its id may still arrive.
    listed: Option<Instant>,
    /// Whether an earlier run recorded it; then the files may lack rounds before it.
    is_old: bool,
    /// Whether a row of it was written.
    is_row: bool,
    /// Whether the page may still have been drawing it.
    is_drawn: bool,
}

impl KnownRound {
    fn of_list(cents: Option<u64>) -> Self {
        Self { cents, id: None, listed: None, is_old: false, is_row: false, is_drawn: false }
    }

    fn of_history(shown: &ListedRound<'_>) -> Self {
        Self { id: shown.id.map(str::to_owned), ..Self::of_list(shown.cents()) }
    }

    fn of_row(round: &Round) -> Self {
        Self { is_row: true, ..Self::of_list(Some(round.multiplier.cents())) }
    }
}

/// Where the recording in a directory ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResumePoint {
    /// The newest rows without a discontinuity between them, oldest first.
    pub rounds: Vec<Round>,
    /// The time of the newest row.
    pub newest: Option<DateTime<Utc>>,
    /// The list, newest first, that preceded those rows.
    pub base_list: Vec<HistoryEntry>,
    /// When that list was read.
    pub base_time: Option<DateTime<Utc>>,
}

/// A time from which an elapsed time is counted.
#[derive(Clone, Copy, Debug)]
enum Since {
    Never,
    /// The wall-clock time of the newest row in the files.
    Wall(DateTime<Utc>),
    Mono(Instant),
}

impl Since {
    /// Returns the time from then until the observation, `None` if unknown.
    fn elapsed(self, observation: &Observation) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Mono(at) => Some(observation.mono.saturating_duration_since(at)),
            // A negative difference means that the clock was set back: the elapsed time is unknown.
            Self::Wall(at) => (observation.wall - at).to_std().ok(),
        }
    }
}

/// Decides which observed rounds are new.
#[derive(Debug)]
pub struct Deduplicator {
    settings: DedupSettings,
    /// Newest first, at most [`WINDOW`].
    window: VecDeque<KnownRound>,
    /// Newest last, at most [`IDS_MAX`].
    ids: VecDeque<(String, u64)>,
    /// Conflicting values of ids that have been recorded, newest last, at most [`IDS_MAX`].
    conflicts: VecDeque<(String, u64)>,
    /// When the window was last known to be up to date.
    confirmed: Since,
    /// When the newest known round ended, as far as is known.
    last_round: Since,
    /// Mean time between two rounds so far.
    pace: Duration,
    /// Time of the newest row.
    newest: Option<DateTime<Utc>>,
    list: ListState,
    /// Number of rounds at the head of the window that no list has shown yet.
    unlisted_count: usize,
    /// Whether it is certain that no round was missed since the previous connection.
    is_continuous: bool,
    /// Single rounds deferred until the history arrives.
    deferred: Vec<Observation>,
    last_observed: Option<Instant>,
    instance: Option<String>,
    /// Whether the window has never been filled, so that the baseline has yet to be recorded.
    is_first: bool,
}

impl Deduplicator {
    /// Creates a deduplicator that knows no rounds.
    pub fn new(settings: DedupSettings) -> Self {
        Self::resuming(settings, &ResumePoint::default())
    }

    /// Creates a deduplicator that continues where the files end.
    pub fn resuming(settings: DedupSettings, point: &ResumePoint) -> Self {
        let known = |round: &Round| KnownRound { is_old: true, ..KnownRound::of_row(round) };
        let older = point.base_list.iter().map(|entry| KnownRound::of_list(entry.cents()));
        let newest = point.newest;
        let confirmed = newest.max(point.base_time);
        let since = confirmed.map_or(Since::Never, Since::Wall);
        Self {
            settings,
            window: point.rounds.iter().rev().map(known).chain(older).take(WINDOW).collect(),
            ids: VecDeque::new(),
            conflicts: VecDeque::new(),
            confirmed: since,
            last_round: since,
            pace: times::pace(&point.rounds),
            newest,
            list: ListState::new(settings),
            unlisted_count: 0,
            is_continuous: confirmed.is_none() && !settings.shows_history(),
            deferred: Vec::new(),
            last_observed: None,
            instance: None,
            is_first: confirmed.is_none(),
        }
    }

    /// Notes that the connection was lost: rounds may have been missed.
    pub fn interrupted(&mut self) {
        self.is_continuous = false;
        self.list.interrupted();
        self.last_observed = None;
    }

    /// Returns what `observation` leads to, in the order in which it must be written.
    pub fn observe(&mut self, observation: &Observation) -> Vec<Outcome> {
        let mut out = Vec::new();
        if let Report::Interrupted(why) = &observation.report {
            self.interrupted();
            let detail = json!({ "reason": why });
            return vec![Outcome::Note { kind: EventKind::Reconnect, detail }];
        }
        match &observation.report {
            Report::Round { .. } if self.must_defer() => self.deferred.push(observation.clone()),
            Report::Round { .. } => self.observe_round(observation, &mut out),
            Report::List(shown) => self.observe_list(shown, observation, &mut out),
            Report::Ids(shown) => self.observe_history(shown, observation, &mut out),
            Report::OtherInstance(name) => self.observe_instance(name, observation.mono, &mut out),
            Report::Interrupted(_) | Report::Alive | Report::End => {}
        }
        self.release_deferred(observation, &mut out);
        if observation.report == Report::End {
            self.flush_pending(&mut out);
            self.flush_all(observation.mono, &mut out);
        }
        self.last_observed = Some(observation.mono);
        out
    }

    fn observe_instance(&mut self, name: &str, now: Instant, out: &mut Vec<Outcome>) {
        let before = self.instance.replace(name.to_owned());
        let Some(before) = before.filter(|before| before != name) else { return };
        self.accept_pending(out);
        self.flush_before_round(now, out);
        let detail = json!({ "reason": "other instance", "from": before, "to": name });
        out.push(Outcome::Note { kind: EventKind::Reset, detail });
        self.window.clear();
        self.ids.clear();
        self.list = self.list.of_other_table(self.settings);
        self.unlisted_count = 0;
        self.is_continuous = !self.settings.shows_history();
    }

    /// Returns the maximum number of rounds that can have ended since the newest known one.
    fn rounds_possible(&self, elapsed: Option<Duration>) -> usize {
        let Some(elapsed) = elapsed else { return usize::MAX };
        let rounds = elapsed.as_nanos() / self.settings.round_min.as_nanos().max(1);
        usize::try_from(rounds).unwrap_or(usize::MAX).saturating_add(2)
    }

    /// Returns what is expected of a list so long after the newest known round.
    fn prior(&self, elapsed: Option<Duration>, is_loading: bool) -> Prior {
        let is_unbroken = self.is_continuous && !self.list.is_unplaced();
        Prior {
            rounds_expected: elapsed.map(|elapsed| rounds_in(elapsed, self.pace)),
            rounds_possible: self.rounds_possible(elapsed),
            unlisted: self.unlisted_count,
            is_loading,
            continuity: if is_unbroken { Continuity::Unbroken } else { Continuity::Broken },
            is_drawn: false,
        }
    }

    /// Marks the window as up to date: every gap so far has been recorded.
    fn confirm_continuity(&mut self, now: Instant) {
        self.is_continuous = true;
        self.is_first = false;
        self.confirmed = Since::Mono(now);
    }

    /// Returns the mean time between rounds.
    pub fn mean_round(&self) -> Duration {
        self.pace
    }

    /// Notes that a round ended at `now`, and learns the pace from rounds observed live.
    fn mark_round(&mut self, now: Instant, is_live: bool) {
        if let (Since::Mono(before), true) = (self.last_round, is_live) {
            let gap = now.saturating_duration_since(before);
            self.pace = (self.pace * (PACE_MEMORY - 1) + gap.min(LIVE_WITHIN * 10)) / PACE_MEMORY;
        }
        self.last_round = Since::Mono(now);
    }

    fn push(&mut self, known: KnownRound) {
        self.window.push_front(known);
        self.window.truncate(WINDOW);
    }

    /// Returns the known rounds as a list.
    fn window_entries(&self) -> Vec<HistoryEntry> {
        let entry = |known: &KnownRound| {
            let multiplier = known.cents.and_then(|cents| Multiplier::from_cents(cents).ok());
            multiplier.map_or_else(|| HistoryEntry::Unreadable(String::new()), HistoryEntry::Round)
        };
        self.window.iter().map(entry).collect()
    }

    /// Records that a known id has another value now, once for each value.
    fn note_conflict(&mut self, id: &str, first: u64, now: u64, out: &mut Vec<Outcome>) {
        let conflict = (id.to_owned(), now);
        if first == now || self.conflicts.contains(&conflict) {
            return;
        }
        if self.conflicts.len() == IDS_MAX {
            self.conflicts.pop_front();
        }
        self.conflicts.push_back(conflict);
        let detail = json!({ "round_id": id, "first_cents": first, "now_cents": now });
        out.push(Outcome::Note { kind: EventKind::Conflict, detail });
    }

    fn remember_id(&mut self, id: &str, cents: u64) {
        if self.ids.len() == IDS_MAX {
            self.ids.pop_front();
        }
        self.ids.push_back((id.to_owned(), cents));
    }

    fn cents_of(&self, id: &str) -> Option<u64> {
        self.ids.iter().rev().find(|(known, _)| known == id).map(|(_, cents)| *cents)
    }

    /// Accepts the rounds `fresh` (newest first) with estimated times.
    fn accept_history(
        &mut self,
        fresh: &[ListedRound<'_>],
        context: HistoryContext<'_>,
        out: &mut Vec<Outcome>,
    ) {
        let HistoryContext { observation, after_gap } = context;
        let was_observed =
            self.last_observed.is_some_and(|at| distance(at, observation.mono) <= LIVE_WITHIN);
        let is_newest_live = was_observed && self.is_continuous && !after_gap;
        let since = if after_gap { None } else { self.newest };
        let times =
            times::spread(since, self.newest, observation.wall, fresh.len(), is_newest_live);
        for (index, (shown, time)) in fresh.iter().rev().zip(times).enumerate() {
            let is_newest = index + 1 == fresh.len();
            let known = KnownRound::of_history(shown);
            let Some(multiplier) = shown.multiplier() else {
                out.push(gap("an entry could not be read", &json!({ "text": shown.text() })));
                self.push(known);
                out.push(restart_event(&self.window_entries()));
                continue;
            };
            let (time, stepped_back) = self.ordered_time(time);
            let kind =
                if is_newest && is_newest_live { EventKind::Live } else { EventKind::Backfill };
            out.push(Outcome::Accept {
                round: Round { time, multiplier },
                id: shown.id.map(str::to_owned),
                kind,
                detail: times::with_step(None, stepped_back),
            });
            let listed = shown.id.is_none().then_some(observation.mono);
            self.push(KnownRound { listed, is_row: true, ..known });
            self.newest = Some(time);
        }
        if !fresh.is_empty() {
            self.mark_round(observation.mono, is_newest_live && fresh.len() == 1);
        }
    }
}

/// One entry of a history.
#[derive(Clone, Copy, Debug)]
struct ListedRound<'a> {
    entry: &'a HistoryEntry,
    id: Option<&'a str>,
}

impl ListedRound<'_> {
    fn multiplier(&self) -> Option<Multiplier> {
        match self.entry {
            HistoryEntry::Round(multiplier) => Some(*multiplier),
            HistoryEntry::Unreadable(_) => None,
        }
    }

    fn cents(&self) -> Option<u64> {
        self.entry.cents()
    }

    /// Returns the text of an entry that cannot be read.
    fn text(&self) -> Option<&str> {
        match self.entry {
            HistoryEntry::Round(_) => None,
            HistoryEntry::Unreadable(text) => Some(text),
        }
    }
}

/// Returns the entries of a list without ids.
fn listed(entries: &[HistoryEntry]) -> Vec<ListedRound<'_>> {
    entries.iter().map(|entry| ListedRound { entry, id: None }).collect()
}

/// Returns the entries of listed rounds.
fn entries(shown: &[ListedRound<'_>]) -> Vec<HistoryEntry> {
    shown.iter().map(|shown| shown.entry.clone()).collect()
}

/// Returns an event with the list from which recording continues, newest first: a later run may
/// know no other rounds.
fn restart_event(list: &[HistoryEntry]) -> Outcome {
    let detail = json!({ "reason": "recording continues from this list", "list": list });
    Outcome::Note { kind: EventKind::Start, detail }
}

/// The observation that showed new rounds.
#[derive(Clone, Copy, Debug)]
struct HistoryContext<'a> {
    observation: &'a Observation,
    /// Whether an unknown number of rounds is missing before the new ones.
    after_gap: bool,
}

fn distance(a: Instant, b: Instant) -> Duration {
    a.saturating_duration_since(b).max(b.saturating_duration_since(a))
}

fn gap(reason: &str, more: &Value) -> Outcome {
    let mut detail = json!({ "reason": reason });
    if let (Value::Object(detail), Value::Object(more)) = (&mut detail, more) {
        detail.extend(more.clone());
    }
    Outcome::Note { kind: EventKind::Gap, detail }
}

#[cfg(test)]
mod tests;
