//! Sends alerts, and retries after failures that may pass.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use super::Alert;
use super::channel::Channel;
use crate::config::{AlertSettings, SettingsError};

/// Pauses between attempts: a service that restarts is back by then.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(10), Duration::from_mins(1)];
/// One attempt.
const WITHIN: Duration = Duration::from_secs(10);

/// The services that are told.
pub(super) struct Delivery {
    client: Client,
    channels: Vec<Channel>,
    pauses: Vec<Duration>,
}

/// Why an attempt came to nothing.
struct Failure {
    problem: String,
    may_pass: bool,
}

impl Delivery {
    /// Reveals the secrets; connects to nobody yet.
    ///
    /// # Errors
    /// A secret that is not there, or is none.
    pub(super) fn new(settings: &AlertSettings) -> Result<Self, SettingsError> {
        Ok(Self { client: client(), channels: Channel::all(settings)?, pauses: PAUSES.to_vec() })
    }

    /// Whom it tells.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.channels.iter().map(Channel::name).collect();
        names.join(", ")
    }

    /// Tells all of them, and says of each how that went. What fails in the end is logged.
    pub(super) async fn deliver(&self, notice: &Alert) -> Vec<(String, Result<(), String>)> {
        let mut outcomes = Vec::new();
        for channel in &self.channels {
            let outcome = self.deliver_by(channel, notice).await;
            let (name, event) = (channel.name(), notice.event.word());
            match &outcome {
                Ok(()) => tracing::debug!(event, "A message was sent by {name}."),
                Err(problem) => tracing::warn!(event, "{name} did not take a message: {problem}."),
            }
            outcomes.push((name, outcome));
        }
        outcomes
    }

    async fn deliver_by(&self, channel: &Channel, notice: &Alert) -> Result<(), String> {
        let mut pauses = self.pauses.iter();
        loop {
            let Err(failure) = self.attempt(channel, notice).await else { return Ok(()) };
            let Some(pause) = pauses.next().filter(|_| failure.may_pass) else {
                return Err(failure.problem);
            };
            tokio::time::sleep(*pause).await;
        }
    }

    async fn attempt(&self, channel: &Channel, notice: &Alert) -> Result<(), Failure> {
        let sent = channel.request(&self.client, notice).send().await;
        let status = match sent {
            Ok(response) => response.status(),
            // The URL is a secret, or has one in it.
            Err(error) => {
                return Err(Failure { problem: in_words(&error.without_url()), may_pass: true });
            }
        };
        if status.is_success() {
            return Ok(());
        }
        let may_pass = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        Err(Failure { problem: format!("it answered {status}"), may_pass })
    }
}

/// The cause that says most, which is the last.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", WITHIN.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Follows nobody: a message goes where it was told to go.
fn client() -> Client {
    // The error says that one is installed already, which is what is wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
    let agent = concat!("aviator-predictor/", env!("CARGO_PKG_VERSION"));
    Client::builder()
        .user_agent(agent)
        .timeout(WITHIN)
        .redirect(Policy::none())
        .build()
        .expect("options that are literals")
}

#[cfg(test)]
mod tests;
