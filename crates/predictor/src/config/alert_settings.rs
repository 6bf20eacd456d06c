//! The `[notify]` section: which services receive alerts.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::secret_ref::SecretRef;

/// Which services receive alerts; the `[notify]` section of the file.
#[derive(Args, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSettings {
    /// Post alerts as JSON to the URL that is stored there
    #[arg(
        id = "notify_webhook",
        long = "notify-webhook",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_WEBHOOK"
    )]
    pub webhook: Option<SecretRef>,
    /// Send alerts by ntfy to the topic whose URL is stored there
    #[arg(
        id = "notify_ntfy",
        long = "notify-ntfy",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_NTFY"
    )]
    pub ntfy: Option<SecretRef>,
    /// Access token of a protected ntfy topic
    #[arg(
        id = "notify_ntfy_token",
        long = "notify-ntfy-token",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_NTFY_TOKEN"
    )]
    pub ntfy_token: Option<SecretRef>,
    /// Send alerts by the Telegram bot whose token is stored there
    #[arg(
        id = "notify_telegram_token",
        long = "notify-telegram-token",
        value_name = "file:PATH|env:NAME",
        env = "AVIATOR_NOTIFY_TELEGRAM_TOKEN"
    )]
    pub telegram_token: Option<SecretRef>,
    /// Telegram chat that receives alerts
    #[arg(
        id = "notify_telegram_chat",
        long = "notify-telegram-chat",
        value_name = "ID",
        env = "AVIATOR_NOTIFY_TELEGRAM_CHAT"
    )]
    pub telegram_chat: Option<String>,
}

/// Why alerts cannot be sent with these settings.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// A secret was given instead of a reference to it.
    #[error(
        "notify.{0} takes a reference to a secret, file:PATH or env:NAME, and not the secret itself, which other users \
         of this machine could read"
    )]
    NotAReference(&'static str),
    /// One of two settings that belong together is missing.
    #[error("notify.{0} also needs notify.{1}")]
    Incomplete(&'static str, &'static str),
    /// The secret cannot be read or is malformed.
    #[error("notify.{key}: {problem}")]
    Secret {
        /// The setting.
        key: &'static str,
        /// What is wrong; never the secret itself.
        problem: String,
    },
    /// No service is configured.
    #[error(
        "no service is configured: give --notify-webhook, --notify-ntfy or --notify-telegram-token"
    )]
    NoService,
}

impl AlertSettings {
    /// Returns these settings, completed by `other` where they are absent.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            webhook: self.webhook.or(other.webhook),
            ntfy: self.ntfy.or(other.ntfy),
            ntfy_token: self.ntfy_token.or(other.ntfy_token),
            telegram_token: self.telegram_token.or(other.telegram_token),
            telegram_chat: self.telegram_chat.or(other.telegram_chat),
        }
    }

    /// Returns whether no service is configured.
    pub(crate) fn is_empty(&self) -> bool {
        self.webhook.is_none() && self.ntfy.is_none() && self.telegram_token.is_none()
    }

    /// Checks the settings without reading any secret; secrets are read when they are needed.
    ///
    /// # Errors
    /// A key is unusable; the error names the first such key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let references = [
            ("webhook", &self.webhook),
            ("ntfy", &self.ntfy),
            ("ntfy_token", &self.ntfy_token),
            ("telegram_token", &self.telegram_token),
        ];
        for (key, reference) in references {
            if reference.as_ref().is_some_and(|reference| !reference.is_reference()) {
                return Err(SettingsError::NotAReference(key));
            }
        }
        match (&self.telegram_token, &self.telegram_chat, &self.ntfy, &self.ntfy_token) {
            (Some(_), None, ..) => {
                Err(SettingsError::Incomplete("telegram_token", "telegram_chat"))
            }
            (None, Some(_), ..) => {
                Err(SettingsError::Incomplete("telegram_chat", "telegram_token"))
            }
            (_, _, None, Some(_)) => Err(SettingsError::Incomplete("ntfy_token", "ntfy")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Option<SecretRef> {
        text.parse().ok()
    }

    #[test]
    fn a_secret_instead_of_a_reference_is_refused_and_not_repeated() {
        let settings = AlertSettings {
            webhook: reference("https://x.example/secret"),
            ..AlertSettings::default()
        };
        let error = settings.check().unwrap_err();
        assert_eq!(error, SettingsError::NotAReference("webhook"));
        assert!(!error.to_string().contains("x.example"));
    }

    #[test]
    fn a_token_needs_its_chat() {
        let token =
            AlertSettings { telegram_token: reference("env:TOKEN"), ..AlertSettings::default() };
        assert_eq!(
            token.check(),
            Err(SettingsError::Incomplete("telegram_token", "telegram_chat"))
        );
        let both = AlertSettings { telegram_chat: Some("12".to_owned()), ..token };
        assert_eq!(both.check(), Ok(()));
        let lone = AlertSettings { ntfy_token: reference("env:TOKEN"), ..AlertSettings::default() };
        assert_eq!(lone.check(), Err(SettingsError::Incomplete("ntfy_token", "ntfy")));
    }
}
