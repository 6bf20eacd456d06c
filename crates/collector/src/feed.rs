//! What the websocket and http sources share: the address, the certificates, and where in a message the rounds are.
//!
//! [`rule`] says where the values are, [`reader`] applies the rules to each message, [`history`] turns a list into a
//! report, [`health`] gives up a feed that cannot be understood, and [`error`] says what a failure means.

pub mod address;
pub mod diagnostics;
pub mod error;
pub mod filter;
pub mod headers;
pub mod health;
pub mod history;
pub mod message_format;
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
use address::FeedAddress;
use message_format::protobuf::FieldTypes;
use message_format::{MessageCodec, MessageFormat};
use rule::{Rule, RuleOptions};
use secret::Secret;

/// Default timeout of a connection or a complete HTTP answer.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(15);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(5);
/// Default maximum length of a message or page.
const BYTES_MAX_DEFAULT: usize = 4 << 20;
const BYTES_MAX: RangeInclusive<usize> = 1024..=64 << 20;
/// Maximum number of rules.
const RULES_MAX: usize = 16;

/// The flags and the `[feed]` section that the websocket and http sources share.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct FeedOptions {
    /// websocket, http, sse: address of the feed, or `env:NAME` or `file:PATH` if it holds a token
    #[arg(long, env = "AVIATOR_URL", hide_env_values = true, value_name = "URL")]
    pub url: Option<Secret>,

    /// Request headers by name; a value may be `env:NAME` or `file:PATH`. Not a flag: other users of a machine see flags.
    #[arg(skip)]
    pub headers: BTreeMap<String, Secret>,

    /// websocket, http, sse: PEM file of certificate authorities to trust in addition to the system's
    #[arg(long, env = "AVIATOR_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// websocket, http, sse: timeout of a connection or an answer [default: 15s]
    #[arg(long, env = "AVIATOR_TIMEOUT", value_name = "DURATION")]
    pub timeout: Option<DurationArg>,

    /// Maximum length of a message or page in bytes; 4 MiB by default.
    #[arg(skip)]
    pub max_message_bytes: Option<usize>,

    /// Format of the messages; JSON by default.
    #[arg(skip)]
    pub format: Option<MessageFormat>,

    /// Types of fields of Protocol Buffers, by their path.
    #[arg(skip)]
    pub protobuf: FieldTypes,

    /// Where in a message the rounds are; the first rule whose filters match reads it.
    #[arg(skip)]
    pub rounds: Vec<RuleOptions>,
}

impl FeedOptions {
    /// Returns the checked rules.
    ///
    /// # Errors
    ///
    /// There are too many, or two keys of one exclude each other.
    pub fn rules(&self, order: Order) -> Result<Vec<Rule>, ConfigError> {
        if self.rounds.len() > RULES_MAX {
            return Err(ConfigError::key(
                "feed.rounds",
                format!("has more than {RULES_MAX} rules"),
            ));
        }
        let rules = self.rounds.iter().enumerate();
        rules.map(|(index, rule)| rule.clone().check(index, order)).collect()
    }
}

/// The checked options that these sources need.
#[derive(Debug)]
pub struct Feed {
    /// The address.
    pub address: FeedAddress,
    /// The headers to send.
    pub headers: HeaderMap,
    /// Certificate authorities to trust in addition to the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Timeout of a connection or an answer.
    pub timeout: Duration,
    /// Maximum length of a message or page in bytes.
    pub bytes_max: usize,
    /// Converts messages to documents and back.
    pub codec: MessageCodec,
    /// Where in a message the rounds are.
    pub rules: Vec<Rule>,
}

impl Feed {
    /// Checks the shared options; opens no connection.
    ///
    /// # Errors
    ///
    /// An option is missing or wrong; the error names its flag or key.
    pub fn new(options: &FeedOptions, order: Order, schemes: &[&str]) -> Result<Self, ConfigError> {
        let timeout = options.timeout.map_or(TIMEOUT_DEFAULT, |span| span.0);
        if !TIMEOUTS.contains(&timeout) {
            return Err(ConfigError::flag("timeout", "must be from 100ms to 5m"));
        }
        let bytes_max = options.max_message_bytes.unwrap_or(BYTES_MAX_DEFAULT);
        if !BYTES_MAX.contains(&bytes_max) {
            return Err(ConfigError::key(
                "feed.max_message_bytes",
                "must be from 1024 to 67108864",
            ));
        }
        let authorities = match &options.ca_file {
            Some(path) => {
                tls::authorities(path).map_err(|problem| ConfigError::flag("ca-file", problem))?
            }
            None => Vec::new(),
        };
        let rules = options.rules(order)?;
        let format = options.format.unwrap_or_default();
        Ok(Self {
            codec: MessageCodec::new(format, &options.protobuf, &rules)?,
            address: FeedAddress::new(options.url.as_ref(), schemes)?,
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
