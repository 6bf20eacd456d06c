//! The loop of a table: scans the directory, drives the engine, keeps the ledger, requests trainings
//! and publishes the snapshot.
//!
//! It runs on a thread of its own because it spends its time on blocking file access. Handlers wait
//! for it only when they request a scan or a training.

mod catch_up;
mod rebuild;
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
use forecasting::ledger::{Absent, ReadMark};
use rounds::disk::Disk;
use rounds::scan::{Directory, ScanError};
use rounds::{Origin, TableName};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use self::replies::Replies;
use crate::config::{Config, SCAN_EVERY};
use crate::events::Events;
use crate::input::collector_events::CollectorEvents;
use crate::input::directory_tail::DirectoryTail;
use crate::input::file_stats::FileStats;
use crate::input::fs_watcher::FsWatcher;
use crate::input::fs_watcher::Hint;
use crate::input::round_series::RoundSeries;
use crate::snapshot::builder::{SnapshotBuilder, SnapshotInputs};
use crate::snapshot::{ScanCounts, Snapshot};
use crate::store::checkpoint::RoundsDigest;
use crate::store::ledger_store::LedgerStore;
use crate::training::status::{TrainReply, TrainingStatus};
use crate::training::thread::{EventSink, Trainer, TrainerEvent};

/// Capacity of the inbox. A scan takes milliseconds, so a full inbox means that something hangs.
const INBOX: usize = 1024;

/// Tolerated difference between the clocks of collector and predictor.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

enum Message {
    Hint,
    Scan(oneshot::Sender<()>),
    Train(TrainReply),
    Trainer(TrainerEvent),
    Stop,
}

/// Sends messages to the loop.
#[derive(Debug, Clone)]
pub(crate) struct LoopHandle {
    inbox: SyncSender<Message>,
}

impl LoopHandle {
    /// Requests a scan of the directory now; the receiver resolves when all that was found is in
    /// the snapshot. Returns `None` if the inbox is full or the loop has exited.
    pub(crate) fn scan(&self) -> Option<oneshot::Receiver<()>> {
        let (done, scanned) = oneshot::channel();
        self.inbox.try_send(Message::Scan(done)).ok().map(|()| scanned)
    }

    /// Requests a training. Returns false if the inbox is full or the loop has exited.
    pub(crate) fn train(&self, reply: TrainReply) -> bool {
        self.inbox.try_send(Message::Train(reply)).is_ok()
    }

    /// Stops the loop.
    pub(crate) fn stop(&self) {
        // The loop may have exited already.
        drop(self.inbox.send(Message::Stop));
    }
}

/// Held by a loop and sent when it exits, by return or by panic.
pub(crate) struct ExitSignal(pub(super) UnboundedSender<()>);

impl Drop for ExitSignal {
    fn drop(&mut self) {
        // Without a receiver the program is stopping too.
        self.0.send(()).unwrap_or_default();
    }
}

/// What the loop works with.
pub(crate) struct LoopDeps {
    pub(crate) table: TableName,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) events: Events,
    pub(crate) trainer: Trainer,
    pub(crate) watcher: FsWatcher,
    pub(crate) now: fn() -> DateTime<Utc>,
    /// Where the ledger and the checkpoint are written.
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) stop: CancellationToken,
}

/// Starts the loop.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn start(
    config: &Config,
    deps: LoopDeps,
    exit_signal: ExitSignal,
) -> std::io::Result<LoopHandle> {
    let (inbox, messages) = sync_channel(INBOX);
    let table_loop = TableLoop::new(config, deps, &inbox);
    thread::Builder::new().name("table-loop".to_owned()).spawn(move || {
        // Locals drop in reverse order, so the exit is signalled only after the files have been
        // closed and their locks released.
        let _exit_signal = exit_signal;
        let mut table_loop = table_loop;
        // Log lines of the default table carry no name, because it is usually the only table.
        let span = (!table_loop.table.is_default())
            .then(|| tracing::info_span!("table", name = %table_loop.table));
        let _entered = span.map(tracing::Span::entered);
        table_loop.run(&messages);
    })?;
    Ok(LoopHandle { inbox })
}

struct TableLoop {
    table: TableName,
    tail: DirectoryTail,
    file_stats: FileStats,
    series: RoundSeries,
    /// The rounds of `series` that the engine has not taken yet.
    waiting: Range<usize>,
    engine: Engine,
    ledger_store: LedgerStore,
    collector_events: CollectorEvents,
    scan_counts: ScanCounts,
    /// Digest of the rounds that the engine has taken.
    digest: RoundsDigest,
    /// What the ledger holds about histories that are not those of the files.
    absent: Absent,
    /// How far the rounds have been read, according to the ledger.
    marked: Option<ReadMark>,
    training_status: TrainingStatus,
    builder: SnapshotBuilder,
    /// Why the directory could not be read.
    scan_error: Option<String>,
    /// The newest round lies in the future.
    is_ahead: bool,
    origin: Option<Origin>,
    rebuilds: u64,
    config: Config,
    started_at: DateTime<Utc>,
    trainer: Trainer,
    trainer_events: EventSink,
    snapshot: Arc<ArcSwap<Snapshot>>,
    events: Events,
    replies: Replies,
    now: fn() -> DateTime<Utc>,
    stop: CancellationToken,
}

impl TableLoop {
    fn new(config: &Config, deps: LoopDeps, inbox: &SyncSender<Message>) -> Self {
        let wake = inbox.clone();
        // If the inbox is full, a scan is due anyway.
        let hint = Hint::new(move || drop(wake.try_send(Message::Hint)));
        let sender = inbox.clone();
        // A loop that has exited needs no events.
        let trainer_events: EventSink = Arc::new(move |it| drop(sender.send(Message::Trainer(it))));
        let settings = Settings { auto_train: config.auto_train_enabled, can_be_late: true };
        Self {
            table: deps.table,
            tail: DirectoryTail::new(
                Directory::with_settings(&config.data_dir, config.read_settings()),
                config.watch,
                deps.watcher,
                hint,
            ),
            file_stats: FileStats::new(&config.data_dir),
            series: RoundSeries::default(),
            waiting: 0..0,
            engine: Engine::with_house(settings, *config.game.law()),
            ledger_store: LedgerStore::new(config.state_dir(), deps.disk, *config.game.law()),
            collector_events: CollectorEvents::new(&config.data_dir),
            scan_counts: ScanCounts::default(),
            digest: RoundsDigest::default(),
            absent: Absent::default(),
            marked: None,
            training_status: TrainingStatus::default(),
            builder: SnapshotBuilder::new(&config.game),
            scan_error: None,
            is_ahead: false,
            origin: None,
            rebuilds: 0,
            config: config.clone(),
            started_at: (deps.now)(),
            trainer: deps.trainer,
            trainer_events,
            snapshot: deps.snapshot,
            events: deps.events,
            replies: Replies::default(),
            now: deps.now,
            stop: deps.stop,
        }
    }

    fn run(&mut self, messages: &Receiver<Message>) {
        self.scan();
        self.publish();
        self.log_watch_mode();
        let mut scan_at = Instant::now() + SCAN_EVERY;
        loop {
            // Rounds are fed to the engine in batches between messages, so that a new model is not
            // held up.
            let until_scan = scan_at.saturating_duration_since(Instant::now());
            let is_idle = self.waiting.is_empty() && !self.collector_events.is_behind();
            let wait = if is_idle { until_scan } else { Duration::ZERO };
            let prompted = self.scan_counts.prompted();
            match messages.recv_timeout(wait) {
                Ok(Message::Hint) => {
                    self.scan_counts.hinted += 1;
                    scan_at = Instant::now();
                }
                Ok(Message::Scan(done)) => {
                    self.scan_counts.requested += 1;
                    self.replies.scanned(done);
                    scan_at = Instant::now();
                }
                Ok(Message::Train(reply)) => self.train_for(reply),
                Ok(Message::Trainer(event)) => self.on_trainer_event(event),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= scan_at {
                self.scan_and_count(prompted);
                scan_at = Instant::now() + SCAN_EVERY;
            } else if self.collector_events.is_behind() {
                self.collector_events.scan();
            }
            self.catch_up();
            self.publish();
        }
        self.end();
    }

    fn end(&mut self) {
        if self.ledger_store.sync().is_ok()
            && let Some(checkpoint) = self.checkpoint()
        {
            self.ledger_store.write(checkpoint);
        }
        self.ledger_store.finish();
    }

    /// Scans. `prompted` is the number of hints and requests counted before this message.
    fn scan_and_count(&mut self, prompted: u64) {
        let has_found = self.scan();
        if prompted == self.scan_counts.prompted() {
            self.scan_counts.timed(has_found && self.tail.watch() == "notify");
        }
    }

    /// Reads what is new; returns whether there was anything.
    fn scan(&mut self) -> bool {
        self.collector_events.scan();
        match self.tail.scan() {
            Ok(changes) => {
                let has_found = !changes.is_empty();
                if self.scan_error.take().is_some() {
                    let directory = self.config.data_dir.display();
                    tracing::info!(%directory, "The data directory can be read again.");
                }
                let changes = self.file_stats.record(changes);
                let change = self.series.apply(changes);
                self.apply_change(change);
                self.check_clock();
                has_found
            }
            Err(error) => {
                self.log_scan_error(&error);
                false
            }
        }
    }

    /// Warns once when the newest round lies in the future. Until that time new rounds sort before
    /// it, so no forecast is scored against its own round.
    fn check_clock(&mut self) {
        let newest = self.series.rounds().last();
        let ahead = newest.map_or(TimeDelta::zero(), |newest| newest.time - (self.now)());
        let is_ahead = ahead > CLOCKS_DIFFER;
        if is_ahead && !self.is_ahead {
            tracing::warn!(
                file = self.series.last_file(),
                minutes = ahead.num_minutes(),
                "The newest round is ahead of this machine's clock; no forecast counts until the clock has caught up."
            );
        }
        self.is_ahead = is_ahead;
    }

    fn log_watch_mode(&self) {
        tracing::info!(
            files = %self.config.data_dir.join("aviator_payouts_*.csv").display(),
            watch = self.tail.watch(), auto_train = self.config.auto_train_enabled,
            "Watching for new rounds; scanning every 2 s."
        );
    }

    /// Logs each error once. It is not an error if the directory does not exist before the collector's first start.
    fn log_scan_error(&mut self, error: &ScanError) {
        let is_awaited = error.source.kind() == ErrorKind::NotFound && self.engine.rounds() == 0;
        let text = if is_awaited {
            format!("waiting for {} to appear; the collector creates it", error.path.display())
        } else {
            error.to_string()
        };
        if self.scan_error.as_ref() == Some(&text) {
            return;
        }
        if is_awaited {
            let directory = error.path.display();
            tracing::info!(%directory, "Waiting for the data directory; the collector creates it.");
        } else {
            tracing::warn!(
                error = text,
                "The data directory cannot be read; scanning again every 2 s."
            );
        }
        self.scan_error = Some(text);
    }

    fn publish(&mut self) {
        self.builder.refresh(self.engine.scorecard());
        let inputs = SnapshotInputs {
            table: &self.table,
            config: &self.config,
            engine: &self.engine,
            series: &self.series,
            training_status: &self.training_status,
            file_stats: &self.file_stats,
            ledger_store: &self.ledger_store,
            absent: self.absent,
            collector_events: &self.collector_events,
            scan_counts: self.scan_counts,
            scan_error: self.scan_error.as_deref(),
            watch: self.tail.watch(),
            origin: self.origin,
            rebuilds: self.rebuilds,
            started_at: self.started_at,
        };
        self.snapshot.store(Arc::new(self.builder.snapshot(&inputs)));
        self.replies.send(&self.events, self.waiting.is_empty());
    }
}

#[cfg(test)]
mod tests;
