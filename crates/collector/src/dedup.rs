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

pub use unplaced::Waiting;

/// Rounds that are kept for comparing, and that a [`ResumePoint`] should hold.
pub const WINDOW: usize = 64;
/// Ids that are remembered.
const IDS: usize = 256;
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
pub struct Settings {
    /// What kind of source it is.
    pub kind: SourceKind,
    /// What to write of the first list.
    pub baseline: Baseline,
    /// No two rounds end closer together: bounds how many can be new.
    pub round_min: Duration,
}

impl Settings {
    /// A list counts when it was read twice alike: a page may be caught half rendered, a message may not.
    fn lists_settle(self) -> bool {
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
struct Known {
    cents: u64,
    id: Option<String>,
    /// When the list gave it, as long as its id may still follow.
    listed: Option<Instant>,
    /// A row of an earlier run: one older than it may be missing in the files.
    is_old: bool,
}

impl Known {
    fn of_list(cents: u64) -> Self {
        Self { cents, id: None, listed: None, is_old: false }
    }

    fn of_history(shown: &Shown<'_>) -> Self {
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
    pub basis: Vec<Multiplier>,
    /// When that was.
    pub based: Option<DateTime<Utc>>,
    /// What the last run had seen and not written.
    pub waiting: Option<Waiting>,
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
    settings: Settings,
    /// Newest first, at most [`WINDOW`].
    window: VecDeque<Known>,
    /// Newest last, at most [`IDS`].
    ids: VecDeque<(String, u64)>,
    confirmed: Confirmed,
    /// Time of the newest row.
    newest: Option<DateTime<Utc>>,
    list: list::Progress,
    /// Rounds at the head of the window that the list has not shown yet.
    ahead: usize,
    /// Nothing can have been missed since the last connection stood.
    is_bridged: bool,
    /// Single rounds that wait for the history.
    held: Vec<Observation>,
    heard: Option<Instant>,
    instance: Option<String>,
    /// The window was never filled: the baseline is still to be taken.
    is_first: bool,
}

impl Deduplicator {
    /// A ledger that knows no round.
    pub fn new(settings: Settings) -> Self {
        Self::seeded(settings, &ResumePoint::default())
    }

    /// A ledger that goes on where the files end.
    pub fn seeded(settings: Settings, seed: &ResumePoint) -> Self {
        let known =
            |round: &Round| Known { is_old: true, ..Known::of_list(round.multiplier.cents()) };
        let older = seed.basis.iter().map(|multiplier| Known::of_list(multiplier.cents()));
        let newest = seed.newest;
        let confirmed = newest.max(seed.based);
        let mut list = list::Progress::new(settings);
        list.waiting = seed.waiting.clone().unwrap_or_default();
        Self {
            settings,
            window: seed.rounds.iter().rev().map(known).chain(older).take(WINDOW).collect(),
            ids: VecDeque::new(),
            confirmed: confirmed.map_or(Confirmed::Never, Confirmed::Wall),
            newest,
            list,
            ahead: 0,
            is_bridged: confirmed.is_none() && !settings.shows_history(),
            held: Vec::new(),
            heard: None,
            instance: None,
            is_first: confirmed.is_none(),
        }
    }

    /// The connection was lost: rounds may have ended that nobody heard.
    pub fn interrupted(&mut self) {
        self.is_bridged = false;
        self.list.forget_reading();
        self.heard = None;
    }

    /// What follows from a reading, in the order in which it must be written.
    pub fn observe(&mut self, reading: &Observation) -> Vec<Outcome> {
        let mut out = Vec::new();
        if let Report::Interrupted(why) = &reading.said {
            self.interrupted();
            let detail = json!({ "reason": why });
            return vec![Outcome::Note { kind: EventKind::Reconnect, detail }];
        }
        match &reading.said {
            Report::Round { .. } if self.must_hold() => self.held.push(reading.clone()),
            Report::Round { .. } => self.hear_round(reading, &mut out),
            Report::List(shown) => self.hear_list(shown, reading, &mut out),
            Report::Ids(shown) => self.hear_ids(shown, reading, &mut out),
            Report::OtherInstance(name) => self.hear_instance(name, reading.mono, &mut out),
            Report::Interrupted(_) | Report::Alive | Report::End => {}
        }
        self.release(reading, &mut out);
        self.heard = Some(reading.mono);
        out
    }

    fn hear_instance(&mut self, name: &str, now: Instant, out: &mut Vec<Outcome>) {
        let before = self.instance.replace(name.to_owned());
        let Some(before) = before.filter(|before| before != name) else { return };
        self.pass_waiting(now, out);
        let detail = json!({ "reason": "other instance", "from": before, "to": name });
        out.push(Outcome::Note { kind: EventKind::Reset, detail });
        self.window.clear();
        self.ids.clear();
        self.list = list::Progress::new(self.settings);
        self.ahead = 0;
        self.is_bridged = !self.settings.shows_history();
    }

    /// Time since the window was up to date; `None` when nobody can say.
    fn elapsed(&self, reading: &Observation) -> Option<Duration> {
        match self.confirmed {
            Confirmed::Never => None,
            Confirmed::Mono(at) => Some(reading.mono.saturating_duration_since(at)),
            // A clock that was set back since the last run says nothing.
            Confirmed::Wall(at) => (reading.wall - at).to_std().ok(),
        }
    }

    /// The most rounds that can have ended since the window was up to date.
    fn bound(&self, reading: &Observation) -> usize {
        let Some(elapsed) = self.elapsed(reading) else { return usize::MAX };
        let rounds = elapsed.as_nanos() / self.settings.round_min.as_nanos().max(1);
        usize::try_from(rounds).unwrap_or(usize::MAX).saturating_add(2)
    }

    /// The history has been joined on: nothing is missing that is not marked.
    fn bridge(&mut self, now: Instant) {
        self.is_bridged = true;
        self.is_first = false;
        self.confirmed = Confirmed::Mono(now);
    }

    fn push(&mut self, known: Known) {
        self.window.push_front(known);
        self.window.truncate(WINDOW);
    }

    fn remember_id(&mut self, id: &str, cents: u64) {
        if self.ids.len() == IDS {
            self.ids.pop_front();
        }
        self.ids.push_back((id.to_owned(), cents));
    }

    fn cents_of(&self, id: &str) -> Option<u64> {
        self.ids.iter().rev().find(|(known, _)| known == id).map(|(_, cents)| *cents)
    }

    /// Accepts rounds of a history, newest first in `fresh`, with estimated times.
    fn accept_history(&mut self, fresh: &[Shown<'_>], found: Found<'_>, out: &mut Vec<Outcome>) {
        let Found { reading, after_gap } = found;
        let was_heard = self.heard.is_some_and(|at| distance(at, reading.mono) <= LIVE_WITHIN);
        let is_newest_live = was_heard && self.is_bridged && !after_gap;
        let since = if after_gap { None } else { self.newest };
        let times = times::spread(since, self.newest, reading.wall, fresh.len(), is_newest_live);
        for (index, (shown, time)) in fresh.iter().rev().zip(times).enumerate() {
            let is_newest = index + 1 == fresh.len();
            let (time, stepped_back) = self.monotone(time);
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
            let listed = shown.id.is_none().then_some(reading.mono);
            self.push(Known { listed, ..Known::of_history(shown) });
            self.newest = Some(time);
        }
    }
}

/// One entry of a history.
#[derive(Clone, Copy, Debug)]
struct Shown<'a> {
    multiplier: Multiplier,
    id: Option<&'a str>,
}

/// How new rounds of a history were found.
#[derive(Clone, Copy, Debug)]
struct Found<'a> {
    reading: &'a Observation,
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
