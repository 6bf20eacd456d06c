//! The stream of a table, and the settings it needs so that each round is stored exactly once.

use std::error::Error;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream,
};
use rounds::{Origin, TableName};

use super::{Hub, HubError};
use crate::message;
use crate::subject::{Table, stream_name, table_of};

/// Room for the headers beside the longest body.
const HEADERS: usize = 4 * 1024;

/// Period in which the hub recognises a row sent again by its message id, which is quicker.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// Limits of a new stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Bytes on the disk of each server, which it sets aside at once; without, all tables share what the server has.
    pub bytes: Option<u64>,
    /// Servers that keep a copy.
    pub replicas: usize,
    /// How long rounds are kept; zero for ever.
    pub keep: Duration,
}

/// Rounds that stay for a shorter time could be forgotten by the hub before every bridge has dealt with them.
pub const KEEP_MIN: Duration = Duration::from_hours(24 * 7);

impl Default for StreamLimits {
    fn default() -> Self {
        Self { bytes: None, replicas: 1, keep: Duration::ZERO }
    }
}

/// A stream whose settings have been checked.
#[derive(Clone, Debug)]
pub struct TableStream {
    /// The stream.
    pub stream: Stream,
    /// Its table.
    pub table: Table,
    /// Time of creation, which tells it from another stream of its name.
    pub created: String,
}

impl TableStream {
    fn new(stream: Stream, name: &TableName) -> Result<Self, HubError> {
        let info = stream.cached_info();
        let wrong = |problem| HubError::Settings { stream: info.config.name.clone(), problem };
        let table = check(&info.config, name).map_err(wrong)?;
        let created = created(info);
        Ok(Self { stream, table, created })
    }
}

/// Returns the time of creation of a stream as text.
fn created(info: &Info) -> String {
    let nanos = info.created.unix_timestamp_nanos();
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or_default();
    let rest = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or_default();
    chrono::DateTime::from_timestamp(seconds, rest)
        .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true))
        .unwrap_or_default()
}

impl Hub {
    /// The stream of a table.
    ///
    /// # Errors
    /// There is none yet, or it is not what it must be, or the hub does not answer.
    pub async fn stream(&self, table: &TableName) -> Result<TableStream, HubError> {
        let name = stream_name(table);
        match self.jetstream.get_stream(&name).await {
            Ok(stream) => TableStream::new(stream, table),
            Err(error) => Err(match error.kind() {
                GetStreamErrorKind::JetStream(why)
                    if why.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    HubError::NoStream { stream: name }
                }
                GetStreamErrorKind::JetStream(why) => refused(&why),
                _ if has_no_responders(&error) => {
                    let problem = "JetStream is off, or not for this account".to_owned();
                    HubError::NoJetStream { problem }
                }
                _ => HubError::unavailable("asking for the stream", &error),
            }),
        }
    }

    /// The stream of a table, made if it is not there.
    ///
    /// # Errors
    /// It is not what it must be, or holds rounds of another origin, or the hub does not answer.
    pub async fn stream_for(
        &self,
        table: &Table,
        limits: StreamLimits,
    ) -> Result<TableStream, HubError> {
        let kept = match self.stream(&table.name).await {
            Err(HubError::NoStream { .. }) => self.make(table, limits).await?,
            other => other?,
        };
        if kept.table.origin == table.origin {
            return Ok(kept);
        }
        let problem = format!(
            "it holds {} rounds and {} ones must not mix with them: give them another --table",
            kept.table.origin, table.origin
        );
        Err(HubError::Settings { stream: stream_name(&table.name), problem })
    }

    async fn make(&self, table: &Table, limits: StreamLimits) -> Result<TableStream, HubError> {
        match self.jetstream.create_stream(wanted(table, limits)).await {
            Ok(stream) => {
                tracing::info!(stream = %stream_name(&table.name), "Created the stream.");
                TableStream::new(stream, &table.name)
            }
            Err(error) => Err(match error.kind() {
                // Another bridge has just created it with other limits.
                CreateStreamErrorKind::JetStream(why)
                    if why.error_code() == ErrorCode::STREAM_NAME_EXIST =>
                {
                    HubError::unavailable("making the stream", &why)
                }
                CreateStreamErrorKind::JetStream(why) => refused(&why),
                _ => HubError::unavailable("making the stream", &error),
            }),
        }
    }
}

/// Returns whether nobody answers requests: the client offers nothing but the text of the error.
fn has_no_responders(error: &(dyn Error + 'static)) -> bool {
    let words = ["no responders", "requested JetStream resource does not exist"];
    std::iter::successors(Some(error), |&error| error.source())
        .any(|error| words.iter().any(|words| error.to_string().contains(words)))
}

/// Converts an error of JetStream: some need the operator of the hub.
fn refused(why: &async_nats::jetstream::Error) -> HubError {
    let problem = why.to_string();
    match why.error_code() {
        ErrorCode::JETSTREAM_NOT_ENABLED
        | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_LIMITS
        | ErrorCode::STREAM_SUBJECT_OVERLAP
        | ErrorCode::MAXIMUM_STREAMS_LIMIT => HubError::NoJetStream { problem },
        _ => HubError::Unavailable { problem },
    }
}

fn wanted(table: &Table, limits: StreamLimits) -> Config {
    Config {
        name: stream_name(&table.name),
        description: Some(format!("Rounds of the table {}, {}", table.name, table.origin)),
        subjects: vec![table.all()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        max_messages_per_subject: 1,
        max_messages: -1,
        max_bytes: limits.bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        max_message_size: i32::try_from(message::BYTES_MAX + HEADERS).unwrap_or(i32::MAX),
        max_consumers: -1,
        max_age: limits.keep,
        num_replicas: limits.replicas,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        ..Config::default()
    }
}

/// The table of a stream that keeps each round once, for ever; otherwise what keeps it from doing so.
fn check(config: &Config, name: &TableName) -> Result<Table, String> {
    let table = match config.subjects.as_slice() {
        [all] => table_of(all).filter(|table| table.name == *name),
        _ => None,
    };
    let origins = Origin::ALL.map(Origin::word).join("|");
    let Some(table) = table else {
        return Err(format!(
            "its subjects are {:?} and must be aviator.rounds.({origins}).{name}.> alone",
            config.subjects
        ));
    };
    let needs = [
        (
            config.storage == StorageType::File,
            "storage must be file, or a restart forgets everything",
        ),
        (
            config.retention == RetentionPolicy::Limits,
            "retention must be limits, or what is read is gone",
        ),
        (
            config.max_messages_per_subject == 1,
            "max_msgs_per_subject must be 1, or a round is stored twice",
        ),
        (
            config.discard == DiscardPolicy::New,
            "discard must be new, or old rounds make room for new ones",
        ),
        (
            config.discard_new_per_subject,
            "discard_new_per_subject must be on, or a round sent again replaces the first",
        ),
        (
            config.max_age.is_zero() || config.max_age >= KEEP_MIN,
            "max_age must be 0 or a week at least, or rounds are forgotten before they are pulled",
        ),
        (
            config.allow_direct,
            "allow_direct must be on, or the rounds of two recorders cannot be compared",
        ),
        (!config.sealed && !config.no_ack, "it is sealed or acknowledges nothing"),
        (config.mirror.is_none() && config.sources.is_none(), "it mirrors another stream"),
    ];
    let wrong: Vec<_> = needs.iter().filter(|(is_met, _)| !is_met).map(|(_, need)| *need).collect();
    if wrong.is_empty() {
        return Ok(table);
    }
    Err(format!(
        "{}; change it, or delete it and let `bridge init` make it: the files push it again",
        wrong.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table { name: "t".parse().unwrap(), origin: Origin::Simulated }
    }

    #[test]
    fn the_stream_that_is_made_may_be_used() {
        for keep in [Duration::ZERO, KEEP_MIN] {
            let config = wanted(&table(), StreamLimits { keep, ..StreamLimits::default() });
            assert_eq!(check(&config, &table().name), Ok(table()));
        }
    }

    #[test]
    fn whatever_would_store_a_round_twice_or_lose_it_is_refused_by_name() {
        let refuses = |named: &str, spoil: fn(&mut Config)| {
            let mut config = wanted(&table(), StreamLimits::default());
            spoil(&mut config);
            let problem = check(&config, &table().name).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        };
        refuses("storage", |config| config.storage = StorageType::Memory);
        refuses("retention", |config| config.retention = RetentionPolicy::WorkQueue);
        refuses("max_msgs_per_subject", |config| config.max_messages_per_subject = -1);
        refuses("discard must", |config| config.discard = DiscardPolicy::Old);
        refuses("discard_new_per_subject", |config| config.discard_new_per_subject = false);
        refuses("max_age", |config| config.max_age = Duration::from_hours(1));
        refuses("allow_direct", |config| config.allow_direct = false);
        refuses("subjects", |config| config.subjects = vec!["aviator.rounds.>".to_owned()]);
        refuses("subjects", |config| config.subjects.push("other".to_owned()));
    }
}
