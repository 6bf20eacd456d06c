//! Sends alerts, and retries after temporary failures.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use super::Alert;
use super::channel::Channel;
use crate::config::{AlertSettings, SettingsError};

/// Pauses between attempts, long enough for a service to restart.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(10), Duration::from_mins(1)];
/// Time limit of one attempt.
const WITHIN: Duration = Duration::from_secs(10);

/// Delivers alerts to the configured services.
pub(super) struct Delivery {
    client: Client,
    channels: Vec<Channel>,
    pauses: Vec<Duration>,
}

/// Why an attempt failed.
struct Failure {
    problem: String,
    is_temporary: bool,
}

impl Delivery {
    /// Reads the secrets; connects to no service yet.
    ///
    /// # Errors
    /// A secret cannot be read or is malformed.
    pub(super) fn new(settings: &AlertSettings) -> Result<Self, SettingsError> {
        Ok(Self { client: client(), channels: Channel::all(settings)?, pauses: PAUSES.to_vec() })
    }

    /// Returns the names of the services.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.channels.iter().map(Channel::name).collect();
        names.join(", ")
    }

    /// Sends an alert to every service and returns each one's name and outcome. Failures are logged.
    pub(super) async fn deliver(&self, alert: &Alert) -> Vec<(String, Result<(), String>)> {
        let mut outcomes = Vec::new();
        for channel in &self.channels {
            let outcome = self.deliver_by(channel, alert).await;
            let (name, event) = (channel.name(), alert.kind.name());
            match &outcome {
                Ok(()) => tracing::debug!(event, service = name, "Sent an alert."),
                Err(problem) => {
                    tracing::warn!(event, service = name, problem, "An alert was not accepted.");
                }
            }
            outcomes.push((name, outcome));
        }
        outcomes
    }

    async fn deliver_by(&self, channel: &Channel, alert: &Alert) -> Result<(), String> {
        let mut pauses = self.pauses.iter();
        loop {
            let Err(failure) = self.attempt(channel, alert).await else { return Ok(()) };
            let Some(pause) = pauses.next().filter(|_| failure.is_temporary) else {
                return Err(failure.problem);
            };
            tokio::time::sleep(*pause).await;
        }
    }

    async fn attempt(&self, channel: &Channel, alert: &Alert) -> Result<(), Failure> {
        let sent = channel.request(&self.client, alert).send().await;
        let status = match sent {
            Ok(response) => response.status(),
            // The URL is or contains a secret.
            Err(error) => {
                return Err(Failure {
                    problem: root_cause(&error.without_url()),
                    is_temporary: true,
                });
            }
        };
        if status.is_success() {
            return Ok(());
        }
        let is_temporary = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        Err(Failure { problem: format!("it answered {status}"), is_temporary })
    }
}

/// Returns the innermost cause, which is the most specific.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", WITHIN.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Returns a client that follows no redirect: an alert goes to the configured host only.
fn client() -> Client {
    // An error means that a provider is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let agent = concat!("aviator-predictor/", env!("CARGO_PKG_VERSION"));
    Client::builder()
        .user_agent(agent)
        .timeout(WITHIN)
        .redirect(Policy::none())
        .build()
        .expect("the options are constants")
}

#[cfg(test)]
mod tests;
