//! The requests that deliver an alert, one for each kind of service.

use reqwest::{Client, RequestBuilder, Url};
use serde_json::json;

use super::Alert;
use crate::config::SecretRef;
use crate::config::{AlertSettings, SettingsError};

const TELEGRAM: &str = "https://api.telegram.org";

/// A service with its secrets. It has no `Debug`, so that it cannot be logged.
pub(super) enum Channel {
    /// Any service that takes JSON.
    Webhook { url: Url },
    /// <https://docs.ntfy.sh/publish/>
    Ntfy { topic: Url, token: Option<String> },
    /// <https://core.telegram.org/bots/api#sendmessage>
    Telegram { api: Url, token: String, chat: String },
}

impl Channel {
    /// Returns all configured services.
    ///
    /// # Errors
    /// A secret cannot be read or is malformed.
    pub(super) fn all(settings: &AlertSettings) -> Result<Vec<Self>, SettingsError> {
        settings.check()?;
        let mut channels = Vec::new();
        if let Some(reference) = &settings.webhook {
            channels.push(Self::Webhook { url: url("webhook", reference)? });
        }
        if let Some(reference) = &settings.ntfy {
            let token = settings.ntfy_token.as_ref();
            let token = token.map(|reference| reveal("ntfy_token", reference)).transpose()?;
            channels.push(Self::Ntfy { topic: url("ntfy", reference)?, token });
        }
        if let (Some(reference), Some(chat)) = (&settings.telegram_token, &settings.telegram_chat) {
            let api = Url::parse(TELEGRAM).expect("the literal is a URL");
            let token = reveal("telegram_token", reference)?;
            channels.push(Self::Telegram { api, token, chat: chat.clone() });
        }
        Ok(channels)
    }

    /// Returns service and host; the path of a URL is secret.
    pub(super) fn name(&self) -> String {
        let (service, url) = match self {
            Self::Webhook { url } => ("webhook", url),
            Self::Ntfy { topic, .. } => ("ntfy", topic),
            Self::Telegram { api, .. } => ("telegram", api),
        };
        format!("{service} at {}", url.host_str().unwrap_or("?"))
    }

    /// Builds the request that delivers `alert`.
    pub(super) fn request(&self, client: &Client, alert: &Alert) -> RequestBuilder {
        match self {
            Self::Webhook { url } => client.post(url.clone()).json(&alert.json()),
            Self::Ntfy { topic, token } => {
                let request = client
                    .post(topic.clone())
                    .header("Title", alert.title())
                    .header("Tags", alert.kind.name())
                    .body(alert.text.clone());
                match token {
                    Some(token) => request.bearer_auth(token),
                    None => request,
                }
            }
            Self::Telegram { api, token, chat } => {
                let mut url = api.clone();
                url.set_path(&format!("/bot{token}/sendMessage"));
                let text = format!("{}\n{}", alert.title(), alert.text);
                client.post(url).json(&json!({ "chat_id": chat, "text": text }))
            }
        }
    }
}

fn reveal(key: &'static str, reference: &SecretRef) -> Result<String, SettingsError> {
    let secret = reference.reveal().map_err(|problem| SettingsError::Secret { key, problem })?;
    if secret.is_empty() {
        let problem = format!("{reference} is empty");
        return Err(SettingsError::Secret { key, problem });
    }
    Ok(secret)
}

fn url(key: &'static str, reference: &SecretRef) -> Result<Url, SettingsError> {
    let parsed = reveal(key, reference)?.parse::<Url>();
    match parsed {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => {
            let problem = format!("{reference} does not hold an http:// or https:// URL");
            Err(SettingsError::Secret { key, problem })
        }
    }
}
