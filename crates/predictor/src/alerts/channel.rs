//! The request each alert service takes.

use reqwest::{Client, RequestBuilder, Url};
use serde_json::json;

use super::Alert;
use crate::config::SecretRef;
use crate::config::{AlertSettings, SettingsError};

const TELEGRAM: &str = "https://api.telegram.org";

/// One service, with its secrets revealed. It has no `Debug`, so that it cannot be logged.
pub(super) enum Channel {
    /// Anything that takes JSON.
    Webhook { url: Url },
    /// <https://docs.ntfy.sh/publish/>
    Ntfy { topic: Url, token: Option<String> },
    /// <https://core.telegram.org/bots/api#sendmessage>
    Telegram { api: Url, token: String, chat: String },
}

impl Channel {
    /// All that are configured.
    ///
    /// # Errors
    /// A secret that is not there, or is none.
    pub(super) fn all(settings: &AlertSettings) -> Result<Vec<Self>, SettingsError> {
        settings.check()?;
        let mut channels = Vec::new();
        if let Some(place) = &settings.webhook {
            channels.push(Self::Webhook { url: url("webhook", place)? });
        }
        if let Some(place) = &settings.ntfy {
            let token = settings.ntfy_token.as_ref();
            let token = token.map(|place| reveal("ntfy_token", place)).transpose()?;
            channels.push(Self::Ntfy { topic: url("ntfy", place)?, token });
        }
        if let (Some(place), Some(chat)) = (&settings.telegram_token, &settings.telegram_chat) {
            let api = Url::parse(TELEGRAM).expect("a literal");
            let token = reveal("telegram_token", place)?;
            channels.push(Self::Telegram { api, token, chat: chat.clone() });
        }
        Ok(channels)
    }

    /// Service and host; the path of a URL is the secret part of it.
    pub(super) fn name(&self) -> String {
        let (service, url) = match self {
            Self::Webhook { url } => ("webhook", url),
            Self::Ntfy { topic, .. } => ("ntfy", topic),
            Self::Telegram { api, .. } => ("telegram", api),
        };
        format!("{service} at {}", url.host_str().unwrap_or("?"))
    }

    /// The request that delivers `notice`.
    pub(super) fn request(&self, client: &Client, notice: &Alert) -> RequestBuilder {
        match self {
            Self::Webhook { url } => client.post(url.clone()).json(&notice.json()),
            Self::Ntfy { topic, token } => {
                let request = client
                    .post(topic.clone())
                    .header("Title", notice.title())
                    .header("Tags", notice.event.word())
                    .body(notice.text.clone());
                match token {
                    Some(token) => request.bearer_auth(token),
                    None => request,
                }
            }
            Self::Telegram { api, token, chat } => {
                let mut url = api.clone();
                url.set_path(&format!("/bot{token}/sendMessage"));
                let text = format!("{}\n{}", notice.title(), notice.text);
                client.post(url).json(&json!({ "chat_id": chat, "text": text }))
            }
        }
    }
}

fn reveal(key: &'static str, place: &SecretRef) -> Result<String, SettingsError> {
    let secret = place.reveal().map_err(|problem| SettingsError::Secret { key, problem })?;
    if secret.is_empty() {
        let problem = format!("nothing is in {place}");
        return Err(SettingsError::Secret { key, problem });
    }
    Ok(secret)
}

fn url(key: &'static str, place: &SecretRef) -> Result<Url, SettingsError> {
    let parsed = reveal(key, place)?.parse::<Url>();
    match parsed {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => {
            let problem = format!("what is in {place} is no http:// or https:// URL");
            Err(SettingsError::Secret { key, problem })
        }
    }
}
