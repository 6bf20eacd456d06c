//! One connection of a push: sends new rows and handles their acknowledgements.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rounds::{Event, EventKind, Origin, ReadOptions};
use tokio_util::sync::CancellationToken;

use super::delivery::{Delivery, PendingRow};
use super::file_position::RowBatch;
use super::{Push, State};
use crate::hub::stream::StreamLimits;
use crate::hub::{Hub, HubError};
use crate::message::{RoundMessage, VERSION};
use crate::retry::{self, Outage};
use crate::row_event::{EventFile, LaterFiles, RowEvent};
use crate::subject::Table;

/// Interval between two scans of the files.
const SCAN_INTERVAL: Duration = Duration::from_millis(250);
/// Number of scans after which a row still waiting for its event is logged.
const WAIT_SCANS: u32 = 40;
/// Timeout for outstanding acknowledgements at shutdown.
const LAST_ACKS_TIMEOUT: Duration = Duration::from_secs(2);

/// The work of a push over one connection.
pub(super) struct PushSession<'a> {
    push: &'a Push,
    state: &'a mut State,
    shutdown: &'a CancellationToken,
    /// Open event files, read as far as rows have been sent.
    event_files: BTreeMap<String, EventFile>,
    /// Length and modification time of files without unsent rows.
    unchanged: BTreeMap<String, (u64, Option<SystemTime>)>,
    counts: PushCounts,
}

/// Counts of this connection.
#[derive(Clone, Copy, Debug, Default)]
struct PushCounts {
    stored: u64,
    stored_already: u64,
    /// Whether it has been logged that every row is at the hub; reset when a row is sent.
    is_caught_up: bool,
    /// Number of consecutive scans in which the last row of a file waited for its event.
    waited: u32,
}

/// How far a file was processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Up to its end.
    End,
    /// Up to a row that waits for its event.
    Waiting,
    /// Up to the row before which `shutdown` was cancelled.
    Stopping,
}

impl<'a> PushSession<'a> {
    pub(super) fn new(
        push: &'a Push,
        state: &'a mut State,
        shutdown: &'a CancellationToken,
    ) -> Self {
        let (event_files, unchanged) = (BTreeMap::new(), BTreeMap::new());
        Self { push, state, shutdown, event_files, unchanged, counts: PushCounts::default() }
    }

    /// Connects and pushes until the connection breaks, `shutdown` is cancelled, or, with `once`, every row is stored.
    pub(super) async fn run(&mut self, outage: &mut Outage) -> Result<(), HubError> {
        let hub = Hub::connect(&self.push.access, self.push.in_flight).await?;
        // On a lost connection pending futures never complete. Unacknowledged rows are sent again over the next one.
        tokio::select! {
            ended = self.work(&hub, outage) => ended,
            error = hub.lost() => Err(error),
        }
    }

    async fn work(&mut self, hub: &Hub, outage: &mut Outage) -> Result<(), HubError> {
        let Some(origin) = self.origin().await? else { return Ok(()) };
        let table = Table { name: self.push.table.clone(), origin };
        let table_stream = hub.stream_for(&table, StreamLimits::default()).await?;
        if self.state.adopt_stream(&table_stream.created) {
            tracing::info!("The stream is new; sending every row again.");
        }
        outage.connected();
        tracing::info!(hub = %self.push.access.address, table = %table.name, %origin, "Connected.");
        let delivery = Delivery { hub, table_stream: &table_stream, site: &self.push.site };
        loop {
            let progress = self.all_files(&delivery).await?;
            if progress == Progress::Stopping {
                return Ok(());
            }
            outage.end();
            self.state.save_if_changed();
            self.report_progress();
            if self.push.once {
                return Ok(());
            }
            if self.wait().await {
                return Ok(());
            }
        }
    }

    /// Waits for the next scan; returns whether to stop instead.
    async fn wait(&self) -> bool {
        retry::wait(SCAN_INTERVAL, self.shutdown).await;
        self.shutdown.is_cancelled()
    }

    /// Waits for the first rounds and returns their origin; `None` if told to stop before.
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

    fn report_progress(&mut self) {
        let PushCounts { stored, stored_already, is_caught_up, waited } = self.counts;
        let is_too_long = waited == WAIT_SCANS || self.push.once && waited > 0;
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
            let found = metadata(&self.push.dir.join(name));
            if found.is_some() && self.unchanged.get(name) == found.as_ref() {
                continue;
            }
            let later = LaterFiles::of(name, &names[index + 1..]);
            match self.file(delivery, name, &later).await? {
                Progress::End => {
                    self.event_files.remove(name);
                    // The metadata was read before the file, so growth since then shows in the next scan.
                    self.unchanged.extend(found.map(|found| (name.clone(), found)));
                }
                Progress::Waiting => is_waiting = true,
                Progress::Stopping => return Ok(Progress::Stopping),
            }
        }
        self.counts.waited = if is_waiting { self.counts.waited.saturating_add(1) } else { 0 };
        Ok(Progress::End)
    }

    /// Sends the new rows of one file.
    async fn file(
        &mut self,
        delivery: &Delivery<'_>,
        name: &str,
        later: &LaterFiles,
    ) -> Result<Progress, HubError> {
        let path = self.push.dir.join(name);
        loop {
            let options = ReadOptions::from(self.push.read);
            let batch = match self.state.position(name).read(&path, &options) {
                Ok(Some(batch)) => batch,
                Ok(None) => return Ok(Progress::End),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Progress::End),
                Err(error) => return Err(unreadable(&path, &error)),
            };
            let progress = self.batch(delivery, name, (&batch, later)).await?;
            if progress != Progress::End {
                return Ok(progress);
            }
            if batch.rejected > 0 {
                tracing::warn!(
                    file = name,
                    lines = batch.rejected,
                    "Skipped lines that are not rounds."
                );
            }
            self.state.position(name).advance(batch);
            self.state.save_if_due();
        }
    }

    /// Sends the rows of a batch, many at a time, and takes the acknowledgements in the order of the rows.
    async fn batch(
        &mut self,
        delivery: &Delivery<'_>,
        name: &str,
        (batch, later): (&RowBatch, &LaterFiles),
    ) -> Result<Progress, HubError> {
        let mut sent: VecDeque<PendingRow> = VecDeque::new();
        let mut progress = Progress::End;
        for (round, number) in batch.rounds.iter().zip(batch.first..) {
            if self.shutdown.is_cancelled() {
                progress = Progress::Stopping;
                break;
            }
            let dir = &self.push.dir;
            let event_file =
                self.event_files.entry(name.to_owned()).or_insert_with(|| EventFile::of(dir, name));
            let known = event_file
                .row(number, later)
                .map_err(|error| unreadable(&dir.join(name), &error))?;
            let RowEvent::Final { event, discontinuities } = known else {
                progress = Progress::Waiting;
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
            if progress == Progress::Stopping {
                tokio::time::timeout(LAST_ACKS_TIMEOUT, ack)
                    .await
                    .map_err(|error| ack_timeout(&error))??;
            } else {
                ack.await?;
            }
        }
        Ok(progress)
    }

    /// Waits for the acknowledgement of the oldest row in flight.
    async fn take_ack(
        &mut self,
        delivery: &Delivery<'_>,
        name: &str,
        sent: &mut VecDeque<PendingRow>,
    ) -> Result<(), HubError> {
        let Some(oldest) = sent.pop_front() else { return Ok(()) };
        let row = oldest.number();
        let is_new = delivery.wait_for_ack(oldest).await?;
        if is_new {
            self.counts.stored += 1;
        } else {
            self.counts.stored_already += 1;
        }
        self.state.position(name).acknowledge(row);
        self.state.save_if_due();
        tracing::debug!(file = name, row, is_new, "Stored.");
        Ok(())
    }
}

fn ack_timeout(error: &tokio::time::error::Elapsed) -> HubError {
    HubError::unavailable("waiting for the last acknowledgements", error)
}

fn unreadable(path: &Path, error: &io::Error) -> HubError {
    HubError::Files(format!("cannot read {}: {error}", path.display()))
}

fn metadata(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
