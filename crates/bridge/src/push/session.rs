//! One connection of a push: sends new rows and handles acknowledgements.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rounds::{Event, EventKind, Origin};
use tokio_util::sync::CancellationToken;

use super::delivery::{Delivery, PendingRow};
use super::event_file::{self, EventFile, RowEvent};
use super::file_position::RowBatch;
use super::{Push, State};
use crate::hub::stream::StreamLimits;
use crate::hub::{Hub, HubError};
use crate::message::{RoundMessage, VERSION};
use crate::retry::{self, Outage};
use crate::subject::Table;

/// Interval between two scans of the files.
const SCAN_INTERVAL: Duration = Duration::from_millis(250);
/// Number of scans after which a row that waits for its event is logged.
const WAIT_LOOKS: u32 = 40;
/// Timeout for outstanding acknowledgements at shutdown.
const LAST_ACKS: Duration = Duration::from_secs(2);

/// The work of one connection.
pub(super) struct Session<'a> {
    push: &'a Push,
    state: &'a mut State,
    shutdown: &'a CancellationToken,
    /// The event files, read as far as rows are sent.
    event_files: BTreeMap<String, EventFile>,
    /// Length and time of files that have nothing to send.
    unchanged: BTreeMap<String, (u64, Option<SystemTime>)>,
    counts: PushCounts,
}

/// Counts of this connection.
#[derive(Clone, Copy, Debug, Default)]
struct PushCounts {
    stored: u64,
    stored_already: u64,
    /// Final once for each time it happens.
    is_caught_up: bool,
    /// Looks in a row at which the last row of a file waited for its event.
    waited: u32,
}

/// How far a file has been processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    End,
    /// The last row waits for its event.
    Waiting,
    Stopping,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        push: &'a Push,
        state: &'a mut State,
        shutdown: &'a CancellationToken,
    ) -> Self {
        let (event_files, unchanged) = (BTreeMap::new(), BTreeMap::new());
        Self { push, state, shutdown, event_files, unchanged, counts: PushCounts::default() }
    }

    /// Connects, and pushes until the connection breaks, or it is asked to stop, or everything is stored once.
    pub(super) async fn run(&mut self, outage: &mut Outage) -> Result<(), HubError> {
        let hub = Hub::connect(&self.push.access, self.push.in_flight).await?;
        // Nothing that is waited for comes over a connection that is lost; a row that was on its way is sent again.
        tokio::select! {
            ended = self.work(&hub, outage) => ended,
            error = hub.lost() => Err(error),
        }
    }

    async fn work(&mut self, hub: &Hub, outage: &mut Outage) -> Result<(), HubError> {
        let Some(origin) = self.origin().await? else { return Ok(()) };
        let table = Table { name: self.push.table.clone(), origin };
        let kept = hub.stream_for(&table, StreamLimits::default()).await?;
        if self.state.adopt_stream(&kept.created) {
            tracing::info!("The stream is new; sending every row again.");
        }
        outage.end();
        tracing::info!(hub = %self.push.access.address, table = %table.name, %origin, "Connected.");
        let delivery = Delivery { hub, kept: &kept, site: &self.push.site };
        loop {
            let reached = self.all_files(&delivery).await?;
            if reached == Progress::Stopping {
                return Ok(());
            }
            self.state.save_if_changed();
            self.say_caught_up();
            if self.push.once {
                return Ok(());
            }
            if self.wait().await {
                return Ok(());
            }
        }
    }

    /// Waits for the next look; whether it was asked to stop instead.
    async fn wait(&self) -> bool {
        retry::wait(SCAN_INTERVAL, self.shutdown).await;
        self.shutdown.is_cancelled()
    }

    /// The origin of the rounds, as soon as there are any; `None` if asked to stop before.
    async fn origin(&self) -> Result<Option<Origin>, HubError> {
        loop {
            match Origin::of(&self.push.dir) {
                Ok(Some(origin)) => return Ok(Some(origin)),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&self.push.dir, &error)),
            }
            if self.push.once {
                let problem = format!("{} holds no rounds", self.push.dir.display());
                return Err(HubError::Mismatch(problem));
            }
            if self.wait().await {
                return Ok(None);
            }
        }
    }

    fn say_caught_up(&mut self) {
        let PushCounts { stored, stored_already, is_caught_up, waited } = self.counts;
        let is_too_long = waited == WAIT_LOOKS || self.push.once && waited > 0;
        if is_too_long {
            tracing::warn!(
                "A row waits for its event, which the collector writes after it; it is sent once the collector continues."
            );
        }
        if waited == 0 && !is_caught_up {
            tracing::info!(stored, stored_already, "Every row in the files is at the hub.");
            self.counts.is_caught_up = true;
        }
    }

    async fn all_files(&mut self, delivery: &Delivery<'_>) -> Result<Progress, HubError> {
        let mut is_waiting = false;
        let names = rounds::csv_names(&self.push.dir)
            .map_err(|error| unreadable(&self.push.dir, &error))?;
        for (index, name) in names.iter().enumerate() {
            let look = metadata(&self.push.dir.join(name));
            if look.is_some() && self.unchanged.get(name) == look.as_ref() {
                continue;
            }
            let later = event_file::LaterFiles::of(name, &names[index + 1..]);
            match self.file(delivery, name, &later).await? {
                Progress::End => {
                    self.event_files.remove(name);
                    // A file that has grown meanwhile has another length by now.
                    self.unchanged.extend(look.map(|look| (name.clone(), look)));
                }
                Progress::Waiting => is_waiting = true,
                Progress::Stopping => return Ok(Progress::Stopping),
            }
        }
        self.counts.waited = if is_waiting { self.counts.waited.saturating_add(1) } else { 0 };
        Ok(Progress::End)
    }

    /// Sends what is new in one file.
    async fn file(
        &mut self,
        delivery: &Delivery<'_>,
        name: &str,
        later: &event_file::LaterFiles,
    ) -> Result<Progress, HubError> {
        let path = self.push.dir.join(name);
        loop {
            let window = match self.state.place(name).read(&path) {
                Ok(Some(window)) => window,
                Ok(None) => return Ok(Progress::End),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Progress::End),
                Err(error) => return Err(unreadable(&path, &error)),
            };
            let reached = self.window(delivery, name, (&window, later)).await?;
            if reached != Progress::End {
                return Ok(reached);
            }
            if window.rejected > 0 {
                tracing::warn!(
                    file = name,
                    lines = window.rejected,
                    "Skipped lines that are not rounds."
                );
            }
            self.state.place(name).pass(window);
            self.state.save_if_due();
        }
    }

    /// Sends the rows of a window, many at a time, and takes the acknowledgements in the order of the rows.
    async fn window(
        &mut self,
        delivery: &Delivery<'_>,
        name: &str,
        (window, later): (&RowBatch, &event_file::LaterFiles),
    ) -> Result<Progress, HubError> {
        let mut sent: VecDeque<PendingRow> = VecDeque::new();
        let mut reached = Progress::End;
        for (round, number) in window.rounds.iter().zip(window.first..) {
            if self.shutdown.is_cancelled() {
                reached = Progress::Stopping;
                break;
            }
            let dir = &self.push.dir;
            let side =
                self.event_files.entry(name.to_owned()).or_insert_with(|| EventFile::of(dir, name));
            let known =
                side.row(number, later).map_err(|error| unreadable(&dir.join(name), &error))?;
            let RowEvent::Final { event, discontinuities } = known else {
                reached = Progress::Waiting;
                break;
            };
            let stem = name.strip_suffix(".csv").unwrap_or(name);
            let message = RoundMessage {
                v: VERSION,
                site: self.push.site.to_string(),
                file: stem.to_owned(),
                row: number,
                round: *round,
                event: event.unwrap_or_else(|| Event::new(EventKind::Live, "file")),
                discontinuities,
            };
            self.counts.is_caught_up = false;
            sent.push_back(delivery.send(message).await?);
            if sent.len() >= self.push.in_flight {
                self.take_ack(delivery, name, &mut sent).await?;
            }
        }
        while !sent.is_empty() {
            let ack = self.take_ack(delivery, name, &mut sent);
            if reached == Progress::Stopping {
                tokio::time::timeout(LAST_ACKS, ack)
                    .await
                    .map_err(|error| ack_timeout(&error))??;
            } else {
                ack.await?;
            }
        }
        Ok(reached)
    }

    /// Waits for the acknowledgement of the oldest row on its way.
    async fn take_ack(
        &mut self,
        delivery: &Delivery<'_>,
        name: &str,
        sent: &mut VecDeque<PendingRow>,
    ) -> Result<(), HubError> {
        let Some(oldest) = sent.pop_front() else { return Ok(()) };
        let row = oldest.number();
        let is_new = delivery.answer(oldest).await?;
        if is_new {
            self.counts.stored += 1;
        } else {
            self.counts.stored_already += 1;
        }
        self.state.place(name).acknowledge(row);
        self.state.save_if_due();
        tracing::debug!(file = name, row, is_new, "Stored.");
        Ok(())
    }
}

fn ack_timeout(error: &tokio::time::error::Elapsed) -> HubError {
    HubError::unavailable("the last acknowledgements", error)
}

fn unreadable(path: &Path, error: &io::Error) -> HubError {
    HubError::Files(format!("cannot read {}: {error}", path.display()))
}

fn metadata(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
