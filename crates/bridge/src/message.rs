//! The message of a round: one row with everything that its recorder knows about it.

use chrono::Datelike as _;
use rounds::{Event, Round, TableName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Version of the message format; a reader rejects later ones.
pub const VERSION: u32 = 1;

/// Maximum length of a message in bytes. A longer one is sent without its detail, because the hub would reject it.
pub const BYTES_MAX: usize = 64 * 1024;

/// Maximum number of discontinuities sent with one row; further ones are left out.
pub const DISCONTINUITIES_MAX: usize = 16;

/// Maximum length of a round's id.
const ID_BYTES_MAX: usize = 4096;

/// The body of a message, JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundMessage {
    /// Version of the format, [`VERSION`].
    pub v: u32,
    /// Site that recorded the row.
    pub site: String,
    /// Name of the row's file at that site, without extension.
    pub file: String,
    /// Number of the row in that file, counted from 1 without the header.
    pub row: u64,
    /// Time and multiplier.
    #[serde(flatten)]
    pub round: Round,
    /// The row's event: kind, source, id, detail.
    #[serde(flatten)]
    pub event: Event,
    /// Discontinuities between the previous row and this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discontinuities: Vec<Discontinuity>,
}

/// A gap, reset or weak join that the recorder found between two rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discontinuity {
    /// Milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The body is not the JSON of a round.
    #[error("not a round: {0}")]
    Form(#[from] serde_json::Error),
    /// A field has a value that no recorder sends.
    #[error("not a round: {0}")]
    Value(&'static str),
    /// The sender uses a later version of the format.
    #[error(
        "a message of version {found}, but this program reads only up to version {VERSION}: update it"
    )]
    Version {
        /// Version of the message format the sender used.
        found: u32,
    },
}

impl RoundMessage {
    /// Returns the body of the message; without its detail and discontinuities if it is too long with them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let whole = serde_json::to_vec(self).expect("a message is plain data");
        if whole.len() <= BYTES_MAX {
            return whole;
        }
        let event =
            Event { detail: Some(json!({ "left_out_bytes": whole.len() })), ..self.event.clone() };
        let bare = Self { event, discontinuities: Vec::new(), ..self.clone() };
        serde_json::to_vec(&bare).expect("a message is plain data")
    }

    /// Parses the body of a message.
    ///
    /// # Errors
    /// It is not a round, or has a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MessageError> {
        let VersionOnly { v } = serde_json::from_slice(bytes)?;
        if v > VERSION {
            return Err(MessageError::Version { found: v });
        }
        let message: Self = serde_json::from_slice(bytes)?;
        message.check()?;
        Ok(message)
    }

    /// Anybody who may write to the stream can send any JSON, so the values are checked before a row is written.
    fn check(&self) -> Result<(), MessageError> {
        let id_bytes = self.event.round_id.as_deref().map_or(0, str::len);
        let problem = if self.site.parse::<TableName>().is_err() {
            "its site is not a name"
        } else if !(0..=9999).contains(&self.round.time.year()) {
            "its time is outside the years 0 to 9999"
        } else if id_bytes > ID_BYTES_MAX {
            "its id is too long"
        } else if self.discontinuities.len() > DISCONTINUITIES_MAX
            || !self.discontinuities.iter().all(|it| it.event.kind.is_discontinuity())
        {
            "its discontinuities are not those of a row"
        } else {
            return Ok(());
        };
        Err(MessageError::Value(problem))
    }

    /// Returns the event for the event file, extended by its site and sequence number.
    pub fn event_from(&self, seq: u64) -> Event {
        Event {
            detail: Some(with_hub(self.event.detail.as_ref(), seq, &self.site)),
            ..self.event.clone()
        }
    }
}

/// The field that every version of the format has.
#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

/// Returns a detail extended by the sequence number in the stream and the site.
pub fn with_hub(detail: Option<&Value>, seq: u64, site: &str) -> Value {
    let mut whole = match detail {
        Some(Value::Object(fields)) => fields.clone(),
        Some(other) => serde_json::Map::from_iter([("detail".to_owned(), other.clone())]),
        None => serde_json::Map::new(),
    };
    whole.insert("hub".to_owned(), json!({ "seq": seq, "site": site }));
    Value::Object(whole)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rounds::{EventKind, Multiplier};

    use super::*;

    fn message(detail: Value) -> RoundMessage {
        let mut event = Event::new(EventKind::Live, "demo");
        (event.round_id, event.detail) = (Some("17".to_owned()), Some(detail));
        RoundMessage {
            v: VERSION,
            site: "attic".to_owned(),
            file: "aviator_payouts_20251210_193235".to_owned(),
            row: 1,
            round: Round {
                time: "2025-12-10T19:32:35.123Z".parse().unwrap(),
                multiplier: Multiplier::new(1.231_054_8).unwrap(),
            },
            event,
            discontinuities: vec![Discontinuity {
                unix_ms: 5,
                event: Event::new(EventKind::Gap, "demo"),
            }],
        }
    }

    #[test]
    fn a_message_survives_being_sent_and_read() {
        let sent = message(json!({ "server_seed": "ab" }));
        let read = RoundMessage::from_bytes(&sent.to_bytes()).unwrap();
        assert_eq!(read, sent);
        assert_eq!(read.round.to_row(), sent.round.to_row());
    }

    #[test]
    fn a_message_that_is_too_long_keeps_its_row() {
        let sent = message(json!("x".repeat(BYTES_MAX)));
        let bytes = sent.to_bytes();
        assert!(bytes.len() < 1000);
        let read = RoundMessage::from_bytes(&bytes).unwrap();
        assert_eq!((read.round, read.event.round_id), (sent.round, sent.event.round_id));
        assert!(read.event.detail.unwrap()["left_out_bytes"].as_u64().unwrap() > BYTES_MAX as u64);
    }

    #[test]
    fn a_later_version_is_reported_as_such() {
        let text = br#"{"v":2,"anything":"else"}"#;
        let error = RoundMessage::from_bytes(text).unwrap_err();
        assert!(error.to_string().contains("update"), "{error}");
        assert!(matches!(RoundMessage::from_bytes(b"{}"), Err(MessageError::Form(_))));
    }

    #[test]
    fn values_that_no_recorder_sends_are_refused() {
        let spoilt: [fn(&mut RoundMessage); 4] = [
            |it| it.site = "not a name".to_owned(),
            |it| it.round.time = DateTime::from_timestamp(1 << 40, 0).unwrap(),
            |it| it.event.round_id = Some("9".repeat(ID_BYTES_MAX + 1)),
            |it| it.discontinuities[0].event.kind = EventKind::Stop,
        ];
        for spoil in spoilt {
            let mut sent = message(json!({}));
            spoil(&mut sent);
            let read = RoundMessage::from_bytes(&serde_json::to_vec(&sent).unwrap());
            assert!(matches!(read, Err(MessageError::Value(_))), "{read:?}");
        }
    }

    #[test]
    fn the_detail_keeps_its_keys_beside_the_position() {
        let event = message(json!({ "server_seed": "ab" })).event_from(9);
        assert_eq!(
            event.detail,
            Some(json!({ "server_seed": "ab", "hub": { "seq": 9, "site": "attic" } }))
        );
        assert_eq!(with_hub(Some(&json!([1])), 2, "a")["detail"], json!([1]));
    }
}
