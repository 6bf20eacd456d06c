//! From the hub into the files of a directory: every round once, whatever stops it in between.
//!
//! The position in the stream is nowhere but in the files: each row's event carries its place in the stream. A kill between
//! a row and its event leaves a row whose place is not known; after the next start the rounds that follow the last known
//! place are held against such rows, and are not written again. See [`place`].

mod desk;
pub mod place;

use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use futures_util::StreamExt;
use rounds::TableName;
use tokio_util::sync::CancellationToken;

use crate::hub::stream::Kept;
use crate::hub::{self, Access, Hub, HubError};
use crate::outage::{self, Outage};
use crate::parcel::Parcel;
use crate::subject::Table;

pub use desk::Desk;

/// Messages asked for at a time.
const BATCH: i64 = 500;
/// Until the hub must have given a sign of life when nothing is new.
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
    pub sync_every: Duration,
    /// Stop when everything that was at the hub when it was asked is in the files.
    pub once: bool,
}

/// Pulls until it is asked to stop, or once.
///
/// # Errors
/// Something that trying again cannot change, or the directory is another one's.
pub fn run(pull: &Pull, shutdown: &CancellationToken) -> Result<(), PullError> {
    let mut outage = Outage::new();
    let mut desk: Option<Desk> = None;
    let mut was_used = false;
    loop {
        let mut trouble = None;
        let session = Session { pull, shutdown, was_used: &mut was_used, outage: &mut outage };
        let ended = hub::run(async {
            session.run(&mut desk).await.or_else(|error| match error {
                PullError::Hub(error) => Err(error),
                other => {
                    trouble = Some(other);
                    Ok(())
                }
            })
        });
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        match ended {
            Ok(()) => break,
            Err(error) if error.is_permanent() && !(was_used && error.may_pass()) => {
                return Err(error.into());
            }
            Err(error) => {
                let length = outage.failed(&error.to_string());
                hub::run(async {
                    outage::pause(length, shutdown).await;
                    Ok(())
                })?;
            }
        }
        if shutdown.is_cancelled() {
            break;
        }
    }
    if let Some(desk) = &mut desk {
        desk.close();
    }
    Ok(())
}

/// Why pulling ended.
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

/// One connection's worth of pulling.
struct Session<'a> {
    pull: &'a Pull,
    shutdown: &'a CancellationToken,
    was_used: &'a mut bool,
    outage: &'a mut Outage,
}

impl Session<'_> {
    async fn run(self, desk: &mut Option<Desk>) -> Result<(), PullError> {
        let hub = Hub::connect(&self.pull.access, 1).await?;
        // Nothing that is waited for comes over a connection that is lost; what was written has its place in the files.
        tokio::select! {
            ended = self.work(&hub, desk) => ended,
            error = hub.lost() => Err(error.into()),
        }
    }

    async fn work(self, hub: &Hub, desk: &mut Option<Desk>) -> Result<(), PullError> {
        let kept = hub.stream(&self.pull.table).await?;
        if desk.is_none() {
            *desk = Some(Desk::open(self.pull, &kept)?);
        }
        let desk = desk.as_mut().expect("opened above");
        let last = kept.stream.cached_info().state.last_sequence;
        desk.meet(&kept, last)?;
        let forgotten =
            kept.stream.cached_info().state.first_sequence.saturating_sub(desk.seq() + 1);
        if forgotten > 0 && last > 0 {
            tracing::warn!(
                forgotten,
                "The hub no longer has the rounds that would be next; it goes on with the first it has."
            );
        }
        *self.was_used = true;
        self.outage.over();
        let (mut messages, mut backlog) = self.messages(&kept, desk.seq() + 1).await?;
        tracing::info!(hub = %self.pull.access.address, table = %kept.table.name, origin = %kept.table.origin, backlog, "Connected.");
        let mut is_told = false;
        loop {
            if !is_told && backlog == 0 {
                tracing::info!(rounds = desk.rounds(), "Everything at the hub is in the files.");
                is_told = true;
            }
            if self.pull.once && backlog == 0 {
                return Ok(());
            }
            let message = tokio::select! {
                message = messages.next() => message,
                () = self.shutdown.cancelled() => return Ok(()),
            };
            let Some(message) = message else { return Err(HubError::lost().into()) };
            let message = message.map_err(|error| HubError::away("reading the stream", &error))?;
            self.take(desk, &message).await?;
            backlog = backlog.saturating_sub(1);
        }
    }

    /// The messages from one on, and how many there are already.
    async fn messages(&self, kept: &Kept, start_sequence: u64) -> Result<(Ordered, u64), HubError> {
        let (filter_subject, filter_subjects) = filters(&kept.table, &self.pull.only_sites);
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            filter_subject,
            filter_subjects,
            max_batch: BATCH,
            max_expires: SILENCE,
            ..OrderedConfig::default()
        };
        let asking = |error: &dyn std::fmt::Display| HubError::away("asking for the rounds", error);
        let consumer = kept.stream.create_consumer(config).await.map_err(|error| asking(&error))?;
        let backlog = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|error| asking(&error))?;
        Ok((messages, backlog))
    }

    /// Writes one message; a disk that refuses is asked again until it does not, because nothing after it may be written first.
    async fn take(&self, desk: &mut Desk, message: &Message) -> Result<(), PullError> {
        let info =
            message.info().map_err(|error| HubError::away("a message without a place", &error))?;
        let seq = info.stream_sequence;
        let parcel = Parcel::from_bytes(&message.payload).map_err(|error| {
            HubError::Strangers(format!("message {seq} of the stream is {error}"))
        })?;
        let mut trouble = Outage::new();
        loop {
            let error = match desk.take(seq, &parcel) {
                Ok(()) => break,
                Err(PullError::Log(error)) if !error.is_permanent() => error,
                Err(other) => return Err(other),
            };
            let length = trouble.failed(&error.to_string());
            outage::pause(length, self.shutdown).await;
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
