//! Pulls rounds from the hub into the files of a directory, each exactly once, through crashes and outages.
//!
//! The files alone hold the position in the stream: the event of each row carries its sequence number. A kill between a
//! row and its event leaves a row without one; after the next start the rounds that follow the last known position are
//! compared with such rows and are not written again. See [`stream_position`].

pub mod stream_position;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use futures_util::StreamExt;
use rounds::TableName;
use tokio_util::sync::CancellationToken;

use crate::hub::stream::TableStream;
use crate::hub::{self, Access, Hub, HubError};
use crate::message::RoundMessage;
use crate::retry::{self, Outage, SessionError};
use crate::subject::Table;

pub use writer::TableWriter;

/// Number of messages per request.
const BATCH: i64 = 500;
/// Timeout for a heartbeat of the hub while there are no new messages.
const SILENCE: Duration = Duration::from_secs(30);

/// What to pull.
#[derive(Clone, Debug)]
pub struct Pull {
    /// The hub.
    pub access: Access,
    /// The predictor's directory.
    pub dir: PathBuf,
    /// The name of the table.
    pub table: TableName,
    /// Only rows without ids of these sites, one recorder after another.
    pub only_sites: Vec<TableName>,
    /// Between two syncs of a file.
    pub sync_interval: Duration,
    /// Stop when everything that was at the hub when it was asked is in the files.
    pub once: bool,
}

/// Pulls until `shutdown` is cancelled, or once.
///
/// # Errors
/// Something that trying again cannot change, or the directory is another one's.
pub fn run(pull: &Pull, shutdown: &CancellationToken) -> Result<(), PullError> {
    let mut writer: Option<TableWriter> = None;
    retry::run(shutdown, |outage| hub::run(Session { pull, shutdown, outage }.run(&mut writer)))?;
    if let Some(writer) = &mut writer {
        writer.close();
    }
    Ok(())
}

/// An error that ends pulling.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// The hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The directory.
    #[error(transparent)]
    Log(#[from] rounds::LogError),
}

impl SessionError for PullError {
    fn is_final(&self, was_connected: bool) -> bool {
        match self {
            Self::Hub(error) => error.is_final(was_connected),
            Self::Log(_) => true,
        }
    }
}

/// The work of one connection.
struct Session<'a> {
    pull: &'a Pull,
    shutdown: &'a CancellationToken,
    outage: &'a mut Outage,
}

impl Session<'_> {
    async fn run(self, writer: &mut Option<TableWriter>) -> Result<(), PullError> {
        let hub = Hub::connect(&self.pull.access, 1).await?;
        // Nothing that is waited for comes over a connection that is lost; what was written has its place in the files.
        tokio::select! {
            ended = self.work(&hub, writer) => ended,
            error = hub.lost() => Err(error.into()),
        }
    }

    async fn work(self, hub: &Hub, writer: &mut Option<TableWriter>) -> Result<(), PullError> {
        let kept = hub.stream(&self.pull.table).await?;
        if writer.is_none() {
            *writer = Some(TableWriter::open(self.pull, &kept)?);
        }
        let writer = writer.as_mut().expect("opened above");
        let last = kept.stream.cached_info().state.last_sequence;
        writer.verify_stream(&kept, last)?;
        let forgotten =
            kept.stream.cached_info().state.first_sequence.saturating_sub(writer.seq() + 1);
        if forgotten > 0 && last > 0 {
            tracing::warn!(
                forgotten,
                "The hub no longer has the next rounds; continuing with the first that it has."
            );
        }
        self.outage.end();
        let (mut messages, mut backlog) = self.messages(&kept, writer.seq() + 1).await?;
        tracing::info!(hub = %self.pull.access.address, table = %kept.table.name, origin = %kept.table.origin, backlog, "Connected.");
        let mut is_told = false;
        loop {
            if !is_told && backlog == 0 {
                tracing::info!(rounds = writer.rounds(), "Every round at the hub is in the files.");
                is_told = true;
            }
            if self.pull.once && backlog == 0 {
                return Ok(());
            }
            let message = tokio::select! {
                message = messages.next() => message,
                () = self.shutdown.cancelled() => return Ok(()),
            };
            let Some(message) = message else { return Err(HubError::disconnected().into()) };
            let message =
                message.map_err(|error| HubError::unavailable("reading the stream", &error))?;
            self.take(writer, &message).await?;
            backlog = backlog.saturating_sub(1);
        }
    }

    /// The messages from one on, and how many there are already.
    async fn messages(
        &self,
        kept: &TableStream,
        start_sequence: u64,
    ) -> Result<(Ordered, u64), HubError> {
        let (filter_subject, filter_subjects) = filters(&kept.table, &self.pull.only_sites);
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            filter_subject,
            filter_subjects,
            max_batch: BATCH,
            max_expires: SILENCE,
            ..OrderedConfig::default()
        };
        let asking =
            |error: &dyn std::fmt::Display| HubError::unavailable("asking for the rounds", error);
        let consumer = kept.stream.create_consumer(config).await.map_err(|error| asking(&error))?;
        let backlog = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|error| asking(&error))?;
        Ok((messages, backlog))
    }

    /// Writes one message and retries while the disk fails, because no later message may be written first.
    async fn take(&self, writer: &mut TableWriter, message: &Message) -> Result<(), PullError> {
        let info = message
            .info()
            .map_err(|error| HubError::unavailable("a message without a place", &error))?;
        let seq = info.stream_sequence;
        let message = RoundMessage::from_bytes(&message.payload).map_err(|error| {
            HubError::Mismatch(format!("message {seq} of the stream is {error}"))
        })?;
        let mut outage = Outage::new("disk");
        loop {
            let error = match writer.take(seq, &message) {
                Ok(()) => break,
                Err(PullError::Log(error)) if !error.is_permanent() => error,
                Err(other) => return Err(other),
            };
            let delay = outage.next_delay(&error);
            retry::wait(delay, self.shutdown).await;
            if self.shutdown.is_cancelled() {
                return Ok(());
            }
        }
        tracing::debug!(seq, "Written.");
        Ok(())
    }
}

/// One subject or several: servers before 2.10 know only the one.
fn filters(table: &Table, only_sites: &[TableName]) -> (String, Vec<String>) {
    match only_sites {
        [] => (String::new(), Vec::new()),
        [site] => (table.rows_of(site), Vec::new()),
        sites => (String::new(), sites.iter().map(|site| table.rows_of(site)).collect()),
    }
}
