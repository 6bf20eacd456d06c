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

/// Bytes reserved for the headers beside the longest body.
const HEADERS: usize = 4 * 1024;

/// Period in which the hub recognises a repeated row by its message id, which is faster than by its subject.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// Limits of a new stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Bytes on the disk of each server, reserved at once; `None`: all tables share what the server has.
    pub bytes: Option<u64>,
    /// Number of servers that keep a copy.
    pub replicas: usize,
    /// How long rounds are kept; zero means forever.
    pub keep: Duration,
}

/// Minimum retention: with less, the hub could drop rounds before every bridge has pulled them.
pub const KEEP_MIN: Duration = Duration::from_hours(24 * 7);

impl Default for StreamLimits {
    fn default() -> Self {
        Self { bytes: None, replicas: 1, keep: Duration::ZERO }
    }
}

/// The stream of a table, with settings that have been checked.
#[derive(Clone, Debug)]
pub struct TableStream {
    /// The stream.
    pub stream: Stream,
    /// Its table.
    pub table: Table,
    /// Time of creation, which distinguishes it from another stream of the same name.
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
    /// Returns the stream of a table.
    ///
    /// # Errors
    /// The stream does not exist or has unusable settings, or the hub does not answer.
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
                GetStreamErrorKind::JetStream(why) => jetstream_error(&why),
                _ if has_no_responders(&error) => {
                    let problem =
                        "JetStream is disabled, or not available to this account".to_owned();
                    HubError::NoJetStream { problem }
                }
                _ => HubError::unavailable("looking up the stream", &error),
            }),
        }
    }

    /// Returns the stream of a table; creates it if it does not exist.
    ///
    /// # Errors
    /// The stream has unusable settings or holds rounds of another origin, or the hub does not answer.
    pub async fn stream_for(
        &self,
        table: &Table,
        limits: StreamLimits,
    ) -> Result<TableStream, HubError> {
        let table_stream = match self.stream(&table.name).await {
            Err(HubError::NoStream { .. }) => self.create(table, limits).await?,
            other => other?,
        };
        if table_stream.table.origin == table.origin {
            return Ok(table_stream);
        }
        let problem = format!(
            "it holds {} rounds, which must not be mixed with {} ones: use another --table",
            table_stream.table.origin, table.origin
        );
        Err(HubError::Settings { stream: stream_name(&table.name), problem })
    }

    async fn create(&self, table: &Table, limits: StreamLimits) -> Result<TableStream, HubError> {
        match self.jetstream.create_stream(stream_config(table, limits)).await {
            Ok(stream) => {
                tracing::info!(stream = %stream_name(&table.name), "Created the stream.");
                TableStream::new(stream, &table.name)
            }
            Err(error) => Err(match error.kind() {
                // Another bridge has just created it with other limits.
                CreateStreamErrorKind::JetStream(why)
                    if why.error_code() == ErrorCode::STREAM_NAME_EXIST =>
                {
                    HubError::unavailable("creating the stream", &why)
                }
                CreateStreamErrorKind::JetStream(why) => jetstream_error(&why),
                _ => HubError::unavailable("creating the stream", &error),
            }),
        }
    }
}

/// Returns whether the error means that no server answers JetStream requests. The client reports
/// this only in the text of the error.
fn has_no_responders(error: &(dyn Error + 'static)) -> bool {
    let texts = ["no responders", "requested JetStream resource does not exist"];
    std::iter::successors(Some(error), |&error| error.source())
        .any(|error| texts.iter().any(|text| error.to_string().contains(text)))
}

/// Converts a JetStream error; some of them need the operator of the hub.
fn jetstream_error(why: &async_nats::jetstream::Error) -> HubError {
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

fn stream_config(table: &Table, limits: StreamLimits) -> Config {
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

/// Returns the table of a stream, if its settings guarantee that each round is stored exactly once
/// and kept.
///
/// # Errors
/// Some settings prevent this; the error names them and says what to do.
fn check(config: &Config, name: &TableName) -> Result<Table, String> {
    let table = match config.subjects.as_slice() {
        [all] => table_of(all).filter(|table| table.name == *name),
        _ => None,
    };
    let origins = Origin::ALL.map(Origin::word).join("|");
    let Some(table) = table else {
        return Err(format!(
            "its subjects are {:?} and must be aviator.rounds.({origins}).{name}.> only",
            config.subjects
        ));
    };
    let needs = [
        (
            config.storage == StorageType::File,
            "storage must be file, or a restart loses every round",
        ),
        (
            config.retention == RetentionPolicy::Limits,
            "retention must be limits, or a round is deleted once it is read",
        ),
        (
            config.max_messages_per_subject == 1,
            "max_msgs_per_subject must be 1, or a round can be stored twice",
        ),
        (
            config.discard == DiscardPolicy::New,
            "discard must be new, or new rounds displace old ones",
        ),
        (
            config.discard_new_per_subject,
            "discard_new_per_subject must be on, or a round sent again replaces the first",
        ),
        (
            config.max_age.is_zero() || config.max_age >= KEEP_MIN,
            "max_age must be 0 or at least a week, or rounds expire before they are pulled",
        ),
        (
            config.allow_direct,
            "allow_direct must be on, or the rounds of two recorders cannot be compared",
        ),
        (!config.sealed && !config.no_ack, "it must not be sealed, and must acknowledge messages"),
        (config.mirror.is_none() && config.sources.is_none(), "it must not mirror another stream"),
    ];
    let wrong: Vec<_> = needs.iter().filter(|(is_met, _)| !is_met).map(|(_, need)| *need).collect();
    if wrong.is_empty() {
        return Ok(table);
    }
    Err(format!(
        "{}; change the settings, or delete the stream and create it with `bridge init`: the rows are then pushed again from the files",
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
    fn a_stream_that_the_bridge_creates_passes_the_check() {
        for keep in [Duration::ZERO, KEEP_MIN] {
            let config = stream_config(&table(), StreamLimits { keep, ..StreamLimits::default() });
            assert_eq!(check(&config, &table().name), Ok(table()));
        }
    }

    #[test]
    fn a_setting_that_would_duplicate_or_lose_a_round_is_rejected_by_name() {
        let rejects = |named: &str, spoil: fn(&mut Config)| {
            let mut config = stream_config(&table(), StreamLimits::default());
            spoil(&mut config);
            let problem = check(&config, &table().name).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        };
        rejects("storage", |config| config.storage = StorageType::Memory);
        rejects("retention", |config| config.retention = RetentionPolicy::WorkQueue);
        rejects("max_msgs_per_subject", |config| config.max_messages_per_subject = -1);
        rejects("discard must", |config| config.discard = DiscardPolicy::Old);
        rejects("discard_new_per_subject", |config| config.discard_new_per_subject = false);
        rejects("max_age", |config| config.max_age = Duration::from_hours(1));
        rejects("allow_direct", |config| config.allow_direct = false);
        rejects("subjects", |config| config.subjects = vec!["aviator.rounds.>".to_owned()]);
        rejects("subjects", |config| config.subjects.push("other".to_owned()));
    }
}
