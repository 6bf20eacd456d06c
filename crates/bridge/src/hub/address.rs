//! The address of the hub: one server, or several of a cluster.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use async_nats::ServerAddr;

/// The address of the hub: one server, or several of a cluster separated by commas.
#[derive(Clone, Debug)]
pub struct Address(Vec<ServerAddr>);

impl Address {
    /// Returns the servers.
    pub fn servers(&self) -> Vec<ServerAddr> {
        self.0.clone()
    }

    /// Returns whether every server is on this machine.
    pub fn is_local(&self) -> bool {
        self.0.iter().all(|server| is_loopback(server.host()))
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let server = |part: &str| {
            let wrong =
                |why: &str| format!("`{part}` is not an address like nats://127.0.0.1:4222: {why}");
            let server: ServerAddr =
                part.parse().map_err(|error: std::io::Error| wrong(&error.to_string()))?;
            if server.host().is_empty() {
                return Err(wrong("the host is missing"));
            }
            match server.scheme() {
                "nats" | "tls" => Ok(server),
                other => Err(wrong(&format!("{other}:// is not supported, use nats:// or tls://"))),
            }
        };
        text.split(',').map(|part| server(part.trim())).collect::<Result<_, _>>().map(Self)
    }
}

/// Shows host and port only: a user name or password is secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, server) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}:{}", server.host(), server.port())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_local() {
        for here in [
            "nats://127.0.0.1:4222",
            "localhost",
            "nats://[::1]:4222",
            "127.0.0.9,nats://localhost:1",
        ] {
            assert!(here.parse::<Address>().unwrap().is_local(), "{here}");
        }
        for there in [
            "nats://10.0.0.1:4222",
            "hub.example",
            "127.0.0.1,10.0.0.1",
            "nats://localhost.example:1",
        ] {
            assert!(!there.parse::<Address>().unwrap().is_local(), "{there}");
        }
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for text in ["", "http://127.0.0.1", "ws://127.0.0.1", "nats://"] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let address: Address = "nats://me:secret@127.0.0.1:4222".parse().unwrap();
        assert_eq!(address.to_string(), "127.0.0.1:4222");
    }
}
