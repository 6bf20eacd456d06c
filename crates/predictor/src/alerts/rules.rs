//! Decides what is worth an alert. Pure: the time is passed in.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rounds::TableName;
use serde_json::Value;

use super::{Alert, AlertKind};
use crate::snapshot::{Findings, Snapshot};

/// Minimum time between two alerts of one kind.
const AT_MOST_EVERY: TimeDelta = TimeDelta::minutes(10);
/// A collector whose status is older counts as silent; it writes one every 5 s.
const SILENT_AFTER: TimeDelta = TimeDelta::minutes(1);
/// A shorter interruption of the source is not worth an alert.
const DOWN_FOR: TimeDelta = TimeDelta::seconds(30);
/// Free bytes below which an alert is sent; they still have room for months of rounds.
const DISK_LOW: u64 = 200 << 20;
/// Free bytes that must be exceeded before another alert about the disk can be sent.
const DISK_RECOVERED: u64 = 400 << 20;

/// The state of a table at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct AlertInputs {
    pub(super) collector: Option<CollectorInputs>,
    pub(super) training_error: Option<String>,
    pub(super) verdict: Option<VerdictInputs>,
    pub(super) disk_free: Option<u64>,
    pub(super) is_simulated: bool,
}

/// The status file of the collector.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CollectorInputs {
    pub(super) source: String,
    pub(super) state: String,
    pub(super) state_since: Option<DateTime<Utc>>,
    pub(super) age: Option<TimeDelta>,
    pub(super) error: Option<String>,
}

/// The verdict, and what it speaks of. A change is judged by this, because the figures in the sentence change with
/// every round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VerdictInputs {
    pub(super) findings: Findings,
    pub(super) sentence: String,
}

impl AlertInputs {
    /// Extracts the inputs from a snapshot.
    pub(super) fn of(snapshot: &Snapshot, disk_free: Option<u64>, now: DateTime<Utc>) -> Self {
        Self {
            collector: snapshot.collector.as_ref().map(|status| CollectorInputs::of(status, now)),
            training_error: snapshot.training.last_error.clone(),
            verdict: snapshot.verdict.as_ref().map(|verdict| VerdictInputs {
                findings: verdict.findings,
                sentence: verdict.sentence.clone(),
            }),
            disk_free,
            is_simulated: snapshot.simulated,
        }
    }
}

impl CollectorInputs {
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

    /// Returns whether the status is overdue. A collector that was stopped on request is not silent.
    fn is_silent(&self) -> bool {
        let is_old = self.age.is_some_and(|age| age > SILENT_AFTER);
        let has_ended = self.state == "stopped";
        if has_ended { self.error.is_some() } else { is_old }
    }

    /// Returns since when the source has been down, if that is long enough for an alert.
    fn down_since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_down = matches!(self.state.as_str(), "reconnecting" | "stalled" | "writing_failed");
        self.state_since.filter(|since| is_down && now - *since >= DOWN_FOR)
    }

    fn is_up(&self) -> bool {
        self.state == "connected"
    }
}

/// The conditions that alerts have been sent for.
#[derive(Debug, Default)]
pub(super) struct AlertRules {
    silent: bool,
    down_since: Option<DateTime<Utc>>,
    training_error: Option<String>,
    findings: Option<Findings>,
    disk_low: bool,
    sent: BTreeMap<AlertKind, DateTime<Utc>>,
}

impl AlertRules {
    /// Returns the alerts that are due. One that is held back by the rate limit is sent later if its
    /// condition still holds.
    pub(super) fn observe(&mut self, inputs: &AlertInputs, now: DateTime<Utc>) -> Vec<Alert> {
        let due = [
            self.collector(inputs, now),
            self.source(inputs, now),
            self.training(inputs, now),
            self.verdict(inputs, now),
            self.disk(inputs, now),
        ];
        let alert = |(kind, text)| {
            self.sent.insert(kind, now);
            Alert {
                kind,
                text,
                is_simulated: inputs.is_simulated,
                at: now,
                table: TableName::default(),
            }
        };
        due.into_iter().flatten().map(alert).collect()
    }

    /// Returns whether the rate limit allows an alert. A clock that is set back must not silence it.
    fn may_send(&self, kind: AlertKind, now: DateTime<Utc>) -> bool {
        self.sent.get(&kind).is_none_or(|last| (now - *last).abs() >= AT_MOST_EVERY)
    }

    fn collector(
        &mut self,
        inputs: &AlertInputs,
        now: DateTime<Utc>,
    ) -> Option<(AlertKind, String)> {
        let collector = inputs.collector.as_ref()?;
        if !collector.is_silent() {
            self.silent = false;
            return None;
        }
        if self.silent || !self.may_send(AlertKind::CollectorSilent, now) {
            return None;
        }
        self.silent = true;
        let last = match &collector.error {
            Some(error) => format!("its last error: {error}"),
            None => format!("its last state: {}", collector.state),
        };
        let text = format!("The collector has not reported for {}; {last}.", span(collector.age?));
        Some((AlertKind::CollectorSilent, text))
    }

    fn source(&mut self, inputs: &AlertInputs, now: DateTime<Utc>) -> Option<(AlertKind, String)> {
        let collector = inputs.collector.as_ref().filter(|it| !it.is_silent())?;
        let name = &collector.source;
        if let Some(since) = collector.down_since(now) {
            if self.down_since.is_some() || !self.may_send(AlertKind::SourceDown, now) {
                return None;
            }
            self.down_since = Some(since);
            let why =
                collector.error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
            let state = collector.state.replace('_', " ");
            let text = format!("No rounds from {name} for {} ({state}){why}.", span(now - since));
            return Some((AlertKind::SourceDown, text));
        }
        if !collector.is_up() || !self.may_send(AlertKind::SourceUp, now) {
            return None;
        }
        let since = self.down_since.take()?;
        let until = collector.state_since.unwrap_or(now);
        Some((AlertKind::SourceUp, format!("{name} is back after {}.", span(until - since))))
    }

    fn training(
        &mut self,
        inputs: &AlertInputs,
        now: DateTime<Utc>,
    ) -> Option<(AlertKind, String)> {
        let Some(error) = &inputs.training_error else {
            self.training_error = None;
            return None;
        };
        if self.training_error.as_ref() == Some(error)
            || !self.may_send(AlertKind::TrainingFailed, now)
        {
            return None;
        }
        self.training_error = Some(error.clone());
        let text =
            format!("The model could not be trained: {error}. The previous model stays in use.");
        Some((AlertKind::TrainingFailed, text))
    }

    fn verdict(&mut self, inputs: &AlertInputs, now: DateTime<Utc>) -> Option<(AlertKind, String)> {
        let verdict = inputs.verdict.as_ref()?;
        // The verdict at start-up is not a change.
        let last = *self.findings.get_or_insert(verdict.findings);
        if last == verdict.findings || !self.may_send(AlertKind::VerdictChanged, now) {
            return None;
        }
        self.findings = Some(verdict.findings);
        Some((AlertKind::VerdictChanged, verdict.sentence.clone()))
    }

    fn disk(&mut self, inputs: &AlertInputs, now: DateTime<Utc>) -> Option<(AlertKind, String)> {
        let free = inputs.disk_free?;
        if free > DISK_RECOVERED {
            self.disk_low = false;
        }
        if free >= DISK_LOW || self.disk_low || !self.may_send(AlertKind::DiskLow, now) {
            return None;
        }
        self.disk_low = true;
        let text = format!("The data directory's disk has only {} MiB left.", free >> 20);
        Some((AlertKind::DiskLow, text))
    }
}

/// Formats a duration: `45 s`, `12 min 5 s`, `3 h 20 min`.
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
