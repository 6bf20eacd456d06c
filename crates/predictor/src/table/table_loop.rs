//! The loop that does everything that is not answering requests: it looks at the directory, drives
//! the engine, keeps the ledger, orders trainings and publishes the snapshot.
//!
//! It runs on a thread of its own because all it does is wait for files; handlers never wait for it
//! except where they ask it for something.

mod catch_up;
mod replies;
mod training;

use std::io::ErrorKind;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};
use forecasting::engine::{Engine, Settings};
use rounds::disk::Disk;
use rounds::scan::ScanError;
use rounds::{Origin, TableName};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use self::replies::Outbox;
use crate::config::{Config, SCAN_EVERY};
use crate::events::Events;
use crate::input::collector_events::Recorder;
use crate::input::directory_tail::Tail;
use crate::input::file_stats::Intake;
use crate::input::fs_watcher::Ears;
use crate::input::fs_watcher::Hint;
use crate::input::round_series::Series;
use crate::snapshot::builder::{Picture, View};
use crate::snapshot::{Looks, Snapshot};
use crate::store::checkpoint::{Loose, RoundsDigest};
use crate::store::ledger_store::Keeper;
use crate::training::status::{Asker, Trainings};
use crate::training::thread::{News, Tell, Trainer};

/// Messages that may wait; a scan takes milliseconds, so more means that something hangs.
const INBOX: usize = 1024;

/// Between two machines that nobody has looked at.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

enum Message {
    Hint,
    Look(oneshot::Sender<()>),
    Train(Asker),
    Trainer(News),
    Stop,
}

/// How others speak to the loop.
#[derive(Debug, Clone)]
pub(crate) struct LiveHandle {
    inbox: SyncSender<Message>,
}

impl LiveHandle {
    /// Asks for a look at the directory now; the receiver hears when it is over.
    pub(crate) fn look(&self) -> Option<oneshot::Receiver<()>> {
        let (done, looked) = oneshot::channel();
        self.inbox.try_send(Message::Look(done)).ok().map(|()| looked)
    }

    /// Asks for a training. False when nobody listens any more.
    pub(crate) fn train(&self, asker: Asker) -> bool {
        self.inbox.try_send(Message::Train(asker)).is_ok()
    }

    /// Ends the loop.
    pub(crate) fn stop(&self) {
        // It may have ended already.
        drop(self.inbox.send(Message::Stop));
    }
}

/// Held by a loop; says when it ends, however it does.
pub(crate) struct Ending(pub(super) UnboundedSender<()>);

impl Drop for Ending {
    fn drop(&mut self) {
        // Nobody waits any more: the program is ending too.
        self.0.send(()).unwrap_or_default();
    }
}

/// What the loop is given.
pub(crate) struct Outside {
    pub(crate) table: TableName,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) events: Events,
    pub(crate) trainer: Trainer,
    pub(crate) ears: Ears,
    pub(crate) now: fn() -> DateTime<Utc>,
    /// For what is kept of forecasts.
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) stop: CancellationToken,
}

/// Starts the loop.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn start(
    config: &Config,
    outside: Outside,
    ending: Ending,
) -> std::io::Result<LiveHandle> {
    let (inbox, messages) = sync_channel(INBOX);
    let live = Live::new(config, outside, &inbox);
    thread::Builder::new().name("live".to_owned()).spawn(move || {
        // Dropped in the opposite order: that it has ended is said when its files are closed and
        // their locks given back.
        let _ending = ending;
        let mut live = live;
        // Lines of the default table look as if there were no others, which is mostly true.
        let span =
            (!live.table.is_default()).then(|| tracing::info_span!("table", name = %live.table));
        let _entered = span.map(tracing::Span::entered);
        live.run(&messages);
    })?;
    Ok(LiveHandle { inbox })
}

struct Live {
    table: TableName,
    tail: Tail,
    intake: Intake,
    series: Series,
    /// Which of its rounds the engine has not heard.
    waiting: Range<usize>,
    engine: Engine,
    keeper: Keeper,
    recorder: Recorder,
    looks: Looks,
    /// Of the rounds the engine has taken.
    digest: RoundsDigest,
    loose: Loose,
    trainings: Trainings,
    view: View,
    /// Why the directory cannot be read.
    trouble: Option<String>,
    /// The newest round is of a time that is still to come.
    is_ahead: bool,
    origin: Option<Origin>,
    rebuilds: u64,
    config: Config,
    started_at: DateTime<Utc>,
    trainer: Trainer,
    tell: Tell,
    snapshot: Arc<ArcSwap<Snapshot>>,
    events: Events,
    outbox: Outbox,
    now: fn() -> DateTime<Utc>,
    stop: CancellationToken,
}

impl Live {
    fn new(config: &Config, outside: Outside, inbox: &SyncSender<Message>) -> Self {
        let wake = inbox.clone();
        // A full inbox means that a look is due anyway.
        let hint = Hint::new(move || drop(wake.try_send(Message::Hint)));
        let news = inbox.clone();
        // A table that has ended needs no news.
        let tell: Tell = Arc::new(move |it| drop(news.send(Message::Trainer(it))));
        let settings = Settings { auto_train: config.auto_train_enabled, can_be_late: true };
        Self {
            table: outside.table,
            tail: Tail::new(config.data_dir.clone(), config.watch, outside.ears, hint),
            intake: Intake::new(&config.data_dir),
            series: Series::default(),
            waiting: 0..0,
            engine: Engine::new(settings),
            keeper: Keeper::new(config.state_dir(), outside.disk),
            recorder: Recorder::new(&config.data_dir),
            looks: Looks::default(),
            digest: RoundsDigest::default(),
            loose: Loose::default(),
            trainings: Trainings::default(),
            view: View::default(),
            trouble: None,
            is_ahead: false,
            origin: None,
            rebuilds: 0,
            config: config.clone(),
            started_at: (outside.now)(),
            trainer: outside.trainer,
            tell,
            snapshot: outside.snapshot,
            events: outside.events,
            outbox: Outbox::default(),
            now: outside.now,
            stop: outside.stop,
        }
    }

    fn run(&mut self, messages: &Receiver<Message>) {
        self.look();
        self.publish();
        self.say_what_is_watched();
        let mut look_at = Instant::now() + SCAN_EVERY;
        loop {
            // Rounds that wait are worked off between messages, so that models take their turn.
            let until_look = look_at.saturating_duration_since(Instant::now());
            let is_idle = self.waiting.is_empty() && !self.recorder.is_behind();
            let wait = if is_idle { until_look } else { Duration::ZERO };
            let told = self.looks.hinted + self.looks.asked;
            match messages.recv_timeout(wait) {
                Ok(Message::Hint) => {
                    self.looks.hinted += 1;
                    look_at = Instant::now();
                }
                Ok(Message::Look(done)) => {
                    self.looks.asked += 1;
                    self.outbox.looked(done);
                    look_at = Instant::now();
                }
                Ok(Message::Train(asker)) => self.train_for(asker),
                Ok(Message::Trainer(news)) => self.hear(news),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= look_at {
                self.look_and_count(told);
                look_at = Instant::now() + SCAN_EVERY;
            } else if self.recorder.is_behind() {
                self.recorder.look();
            }
            self.catch_up();
            self.publish();
        }
        self.end();
    }

    fn end(&mut self) {
        if self.keeper.sync().is_ok()
            && let Some(checkpoint) = self.checkpoint()
        {
            self.keeper.write(checkpoint);
        }
        self.keeper.finish();
    }

    /// `told` is how often somebody had told of a change before.
    fn look_and_count(&mut self, told: u64) {
        let has_found = self.look();
        if told == self.looks.hinted + self.looks.asked {
            self.looks.timed(has_found && self.tail.watch() == "notify");
        }
    }

    /// Whether there was something new.
    fn look(&mut self) -> bool {
        self.recorder.look();
        match self.tail.look() {
            Ok(changes) => {
                let has_found = !changes.is_empty();
                if self.trouble.take().is_some() {
                    tracing::info!("{} can be read.", self.config.data_dir.display());
                }
                let changes = self.intake.enter(changes);
                let growth = self.series.apply(changes);
                self.grow(growth);
                self.mind_the_clock();
                has_found
            }
            Err(error) => {
                self.cannot_look(&error);
                false
            }
        }
    }

    /// A clock that was ahead when a round was written makes it the newest until then: what comes
    /// meanwhile is sorted before it, and no forecast meets its round.
    fn mind_the_clock(&mut self) {
        let newest = self.series.rounds().last();
        let ahead = newest.map_or(TimeDelta::zero(), |newest| newest.time - (self.now)());
        let is_ahead = ahead > CLOCKS_DIFFER;
        if is_ahead && !self.is_ahead {
            let (minutes, file) =
                (ahead.num_minutes(), self.series.last_file().unwrap_or_default());
            tracing::warn!(
                "The newest round, in {file}, is {minutes} minutes ahead of the clock of this machine; \
                 until then no forecast counts."
            );
        }
        self.is_ahead = is_ahead;
    }

    fn say_what_is_watched(&self) {
        let by = match self.tail.watch() {
            "notify" => "by notification and a scan every 2 s",
            _ => "by a scan every 2 s",
        };
        let auto = if self.config.auto_train_enabled { "on" } else { "off" };
        let dir = self.config.data_dir.display();
        tracing::info!("Watching {dir}/aviator_payouts_*.csv {by}; auto-training is {auto}.");
    }

    /// Says it once. That nothing is there before the collector's first start is no trouble.
    fn cannot_look(&mut self, error: &ScanError) {
        let is_awaited = error.source.kind() == ErrorKind::NotFound && self.engine.rounds() == 0;
        let text = if is_awaited {
            format!("waiting for {} to appear; the collector creates it", error.path.display())
        } else {
            error.to_string()
        };
        if self.trouble.as_ref() == Some(&text) {
            return;
        }
        if is_awaited {
            tracing::info!("{text}");
        } else {
            tracing::warn!("{text}; looking again every 2 s.");
        }
        self.trouble = Some(text);
    }

    fn publish(&mut self) {
        self.view.refresh(self.engine.scorecard());
        let picture = Picture {
            table: &self.table,
            config: &self.config,
            engine: &self.engine,
            series: &self.series,
            trainings: &self.trainings,
            intake: &self.intake,
            keeper: &self.keeper,
            recorder: &self.recorder,
            looks: self.looks,
            trouble: self.trouble.as_deref(),
            watch: self.tail.watch(),
            origin: self.origin,
            rebuilds: self.rebuilds,
            started_at: self.started_at,
        };
        self.snapshot.store(Arc::new(self.view.snapshot(&picture)));
        self.outbox.send(&self.events, self.waiting.is_empty());
    }
}

#[cfg(test)]
mod tests;
