//! Message framing around the JSON of a WebSocket feed.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The framing of messages.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Framing {
    /// A message is one JSON document.
    #[default]
    None,
    /// Socket.IO over Engine.IO 3: `42["event",{…}]`; the client pings.
    SocketIo3,
    /// Socket.IO over Engine.IO 4: the same, but the server pings and the client must join.
    SocketIo4,
    /// Documents end with a NUL byte.
    Nul,
    /// Documents end with a line feed.
    Ndjson,
}

impl Framing {
    /// Returns whether it is one of the two Socket.IO framings.
    pub fn is_socket_io(self) -> bool {
        matches!(self, Self::SocketIo3 | Self::SocketIo4)
    }
}

/// One item decoded from a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// A document.
    Document(Value),
    /// Something else; the text names its kind, never its content.
    Undecodable(String),
    /// The handshake of a Socket.IO server, with its ping settings.
    Open(Handshake),
    /// The namespace is joined; events follow.
    Joined,
    /// A text to send back.
    Answer(String),
    /// A heartbeat.
    Heartbeat,
    /// The server ends the connection at protocol level.
    Ended,
    /// The server refuses this client at protocol level.
    Refused(String),
}

/// The handshake of an Engine.IO server.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Handshake {
    #[serde(default)]
    ping_interval: u64,
    #[serde(default)]
    ping_timeout: u64,
}

impl Handshake {
    /// Returns the ping interval, whichever side sends it.
    pub fn ping_interval(self) -> Option<Duration> {
        (self.ping_interval > 0).then(|| Duration::from_millis(self.ping_interval.min(3_600_000)))
    }

    /// Returns the timeout of the answer to a ping.
    pub fn ping_timeout(self) -> Option<Duration> {
        (self.ping_timeout > 0).then(|| Duration::from_millis(self.ping_timeout.min(3_600_000)))
    }
}

/// Decodes messages.
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    /// The Socket.IO namespace, `/` by default.
    namespace: String,
    /// The incomplete document of a framing with terminators; at most `bytes_max` bytes.
    begun: String,
    bytes_max: usize,
    /// Number of Socket.IO events sent: each requests an acknowledgement by number; servers without acknowledgements
    /// ignore it.
    sent: u32,
}

impl Decoder {
    /// Creates a decoder for a new connection. An incomplete document of more than `bytes_max` bytes is dropped.
    pub fn new(framing: Framing, namespace: &str, bytes_max: usize) -> Self {
        Self { framing, namespace: namespace.to_owned(), begun: String::new(), bytes_max, sent: 0 }
    }

    /// Returns the items in a message.
    pub fn decode(&mut self, text: &str) -> Vec<Arrival> {
        match self.framing {
            Framing::None => vec![document(text)],
            Framing::SocketIo3 | Framing::SocketIo4 => vec![self.packet(text)],
            Framing::Nul => self.split(text, '\0'),
            Framing::Ndjson => self.split(text, '\n'),
        }
    }

    /// Returns `message` framed for sending.
    pub fn encode(&mut self, message: &str) -> String {
        match self.framing {
            Framing::None => message.to_owned(),
            Framing::SocketIo3 | Framing::SocketIo4 => {
                let number = self.sent;
                self.sent = number.wrapping_add(1);
                format!("42{}{number}{message}", self.prefix())
            }
            Framing::Nul => format!("{message}\0"),
            Framing::Ndjson => format!("{message}\n"),
        }
    }

    /// Returns the namespace prefix of a packet: `""` for the main namespace, `/name,` for another.
    fn prefix(&self) -> String {
        match self.namespace.as_str() {
            "/" => String::new(),
            name => format!("{name},"),
        }
    }

    /// Splits at terminators. The text after the last one is kept for the next message, unless it
    /// is a complete document: many servers send one document per message without a terminator, and
    /// the beginning of an object or a list never parses.
    fn split(&mut self, text: &str, terminator: char) -> Vec<Arrival> {
        self.begun.push_str(text);
        let begun = std::mem::take(&mut self.begun);
        let (whole, rest) = begun.rsplit_once(terminator).unwrap_or(("", &begun));
        let mut arrivals: Vec<Arrival> = whole
            .split(terminator)
            .map(str::trim)
            .filter(|piece| !piece.is_empty())
            .map(document)
            .collect();
        let document_or_part = rest.trim();
        if is_container(document_or_part) && serde_json::from_str::<Value>(document_or_part).is_ok()
        {
            arrivals.push(document(document_or_part));
        } else if rest.len() > self.bytes_max {
            let bytes = rest.len();
            arrivals.push(Arrival::Undecodable(format!("{bytes} bytes without a terminator")));
        } else if !document_or_part.is_empty() {
            rest.clone_into(&mut self.begun);
        }
        arrivals
    }

    /// Decodes an Engine.IO packet: 0 open, 1 close, 2 ping, 3 pong, 4 message, 6 no operation.
    fn packet(&self, text: &str) -> Arrival {
        match text.split_at_checked(1) {
            Some(("0", rest)) => match serde_json::from_str(rest) {
                Ok(handshake) => Arrival::Open(handshake),
                Err(_) => {
                    Arrival::Undecodable("an Engine.IO open packet without settings".to_owned())
                }
            },
            Some(("1", _)) => Arrival::Ended,
            Some(("2", probe)) => Arrival::Answer(format!("3{probe}")),
            Some(("3" | "6", _)) => Arrival::Heartbeat,
            Some(("4", rest)) => self.socket_packet(rest),
            _ => Arrival::Undecodable("not an Engine.IO packet".to_owned()),
        }
    }

    /// Decodes a Socket.IO packet: type, namespace with its comma, acknowledgement number, JSON.
    fn socket_packet(&self, text: &str) -> Arrival {
        let (kind, rest) = text.split_at_checked(1).unwrap_or(("", ""));
        let (namespace, rest) = match rest.split_once(',') {
            Some((name, rest)) if name.starts_with('/') => (name, rest),
            None if rest.starts_with('/') => (rest, ""),
            _ => ("/", rest),
        };
        // A query string may follow the name.
        if namespace.split('?').next() != Some(self.namespace.as_str()) {
            return Arrival::Heartbeat;
        }
        let json = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        match kind {
            "0" => Arrival::Joined,
            "1" => Arrival::Ended,
            // An event, or an acknowledgement.
            "2" | "3" => document(json),
            "4" => Arrival::Refused(refusal(json)),
            // Binary events, whose parts follow in further messages.
            "5" | "6" => Arrival::Heartbeat,
            _ => Arrival::Undecodable("not a Socket.IO packet".to_owned()),
        }
    }
}

/// Returns the packet that joins `namespace`; Socket.IO 3 joins the main one by itself.
pub fn join(framing: Framing, namespace: &str) -> Option<String> {
    match (framing, namespace) {
        (Framing::SocketIo4, "/") => Some("40".to_owned()),
        (Framing::SocketIo3 | Framing::SocketIo4, name) if name != "/" => {
            Some(format!("40{name},"))
        }
        _ => None,
    }
}

/// Returns whether the text may be a complete object or list; cheaper than parsing every piece of a long document.
fn is_container(text: &str) -> bool {
    text.starts_with(['{', '[']) && text.ends_with(['}', ']'])
}

fn document(text: &str) -> Arrival {
    match serde_json::from_str(text) {
        Ok(value) => Arrival::Document(value),
        Err(error) => Arrival::Undecodable(format!(
            "{} bytes that are not JSON ({:?} at character {})",
            text.len(),
            error.classify(),
            error.column()
        )),
    }
}

/// Returns the start of the server's text.
fn refusal(json: &str) -> String {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let words =
        value.get("message").or(Some(&value)).and_then(Value::as_str).unwrap_or("no reason");
    words.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn decodes(framing: Framing, messages: &[&str], expected: &[Arrival]) {
        let mut decoder = Decoder::new(framing, "/", 1000);
        let arrivals: Vec<Arrival> =
            messages.iter().flat_map(|message| decoder.decode(message)).collect();
        assert_eq!(arrivals, expected, "{messages:?}");
    }

    fn doc(value: Value) -> Arrival {
        Arrival::Document(value)
    }

    #[test]
    fn without_framing_a_message_is_a_document() {
        decodes(Framing::None, &[r#"{"a":1}"#, "[1]"], &[doc(json!({"a": 1})), doc(json!([1]))]);
        let mut decoder = Decoder::new(Framing::None, "/", 1000);
        let arrivals = decoder.decode("my secret");
        assert_eq!(
            arrivals,
            [Arrival::Undecodable("9 bytes that are not JSON (Syntax at character 1)".to_owned())]
        );
    }

    #[test]
    fn documents_that_end_with_nul_or_a_line_feed_are_split() {
        decodes(
            Framing::Nul,
            &["{\"a\":1}\0{\"a\":2}\0"],
            &[doc(json!({"a": 1})), doc(json!({"a": 2}))],
        );
        decodes(
            Framing::Ndjson,
            &["{\"a\":1}\r\n\n{\"a\":2}\n"],
            &[doc(json!({"a": 1})), doc(json!({"a": 2}))],
        );
    }

    #[test]
    fn a_document_in_two_messages_is_joined() {
        let whole = "{\"a\":[1,2],\"b\":\"x\"}\n";
        for cut in 1..whole.len() {
            let (head, tail) = whole.split_at(cut);
            decodes(Framing::Ndjson, &[head, tail], &[doc(json!({"a": [1, 2], "b": "x"}))]);
        }
    }

    #[test]
    fn a_last_document_without_its_terminator_is_returned_at_once() {
        decodes(
            Framing::Ndjson,
            &["{\"a\":1}", "{\"a\":2}"],
            &[doc(json!({"a": 1})), doc(json!({"a": 2}))],
        );
    }

    #[test]
    fn an_endless_document_is_discarded() {
        let mut decoder = Decoder::new(Framing::Nul, "/", 1000);
        let mut arrivals = Vec::new();
        for _ in 0..300 {
            arrivals.extend(decoder.decode("{\"a\":"));
            assert!(decoder.begun.len() <= 1000);
        }
        assert_eq!(arrivals, [Arrival::Undecodable("1005 bytes without a terminator".to_owned())]);
    }

    #[test]
    fn socket_io_packets_are_read() {
        let handshake = Handshake { ping_interval: 25_000, ping_timeout: 5000 };
        let open = "0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":5000}";
        decodes(
            Framing::SocketIo4,
            &[
                open,
                "40{\"sid\":\"y\"}",
                "42[\"crash\",{\"x\":1}]",
                "4213[\"crash\",2]",
                "2",
                "6",
                "3",
            ],
            &[
                Arrival::Open(handshake),
                Arrival::Joined,
                doc(json!(["crash", {"x": 1}])),
                doc(json!(["crash", 2])),
                Arrival::Answer("3".to_owned()),
                Arrival::Heartbeat,
                Arrival::Heartbeat,
            ],
        );
        decodes(
            Framing::SocketIo3,
            &[
                "430[null,{\"table_history\":[]}]",
                "41",
                "1",
                "44\"not allowed\"",
                "44{\"message\":\"who are you\"}",
                "451-[\"b\",{}]",
            ],
            &[
                doc(json!([null, {"table_history": []}])),
                Arrival::Ended,
                Arrival::Ended,
                Arrival::Refused("not allowed".to_owned()),
                Arrival::Refused("who are you".to_owned()),
                Arrival::Heartbeat,
            ],
        );
        decodes(
            Framing::SocketIo3,
            &["", "hello", "0nonsense", "×", "4", "49"],
            &[
                Arrival::Undecodable("not an Engine.IO packet".to_owned()),
                Arrival::Undecodable("not an Engine.IO packet".to_owned()),
                Arrival::Undecodable("an Engine.IO open packet without settings".to_owned()),
                Arrival::Undecodable("not an Engine.IO packet".to_owned()),
                Arrival::Undecodable("not a Socket.IO packet".to_owned()),
                Arrival::Undecodable("not a Socket.IO packet".to_owned()),
            ],
        );
    }

    #[test]
    fn events_of_another_namespace_are_ignored() {
        let mut decoder = Decoder::new(Framing::SocketIo4, "/crash", 1000);
        assert_eq!(decoder.decode("40"), [Arrival::Heartbeat]);
        assert_eq!(decoder.decode("40/crash,{\"sid\":\"x\"}"), [Arrival::Joined]);
        assert_eq!(decoder.decode("42[\"crash\",1]"), [Arrival::Heartbeat]);
        assert_eq!(decoder.decode("42/chat,[\"crash\",1]"), [Arrival::Heartbeat]);
        assert_eq!(decoder.decode("42/crash,[\"crash\",1]"), [doc(json!(["crash", 1]))]);
        assert_eq!(decoder.decode("41/crash"), [Arrival::Ended]);
        assert_eq!(decoder.encode("[\"join\"]"), "42/crash,0[\"join\"]");
        assert_eq!(decoder.encode("[\"more\"]"), "42/crash,1[\"more\"]");
        assert_eq!(join(Framing::SocketIo4, "/crash").as_deref(), Some("40/crash,"));
        assert_eq!(join(Framing::SocketIo3, "/"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_message_is_split_within_bounded_memory(
            messages in proptest::collection::vec("(\\PC|[\\[\\]{}\",:0-6/\\n\\x00]){0,40}", 0..20),
        ) {
            for framing in Framing::value_variants() {
                let mut decoder = Decoder::new(*framing, "/crash", 100);
                for message in &messages {
                    for arrival in decoder.decode(message) {
                        proptest::prop_assert_ne!(arrival, Arrival::Answer(String::new()));
                    }
                    proptest::prop_assert!(decoder.begun.len() <= 100);
                }
            }
        }
    }

    #[test]
    fn sent_messages_are_framed_like_received_ones() {
        for framing in Framing::value_variants() {
            let mut decoder = Decoder::new(*framing, "/", 1000);
            let sent = decoder.encode("[\"join\"]");
            assert_eq!(decoder.decode(&sent), [doc(json!(["join"]))], "{framing:?}");
        }
    }
}
