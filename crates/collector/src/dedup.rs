//! Which readings are new rounds: each round once, in order, and a mark wherever some may be missing.
//!
//! Pure: the clocks come in with the readings. Three kinds of reading meet here. A visible list is laid on the rounds that are
//! known (`align`), which proves how many of its values are new. A history with ids is joined by its ids. A single round is
//! new unless its id is known or the list has given it already. The rounds of all three stand in one window, newest first.

mod alignment;
mod ids;
mod list;
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

use crate::observation::{Observation, Report, SourceKind};

pub use unplaced::UnplacedRounds;

/// Rounds that are kept for comparing, and that a [`ResumePoint`] should hold.
pub const WINDOW: usize = 64;
/// Ids that are remembered.
const IDS_MAX: usize = 256;
/// A round counts as heard when it ended if the reading before it was this close.
const LIVE_WITHIN: Duration = Duration::from_secs(30);

/// What to write of the first list that is ever seen: its rounds ended before anyone looked.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Baseline {
    /// Nothing: recording begins with the next round.
    #[default]
    None,
    /// The newest round only.
    Newest,
    /// All of it, with estimated times.
    All,
}

/// What the ledger must know of the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DedupSettings {
    /// What kind of source it is.
    pub kind: SourceKind,
    /// What to write of the first list.
    pub baseline: Baseline,
    /// No two rounds end closer together: bounds how many can be new.
    pub round_min: Duration,
}

impl DedupSettings {
    /// A list counts when it was read twice alike: a page may be caught half rendered, a message may not.
    fn needs_equal_reads(self) -> bool {
        self.kind == SourceKind::Browser
    }

    /// After connecting the source shows what was before; single rounds wait for that.
    fn shows_history(self) -> bool {
        self.kind == SourceKind::Browser
    }

    /// Times of rounds are written as they come, even if they step back.
    fn keeps_times(self) -> bool {
        self.kind == SourceKind::Replay
    }
}

/// What follows from a reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A new round, to be written.
    Accept {
        /// Its time and multiplier.
        round: Round,
        /// The game's own name of it.
        id: Option<String>,
        /// Heard as it ended, or taken from a history.
        kind: EventKind,
        /// For the events file.
        detail: Option<Value>,
    },
    /// A mark between rounds.
    Note {
        /// Gap, weak, reset or conflict.
        kind: EventKind,
        /// For the events file.
        detail: Value,
    },
}

/// A round that was accepted, or that stood in the list before anything was.
#[derive(Clone, Debug)]
struct KnownRound {
    cents: u64,
    id: Option<String>,
    /// When the list gave it, as long as its id may still follow.
    listed: Option<Instant>,
    /// A row of an earlier run: one older than it may be missing in the files.
    is_old: bool,
}

impl KnownRound {
    fn of_list(cents: u64) -> Self {
        Self { cents, id: None, listed: None, is_old: false }
    }

    fn of_history(shown: &ListedRound<'_>) -> Self {
        Self { id: shown.id.map(str::to_owned), ..Self::of_list(shown.multiplier.cents()) }
    }
}

/// Where the files of a directory end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResumePoint {
    /// The newest rows, oldest first, as far as they follow one another without a mark.
    pub rounds: Vec<Round>,
    /// The time of the newest row of all.
    pub newest: Option<DateTime<Utc>>,
    /// The list, newest first, from which recording went on before those rows.
    pub base_list: Vec<Multiplier>,
    /// When that was.
    pub base_time: Option<DateTime<Utc>>,
    /// What the last run had seen and not written.
    pub unplaced: Option<UnplacedRounds>,
}

/// When the window was last known to be up to date.
#[derive(Clone, Copy, Debug)]
enum Confirmed {
    Never,
    /// By the time of the newest row in the files.
    Wall(DateTime<Utc>),
    Mono(Instant),
}

/// Decides which readings are new rounds.
#[derive(Debug)]
pub struct Deduplicator {
    settings: DedupSettings,
    /// Newest first, at most [`WINDOW`].
    window: VecDeque<KnownRound>,
    /// Newest last, at most [`IDS_MAX`].
    ids: VecDeque<(String, u64)>,
    confirmed: Confirmed,
    /// Time of the newest row.
    newest: Option<DateTime<Utc>>,
    list: list::ListState,
    /// Rounds at the head of the window that the list has not shown yet.
    unlisted_count: usize,
    /// Nothing can have been missed since the last connection stood.
    is_continuous: bool,
    /// Single rounds that wait for the history.
    deferred: Vec<Observation>,
    last_observed: Option<Instant>,
    instance: Option<String>,
    /// The window was never filled: the baseline is still to be taken.
    is_first: bool,
}

impl Deduplicator {
    /// A ledger that knows no round.
    pub fn new(settings: DedupSettings) -> Self {
        Self::resuming(settings, &ResumePoint::default())
    }

    /// A ledger that goes on where the files end.
    pub fn resuming(settings: DedupSettings, seed: &ResumePoint) -> Self {
        let known = |round: &Round| KnownRound {
            is_old: true,
            ..KnownRound::of_list(round.multiplier.cents())
        };
        let older = seed.base_list.iter().map(|multiplier| KnownRound::of_list(multiplier.cents()));
        let newest = seed.newest;
        let confirmed = newest.max(seed.base_time);
        let mut list = list::ListState::new(settings);
        list.unplaced = seed.unplaced.clone().unwrap_or_default();
        Self {
            settings,
            window: seed.rounds.iter().rev().map(known).chain(older).take(WINDOW).collect(),
            ids: VecDeque::new(),
            confirmed: confirmed.map_or(Confirmed::Never, Confirmed::Wall),
            newest,
            list,
            unlisted_count: 0,
            is_continuous: confirmed.is_none() && !settings.shows_history(),
            deferred: Vec::new(),
            last_observed: None,
            instance: None,
            is_first: confirmed.is_none(),
        }
    }

    /// The connection was lost: rounds may have ended that nobody heard.
    pub fn interrupted(&mut self) {
        self.is_continuous = false;
        self.list.forget_last_read();
        self.last_observed = None;
    }

    /// What follows from a reading, in the order in which it must be written.
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
        self.last_observed = Some(observation.mono);
        out
    }

    fn observe_instance(&mut self, name: &str, now: Instant, out: &mut Vec<Outcome>) {
        let before = self.instance.replace(name.to_owned());
        let Some(before) = before.filter(|before| before != name) else { return };
        self.flush_before_round(now, out);
        let detail = json!({ "reason": "other instance", "from": before, "to": name });
        out.push(Outcome::Note { kind: EventKind::Reset, detail });
        self.window.clear();
        self.ids.clear();
        self.list = list::ListState::new(self.settings);
        self.unlisted_count = 0;
        self.is_continuous = !self.settings.shows_history();
    }

    /// Time since the window was up to date; `None` when nobody can say.
    fn elapsed(&self, observation: &Observation) -> Option<Duration> {
        match self.confirmed {
            Confirmed::Never => None,
            Confirmed::Mono(at) => Some(observation.mono.saturating_duration_since(at)),
            // A clock that was set back since the last run says nothing.
            Confirmed::Wall(at) => (observation.wall - at).to_std().ok(),
        }
    }

    /// The most rounds that can have ended since the window was up to date.
    fn max_new_rounds(&self, observation: &Observation) -> usize {
        let Some(elapsed) = self.elapsed(observation) else { return usize::MAX };
        let rounds = elapsed.as_nanos() / self.settings.round_min.as_nanos().max(1);
        usize::try_from(rounds).unwrap_or(usize::MAX).saturating_add(2)
    }

    /// The history has been joined on: nothing is missing that is not marked.
    fn confirm_continuity(&mut self, now: Instant) {
        self.is_continuous = true;
        self.is_first = false;
        self.confirmed = Confirmed::Mono(now);
    }

    fn push(&mut self, known: KnownRound) {
        self.window.push_front(known);
        self.window.truncate(WINDOW);
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

    /// Accepts rounds of a history, newest first in `fresh`, with estimated times.
    fn accept_history(
        &mut self,
        fresh: &[ListedRound<'_>],
        found: HistoryContext<'_>,
        out: &mut Vec<Outcome>,
    ) {
        let HistoryContext { observation, after_gap } = found;
        let was_observed =
            self.last_observed.is_some_and(|at| distance(at, observation.mono) <= LIVE_WITHIN);
        let is_newest_live = was_observed && self.is_continuous && !after_gap;
        let since = if after_gap { None } else { self.newest };
        let times =
            times::spread(since, self.newest, observation.wall, fresh.len(), is_newest_live);
        for (index, (shown, time)) in fresh.iter().rev().zip(times).enumerate() {
            let is_newest = index + 1 == fresh.len();
            let (time, stepped_back) = self.ordered_time(time);
            out.push(Outcome::Accept {
                round: Round { time, multiplier: shown.multiplier },
                id: shown.id.map(str::to_owned),
                kind: if is_newest && is_newest_live {
                    EventKind::Live
                } else {
                    EventKind::Backfill
                },
                detail: times::with_step(None, stepped_back),
            });
            let listed = shown.id.is_none().then_some(observation.mono);
            self.push(KnownRound { listed, ..KnownRound::of_history(shown) });
            self.newest = Some(time);
        }
    }
}

/// One entry of a history.
#[derive(Clone, Copy, Debug)]
struct ListedRound<'a> {
    multiplier: Multiplier,
    id: Option<&'a str>,
}

/// How new rounds of a history were found.
#[derive(Clone, Copy, Debug)]
struct HistoryContext<'a> {
    observation: &'a Observation,
    /// An unknown number is missing before them.
    after_gap: bool,
}

fn distance(a: Instant, b: Instant) -> Duration {
    a.saturating_duration_since(b).max(b.saturating_duration_since(a))
}

fn conflict(id: &str, first: u64, now: u64) -> Option<Outcome> {
    let detail = json!({ "round_id": id, "first_cents": first, "now_cents": now });
    (first != now).then_some(Outcome::Note { kind: EventKind::Conflict, detail })
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
