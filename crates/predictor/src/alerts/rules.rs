//! Decides what is worth an alert. Pure: the time is passed in.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rounds::TableName;
use serde_json::Value;

use super::{Alert, Event};
use crate::snapshot::Snapshot;

/// One message of a kind in this time.
const AT_MOST_EVERY: TimeDelta = TimeDelta::minutes(10);
/// A collector writes its status every 5 s.
const SILENT_AFTER: TimeDelta = TimeDelta::minutes(1);
/// A source that comes back by itself sooner is no news.
const DOWN_FOR: TimeDelta = TimeDelta::seconds(30);
/// Room for months of rounds; below it someone should look,
const DISK_LOW: u64 = 200 << 20;
/// and above this it is well again.
const DISK_WELL: u64 = 400 << 20;

/// What can be seen at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) collector: Option<CollectorSeen>,
    pub(super) training_error: Option<String>,
    pub(super) verdict: Option<VerdictSeen>,
    pub(super) disk_free: Option<u64>,
    pub(super) is_simulated: bool,
}

/// What a collector says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CollectorSeen {
    pub(super) source: String,
    pub(super) state: String,
    pub(super) state_since: Option<DateTime<Utc>>,
    pub(super) age: Option<TimeDelta>,
    pub(super) error: Option<String>,
}

/// The verdict, and which of the tests it mentions: its figures change with every round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VerdictSeen {
    pub(super) evidence: [bool; 3],
    pub(super) sentence: String,
}

impl Seen {
    /// Out of what HTTP may see.
    pub(super) fn of(snapshot: &Snapshot, disk_free: Option<u64>, now: DateTime<Utc>) -> Self {
        Self {
            collector: snapshot.collector.as_ref().map(|status| CollectorSeen::of(status, now)),
            training_error: snapshot.training.last_error.clone(),
            verdict: snapshot.verdict.as_ref().map(|verdict| VerdictSeen {
                evidence: verdict.evidence,
                sentence: verdict.sentence.clone(),
            }),
            disk_free,
            is_simulated: snapshot.simulated,
        }
    }
}

impl CollectorSeen {
    fn of(status: &Value, now: DateTime<Utc>) -> Self {
        let text = |key: &str| status[key].as_str().map(str::to_owned);
        let time = |key: &str| status[key].as_str()?.parse::<DateTime<Utc>>().ok();
        Self {
            source: text("source").unwrap_or_else(|| "the source".to_owned()),
            state: text("state").unwrap_or_default(),
            state_since: time("state_since"),
            age: time("updated_at").map(|at| now - at),
            error: text("last_error"),
        }
    }

    /// It should write, and does not. One that was asked to stop is not silent.
    fn is_silent(&self) -> bool {
        let is_old = self.age.is_some_and(|age| age > SILENT_AFTER);
        let has_ended = self.state == "stopped";
        if has_ended { self.error.is_some() } else { is_old }
    }

    /// Since when no rounds can come.
    fn down_since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_down = matches!(self.state.as_str(), "reconnecting" | "stalled" | "writing_failed");
        self.state_since.filter(|since| is_down && now - *since >= DOWN_FOR)
    }

    fn is_up(&self) -> bool {
        self.state == "connected"
    }
}

/// Remembers what was told.
#[derive(Debug, Default)]
pub(super) struct AlertRules {
    silent: bool,
    down_since: Option<DateTime<Utc>>,
    training_error: Option<String>,
    evidence: Option<[bool; 3]>,
    disk_low: bool,
    sent: BTreeMap<Event, DateTime<Utc>>,
}

impl AlertRules {
    /// What has to be told now. What may not be told yet is told later, if it still holds.
    pub(super) fn observe(&mut self, seen: &Seen, now: DateTime<Utc>) -> Vec<Alert> {
        let told = [
            self.collector(seen, now),
            self.source(seen, now),
            self.training(seen, now),
            self.verdict(seen, now),
            self.disk(seen, now),
        ];
        let notice = |(event, text)| {
            self.sent.insert(event, now);
            Alert {
                event,
                text,
                is_simulated: seen.is_simulated,
                at: now,
                table: TableName::default(),
            }
        };
        told.into_iter().flatten().map(notice).collect()
    }

    /// A clock that is set back must not silence us.
    fn may(&self, event: Event, now: DateTime<Utc>) -> bool {
        self.sent.get(&event).is_none_or(|last| (now - *last).abs() >= AT_MOST_EVERY)
    }

    fn collector(&mut self, seen: &Seen, now: DateTime<Utc>) -> Option<(Event, String)> {
        let collector = seen.collector.as_ref()?;
        if !collector.is_silent() {
            self.silent = false;
            return None;
        }
        if self.silent || !self.may(Event::CollectorSilent, now) {
            return None;
        }
        self.silent = true;
        let how = match &collector.error {
            Some(error) => format!("the last it said: {error}"),
            None => format!("the last it said: {}", collector.state),
        };
        let text = format!("The collector has said nothing for {}; {how}.", span(collector.age?));
        Some((Event::CollectorSilent, text))
    }

    fn source(&mut self, seen: &Seen, now: DateTime<Utc>) -> Option<(Event, String)> {
        let collector = seen.collector.as_ref().filter(|it| !it.is_silent())?;
        let name = &collector.source;
        if let Some(since) = collector.down_since(now) {
            if self.down_since.is_some() || !self.may(Event::SourceDown, now) {
                return None;
            }
            self.down_since = Some(since);
            let why =
                collector.error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
            let state = collector.state.replace('_', " ");
            let text = format!("No rounds from {name} for {} ({state}){why}.", span(now - since));
            return Some((Event::SourceDown, text));
        }
        if !collector.is_up() || !self.may(Event::SourceUp, now) {
            return None;
        }
        let since = self.down_since.take()?;
        let until = collector.state_since.unwrap_or(now);
        Some((Event::SourceUp, format!("{name} is there again after {}.", span(until - since))))
    }

    fn training(&mut self, seen: &Seen, now: DateTime<Utc>) -> Option<(Event, String)> {
        let Some(error) = &seen.training_error else {
            self.training_error = None;
            return None;
        };
        if self.training_error.as_ref() == Some(error) || !self.may(Event::TrainingFailed, now) {
            return None;
        }
        self.training_error = Some(error.clone());
        let text = format!("The model could not be trained: {error}. The one before stays in use.");
        Some((Event::TrainingFailed, text))
    }

    fn verdict(&mut self, seen: &Seen, now: DateTime<Utc>) -> Option<(Event, String)> {
        let verdict = seen.verdict.as_ref()?;
        // What holds at the start is no change.
        let told = *self.evidence.get_or_insert(verdict.evidence);
        if told == verdict.evidence || !self.may(Event::VerdictChanged, now) {
            return None;
        }
        self.evidence = Some(verdict.evidence);
        Some((Event::VerdictChanged, verdict.sentence.clone()))
    }

    fn disk(&mut self, seen: &Seen, now: DateTime<Utc>) -> Option<(Event, String)> {
        let free = seen.disk_free?;
        if free > DISK_WELL {
            self.disk_low = false;
        }
        if free >= DISK_LOW || self.disk_low || !self.may(Event::DiskLow, now) {
            return None;
        }
        self.disk_low = true;
        let text = format!("{} MiB are left on the disk of the rounds.", free >> 20);
        Some((Event::DiskLow, text))
    }
}

/// `45 s`, `12 min 5 s`, `3 h 20 min`.
fn span(time: TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests;
