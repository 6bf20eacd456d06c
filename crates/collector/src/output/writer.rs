//! The rounds on their way to the disk: a thread of its own, so that a slow or full disk stops no source.
//!
//! What the disk refuses is kept and tried again; nothing overtakes it. Only when the queue is full, after a day of rounds,
//! does the source have to wait.

use std::path::PathBuf;
use std::sync::mpsc as std_mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use rounds::{Event, LogError, Round, RoundLog};
use tokio::sync::{mpsc, oneshot, watch};

use crate::output::console::Console;

/// Rounds and marks that wait for the disk; at 23 s a round two and a half days.
pub const QUEUE_LEN: usize = 10_000;
/// Pauses between attempts at a disk that refuses: short enough to be writing again 2 s after there is space.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(1);
/// One warning in this time, however often the disk refuses.
const WARN_EVERY: Duration = Duration::from_mins(1);
/// A mark that cannot be written for so long is given up: rounds matter more.
const NOTE_RETRY_MAX: Duration = Duration::from_mins(1);

/// Something to be written.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A round, with what else is known of it.
    Row(Round, Event),
    /// A mark between rounds.
    Note(DateTime<Utc>, Event),
}

/// How far the writer is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriterProgress {
    /// Rounds on the disk, of this run.
    pub rounds_written: u64,
    /// The newest of them.
    pub last_round: Option<Round>,
    /// The file it is in.
    pub file: PathBuf,
    /// Why the disk refuses, while it does.
    pub failing: Option<String>,
    /// Why only what is known beside the rounds is refused, while it is.
    pub events_failing: Option<String>,
}

/// The near end of the writer's thread.
#[derive(Debug)]
pub struct Writer {
    entries: mpsc::Sender<Entry>,
    progress: watch::Receiver<WriterProgress>,
    deadline_tx: std_mpsc::Sender<Instant>,
    unwritten: oneshot::Receiver<usize>,
}

/// The writer's thread is gone: a bug, or no memory.
#[derive(Debug, thiserror::Error)]
#[error("the writer stopped unexpectedly")]
pub struct WriterGone;

impl Writer {
    /// Takes over the log.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(log: RoundLog, console: Console) -> anyhow::Result<Self> {
        let (entries, queue) = mpsc::channel(QUEUE_LEN);
        let first = WriterProgress { file: log.path().to_owned(), ..WriterProgress::default() };
        let (progress_tx, progress) = watch::channel(first);
        let (deadline_tx, deadline_rx) = std_mpsc::channel();
        let (done, unwritten) = oneshot::channel();
        let thread =
            WriterThread { log, console, progress_tx, deadline_rx, deadline: None, warned: None };
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                let count = thread.run(queue);
                // The other end may have given up waiting.
                done.send(count).unwrap_or_default();
            })
            .context("starting the writer")?;
        Ok(Self { entries, progress, deadline_tx, unwritten })
    }

    /// Puts something into the queue.
    ///
    /// # Errors
    ///
    /// The entry itself, if the queue is full or the writer's thread is gone.
    pub fn try_put(&self, entry: Entry) -> Result<(), Box<Entry>> {
        self.entries.try_send(entry).map_err(|refused| Box::new(refused.into_inner()))
    }

    /// For waiting until there is place in the queue.
    pub fn sender(&self) -> mpsc::Sender<Entry> {
        self.entries.clone()
    }

    /// Waits until it is further, or the disk refuses.
    ///
    /// # Errors
    ///
    /// The writer's thread is gone.
    pub async fn changed(&mut self) -> Result<(), WriterGone> {
        self.progress.changed().await.map_err(|_| WriterGone)
    }

    /// How far it is.
    pub fn progress(&self) -> WriterProgress {
        self.progress.borrow().clone()
    }

    /// Entries that wait for the disk.
    pub fn queued(&self) -> usize {
        let in_hand = usize::from(self.progress.borrow().failing.is_some());
        self.entries.max_capacity() - self.entries.capacity() + in_hand
    }

    /// Writes what is queued and ends; a disk that refuses gets until `limit` is over.
    ///
    /// # Errors
    ///
    /// The writer's thread is gone. `Ok` holds the number of rounds that are not on the disk, and how far it came.
    pub async fn stop(self, limit: Duration) -> Result<(usize, WriterProgress), WriterGone> {
        drop(self.entries);
        // If it is idle or gone there is nobody to hurry.
        self.deadline_tx.send(Instant::now() + limit).unwrap_or_default();
        let unwritten = self.unwritten.await.map_err(|_| WriterGone)?;
        let progress = self.progress.borrow().clone();
        Ok((unwritten, progress))
    }
}

/// The far end, on its thread.
struct WriterThread {
    log: RoundLog,
    console: Console,
    progress_tx: watch::Sender<WriterProgress>,
    deadline_rx: std_mpsc::Receiver<Instant>,
    deadline: Option<Instant>,
    warned: Option<Instant>,
}

impl WriterThread {
    /// Returns how many rounds could not be written.
    fn run(mut self, mut queue: mpsc::Receiver<Entry>) -> usize {
        let mut unwritten = 0;
        while let Some(entry) = queue.blocking_recv() {
            let is_written = unwritten == 0 && self.write(&entry);
            unwritten += usize::from(!is_written && matches!(entry, Entry::Row(..)));
        }
        unwritten
    }

    /// Tries until it is written. False: given up.
    fn write(&mut self, entry: &Entry) -> bool {
        let began = Instant::now();
        let mut pause = RETRY_FIRST;
        loop {
            let Err(error) = self.try_write(entry) else { return true };
            self.warn(&error);
            if matches!(entry, Entry::Note(..)) && began.elapsed() >= NOTE_RETRY_MAX {
                tracing::error!(?entry, "A mark could not be written and is lost.");
                return true;
            }
            if !self.wait(pause) {
                return false;
            }
            pause = (pause * 2).min(RETRY_LONGEST);
        }
    }

    fn try_write(&mut self, entry: &Entry) -> Result<(), LogError> {
        match entry {
            Entry::Row(round, event) => self.log.append(round, event)?,
            Entry::Note(at, event) => self.log.note(*at, event)?,
        }
        if self.warned.take().is_some() {
            tracing::info!("The disk takes rounds again; none is lost.");
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

    fn warn(&mut self, error: &LogError) {
        let is_due = self.warned.is_none_or(|at| at.elapsed() >= WARN_EVERY);
        if is_due {
            self.warned = Some(Instant::now());
            tracing::warn!(%error, "The disk refuses a round; it is kept and tried again.");
        }
        self.progress_tx.send_modify(|progress| progress.failing = Some(error.to_string()));
    }

    /// False when there is no more time.
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
        thread::sleep(left.min(RETRY_FIRST));
        !left.is_zero()
    }
}

#[cfg(test)]
mod tests;
