//! The address of a feed.

use std::fmt;

use url::{Host, Url};

use crate::config_error::ConfigError;
use crate::feed::secret::Secret;

/// The address of a feed. Displayed as origin and path: the rest may hold a token.
// Invariant: has a host, one of the allowed schemes, and no user name or password.
#[derive(Clone)]
pub struct FeedAddress(Url);

impl FeedAddress {
    /// Parses the address given by `--url`, which must have one of `schemes`.
    ///
    /// # Errors
    ///
    /// The address is missing, cannot be parsed, has another scheme, or holds a password.
    pub fn new(option: Option<&Secret>, schemes: &[&str]) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::flag("url", problem);
        let usual = schemes.join(":// or ");
        let text = option
            .ok_or_else(|| wrong(format!("is missing: the address of the feed, {usual}://…")))?
            .reveal()
            .map_err(wrong)?;
        let mut url = Url::parse(text.trim()).map_err(|error| wrong(error.to_string()))?;
        if !schemes.contains(&url.scheme()) {
            return Err(wrong(format!(
                "begins with {}://; this source reads {usual}://",
                url.scheme()
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "has a user name or password in it; use feed.headers instead".to_owned(),
            ));
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// Returns the complete address, for connecting only.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Returns whether the feed is on this machine; a proxy is not used then.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

impl fmt::Display for FeedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shown(&self.0))
    }
}

impl fmt::Debug for FeedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Returns the origin and path of `url`.
pub fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or(""), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<FeedAddress, String> {
        let Ok(secret) = text.parse();
        FeedAddress::new(Some(&secret), &["ws", "wss"]).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_shown_without_possible_tokens() {
        let address = address("wss://feed.example:9443/crash?token=secret#part").unwrap();
        assert_eq!(address.to_string(), "wss://feed.example:9443/crash");
        assert_eq!(format!("{address:?}"), "Address(wss://feed.example:9443/crash)");
        assert_eq!(address.url().as_str(), "wss://feed.example:9443/crash?token=secret");
    }

    #[test]
    fn an_unusable_address_is_refused_with_the_reason() {
        let refused = |text, expected: &str| assert_eq!(address(text).unwrap_err(), expected);
        refused(
            "https://feed.example",
            "--url: begins with https://; this source reads ws:// or wss://",
        );
        refused("feed.example/crash", "--url: relative URL without a base");
        refused(
            "wss://me:secret@feed.example/",
            "--url: has a user name or password in it; use feed.headers instead",
        );
        refused("wss://", "--url: empty host");
        let missing = FeedAddress::new(None, &["http", "https"]).unwrap_err().to_string();
        assert_eq!(missing, "--url: is missing: the address of the feed, http:// or https://…");
    }

    #[test]
    fn loopback_addresses_are_recognized() {
        for here in ["ws://127.0.0.1:1/", "ws://localhost/", "ws://[::1]:1/", "ws://a.localhost"] {
            assert!(address(here).unwrap().is_loopback(), "{here}");
        }
        for there in ["ws://10.0.0.1/", "wss://localhost.example/"] {
            assert!(!address(there).unwrap().is_loopback(), "{there}");
        }
    }
}
