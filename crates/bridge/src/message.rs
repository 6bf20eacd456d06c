//! What travels: one row with all that its recorder knows of it.

use rounds::{Event, EventKind, Round};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The form of the messages; a reader refuses newer ones.
pub const VERSION: u32 = 1;

/// A longer message loses its detail: the row is what counts, and a hub refuses messages that are too long.
pub const BYTES_MAX: usize = 64 * 1024;

/// Marks that travel with one row; more are left out.
pub const DISCONTINUITIES_MAX: usize = 16;

/// The body of a message, JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundMessage {
    /// [`VERSION`].
    pub v: u32,
    /// The machine that recorded it.
    pub site: String,
    /// The name of the file it stands in there, without its ending.
    pub file: String,
    /// Its row there, counted from 1 without the header.
    pub row: u64,
    /// Time and multiplier.
    #[serde(flatten)]
    pub round: Round,
    /// What else is known: kind, source, id, detail.
    #[serde(flatten)]
    pub event: Event,
    /// Gaps and resets between the row before it and this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discontinuities: Vec<Discontinuity>,
}

/// An event of the recorder that belongs to no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discontinuity {
    /// When; milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Not the JSON it should be.
    #[error("not a round: {0}")]
    Form(#[from] serde_json::Error),
    /// Sent by a later version.
    #[error("a message of form {found}, and this program reads up to {VERSION}: update it")]
    Version {
        /// Its form.
        found: u32,
    },
}

impl RoundMessage {
    /// The body of the message; without its detail and discontinuities if it is too long with them.
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

    /// What a message says.
    ///
    /// # Errors
    /// It is no round, or of a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MessageError> {
        let Form { v } = serde_json::from_slice(bytes)?;
        if v > VERSION {
            return Err(MessageError::Version { found: v });
        }
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The event for the side file, with where it came from.
    pub fn event_from(&self, seq: u64) -> Event {
        Event {
            detail: Some(with_hub(self.event.detail.as_ref(), seq, &self.site)),
            ..self.event.clone()
        }
    }
}

/// The first field of every message.
#[derive(Deserialize)]
struct Form {
    v: u32,
}

/// A detail with the place in the stream and the site in it.
pub fn with_hub(detail: Option<&Value>, seq: u64, site: &str) -> Value {
    let mut whole = match detail {
        Some(Value::Object(fields)) => fields.clone(),
        Some(other) => serde_json::Map::from_iter([("detail".to_owned(), other.clone())]),
        None => serde_json::Map::new(),
    };
    whole.insert("hub".to_owned(), json!({ "seq": seq, "site": site }));
    Value::Object(whole)
}

/// Whether an event without a row says something about the rows around it.
pub fn is_discontinuity(kind: EventKind) -> bool {
    matches!(kind, EventKind::Gap | EventKind::Weak | EventKind::Reset)
}

#[cfg(test)]
mod tests {
    use rounds::Multiplier;

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
    fn what_is_sent_is_what_is_read() {
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
    fn a_later_form_is_named_as_such() {
        let text = br#"{"v":2,"anything":"else"}"#;
        let error = RoundMessage::from_bytes(text).unwrap_err();
        assert!(error.to_string().contains("update"), "{error}");
        assert!(matches!(RoundMessage::from_bytes(b"{}"), Err(MessageError::Form(_))));
    }

    #[test]
    fn the_detail_keeps_its_keys_beside_the_place() {
        let event = message(json!({ "server_seed": "ab" })).event_from(9);
        assert_eq!(
            event.detail,
            Some(json!({ "server_seed": "ab", "hub": { "seq": 9, "site": "attic" } }))
        );
        assert_eq!(with_hub(Some(&json!([1])), 2, "a")["detail"], json!([1]));
    }
}
