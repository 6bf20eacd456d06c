//! The messages of `SignalR` (ASP.NET Core), protocol `json`: documents that end with the record separator.

use serde_json::Value;

use super::{Arrival, refusal_words};

/// The character after each document.
pub(super) const SEPARATOR: char = '\u{1e}';
/// The first message of a client: it asks for JSON.
pub(super) const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
/// The message that keeps the connection alive, in both directions.
pub(in crate::sources::websocket) const PING: &str = "{\"type\":6}\u{1e}";

const TYPE_PING: u64 = 6;
const TYPE_CLOSE: u64 = 7;

/// Returns what a document is: all but the handshake, pings and the end belong to the feed.
pub(super) fn arrival(document: Value) -> Arrival {
    let error = document.get("error");
    match document.get("type").and_then(Value::as_u64) {
        Some(TYPE_PING) => Arrival::Heartbeat,
        // The answer to the handshake has no type.
        None | Some(TYPE_CLOSE) if error.is_some() => Arrival::Refused(refusal_words(&document)),
        Some(TYPE_CLOSE) => Arrival::Ended,
        None if document.as_object().is_some_and(serde_json::Map::is_empty) => Arrival::Joined,
        _ => Arrival::Document(document),
    }
}

/// Returns whether `message` is one that a server understands: an object with a type, such as
/// `{"type":1,"target":"Join","arguments":[]}`.
pub(in crate::sources::websocket) fn is_message(message: &str) -> bool {
    serde_json::from_str::<Value>(message)
        .is_ok_and(|document| document.get("type").is_some_and(Value::is_u64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Decoder, Framing};
    use super::*;

    #[track_caller]
    fn decodes(text: &str, expected: &[Arrival]) {
        let mut decoder = Decoder::new(Framing::SignalR, "/", 1000);
        assert_eq!(decoder.decode(text), expected, "{text:?}");
    }

    #[test]
    fn the_handshake_pings_and_the_end_are_told_from_the_messages_of_the_hub() {
        decodes(
            "{}\u{1e}{\"type\":6}\u{1e}{\"type\":1,\"target\":\"Crash\",\"arguments\":[2.5]}\u{1e}{\"type\":7}\u{1e}",
            &[
                Arrival::Joined,
                Arrival::Heartbeat,
                Arrival::Document(json!({"type": 1, "target": "Crash", "arguments": [2.5]})),
                Arrival::Ended,
            ],
        );
    }

    #[test]
    fn a_refusal_has_the_words_of_the_server() {
        let refused = |words: &str| [Arrival::Refused(words.to_owned())];
        decodes("{\"error\":\"no such protocol\"}\u{1e}", &refused("no such protocol"));
        decodes("{\"type\":7,\"error\":\"who are you\"}\u{1e}", &refused("who are you"));
    }

    #[test]
    fn only_typed_messages_are_sent() {
        assert!(is_message(r#"{"type":1,"target":"Join","arguments":[]}"#));
        for wrong in ["", "[]", r#"{"target":"Join"}"#, "Join"] {
            assert!(!is_message(wrong), "{wrong}");
        }
    }
}
