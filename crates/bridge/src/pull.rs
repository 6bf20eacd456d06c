//! Pulls rounds from the hub into the files of a directory, each exactly once in spite of crashes and outages.
//!
//! Only the files hold the position in the stream: the event of each row carries its sequence
//! number. A crash between a row and its event leaves a row without a sequence number. After the
//! next start, the rounds after the last known position are compared with such rows, and those that
//! match are not written again. See [`stream_position`].

pub mod stream_position;
mod unreadable;
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
use crate::message::{MessageError, RoundMessage};
use crate::retry::{self, Outage, SessionError};
use crate::subject::Table;

use unreadable::UnreadableMessages;
pub use writer::TableWriter;

/// Number of messages per request.
const BATCH: i64 = 500;
/// How long a request for messages stays open at the hub while there are none.
const REQUEST_EXPIRY: Duration = Duration::from_secs(30);

/// The options of a pull.
#[derive(Clone, Debug)]
pub struct Pull {
    /// How to reach the hub.
    pub access: Access,
    /// Directory into which to write.
    pub dir: PathBuf,
    /// The name of the table.
    pub table: TableName,
    /// Pull only rows without ids from these sites; empty for all rows.
    pub only_sites: Vec<TableName>,
    /// Interval between two syncs of a file.
    pub sync_interval: Duration,
    /// Whether to stop once every round that was at the hub when the pull connected is in the files.
    pub once: bool,
}

/// Pulls until `shutdown` is cancelled or, with `once`, every round is in the files.
///
/// # Errors
/// A permanent error, which retrying cannot resolve.
pub fn run(pull: &Pull, shutdown: &CancellationToken) -> Result<(), PullError> {
    let mut writer: Option<TableWriter> = None;
    retry::run(shutdown, |outage| {
        hub::run(PullSession { pull, shutdown, outage }.run(&mut writer))
    })?;
    if let Some(writer) = &mut writer {
        writer.close();
    }
    Ok(())
}

/// An error that ends pulling.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// An error of the hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// An error of the directory.
    #[error(transparent)]
    Log(#[from] rounds::LogError),
}

impl SessionError for PullError {
    fn is_final(&self, was_connected: bool) -> bool {
        match self {
            Self::Hub(error) => error.is_final(was_connected),
            Self::Log(error) => !error.is_full_disk(),
        }
    }
}

/// The work of a pull over one connection.
struct PullSession<'a> {
    pull: &'a Pull,
    shutdown: &'a CancellationToken,
    outage: &'a mut Outage,
}

impl PullSession<'_> {
    async fn run(self, writer: &mut Option<TableWriter>) -> Result<(), PullError> {
        let hub = Hub::connect(&self.pull.access, 1).await?;
        // On a lost connection pending futures never complete. The files hold the position from which to continue.
        tokio::select! {
            ended = self.work(&hub, writer) => ended,
            error = hub.lost() => Err(error.into()),
        }
    }

    async fn work(self, hub: &Hub, writer: &mut Option<TableWriter>) -> Result<(), PullError> {
        let table_stream = hub.stream(&self.pull.table).await?;
        if writer.is_none() {
            *writer = Some(TableWriter::open(self.pull, &table_stream)?);
        }
        let writer = writer.as_mut().expect("opened above");
        let last = table_stream.stream.cached_info().state.last_sequence;
        writer.verify_stream(&table_stream, last)?;
        let forgotten =
            table_stream.stream.cached_info().state.first_sequence.saturating_sub(writer.seq() + 1);
        if forgotten > 0 && last > 0 {
            tracing::warn!(
                forgotten,
                "The hub no longer has the next rounds; continuing with the first that it has."
            );
        }
        self.outage.connected();
        let (mut messages, mut backlog) = self.messages(&table_stream, writer.seq() + 1).await?;
        tracing::info!(hub = %self.pull.access.address, table = %table_stream.table.name, origin = %table_stream.table.origin, backlog, "Connected.");
        let mut unreadable = UnreadableMessages::default();
        let mut is_reported = false;
        loop {
            if !is_reported && backlog == 0 {
                tracing::info!(rounds = writer.rounds(), "Every round at the hub is in the files.");
                is_reported = true;
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
            self.write(writer, &message, &mut unreadable).await?;
            backlog = backlog.saturating_sub(1);
        }
    }

    /// Returns the messages from a sequence number on, and how many of them the hub already has.
    async fn messages(
        &self,
        table_stream: &TableStream,
        start_sequence: u64,
    ) -> Result<(Ordered, u64), HubError> {
        let (filter_subject, filter_subjects) = filters(&table_stream.table, &self.pull.only_sites);
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            filter_subject,
            filter_subjects,
            max_batch: BATCH,
            max_expires: REQUEST_EXPIRY,
            ..OrderedConfig::default()
        };
        let failed =
            |error: &dyn std::fmt::Display| HubError::unavailable("requesting the rounds", error);
        let consumer =
            table_stream.stream.create_consumer(config).await.map_err(|error| failed(&error))?;
        let backlog = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|error| failed(&error))?;
        Ok((messages, backlog))
    }

    /// Writes one message. Retries while the disk fails, because no later message may be written first.
    async fn write(
        &self,
        writer: &mut TableWriter,
        message: &Message,
        unreadable: &mut UnreadableMessages,
    ) -> Result<(), PullError> {
        let info = message.info().map_err(|error| {
            HubError::unavailable("reading the sequence number of a message", &error)
        })?;
        let seq = info.stream_sequence;
        let parsed = RoundMessage::from_bytes(&message.payload);
        if let Err(error) = &parsed {
            unreadable.record(seq, error);
        }
        let mut outage = Outage::new("disk");
        loop {
            let applied = match &parsed {
                Ok(message) => writer.apply(seq, message),
                Err(MessageError::Version { .. }) => writer.mark_unreadable(seq),
                Err(MessageError::Form(_) | MessageError::Value(_)) => {
                    writer.skip(seq);
                    return Ok(());
                }
            };
            let error = match applied {
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

/// Returns the filter as one subject or as several. Servers before 2.10 support only one, so it is used where possible.
fn filters(table: &Table, only_sites: &[TableName]) -> (String, Vec<String>) {
    match only_sites {
        [] => (String::new(), Vec::new()),
        [site] => (table.rows_of(site), Vec::new()),
        sites => (String::new(), sites.iter().map(|site| table.rows_of(site)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;

    /// A pull that was restarted while its disk was full ended, and nothing started it again.
    #[test]
    fn a_full_disk_ends_no_pull_and_a_directory_that_cannot_be_used_does() {
        for (kind, is_final) in [
            (io::ErrorKind::StorageFull, false),
            (io::ErrorKind::QuotaExceeded, false),
            (io::ErrorKind::FileTooLarge, false),
            (io::ErrorKind::PermissionDenied, true),
        ] {
            let error = rounds::LogError::io("write to", Path::new("there"))(kind.into());
            assert_eq!(PullError::Log(error).is_final(true), is_final, "{kind:?}");
        }
    }
}
