//! The request headers that the user adds.

use std::collections::BTreeMap;

use tokio_tungstenite::tungstenite::http::header::{HOST, USER_AGENT};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};

use crate::config_error::ConfigError;
use crate::feed::secret::Secret;

/// The default User-Agent.
const USER_AGENT_DEFAULT: HeaderValue =
    HeaderValue::from_static(concat!("aviator-collector/", env!("CARGO_PKG_VERSION")));

/// Returns the headers of `[feed.headers]`, marked as sensitive so that they are never logged.
///
/// # Errors
///
/// A header is not valid, is set by the protocol, or its secret is missing; the error names its key.
pub fn headers(options: &BTreeMap<String, Secret>) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, USER_AGENT_DEFAULT);
    for (name, secret) in options {
        let wrong = |problem: String| ConfigError::key(format!("feed.headers.{name}"), problem);
        let header: HeaderName =
            name.parse().map_err(|_| wrong("is not a header name".to_owned()))?;
        if is_reserved(&header) {
            return Err(wrong("is set by the protocol; leave it out".to_owned()));
        }
        let mut value = HeaderValue::from_str(&secret.reveal().map_err(wrong)?).map_err(|_| {
            wrong("contains a character that is not allowed in a header".to_owned())
        })?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    [HOST.as_str(), "connection", "upgrade", "content-length", "transfer-encoding"].contains(&name)
        || name.starts_with("sec-websocket-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<HeaderMap, String> {
        let Ok(secret) = value.parse();
        headers(&BTreeMap::from([(name.to_owned(), secret)])).map_err(|error| error.to_string())
    }

    #[test]
    fn a_header_is_sent_but_not_shown() {
        let headers = check("Authorization", "Bearer abc").unwrap();
        assert_eq!(headers["authorization"], "Bearer abc");
        assert!(!format!("{headers:?}").contains("abc"), "{headers:?}");
        assert!(headers["user-agent"].to_str().unwrap().starts_with("aviator-collector/"));
    }

    #[test]
    fn the_user_agent_can_be_set() {
        assert_eq!(check("User-Agent", "mine/1").unwrap()["user-agent"], "mine/1");
    }

    #[test]
    fn an_invalid_header_is_reported_without_its_value() {
        let refused = |name: &str, value: &str, expected: &str| {
            assert_eq!(check(name, value).unwrap_err(), expected);
        };
        refused("X Y", "1", "feed.headers.X Y: is not a header name");
        refused("Host", "a", "feed.headers.Host: is set by the protocol; leave it out");
        refused(
            "Sec-WebSocket-Key",
            "a",
            "feed.headers.Sec-WebSocket-Key: is set by the protocol; leave it out",
        );
        refused(
            "X-Key",
            "sec\nret",
            "feed.headers.X-Key: contains a character that is not allowed in a header",
        );
        refused(
            "X-Key",
            "env:NO_SUCH_VARIABLE_IS_SET",
            "feed.headers.X-Key: the environment variable NO_SUCH_VARIABLE_IS_SET is not set or is not valid Unicode",
        );
    }
}
