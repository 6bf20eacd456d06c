//! The configuration. A flag wins over the environment variable `AVIATOR_…`, the variable over the TOML file, and the
//! file over the default.

pub mod print_config;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use daemon::config::{FileError, load_toml, parse_address};
use daemon::log;
use rounds::disk::SyncPolicy;
use rounds::{Multiplier, ReadSettings, TableName, TimeZoneOfRows};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config_error::ConfigError;
use crate::dedup::Baseline;
use crate::duration_arg::DurationArg;
use crate::feed::FeedOptions;
use crate::observation::SourceKind;
use crate::order::Order;
use crate::output::sync_policy::SyncPolicyArg;
use crate::sources::Source;
use crate::sources::browser::{Browser, BrowserOptions};
use crate::sources::demo::{self, Demo, DemoOptions};
use crate::sources::har::Har;
use crate::sources::http::{Http, HttpOptions};
use crate::sources::pacing::Pace;
use crate::sources::replay::{Replay, ReplayOptions};
use crate::sources::sse::Sse;
use crate::sources::websocket::{WebSocket, WebSocketOptions};

/// Default of `--round-min`: five seconds of betting and one of pause.
const ROUND_MIN: DurationArg = DurationArg(Duration::from_secs(6));
const REPLAY_FSYNC: Duration = Duration::from_secs(5);

/// The options as given, before defaults. Each field is a flag, an environment variable and a key of the file; each inner
/// struct is a `[section]` of the file.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
#[group(skip)]
pub struct Options {
    /// Where rounds come from [default: demo]
    #[arg(
        long,
        env = "AVIATOR_SOURCE",
        value_enum,
        hide_possible_values = true,
        value_name = "demo|replay|browser|websocket|http|sse|har"
    )]
    pub source: Option<SourceKind>,

    /// Directory of the CSV files [default: data/demo for the demo, data/demo-PATTERN with a pattern, else data]
    #[arg(long, env = "AVIATOR_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Table to record: its files are in the sub-directory of its name, those of `default` in --data-dir itself
    /// [default: default]
    #[arg(long, env = "AVIATOR_TABLE", value_name = "NAME")]
    pub table: Option<TableName>,

    /// demo, replay: real (like the game), max, or seconds between rounds [default: 3 for the demo, real for a replay]
    #[arg(long, env = "AVIATOR_PACE", value_name = "real|max|SECONDS")]
    pub pace: Option<Pace>,

    /// demo, replay: stop after this many rounds (the demo's history not counted)
    #[arg(long, env = "AVIATOR_ROUNDS", value_name = "N")]
    pub rounds: Option<u64>,

    /// browser, http: CSS selector of one entry of the history list
    #[arg(long, env = "AVIATOR_SELECTOR", value_name = "CSS")]
    pub selector: Option<String>,

    /// browser, websocket, http, sse: which end of a list holds the newest round [default: newest-first]
    #[arg(long, env = "AVIATOR_ORDER", value_enum, value_name = "ORDER")]
    pub order: Option<Order>,

    /// Which rounds of the first list to record [default: none]
    #[arg(long, env = "AVIATOR_BASELINE", value_enum, value_name = "WHICH")]
    pub baseline: Option<Baseline>,

    /// browser, websocket, http, sse: the shortest time between two rounds of the game [default: 6s]
    #[arg(long, env = "AVIATOR_ROUND_MIN", value_name = "TIME")]
    pub round_min: Option<DurationArg>,

    /// When to sync rows to the disk: after each row, at an interval, or never [default: row, 5s for a replay or har]
    #[arg(long, env = "AVIATOR_FSYNC", value_name = "row|TIME|never")]
    pub fsync: Option<SyncPolicyArg>,

    /// Print no console line for each round
    #[arg(long, env = "AVIATOR_QUIET", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub quiet: Option<bool>,

    /// Format of the log on stderr: auto is pretty on a terminal and JSON otherwise [default: auto]
    #[arg(long, env = "AVIATOR_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub log_format: Option<log::Format>,

    /// What to log: error, warn, info, debug, or a filter such as collector=debug [default: info]
    #[arg(long, env = "AVIATOR_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// Serve /metrics, /healthz and /readyz on this loopback address, such as 127.0.0.1:5002 [default: off]
    #[arg(long, env = "AVIATOR_METRICS_LISTEN", value_name = "ADDRESS", value_parser = parse_address)]
    pub metrics_listen: Option<SocketAddr>,

    /// Time zone of times without an offset in existing files: `America/Sao_Paulo`, -03:00 or local [default: local]
    #[arg(long, env = "AVIATOR_TIMEZONE", value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<TimeZoneOfRows>,

    /// Do not record larger multipliers [default: 1000000]
    #[arg(long, env = "AVIATOR_MAX_MULTIPLIER", value_name = "MULTIPLIER")]
    pub max_multiplier: Option<Multiplier>,

    /// Options of the demo.
    #[command(flatten)]
    pub demo: DemoOptions,

    /// Options of the replay.
    #[command(flatten)]
    pub replay: ReplayOptions,

    /// Options of the browser source.
    #[command(flatten)]
    pub browser: BrowserOptions,

    /// Options that the websocket and http sources share.
    #[command(flatten)]
    pub feed: FeedOptions,

    /// Options of the websocket source.
    #[command(flatten)]
    pub websocket: WebSocketOptions,

    /// Options of the http source.
    #[command(flatten)]
    pub http: HttpOptions,
}

/// The configuration with every default filled in. Each source checks its own section when it is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where rounds come from.
    pub source: SourceKind,
    /// Directory of the default table's CSV files; other tables have sub-directories.
    pub data_dir: PathBuf,
    /// The table to record.
    pub table: TableName,
    /// Speed of a demo or replay.
    pub pace: Pace,
    /// Number of rounds after which a demo or replay ends.
    pub rounds: Option<u64>,
    /// CSS selector of one entry of the history list.
    pub selector: Option<String>,
    /// Which end of a list holds the newest round.
    pub order: Order,
    /// Which rounds of the first list to record.
    pub baseline: Baseline,
    /// The shortest time between two rounds of the game.
    pub round_min: DurationArg,
    /// When rows are synced to the disk.
    pub fsync: SyncPolicyArg,
    /// Prints no console line for each round.
    pub quiet: bool,
    /// Format of the log.
    pub log_format: log::Format,
    /// What to log.
    pub log: String,
    /// Loopback address of the metrics server.
    pub metrics_listen: Option<SocketAddr>,
    /// How existing files are read, and which multipliers are recorded.
    pub read: ReadSettings,
    /// Options of the demo.
    pub demo: DemoOptions,
    /// Options of the replay.
    pub replay: ReplayOptions,
    /// Options of the browser source.
    pub browser: BrowserOptions,
    /// Options that the websocket and http sources share.
    pub feed: FeedOptions,
    /// Options of the websocket source.
    pub websocket: WebSocketOptions,
    /// Options of the http source.
    pub http: HttpOptions,
}

impl Config {
    /// Merges `flags` (which include the environment) with the file, and fills in the defaults.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has an unknown key or an invalid value (the error names file and line); or the metrics
    /// address is not a loopback address.
    pub fn load(flags: &Options, file: Option<&Path>) -> Result<Self, ConfigError> {
        let options = match file {
            Some(path) => merged(&read(path)?, flags)?,
            None => flags.clone(),
        };
        match options.metrics_listen {
            Some(address) if !address.ip().is_loopback() => Err(ConfigError::flag(
                "metrics-listen",
                format!(
                    "{address} can be reached from other machines; use a loopback address such as 127.0.0.1:5002"
                ),
            )),
            _ => Ok(Self::from(options)),
        }
    }

    /// Returns the directory of this table's CSV files.
    pub fn directory(&self) -> PathBuf {
        self.table.directory(&self.data_dir)
    }

    /// Returns the source that `--source` names. Opens no connection; a replay or a HAR source reads its file.
    ///
    /// # Errors
    ///
    /// An option of the source is missing or wrong; the error names its flag or key.
    pub fn build_source(&self) -> Result<Source, ConfigError> {
        Ok(match self.source {
            SourceKind::Demo => {
                Source::Demo(Box::new(Demo::new(&self.demo, self.pace, self.rounds)))
            }
            SourceKind::Replay => Source::Replay(Box::new(Replay::new(
                &self.replay,
                self.pace,
                self.rounds,
                self.read,
            )?)),
            SourceKind::Browser => Source::Browser(Box::new(self.browser_source()?)),
            SourceKind::WebSocket => Source::WebSocket(Box::new(self.websocket_source()?)),
            SourceKind::Http => Source::Http(Box::new(self.http_source()?)),
            SourceKind::Har => Source::Har(Box::new(Har::new(
                &self.replay,
                &self.websocket,
                &self.feed,
                self.order,
            )?)),
            SourceKind::Sse => Source::Sse(Box::new(self.sse_source()?)),
        })
    }

    /// Returns the browser source, whatever `--source` names.
    ///
    /// # Errors
    ///
    /// As [`Config::build_source`].
    pub fn browser_source(&self) -> Result<Browser, ConfigError> {
        Browser::new(&self.browser, self.selector.as_deref(), self.order)
    }

    /// Returns the websocket source, whatever `--source` names.
    ///
    /// # Errors
    ///
    /// As [`Config::build_source`].
    pub fn websocket_source(&self) -> Result<WebSocket, ConfigError> {
        WebSocket::new(&self.websocket, &self.feed, self.order)
    }

    /// Returns the http source, whatever `--source` names.
    ///
    /// # Errors
    ///
    /// As [`Config::build_source`].
    pub fn http_source(&self) -> Result<Http, ConfigError> {
        Http::new(&self.http, &self.feed, self.selector.as_deref(), self.order)
    }

    /// Returns the sse source, whatever `--source` names.
    ///
    /// # Errors
    ///
    /// As [`Config::build_source`].
    pub fn sse_source(&self) -> Result<Sse, ConfigError> {
        Sse::new(&self.feed, self.order)
    }

    /// Returns the keys and values of the file, unchecked.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn keys_of(file: &Path) -> Result<toml::Table, ConfigError> {
        read(file)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::from(Options::default())
    }
}

impl From<Options> for Config {
    fn from(options: Options) -> Self {
        let source = options.source.unwrap_or(SourceKind::Demo);
        let (data_dir, pace) = match source {
            SourceKind::Demo => (options.demo.data_dir(), Pace::Every(demo::DEFAULT_GAP)),
            _ => ("data".into(), Pace::Real),
        };
        // Rows that a power failure loses can be replayed again.
        let fsync = match source {
            SourceKind::Replay | SourceKind::Har => SyncPolicy::Interval(REPLAY_FSYNC),
            _ => SyncPolicy::Always,
        };
        Self {
            source,
            data_dir: options.data_dir.unwrap_or(data_dir),
            table: options.table.unwrap_or_default(),
            pace: options.pace.unwrap_or(pace),
            rounds: options.rounds,
            selector: options.selector,
            order: options.order.unwrap_or_default(),
            baseline: options.baseline.unwrap_or_default(),
            round_min: options.round_min.unwrap_or(ROUND_MIN),
            fsync: options.fsync.unwrap_or(SyncPolicyArg(fsync)),
            quiet: options.quiet.unwrap_or(false),
            log_format: options.log_format.unwrap_or_default(),
            log: options.log.unwrap_or_else(|| "info".to_owned()),
            metrics_listen: options.metrics_listen,
            read: ReadSettings::of(options.timezone, options.max_multiplier),
            demo: options.demo,
            replay: options.replay,
            browser: options.browser,
            feed: options.feed,
            websocket: options.websocket,
            http: options.http,
        }
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    load_toml(path).map_err(|error| match error {
        FileError::Unreadable { path, source } => ConfigError::Read { path, error: source },
        FileError::Malformed { path, line, text, message } => {
            let message = message.replace('\n', ", ");
            let problem = match flag_of(&text) {
                Some((key, flag)) => format!("{key} (--{flag}): {message}"),
                None => message,
            };
            ConfigError::File { path, line, problem }
        }
    })
}

/// Returns the key that a line of the file sets and the flag of the same name, if there is one.
fn flag_of(line: &str) -> Option<(&str, String)> {
    let key = line.split_once('=')?.0.trim();
    let flag = key.replace('_', "-");
    let command = Options::augment_args(clap::Command::new(""));
    let has_name = |argument: &clap::Arg| argument.get_long() == Some(flag.as_str());
    command.get_arguments().any(has_name).then_some((key, flag))
}

/// Returns the options of `file`, overridden by those set in `flags`. Merging as JSON needs no code per option.
fn merged(file: &Options, flags: &Options) -> Result<Options, ConfigError> {
    let unreadable = |_| ConfigError::flag("data-dir", "a path in the flags is not valid Unicode");
    let mut value = serde_json::to_value(file).map_err(unreadable)?;
    override_with(&mut value, serde_json::to_value(flags).map_err(unreadable)?);
    serde_json::from_value(value).map_err(|error| {
        ConfigError::flag("config", format!("cannot be merged with the flags: {error}"))
    })
}

fn override_with(base: &mut Value, overrides: Value) {
    match (base, overrides) {
        (Value::Object(base), Value::Object(overrides)) => {
            for (key, value) in overrides {
                override_with(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (_, Value::Array(items)) if items.is_empty() => {}
        (base, overrides) => *base = overrides,
    }
}

#[cfg(test)]
mod tests;
