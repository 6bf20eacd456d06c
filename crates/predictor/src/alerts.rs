//! Alerts to people who are not looking at the page: by webhook, ntfy or Telegram.
//!
//! `rules` decides from the snapshot what is worth an alert, with no clock of its own; `delivery` sends it
//! and retries where that may help; `channel` knows the message format of each service.

mod channel;
mod delivery;
mod disk_space;
mod rules;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use rounds::TableName;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use self::delivery::Delivery;
use self::rules::{AlertRules, Seen};
use crate::config::{AlertSettings, ConfigError, SettingsError};
use crate::table::Observer;

/// How often the snapshot is examined.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Alerts queued for a service that does not answer; further ones are dropped with a warning.
const WAITING_MAX: usize = 32;

/// The subject of an alert. At most one of each kind is sent in ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    CollectorSilent,
    SourceDown,
    SourceUp,
    TrainingFailed,
    VerdictChanged,
    DiskLow,
    Test,
}

impl Event {
    fn word(self) -> &'static str {
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

    /// A heading, in ASCII because a header carries it.
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
    event: Event,
    text: String,
    /// The rounds are simulated, which every alert says.
    is_simulated: bool,
    at: DateTime<Utc>,
    /// The table it is about.
    table: TableName,
}

impl Alert {
    fn title(&self) -> String {
        let mark = if self.is_simulated { " (simulated rounds)" } else { "" };
        let table = match &self.table {
            table if table.is_default() => String::new(),
            table => format!(", table {table}"),
        };
        format!("{}{table}{mark}", self.event.title())
    }

    fn json(&self) -> Value {
        json!({
            "event": self.event.word(),
            "title": self.title(),
            "text": self.text,
            "table": self.table,
            "simulated": self.is_simulated,
            "at": self.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "program": concat!("aviator predictor ", env!("CARGO_PKG_VERSION")),
        })
    }
}

/// Watches a table and sends alerts, until dropped. Returns at once where no service is configured.
pub(crate) async fn watch(observer: Observer) {
    let config = observer.config().clone();
    if config.notify.is_empty() {
        return;
    }
    let messenger = match Delivery::new(&config.notify) {
        Ok(messenger) => messenger,
        Err(error) => {
            tracing::error!("No messages are sent: {error}.");
            return;
        }
    };
    tracing::info!(table = %observer.table(), "Messages about trouble go to {}.", messenger.names());
    let (queue, mut waiting) = mpsc::channel(WAITING_MAX);
    let mut sending = JoinSet::new();
    sending.spawn(async move {
        while let Some(notice) = waiting.recv().await {
            messenger.deliver(&notice).await;
        }
    });
    observer.scan_completed().await;
    let mut watchman = AlertRules::default();
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let now = observer.now();
        let seen = Seen::of(&observer.snapshot(), disk_space::free(&config.data_dir), now);
        for mut notice in watchman.observe(&seen, now) {
            notice.table = observer.table().clone();
            tracing::warn!(event = notice.event.word(), "{}", notice.text);
            if queue.try_send(notice).is_err() {
                tracing::warn!("Too many messages wait to be sent; this one is left out.");
            }
        }
    }
}

/// The configured services by name; none when there is none.
///
/// # Errors
/// A secret that is not there, or is none.
pub(crate) fn told(settings: &AlertSettings) -> Result<Option<String>, SettingsError> {
    if settings.is_empty() {
        return Ok(None);
    }
    Delivery::new(settings).map(|messenger| Some(messenger.names()))
}

/// Sends a test alert to each configured service and returns each one's name and outcome.
///
/// # Errors
/// A secret cannot be read or is malformed; or there is no runtime to be had.
pub(crate) fn send_test(
    settings: &AlertSettings,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<(String, Result<(), String>)>> {
    let messenger = Delivery::new(settings).map_err(ConfigError::from)?;
    let notice = Alert {
        table: TableName::default(),
        event: Event::Test,
        text: "If you can read this, messages about trouble will reach you.".to_owned(),
        is_simulated: false,
        at: now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(messenger.deliver(&notice)))
}
