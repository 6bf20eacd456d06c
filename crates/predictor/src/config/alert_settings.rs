//! The `[notify]` section: which services receive alerts.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::secret_ref::SecretRef;

/// Where messages go; the `[notify]` section of the file.
#[derive(Args, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSettings {
    /// Messages about trouble are posted as JSON to the URL that is kept there
    #[arg(
        id = "notify_webhook",
        long = "notify-webhook",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_WEBHOOK"
    )]
    pub webhook: Option<SecretRef>,
    /// And sent by ntfy to the topic whose URL is kept there
    #[arg(
        id = "notify_ntfy",
        long = "notify-ntfy",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_NTFY"
    )]
    pub ntfy: Option<SecretRef>,
    /// The access token of a protected ntfy topic
    #[arg(
        id = "notify_ntfy_token",
        long = "notify-ntfy-token",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_NTFY_TOKEN"
    )]
    pub ntfy_token: Option<SecretRef>,
    /// And sent by the Telegram bot whose token is kept there
    #[arg(
        id = "notify_telegram_token",
        long = "notify-telegram-token",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_TELEGRAM_TOKEN"
    )]
    pub telegram_token: Option<SecretRef>,
    /// The Telegram chat to send to
    #[arg(
        id = "notify_telegram_chat",
        long = "notify-telegram-chat",
        value_name = "ID",
        env = "AVIATOR_NOTIFY_TELEGRAM_CHAT"
    )]
    pub telegram_chat: Option<String>,
}

/// Why messages could not be sent as they are configured.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// A secret stands where its place should.
    #[error(
        "notify.{0} takes the place of a secret, file:PATH or env:NAME, and not the secret: other users of this \
         machine could read it"
    )]
    NoPlace(&'static str),
    /// A part without the other.
    #[error("notify.{0} needs notify.{1} beside it")]
    Alone(&'static str, &'static str),
    /// The secret cannot be read, or is none.
    #[error("notify.{key}: {problem}")]
    Secret {
        /// Which setting.
        key: &'static str,
        /// What is wrong; never what the secret is.
        problem: String,
    },
    /// Nothing is configured.
    #[error(
        "nobody would be told: give --notify-webhook, --notify-ntfy or --notify-telegram-token"
    )]
    Nobody,
}

impl AlertSettings {
    /// These, and where they say nothing the others.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            webhook: self.webhook.or(other.webhook),
            ntfy: self.ntfy.or(other.ntfy),
            ntfy_token: self.ntfy_token.or(other.ntfy_token),
            telegram_token: self.telegram_token.or(other.telegram_token),
            telegram_chat: self.telegram_chat.or(other.telegram_chat),
        }
    }

    /// Nobody is to be told anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.webhook.is_none() && self.ntfy.is_none() && self.telegram_token.is_none()
    }

    /// Reads no secret: whether one is there is seen when it is needed.
    ///
    /// # Errors
    /// Names the key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let places = [
            ("webhook", &self.webhook),
            ("ntfy", &self.ntfy),
            ("ntfy_token", &self.ntfy_token),
            ("telegram_token", &self.telegram_token),
        ];
        for (key, place) in places {
            if place.as_ref().is_some_and(|place| !place.is_place()) {
                return Err(SettingsError::NoPlace(key));
            }
        }
        match (&self.telegram_token, &self.telegram_chat, &self.ntfy, &self.ntfy_token) {
            (Some(_), None, ..) => Err(SettingsError::Alone("telegram_token", "telegram_chat")),
            (None, Some(_), ..) => Err(SettingsError::Alone("telegram_chat", "telegram_token")),
            (_, _, None, Some(_)) => Err(SettingsError::Alone("ntfy_token", "ntfy")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<SecretRef> {
        text.parse().ok()
    }

    #[test]
    fn a_secret_in_place_of_its_place_is_refused_and_not_repeated() {
        let settings = AlertSettings {
            webhook: place("https://x.example/secret"),
            ..AlertSettings::default()
        };
        let error = settings.check().unwrap_err();
        assert_eq!(error, SettingsError::NoPlace("webhook"));
        assert!(!error.to_string().contains("x.example"));
    }

    #[test]
    fn a_token_needs_its_chat() {
        let token =
            AlertSettings { telegram_token: place("env:TOKEN"), ..AlertSettings::default() };
        assert_eq!(token.check(), Err(SettingsError::Alone("telegram_token", "telegram_chat")));
        let both = AlertSettings { telegram_chat: Some("12".to_owned()), ..token };
        assert_eq!(both.check(), Ok(()));
        let lone = AlertSettings { ntfy_token: place("env:TOKEN"), ..AlertSettings::default() };
        assert_eq!(lone.check(), Err(SettingsError::Alone("ntfy_token", "ntfy")));
    }
}
