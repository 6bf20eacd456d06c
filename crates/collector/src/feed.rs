//! What the websocket and http sources share: where a feed is, whom to trust, and where in its messages the rounds are.
//!
//! [`rule`] says where things stand, [`reader`] applies the rules to one message after another, [`history`] makes a
//! reading of a list, [`health`] gives up a feed that is not understood, [`error`] says what a failure means.

pub mod address;
pub mod diagnostics;
pub mod error;
pub mod filter;
pub mod headers;
pub mod health;
pub mod history;
pub mod number;
pub mod parsed;
pub mod pointer;
pub mod reader;
pub mod redacted_shape;
pub mod rule;
pub mod secret;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::config_error::ConfigError;
use crate::duration_arg::DurationArg;
use crate::order::Order;
use crate::tls;
use address::Address;
use rule::{Rule, RuleOptions};
use secret::Secret;

/// How long a connection, or a whole answer over HTTP, may take.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(15);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(5);
/// The longest message or page.
const BYTES_MAX_DEFAULT: usize = 4 << 20;
const BYTES_MAX: RangeInclusive<usize> = 1024..=64 << 20;
/// Rules of one feed.
const RULES_MAX: usize = 16;

/// The flags and the `[feed]` section that the websocket and http sources share.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct FeedOptions {
    /// websocket, http: address of the feed, or `env:NAME` or `file:PATH` if it has a token in it
    #[arg(long, env = "AVIATOR_URL", hide_env_values = true, value_name = "URL")]
    pub url: Option<Secret>,

    /// Request headers by name; a value may be `env:NAME` or `file:PATH`. Not a flag: other users of a machine see flags.
    #[arg(skip)]
    pub headers: BTreeMap<String, Secret>,

    /// websocket, http: certificates (PEM) of an authority to trust beside this machine's own
    #[arg(long, env = "AVIATOR_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// websocket, http: how long a connection or an answer may take [default: 15s]
    #[arg(long, env = "AVIATOR_TIMEOUT", value_name = "DURATION")]
    pub timeout: Option<DurationArg>,

    /// The longest message or page in bytes, 4 MiB where it is left out.
    #[arg(skip)]
    pub max_message_bytes: Option<usize>,

    /// Where in a message the rounds are; the first whose filters hold reads it.
    #[arg(skip)]
    pub rounds: Vec<RuleOptions>,
}

/// What both sources need, checked.
#[derive(Debug)]
pub struct Feed {
    /// Where it is.
    pub address: Address,
    /// The headers to send.
    pub headers: HeaderMap,
    /// Whom to trust beside those this machine trusts.
    pub authorities: Vec<CertificateDer<'static>>,
    /// How long a connection or an answer may take.
    pub timeout: Duration,
    /// The longest message or page.
    pub bytes_max: usize,
    /// Where the rounds are.
    pub rules: Vec<Rule>,
}

impl Feed {
    /// Checks what both sources share; opens no connection.
    ///
    /// # Errors
    ///
    /// What is missing or wrong, with its flag or key.
    pub fn new(options: &FeedOptions, order: Order, schemes: &[&str]) -> Result<Self, ConfigError> {
        let timeout = options.timeout.map_or(TIMEOUT_DEFAULT, |span| span.0);
        if !TIMEOUTS.contains(&timeout) {
            return Err(ConfigError::flag("timeout", "is from 100ms to 5m"));
        }
        let bytes_max = options.max_message_bytes.unwrap_or(BYTES_MAX_DEFAULT);
        if !BYTES_MAX.contains(&bytes_max) {
            return Err(ConfigError::key("feed.max_message_bytes", "is from 1024 to 67108864"));
        }
        if options.rounds.len() > RULES_MAX {
            return Err(ConfigError::key(
                "feed.rounds",
                format!("has more than {RULES_MAX} rules"),
            ));
        }
        let authorities = match &options.ca_file {
            Some(path) => {
                tls::authorities(path).map_err(|problem| ConfigError::flag("ca-file", problem))?
            }
            None => Vec::new(),
        };
        let rules = options
            .rounds
            .iter()
            .enumerate()
            .map(|(index, rule)| rule.clone().check(index, order))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            address: Address::new(options.url.as_ref(), schemes)?,
            headers: headers::headers(&options.headers)?,
            authorities,
            timeout,
            bytes_max,
            rules,
        })
    }
}

#[cfg(test)]
mod tests;
