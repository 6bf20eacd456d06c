//! Message framing around the JSON of a WebSocket feed.

pub(super) mod signalr;

use std::collections::BTreeMap;
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
    /// `SignalR` of ASP.NET Core: documents end with the record separator, and both sides ping.
    SignalR,
    /// Documents end with a NUL byte.
    Nul,
    /// Documents end with a line feed.
    Ndjson,
}

impl Framing {
    /// Returns whether the server must confirm that the client has joined.
    pub fn has_handshake(self) -> bool {
        self.is_socket_io() || self == Self::SignalR
    }

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
    /// The namespace is joined, or the handshake of `SignalR` answered; messages follow.
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
#[derive(Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
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
            Framing::None => vec![document_or_hint(text)],
            Framing::SocketIo3 | Framing::SocketIo4 => vec![self.packet(text)],
            Framing::SignalR => {
                let arrivals = self.split(text, signalr::SEPARATOR).into_iter();
                arrivals.map(signalr_arrival).collect()
            }
            Framing::Nul => self.split(text, '\0'),
            Framing::Ndjson => self.split(text, '\n'),
        }
    }

    /// Returns the number of bytes that wait for the rest of their document.
    pub fn waiting_bytes(&self) -> usize {
        self.begun.len()
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
            Framing::SignalR => format!("{message}{}", signalr::SEPARATOR),
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

/// Returns the packet that joins `namespace` with these credentials; Socket.IO 3 has none and joins the main namespace by
/// itself. `SignalR` has no namespaces, but a first message.
pub fn join(framing: Framing, namespace: &str, auth: &BTreeMap<String, String>) -> Option<String> {
    let auth =
        if auth.is_empty() { String::new() } else { Value::from_iter(auth.clone()).to_string() };
    match (framing, namespace) {
        (Framing::SignalR, _) => Some(signalr::HANDSHAKE.to_owned()),
        (Framing::SocketIo4, "/") => Some(format!("40{auth}")),
        (Framing::SocketIo4, name) => Some(format!("40{name},{auth}")),
        (Framing::SocketIo3, name) if name != "/" => Some(format!("40{name},")),
        _ => None,
    }
}

fn signalr_arrival(arrival: Arrival) -> Arrival {
    match arrival {
        Arrival::Document(document) => signalr::arrival(document),
        other => other,
    }
}

/// Decodes a message without framing; if that fails because it has one, the text names it.
fn document_or_hint(text: &str) -> Arrival {
    let what = match document(text) {
        Arrival::Undecodable(what) => what,
        decoded => return decoded,
    };
    let framing = if text.ends_with(signalr::SEPARATOR) {
        "signalr"
    } else if text.ends_with('\0') {
        "nul"
    } else if text.starts_with("0{") || text.starts_with("42[") {
        "socketio4"
    } else {
        return Arrival::Undecodable(what);
    };
    Arrival::Undecodable(format!("{what}; it looks like framing = {framing:?}"))
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
    refusal_words(&serde_json::from_str(json).unwrap_or_default())
}

fn refusal_words(value: &Value) -> String {
    let reason = value.get("message").or_else(|| value.get("error"));
    let words = reason.or(Some(value)).and_then(Value::as_str).unwrap_or("no reason");
    words.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests;
