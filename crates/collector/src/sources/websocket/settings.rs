//! How to speak to a server: the `[websocket]` section, checked.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use crate::config_error::ConfigError;
use crate::feed::rule::Condition;
use crate::feed::secret::Secret;
use crate::sources::websocket::framing::Framing;
use crate::sources::websocket::keepalive::Ping;
use crate::sources::websocket::{AnswerOptions, PingOptions, WebSocketOptions};

/// A feed that says nothing of use for so long is connected anew. Longer than the longest flights: a feed that tells only
/// ends is silent during one.
const IDLE_DEFAULT: Duration = Duration::from_mins(5);
/// The bounds of `ping.every` and `idle_timeout`.
const EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// Kinds of messages that are answered.
const ANSWERS_MAX: usize = 16;

/// What a connection needs to know, checked.
#[derive(Clone, Debug)]
pub(super) struct ConnectionSettings {
    /// What stands around the JSON.
    pub(super) framing: Framing,
    /// The Socket.IO namespace.
    pub(super) namespace: String,
    /// What to send once connected.
    pub(super) on_connect: Vec<String>,
    /// What to send when such a document arrives.
    pub(super) answers: Vec<(Condition, Vec<String>)>,
    /// The configured ping.
    pub(super) ping: Option<Ping>,
    /// How long the feed may say nothing of use.
    pub(super) idle: Duration,
    /// The longest message.
    pub(super) bytes_max: usize,
    /// Who answers, for messages.
    pub(super) from: String,
}

impl WebSocketOptions {
    pub(super) fn settings(
        &self,
        from: String,
        bytes_max: usize,
    ) -> Result<ConnectionSettings, ConfigError> {
        let framing = self.framing.unwrap_or_default();
        let namespace = self.namespace.clone().unwrap_or_else(|| "/".to_owned());
        if namespace != "/" && !framing.is_socket_io() {
            return Err(ConfigError::flag(
                "namespace",
                "belongs to the framings socketio3 and socketio4",
            ));
        }
        if !namespace.starts_with('/') || namespace.contains(',') {
            return Err(ConfigError::flag(
                "namespace",
                "begins with a slash and has no comma, such as /crash",
            ));
        }
        let idle = self.idle_timeout.map_or(IDLE_DEFAULT, |span| span.0);
        if !EVERY.contains(&idle) {
            return Err(ConfigError::flag("idle-timeout", "is from 1s to 1h"));
        }
        let ping = self.ping.as_ref().map(PingOptions::ping).transpose()?;
        let on_connect = sendable(framing, "websocket.on_connect", &self.on_connect)?;
        if self.answers.len() > ANSWERS_MAX {
            let problem = format!("has more than {ANSWERS_MAX} entries");
            return Err(ConfigError::key("websocket.answers", problem));
        }
        let answers = self
            .answers
            .iter()
            .enumerate()
            .map(|(index, options)| options.checked(framing, index))
            .collect::<Result<_, _>>()?;
        Ok(ConnectionSettings {
            framing,
            namespace,
            on_connect,
            answers,
            ping,
            idle,
            bytes_max,
            from,
        })
    }
}

impl AnswerOptions {
    fn checked(
        &self,
        framing: Framing,
        index: usize,
    ) -> Result<(Condition, Vec<String>), ConfigError> {
        let key = format!("websocket.answers[{index}]");
        if self.event.is_none() && self.filters.is_empty() {
            return Err(ConfigError::key(
                key,
                "needs `filters` or `event`: an answer to everything never ends",
            ));
        }
        let send = sendable(framing, &format!("{key}.send"), &self.send)?;
        Ok((Condition::new(self.event.as_ref(), &self.filters), send))
    }
}

/// A Socket.IO message is a list that begins with the event's name; anything else would be sent and not understood.
fn sendable(framing: Framing, key: &str, messages: &[Secret]) -> Result<Vec<String>, ConfigError> {
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
        Ok(text)
    };
    messages.iter().enumerate().map(checked).collect()
}

impl PingOptions {
    fn ping(&self) -> Result<Ping, ConfigError> {
        let every = self.every.0;
        if !EVERY.contains(&every) {
            return Err(ConfigError::key("websocket.ping.every", "is from 1s to 1h"));
        }
        Ok(match &self.text {
            Some(text) => Ping::Text { every, text: text.clone(), is_answered: false },
            None => Ping::Protocol { every },
        })
    }
}
