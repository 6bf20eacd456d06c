//! Messages about trouble, to people who are not looking: webhook, ntfy, Telegram.
//!
//! `watchman` decides from what is seen what is worth a message, with no clock of its own; `messenger` delivers it,
//! and tries again where that may help; `channel` knows what each service wants to hear; `place` is where secrets are.

mod channel;
mod disk;
mod messenger;
mod place;
mod settings;
mod watchman;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use rounds::TableName;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

pub use self::place::Place;
pub use self::settings::{Settings, SettingsError};

use self::messenger::Messenger;
use self::watchman::{Seen, Watchman};
use crate::application::Observer;
use crate::config::ConfigError;
use crate::results::say;

/// How often there is a look.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Messages that wait for a service that does not answer; more are left out, and that is said.
const WAITING_MAX: usize = 32;

/// What a message is about. One of each kind is sent in ten minutes at most.
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

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    event: Event,
    text: String,
    /// The rounds are not from a game: said with every message.
    is_simulated: bool,
    at: DateTime<Utc>,
    /// Which table it is about.
    table: TableName,
}

impl Notice {
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

/// Watches and sends, until dropped. Ends at once where nobody is to be told.
pub(crate) async fn watch(observer: Observer) {
    let config = observer.config().clone();
    if config.notify.is_empty() {
        return;
    }
    let messenger = match Messenger::new(&config.notify) {
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
    observer.first_look().await;
    let mut watchman = Watchman::default();
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let now = observer.now();
        let seen = Seen::of(&observer.snapshot(), disk::free(&config.data_dir), now);
        for mut notice in watchman.observe(&seen, now) {
            notice.table = observer.table().clone();
            tracing::warn!(event = notice.event.word(), "{}", notice.text);
            if queue.try_send(notice).is_err() {
                tracing::warn!("Too many messages wait to be sent; this one is left out.");
            }
        }
    }
}

/// Who is told, if anybody.
///
/// # Errors
/// A secret that is not there, or is none.
pub(crate) fn told(settings: &Settings) -> Result<Option<String>, SettingsError> {
    if settings.is_empty() {
        return Ok(None);
    }
    Messenger::new(settings).map(|messenger| Some(messenger.names()))
}

/// `predictor notify`: where messages would go, and with `is_test` whether they get there.
///
/// # Errors
/// When one does not, or nobody would be told.
pub(crate) fn run(settings: &Settings, is_test: bool, now: DateTime<Utc>) -> anyhow::Result<()> {
    if settings.is_empty() {
        return Err(ConfigError::from(SettingsError::Nobody).into());
    }
    let messenger = Messenger::new(settings).map_err(ConfigError::from)?;
    if !is_test {
        return say(&format!("Messages about trouble go to {}.\n", messenger.names()));
    }
    let notice = Notice {
        table: TableName::default(),
        event: Event::Test,
        text: "If you can read this, messages about trouble will reach you.".to_owned(),
        is_simulated: false,
        at: now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcomes = runtime.block_on(messenger.deliver(&notice));
    let mut failed = 0;
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) => say(&format!("ok       {name}\n"))?,
            Err(problem) => {
                failed += 1;
                say(&format!("FAILED   {name}: {problem}\n"))?;
            }
        }
    }
    anyhow::ensure!(failed == 0, "{failed} of the services did not take the message");
    Ok(())
}
