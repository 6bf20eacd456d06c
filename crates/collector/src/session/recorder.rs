//! Turns observations into entries for the writer, and keeps the status up to date.

use std::future::Future;
use std::io::stdout;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use rounds::disk::RealDisk;
use rounds::{Event, EventKind, RoundLog, counted};
use serde_json::{Value, json};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::STALLED_AFTER;
use crate::clock;
use crate::config::Config;
use crate::dedup::{DedupSettings, Deduplicator, Outcome, ResumePoint, SETTLING_TIME};
use crate::observation::{HistoryEntry, Observation, Report, SourceKind};
use crate::output::console::Console;
use crate::output::status::{CollectorState, LastRound, Status, StatusFile, StatusWatch};
use crate::output::writer::{Entry, Writer, WriterGone, WriterProgress};
use crate::session::multiplier_limit::MultiplierLimit;
use crate::session::reset_watch::ResetWatch;
use crate::session::resume;
use crate::session::suspension::SuspensionWatch;

/// Interval of the checks that depend on time alone.
const TICK: Duration = Duration::from_secs(1);
/// Maximum age of `status.json`.
const STATUS_INTERVAL: Duration = Duration::from_secs(5);
/// Minimum time between two updates of `status.json` that are due to new rounds.
const STATUS_INTERVAL_MIN: Duration = Duration::from_millis(200);
/// Minimum time between two warnings about an unavailable source.
const WARN_INTERVAL: Duration = Duration::from_mins(1);
/// Timeout for the last writes at the end.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a wait ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// The process was asked to stop.
    Shutdown,
    /// The time limit passed.
    Overdue,
    /// The writer's thread has ended.
    WriterGone,
}

/// The part of a session downstream of the source: deduplicator, writer and status.
#[derive(Debug)]
pub(super) struct Recorder {
    kind: SourceKind,
    limit: MultiplierLimit,
    deduplicator: Deduplicator,
    writer: Writer,
    status: Status,
    status_file: StatusFile,
    status_watch: StatusWatch,
    /// The state of the source, apart from the disk's.
    source_state: CollectorState,
    tick: Interval,
    status_written: Option<Instant>,
    /// Time of the last new round, or of the start of the connection if that is later.
    last_new_round: Instant,
    /// Time of the first observation of this connection.
    first_observation: Option<Instant>,
    outage: Option<Outage>,
    suspension: SuspensionWatch,
    resets: ResetWatch,
    /// An entry of the latest list that cannot be read.
    unreadable: Option<String>,
    /// Rounds dropped because the queue was full when the process had to stop.
    dropped: usize,
}

/// A period without a connection.
#[derive(Debug)]
struct Outage {
    since: Instant,
    /// Length of the suspension just before it began.
    suspended: Duration,
    attempts: u64,
    /// The last error.
    error: String,
    warned: Option<Instant>,
}

impl Recorder {
    /// Locks the directory, reads the rounds to resume from, and starts the writer.
    pub(super) fn open(config: &Config, status_watch: StatusWatch) -> anyhow::Result<Self> {
        let (kind, now) = (config.source, clock::wall());
        let dir = config.directory();
        let disk = Box::new(config.fsync.disk());
        let log = RoundLog::open_on(disk, &dir, kind.origin(), now)?;
        for repair in log.repairs() {
            tracing::warn!(?repair, "A torn row at the end of a file was cut off; a copy is kept.");
        }
        let known = match kind {
            // A replay always writes the whole recording, even if some of it was replayed before.
            SourceKind::Replay => ResumePoint::default(),
            _ => resume::read(&dir, config.read).context("reading the last rounds")?,
        };
        let settings = DedupSettings {
            kind,
            baseline: config.baseline,
            round_min: config.round_min.0,
            settling: SETTLING_TIME,
        };
        tracing::info!(
            source = kind.name(), file = %log.path().display(), known_rounds = known.rounds.len(), "Recording."
        );
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut recorder = Self {
            kind,
            limit: MultiplierLimit::new(config.read.max_multiplier),
            deduplicator: Deduplicator::resuming(settings, &known),
            writer: Writer::start(log, console(config)?)?,
            status: Status { table: config.table.clone(), ..Status::new(kind, now) },
            status_file: StatusFile::new(Box::new(RealDisk), dir),
            status_watch,
            source_state: CollectorState::Starting,
            tick,
            status_written: None,
            last_new_round: Instant::now(),
            first_observation: None,
            outage: None,
            suspension: SuspensionWatch::new(now),
            resets: ResetWatch::default(),
            unreadable: None,
            dropped: 0,
        };
        let detail =
            json!({ "version": recorder.status.version, "simulated": recorder.status.simulated });
        let start = recorder.note(now, EventKind::Start, detail);
        recorder.writer.try_put(start).map_err(|_| anyhow!("the queue is full at the start"))?;
        recorder.update_status();
        Ok(recorder)
    }

    /// Waits for `work` and handles shutdown, the writer's progress and ticks meanwhile. All waits of a session go through
    /// this method.
    pub(super) async fn wait_for<T>(
        &mut self,
        work: impl Future<Output = T>,
        limit: Option<Duration>,
        shutdown: &CancellationToken,
    ) -> Result<T, Interrupt> {
        let mut work = pin!(work);
        let due = limit.map(|limit| Instant::now() + limit);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Err(Interrupt::Shutdown),
                _ = self.tick.tick() => self.on_tick(),
                changed = self.writer.changed() => {
                    changed.map_err(|WriterGone| Interrupt::WriterGone)?;
                    self.on_progress();
                }
                done = &mut work => return Ok(done),
                () = sleep_until_due(due) => return Err(Interrupt::Overdue),
            }
        }
    }

    /// Handles a new connection; records an event if there was an outage before it.
    pub(super) async fn connected(
        &mut self,
        shutdown: &CancellationToken,
    ) -> Result<(), Interrupt> {
        self.last_new_round = Instant::now();
        self.first_observation = None;
        self.source_state = CollectorState::Connected;
        let Some(outage) = self.outage.take() else {
            tracing::info!(source = self.kind.name(), "Connected.");
            self.update_status();
            return Ok(());
        };
        let seconds = (outage.since.elapsed() + outage.suspended).as_secs();
        tracing::info!(
            source = self.kind.name(),
            seconds,
            attempts = outage.attempts,
            "Reconnected."
        );
        let detail =
            json!({ "after_s": seconds, "attempts": outage.attempts, "error": outage.error });
        let note = self.note(clock::wall(), EventKind::Reconnect, detail);
        self.enqueue(vec![note], shutdown).await
    }

    /// Handles a lost connection or a failed attempt.
    pub(super) fn on_disconnect(&mut self, error: &str, pause: Duration) {
        self.note_awake();
        let suspended = self.suspension.just_ended(clock::wall());
        let outage = self.outage.get_or_insert_with(|| Outage {
            since: Instant::now(),
            suspended: suspended.and_then(|length| length.to_std().ok()).unwrap_or_default(),
            attempts: 0,
            error: String::new(),
            warned: None,
        });
        outage.attempts += 1;
        error.clone_into(&mut outage.error);
        if outage.warned.is_none_or(|at| at.elapsed() >= WARN_INTERVAL) {
            outage.warned = Some(Instant::now());
            tracing::warn!(
                source = self.kind.name(),
                error,
                attempts = outage.attempts,
                next_attempt_in_s = pause.as_secs_f64().round(),
                "Not connected."
            );
        }
        self.deduplicator.interrupted();
        // The next attempt has delivered nothing yet.
        self.first_observation = None;
        self.source_state = CollectorState::Reconnecting;
        self.status.last_error = Some(error.to_owned());
        self.update_status();
    }

    /// Returns whether the connection has delivered observations for at least `duration`.
    pub(super) fn connection_lasted(&self, duration: Duration) -> bool {
        self.first_observation.is_some_and(|first| first.elapsed() >= duration)
    }

    /// Returns the time left until the source has been without a new round for `limit`; `None` for
    /// a source that cannot become stale.
    pub(super) fn time_to_stale(&self, limit: Duration) -> Option<Duration> {
        self.kind.is_live().then(|| limit.saturating_sub(self.last_new_round.elapsed()))
    }

    /// Queues the rounds and events that follow from an observation.
    pub(super) async fn record(
        &mut self,
        observation: &Observation,
        shutdown: &CancellationToken,
    ) -> Result<(), Interrupt> {
        self.first_observation.get_or_insert_with(Instant::now);
        let entries = self.entries(observation);
        self.enqueue(entries, shutdown).await
    }

    /// Notes that the process runs, and says so if it did not for a while.
    fn note_awake(&mut self) {
        if let Some(length) = self.suspension.awake(clock::wall()) {
            tracing::warn!(
                source = self.kind.name(),
                seconds = length.num_seconds(),
                "The process did not run for a while; the times of rounds that ended meanwhile are estimates."
            );
        }
    }

    fn entries(&mut self, observation: &Observation) -> Vec<Entry> {
        self.note_awake();
        let mut observation = observation.clone();
        let mean = TimeDelta::from_std(self.deduplicator.mean_round()).unwrap_or_default();
        let is_estimated = self.kind.is_live() && self.suspension.place(&mut observation, mean);
        let observation = &observation;
        let (limited, above) = self.limit.apply(observation);
        if let Some(message) = above {
            tracing::warn!(
                source = self.kind.name(),
                reason = message,
                "A multiplier is not recorded."
            );
            self.status.last_error = Some(message);
            self.update_status();
        }
        let outcomes = self.deduplicator.observe(&limited);
        let entries = outcomes
            .into_iter()
            .map(|outcome| if is_estimated { outcome.estimated() } else { outcome })
            .map(|outcome| self.entry(outcome, observation.wall))
            .collect();
        if let Report::List(list) = &observation.report {
            self.note_unreadable(list);
        }
        entries
    }

    /// Shows in the status that entries of the list cannot be read, and logs it once.
    fn note_unreadable(&mut self, list: &[HistoryEntry]) {
        let unreadable = list.iter().find_map(|entry| match entry {
            HistoryEntry::Unreadable(text) => Some(text.clone()),
            HistoryEntry::Round(_) => None,
        });
        if let Some(text) = &unreadable {
            let error = format!("the number in `{text}` of the history list cannot be read");
            self.status.last_error = Some(error);
        }
        if unreadable.is_some() && unreadable != self.unreadable {
            tracing::warn!(
                source = self.kind.name(),
                text = unreadable,
                "An entry of the history list cannot be read; its round is recorded as a gap."
            );
            self.update_status();
        }
        self.unreadable = unreadable;
    }

    fn entry(&mut self, outcome: Outcome, now: DateTime<Utc>) -> Entry {
        match outcome {
            Outcome::Accept { round, id, kind, detail } => {
                self.status.count(kind);
                self.last_new_round = Instant::now();
                if self.source_state == CollectorState::Stalled {
                    tracing::info!(source = self.kind.name(), "New rounds arrive again.");
                    self.source_state = CollectorState::Connected;
                }
                self.status.last_error = None;
                Entry::Row(
                    round,
                    Event { round_id: id, detail, ..Event::new(kind, self.kind.name()) },
                )
            }
            Outcome::Note { kind: EventKind::Start, detail } => {
                tracing::debug!(source = self.kind.name(), %detail, "Recording continues from this list.");
                self.note(now, EventKind::Start, detail)
            }
            Outcome::Note { kind, detail } => {
                tracing::warn!(source = self.kind.name(), ?kind, %detail, "A discontinuity was recorded.");
                if kind == EventKind::Reset && self.resets.is_series(Instant::now()) {
                    self.note_resets();
                }
                self.note(now, kind, detail)
            }
        }
    }

    /// Warns that the list is probably misread, rather than another table's each time.
    fn note_resets(&mut self) {
        tracing::warn!(
            source = self.kind.name(),
            "The list was replaced again and again; it is probably read in the wrong order, or from the wrong place."
        );
        let error = "the list was replaced again and again: check --order, --selector and that one table is open";
        self.status.last_error = Some(error.to_owned());
    }

    fn note(&mut self, now: DateTime<Utc>, kind: EventKind, detail: Value) -> Entry {
        self.status.count(kind);
        Entry::Note(now, Event { detail: Some(detail), ..Event::new(kind, self.kind.name()) })
    }

    /// Puts the entries into the writer's queue; waits while it is full.
    async fn enqueue(
        &mut self,
        entries: Vec<Entry>,
        shutdown: &CancellationToken,
    ) -> Result<(), Interrupt> {
        let mut entries = entries.into_iter();
        while let Some(entry) = entries.next() {
            let Err(refused) = self.writer.try_put(entry) else { continue };
            let sender = self.writer.sender();
            match self.wait_for(sender.send(*refused), None, shutdown).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Interrupt::WriterGone),
                Err(interrupt) => {
                    let left = entries.filter(|entry| matches!(entry, Entry::Row(..))).count();
                    self.dropped += 1 + left;
                    return Err(interrupt);
                }
            }
        }
        Ok(())
    }

    /// Writes the remaining rounds and a stop event, and updates the status; fails if rounds could not be written.
    pub(super) async fn finish(
        mut self,
        outcome: &anyhow::Result<&'static str>,
    ) -> anyhow::Result<()> {
        let end = Observation::now(Report::End);
        let mut last = self.entries(&end);
        let reason = match outcome {
            Ok(reason) => (*reason).to_owned(),
            Err(error) => {
                self.status.last_error = Some(format!("{error:#}"));
                format!("{error:#}")
            }
        };
        let detail = json!({ "reason": reason });
        last.push(self.note(end.wall, EventKind::Stop, detail));
        for entry in last {
            let is_row = matches!(entry, Entry::Row(..));
            self.dropped += usize::from(self.writer.try_put(entry).is_err() && is_row);
        }
        let (unwritten, progress) = self.writer.stop(WRITE_TIMEOUT).await?;
        let missing = unwritten + self.dropped;
        fill_status(&mut self.status, &progress, CollectorState::Stopped, missing);
        self.status_file.write(&self.status);
        self.status_watch.post(&self.status);
        tracing::info!(reason, rounds = progress.rounds_written, "Stopped.");
        if missing > 0 {
            let reason = progress.failing.unwrap_or_else(|| "the queue was full".to_owned());
            let rounds = counted(missing as u64, "round");
            return Err(anyhow!("{rounds} could not be written: {reason}"));
        }
        Ok(())
    }

    fn on_tick(&mut self) {
        self.note_awake();
        let is_stalled = self.kind.is_live()
            && self.source_state == CollectorState::Connected
            && self.last_new_round.elapsed() >= STALLED_AFTER;
        if is_stalled {
            tracing::warn!(
                source = self.kind.name(),
                seconds = STALLED_AFTER.as_secs(),
                "Connected, but no new round."
            );
            self.source_state = CollectorState::Stalled;
        }
        let is_old = self.status_written.is_none_or(|at| at.elapsed() >= STATUS_INTERVAL);
        if is_stalled || is_old {
            self.update_status();
        } else {
            self.on_progress();
        }
    }

    /// Updates the status after a new round on the disk, or when writes start or stop failing.
    fn on_progress(&mut self) {
        let progress = self.writer.progress();
        let is_new_round = progress.rounds_written != self.status.rounds_written;
        let is_state_change =
            progress.failing.is_some() != (self.status.state == CollectorState::WritingFailed);
        let is_due = self.status_written.is_none_or(|at| at.elapsed() >= STATUS_INTERVAL_MIN);
        if is_state_change || (is_new_round && is_due) {
            self.update_status();
        }
    }

    fn update_status(&mut self) {
        let progress = self.writer.progress();
        let state = if progress.failing.is_some() {
            CollectorState::WritingFailed
        } else {
            self.source_state
        };
        self.status_written = Some(Instant::now());
        let queued = self.writer.queued();
        fill_status(&mut self.status, &progress, state, queued);
        self.publish();
    }

    fn publish(&mut self) {
        self.status_file.write(&self.status);
        self.status_watch.post(&self.status);
    }
}

/// Fills the status from the writer's progress.
fn fill_status(
    status: &mut Status,
    progress: &WriterProgress,
    state: CollectorState,
    queued: usize,
) {
    let now = clock::wall();
    status.rounds_written = progress.rounds_written;
    status.last_round = progress
        .last_round
        .map(|round| LastRound { time: round.time, multiplier: round.multiplier });
    status.file = progress.file.file_name().map(|name| name.to_string_lossy().into_owned());
    status.queued_rows = queued;
    let events_error =
        progress.events_failing.as_ref().map(|error| format!("the event file: {error}"));
    if let Some(error) = progress.failing.clone().or(events_error) {
        status.last_error = Some(error);
    }
    status.set_state(state, now);
    status.updated_at = now;
}

fn console(config: &Config) -> anyhow::Result<Console> {
    if config.quiet {
        return Ok(Console::silent());
    }
    let remark = if config.source == SourceKind::Demo { "  simulated" } else { "" };
    Console::start(Box::new(stdout()), remark).context("starting the console")
}

async fn sleep_until_due(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
