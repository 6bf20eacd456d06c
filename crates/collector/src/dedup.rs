//! Decides which observed rounds are new. Passes on each round once and in order, and records a
//! discontinuity wherever rounds may be missing.
//!
//! Pure: the times come with the observations. There are three kinds of observations. A visible
//! list is aligned with the known rounds (`alignment`), which proves how many of its values are
//! new. A history with ids is joined by id. A single round is new unless its id is known or a list
//! has already shown it. Rounds from all three kinds are kept in one window, newest first.

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

/// Number of recent rounds kept for comparison; a [`ResumePoint`] needs no more.
pub const WINDOW: usize = 64;
/// Number of ids remembered.
const IDS_MAX: usize = 256;
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
    /// Minimum time between two rounds; limits how many can be new.
    pub round_min: Duration,
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

/// A round that was accepted, or that the first list showed.
#[derive(Clone, Debug)]
struct KnownRound {
    cents: u64,
    id: Option<String>,
    /// When a list showed it, if its id may still arrive.
    listed: Option<Instant>,
    /// Whether an earlier run recorded it; then the files may lack rounds before it.
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

/// Where the recording in a directory ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResumePoint {
    /// The newest rows without a discontinuity between them, oldest first.
    pub rounds: Vec<Round>,
    /// The time of the newest row.
    pub newest: Option<DateTime<Utc>>,
    /// The list, newest first, that preceded those rows.
    pub base_list: Vec<Multiplier>,
    /// When that list was read.
    pub base_time: Option<DateTime<Utc>>,
    /// The rounds that the last run had read but not written.
    pub unplaced: Option<UnplacedRounds>,
}

/// When the window was last known to be up to date.
#[derive(Clone, Copy, Debug)]
enum Confirmed {
    Never,
    /// At the wall-clock time of the newest row in the files.
    Wall(DateTime<Utc>),
    Mono(Instant),
}

/// Decides which observed rounds are new.
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
    /// Number of rounds at the head of the window that no list has shown yet.
    unlisted_count: usize,
    /// No round can have been missed since the previous connection.
    is_continuous: bool,
    /// Single rounds deferred until the history arrives.
    deferred: Vec<Observation>,
    last_observed: Option<Instant>,
    instance: Option<String>,
    /// The window has never been filled, so the baseline is still to be recorded.
    is_first: bool,
}

impl Deduplicator {
    /// Creates a deduplicator that knows no rounds.
    pub fn new(settings: DedupSettings) -> Self {
        Self::resuming(settings, &ResumePoint::default())
    }

    /// Creates a deduplicator that continues where the files end.
    pub fn resuming(settings: DedupSettings, point: &ResumePoint) -> Self {
        let known = |round: &Round| KnownRound {
            is_old: true,
            ..KnownRound::of_list(round.multiplier.cents())
        };
        let older =
            point.base_list.iter().map(|multiplier| KnownRound::of_list(multiplier.cents()));
        let newest = point.newest;
        let confirmed = newest.max(point.base_time);
        let mut list = list::ListState::new(settings);
        list.unplaced = point.unplaced.clone().unwrap_or_default();
        Self {
            settings,
            window: point.rounds.iter().rev().map(known).chain(older).take(WINDOW).collect(),
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

    /// Notes that the connection was lost: rounds may have been missed.
    pub fn interrupted(&mut self) {
        self.is_continuous = false;
        self.list.forget_last_read();
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

    /// Returns the time since the window was last up to date, `None` if unknown.
    fn elapsed(&self, observation: &Observation) -> Option<Duration> {
        match self.confirmed {
            Confirmed::Never => None,
            Confirmed::Mono(at) => Some(observation.mono.saturating_duration_since(at)),
            // A negative difference means that the clock was set back: the elapsed time is unknown.
            Confirmed::Wall(at) => (observation.wall - at).to_std().ok(),
        }
    }

    /// Returns the maximum number of rounds that can have ended since the window was last up to
    /// date.
    fn max_new_rounds(&self, observation: &Observation) -> usize {
        let Some(elapsed) = self.elapsed(observation) else { return usize::MAX };
        let rounds = elapsed.as_nanos() / self.settings.round_min.as_nanos().max(1);
        usize::try_from(rounds).unwrap_or(usize::MAX).saturating_add(2)
    }

    /// Marks the window as up to date: every gap so far has been recorded.
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
