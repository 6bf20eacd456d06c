//! Writes rounds to the disk on its own thread, so that a slow or full disk does not stop the source.
//!
//! An entry that the disk rejects is retried, and later entries wait behind it. The source has to wait only when the queue is
//! full, after more than two days of rounds.

use std::path::PathBuf;
use std::sync::mpsc as std_mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use rounds::{Event, EventKind, LogError, Round, RoundLog};
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock;
use crate::output::console::Console;

/// Capacity of the queue in entries: at 23 s per round, two and a half days.
pub const QUEUE_LEN: usize = 10_000;
/// Pause before the first retry of a write; it doubles with each retry.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause between retries, short enough to write again within 2 s once there is space.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Minimum time between two warnings about the disk.
const WARN_INTERVAL: Duration = Duration::from_mins(1);
/// An event between rounds that cannot be written for this long is dropped, because the rounds queued behind it matter
/// more.
const NOTE_RETRY_MAX: Duration = Duration::from_mins(1);

/// An entry to be written.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A round, and its line in the event file.
    Row(Round, Event),
    /// An event between rounds, such as a discontinuity.
    Note(DateTime<Utc>, Event),
}

/// The progress of the writer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriterProgress {
    /// Rounds of this run that are on the disk.
    pub rounds_written: u64,
    /// The newest of them.
    pub last_round: Option<Round>,
    /// The file that holds it.
    pub file: PathBuf,
    /// The error of the disk; `None` while writes succeed.
    pub failing: Option<String>,
    /// The error of the event file; `None` while its writes succeed.
    pub events_failing: Option<String>,
}

/// The handle of the writer's thread.
#[derive(Debug)]
pub struct Writer {
    entries: mpsc::Sender<Entry>,
    progress: watch::Receiver<WriterProgress>,
    deadline_tx: std_mpsc::Sender<Instant>,
    unwritten: oneshot::Receiver<usize>,
}

/// The writer's thread has ended unexpectedly: a bug, or no memory.
#[derive(Debug, thiserror::Error)]
#[error("the writer stopped unexpectedly")]
pub struct WriterGone;

impl Writer {
    /// Starts the thread, which owns the log.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn start(log: RoundLog, console: Console) -> anyhow::Result<Self> {
        let (entries, queue) = mpsc::channel(QUEUE_LEN);
        let first = WriterProgress { file: log.path().to_owned(), ..WriterProgress::default() };
        let (progress_tx, progress) = watch::channel(first);
        let (deadline_tx, deadline_rx) = std_mpsc::channel();
        let (done, unwritten) = oneshot::channel();
        let thread = WriterThread {
            log,
            console,
            progress_tx,
            deadline_rx,
            deadline: None,
            warned: None,
            reopened: 0,
        };
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                let count = thread.run(queue);
                // The receiver may have stopped waiting.
                done.send(count).unwrap_or_default();
            })
            .context("starting the writer")?;
        Ok(Self { entries, progress, deadline_tx, unwritten })
    }

    /// Puts an entry into the queue without waiting.
    ///
    /// # Errors
    ///
    /// The queue is full or the writer's thread has ended; the error returns the entry.
    pub fn try_put(&self, entry: Entry) -> Result<(), Box<Entry>> {
        self.entries.try_send(entry).map_err(|refused| Box::new(refused.into_inner()))
    }

    /// Returns a sender, for waiting until the queue has space.
    pub fn sender(&self) -> mpsc::Sender<Entry> {
        self.entries.clone()
    }

    /// Waits until the progress changes.
    ///
    /// # Errors
    ///
    /// The writer's thread has ended.
    pub async fn changed(&mut self) -> Result<(), WriterGone> {
        self.progress.changed().await.map_err(|_| WriterGone)
    }

    /// Returns the current progress.
    pub fn progress(&self) -> WriterProgress {
        self.progress.borrow().clone()
    }

    /// Returns how many entries wait for the disk.
    pub fn queued(&self) -> usize {
        let in_progress = usize::from(self.progress.borrow().failing.is_some());
        self.entries.max_capacity() - self.entries.capacity() + in_progress
    }

    /// Writes the queued entries and stops; retries end after `limit`. Returns how many rounds are not on the disk, and the
    /// final progress.
    ///
    /// # Errors
    ///
    /// The writer's thread has ended.
    pub async fn stop(self, limit: Duration) -> Result<(usize, WriterProgress), WriterGone> {
        drop(self.entries);
        // An idle thread has ended already and needs no deadline.
        self.deadline_tx.send(Instant::now() + limit).unwrap_or_default();
        let unwritten = self.unwritten.await.map_err(|_| WriterGone)?;
        let progress = self.progress.borrow().clone();
        Ok((unwritten, progress))
    }
}

/// The state of the writer's thread.
struct WriterThread {
    log: RoundLog,
    console: Console,
    progress_tx: watch::Sender<WriterProgress>,
    deadline_rx: std_mpsc::Receiver<Instant>,
    deadline: Option<Instant>,
    warned: Option<Instant>,
    /// How often the event file had to be opened again.
    reopened: u64,
}

impl WriterThread {
    /// Writes until the queue is closed; returns how many rounds could not be written.
    fn run(mut self, mut queue: mpsc::Receiver<Entry>) -> usize {
        let mut unwritten = 0;
        while let Some(entry) = queue.blocking_recv() {
            let is_written = unwritten == 0 && self.write(&entry);
            unwritten += usize::from(!is_written && matches!(entry, Entry::Row(..)));
        }
        unwritten
    }

    /// Retries until the entry is written; returns false if the deadline passed first.
    fn write(&mut self, entry: &Entry) -> bool {
        let began = Instant::now();
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            let Err(error) = self.try_write(entry) else { return true };
            if error.is_permanent() {
                self.skip(entry, &error);
                return true;
            }
            self.warn(&error);
            if matches!(entry, Entry::Note(..)) && began.elapsed() >= NOTE_RETRY_MAX {
                tracing::error!(?entry, "An event could not be written and is lost.");
                return true;
            }
            if !self.wait(pause) {
                return false;
            }
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        }
    }

    fn try_write(&mut self, entry: &Entry) -> Result<(), LogError> {
        match entry {
            Entry::Row(round, event) => self.log.append(round, event)?,
            Entry::Note(at, event) => self.log.note(*at, event)?,
        }
        if self.warned.take().is_some() {
            tracing::info!("The disk accepts rounds again; none was lost.");
        }
        if self.log.event_files_reopened() > self.reopened {
            self.reopened = self.log.event_files_reopened();
            tracing::warn!(
                "Another program moved, replaced or deleted the event file; events go to the file that has its name."
            );
        }
        let number = self.log.rounds_written();
        if let Entry::Row(round, event) = entry {
            self.console.round(round, number);
            tracing::debug!(round = number, multiplier = %round.multiplier, kind = ?event.kind, "A round is on the disk.");
        }
        let events_failing = self.log.event_error().map(ToOwned::to_owned);
        self.progress_tx.send_modify(|progress| {
            progress.rounds_written = number;
            progress.failing = None;
            progress.events_failing = events_failing;
            if let Entry::Row(round, _) = entry {
                progress.last_round = Some(*round);
                self.log.path().clone_into(&mut progress.file);
            }
        });
        Ok(())
    }

    /// Leaves out an entry that would fail every time, with a gap in the event file, so that the rounds behind it are
    /// written.
    fn skip(&mut self, entry: &Entry, error: &LogError) {
        tracing::error!(%error, ?entry, "A round can never be written, so it is skipped.");
        if let Entry::Row(_, event) = entry {
            let detail = json!({ "reason": "skipped", "error": error.to_string() });
            let gap = Event { detail: Some(detail), ..Event::new(EventKind::Gap, &event.source) };
            if let Err(error) = self.log.note(clock::wall(), &gap) {
                tracing::error!(%error, "The gap of a skipped round could not be written.");
            }
        }
    }

    fn warn(&mut self, error: &LogError) {
        let is_due = self.warned.is_none_or(|at| at.elapsed() >= WARN_INTERVAL);
        if is_due {
            self.warned = Some(Instant::now());
            tracing::warn!(%error, "The disk rejects a round; the write will be retried.");
        }
        self.progress_tx.send_modify(|progress| progress.failing = Some(error.to_string()));
    }

    /// Waits before the next attempt; returns false once the deadline has passed.
    fn wait(&mut self, pause: Duration) -> bool {
        if self.deadline.is_none() {
            match self.deadline_rx.recv_timeout(pause) {
                Ok(deadline) => self.deadline = Some(deadline),
                Err(std_mpsc::RecvTimeoutError::Timeout) => return true,
                Err(std_mpsc::RecvTimeoutError::Disconnected) => return false,
            }
        }
        let left = self
            .deadline
            .map_or(Duration::ZERO, |deadline| deadline.saturating_duration_since(Instant::now()));
        thread::sleep(left.min(RETRY_PAUSE_MIN));
        !left.is_zero()
    }
}

#[cfg(test)]
mod tests;
