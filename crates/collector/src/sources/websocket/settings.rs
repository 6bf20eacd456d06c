//! The checked `[websocket]` section: how to talk to the server.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use crate::config_error::ConfigError;
use crate::feed::message_format::MessageCodec;
use crate::feed::rule::Condition;
use crate::feed::secret::Secret;
use crate::sources::websocket::framing::{Framing, signalr};
use crate::sources::websocket::keepalive::Ping;
use crate::sources::websocket::{AnswerOptions, PingOptions, WebSocketOptions};

/// Default time without a usable message before reconnecting. Longer than the longest flights: a feed that only
/// reports ends is silent during one.
const IDLE_DEFAULT: Duration = Duration::from_mins(5);
/// The bounds of `ping.every` and `idle_timeout`.
const EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// Maximum number of `[[websocket.answers]]`.
const ANSWERS_MAX: usize = 16;

/// The checked settings of a connection.
#[derive(Clone, Debug)]
pub(super) struct ConnectionSettings {
    /// The message framing.
    pub(super) framing: Framing,
    /// The Socket.IO namespace.
    pub(super) namespace: String,
    /// The credentials of Socket.IO 4.
    pub(super) auth: BTreeMap<String, String>,
    /// Decodes and encodes messages.
    pub(super) codec: MessageCodec,
    /// Messages to send once connected.
    pub(super) on_connect: Vec<String>,
    /// Messages to send when a document meets the condition.
    pub(super) answers: Vec<(Condition, Vec<String>)>,
    /// The configured ping.
    pub(super) ping: Option<Ping>,
    /// Maximum time without a usable message.
    pub(super) idle: Duration,
    /// Maximum length of a message in bytes.
    pub(super) bytes_max: usize,
    /// The server's name in messages.
    pub(super) peer: String,
}

impl WebSocketOptions {
    pub(super) fn settings(
        &self,
        peer: String,
        bytes_max: usize,
        codec: &MessageCodec,
    ) -> Result<ConnectionSettings, ConfigError> {
        let framing = self.framing.unwrap_or_default();
        let namespace = self.namespace.clone().unwrap_or_else(|| "/".to_owned());
        if namespace != "/" && !framing.is_socket_io() {
            return Err(ConfigError::flag(
                "namespace",
                "applies only to the framings socketio3 and socketio4",
            ));
        }
        if !namespace.starts_with('/') || namespace.contains(',') {
            return Err(ConfigError::flag(
                "namespace",
                "begins with a slash and has no comma, such as /crash",
            ));
        }
        if codec.format().is_binary() && framing != Framing::None {
            return Err(ConfigError::key(
                "feed.format",
                "a binary format has no framing: leave out websocket.framing",
            ));
        }
        let auth = self.auth(framing)?;
        let idle = self.idle_timeout.map_or(IDLE_DEFAULT, |span| span.0);
        if !EVERY.contains(&idle) {
            return Err(ConfigError::flag("idle-timeout", "must be from 1s to 1h"));
        }
        let ping = self.ping.as_ref().map(PingOptions::ping).transpose()?;
        let on_connect = sendable(framing, codec, "websocket.on_connect", &self.on_connect)?;
        if self.answers.len() > ANSWERS_MAX {
            let problem = format!("has more than {ANSWERS_MAX} entries");
            return Err(ConfigError::key("websocket.answers", problem));
        }
        let answers = self
            .answers
            .iter()
            .enumerate()
            .map(|(index, options)| options.checked(framing, codec, index))
            .collect::<Result<_, _>>()?;
        Ok(ConnectionSettings {
            framing,
            namespace,
            auth,
            codec: codec.clone(),
            on_connect,
            answers,
            ping,
            idle,
            bytes_max,
            peer,
        })
    }

    /// Returns the credentials, which only Socket.IO 4 has.
    fn auth(&self, framing: Framing) -> Result<BTreeMap<String, String>, ConfigError> {
        if !self.auth.is_empty() && framing != Framing::SocketIo4 {
            return Err(ConfigError::key(
                "websocket.auth",
                "applies only to the framing socketio4; other feeds take a token in feed.url, feed.headers or websocket.on_connect",
            ));
        }
        let revealed = |(name, secret): (&String, &Secret)| match secret.reveal() {
            Ok(text) => Ok((name.clone(), text)),
            Err(problem) => Err(ConfigError::key(format!("websocket.auth.{name}"), problem)),
        };
        self.auth.iter().map(revealed).collect()
    }
}

impl AnswerOptions {
    fn checked(
        &self,
        framing: Framing,
        codec: &MessageCodec,
        index: usize,
    ) -> Result<(Condition, Vec<String>), ConfigError> {
        let key = format!("websocket.answers[{index}]");
        if self.event.is_none() && self.filters.is_empty() {
            return Err(ConfigError::key(
                key,
                "needs `filters` or `event`: an answer to everything never ends",
            ));
        }
        let send = sendable(framing, codec, &format!("{key}.send"), &self.send)?;
        Ok((Condition::new(self.event.as_ref(), &self.filters), send))
    }
}

/// Returns the messages if they can be sent: a Socket.IO message must be a list that begins with the event's name, one of
/// `SignalR` an object with a type, and one of a binary feed convertible.
fn sendable(
    framing: Framing,
    codec: &MessageCodec,
    key: &str,
    messages: &[Secret],
) -> Result<Vec<String>, ConfigError> {
    let is_event = |text: &str| {
        serde_json::from_str::<Vec<Value>>(text)
            .is_ok_and(|event| event.first().is_some_and(Value::is_string))
    };
    let checked = |(index, message): (usize, &Secret)| {
        let wrong = |problem: String| ConfigError::key(format!("{key}[{index}]"), problem);
        let text = message.reveal().map_err(wrong)?;
        if framing.is_socket_io() && !is_event(&text) {
            let problem = "is not an event such as [\"join\", {}]; the 42 before it is added";
            return Err(wrong(problem.to_owned()));
        }
        if framing == Framing::SignalR && !signalr::is_message(&text) {
            let problem = "is not a message such as {\"type\":1,\"target\":\"Join\",\"arguments\":[]}; the separator after it is added";
            return Err(wrong(problem.to_owned()));
        }
        codec.encode(&text).map_err(wrong)?;
        Ok(text)
    };
    messages.iter().enumerate().map(checked).collect()
}

impl PingOptions {
    fn ping(&self) -> Result<Ping, ConfigError> {
        let every = self.every.0;
        if !EVERY.contains(&every) {
            return Err(ConfigError::key("websocket.ping.every", "must be from 1s to 1h"));
        }
        Ok(match &self.text {
            Some(text) => Ping::Text { every, text: text.clone(), is_answered: false },
            None => Ping::Protocol { every },
        })
    }
}
