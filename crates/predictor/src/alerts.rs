//! Alerts to people who are not looking at the page: by webhook, ntfy or Telegram.
//!
//! `rules` decides from the snapshot what is worth an alert, with no clock of its own; `delivery` sends it
//! and retries where that may help; `channel` knows the message format of each service.

mod channel;
mod delivery;
mod rules;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use daemon::disk_space;
use rounds::TableName;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use self::delivery::Delivery;
use self::rules::{AlertInputs, AlertRules};
use crate::config::{AlertSettings, ConfigError, SettingsError};
use crate::table::Observer;

/// How often the snapshot is examined.
const EXAMINE_EVERY: Duration = Duration::from_secs(5);
/// Alerts queued for a service that does not answer; further ones are dropped with a warning.
const QUEUED_MAX: usize = 32;

/// The subject of an alert. At most one of each kind is sent in ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AlertKind {
    CollectorSilent,
    SourceDown,
    SourceUp,
    TrainingFailed,
    VerdictChanged,
    DiskLow,
    Test,
}

impl AlertKind {
    /// Returns the name in logs and in JSON.
    fn name(self) -> &'static str {
        match self {
            Self::CollectorSilent => "collector_silent",
            Self::SourceDown => "source_down",
            Self::SourceUp => "source_up",
            Self::TrainingFailed => "training_failed",
            Self::VerdictChanged => "verdict_changed",
            Self::DiskLow => "disk_low",
            Self::Test => "test",
        }
    }

    /// Returns the heading, in ASCII because ntfy takes it as a header.
    fn title(self) -> &'static str {
        match self {
            Self::CollectorSilent => "Collector silent",
            Self::SourceDown => "Source down",
            Self::SourceUp => "Source up again",
            Self::TrainingFailed => "Training failed",
            Self::VerdictChanged => "Verdict changed",
            Self::DiskLow => "Disk nearly full",
            Self::Test => "Test message",
        }
    }
}

/// An alert to the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alert {
    kind: AlertKind,
    text: String,
    /// Every alert says whether the rounds are simulated.
    is_simulated: bool,
    at: DateTime<Utc>,
    /// The table that it concerns.
    table: TableName,
}

impl Alert {
    fn title(&self) -> String {
        let suffix = if self.is_simulated { " (simulated rounds)" } else { "" };
        let table = match &self.table {
            table if table.is_default() => String::new(),
            table => format!(", table {table}"),
        };
        format!("{}{table}{suffix}", self.kind.title())
    }

    fn json(&self) -> Value {
        json!({
            "event": self.kind.name(),
            "title": self.title(),
            "text": self.text,
            "table": self.table,
            "simulated": self.is_simulated,
            "at": self.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "program": concat!("aviator predictor ", env!("CARGO_PKG_VERSION")),
        })
    }
}

/// Watches a table and sends alerts, until dropped. Returns at once if no service is configured.
pub(crate) async fn watch(observer: Observer) {
    let config = observer.config().clone();
    if config.notify.is_empty() {
        return;
    }
    let delivery = match Delivery::new(&config.notify) {
        Ok(delivery) => delivery,
        Err(error) => {
            tracing::error!(%error, "Alerts are off.");
            return;
        }
    };
    tracing::info!(table = %observer.table(), services = delivery.names(), "Alerts are on.");
    let (queue, mut queued) = mpsc::channel(QUEUED_MAX);
    let mut sending = JoinSet::new();
    sending.spawn(async move {
        while let Some(alert) = queued.recv().await {
            delivery.deliver(&alert).await;
        }
    });
    observer.scan_completed().await;
    let mut rules = AlertRules::default();
    let mut ticks = interval(EXAMINE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let now = observer.now();
        let inputs =
            AlertInputs::of(&observer.snapshot(), disk_space::free(&config.data_dir).ok(), now);
        for mut alert in rules.observe(&inputs, now) {
            alert.table = observer.table().clone();
            tracing::warn!(event = alert.kind.name(), text = alert.text, "Alert.");
            if queue.try_send(alert).is_err() {
                tracing::warn!("Too many alerts are queued; dropping this one.");
            }
        }
    }
}

/// Returns the names of the configured services; `None` if there is none.
///
/// # Errors
/// A secret cannot be read or is malformed.
pub(crate) fn service_names(settings: &AlertSettings) -> Result<Option<String>, SettingsError> {
    if settings.is_empty() {
        return Ok(None);
    }
    Delivery::new(settings).map(|delivery| Some(delivery.names()))
}

/// Sends a test alert to each configured service and returns each one's name and outcome.
///
/// # Errors
/// A secret cannot be read or is malformed, or the runtime cannot be started.
pub(crate) fn send_test(
    settings: &AlertSettings,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<(String, Result<(), String>)>> {
    let delivery = Delivery::new(settings).map_err(ConfigError::from)?;
    let alert = Alert {
        table: TableName::default(),
        kind: AlertKind::Test,
        text: "If you can read this, alerts will reach you.".to_owned(),
        is_simulated: false,
        at: now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(delivery.deliver(&alert)))
}
