//! What the collector is told: flag, else environment variable `AVIATOR_…`, else TOML file, else default.

pub mod print_config;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use daemon::config::{FileError, load_toml};
use daemon::log;
use rounds::TableName;
use rounds::disk::SyncPolicy;
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
use crate::sources::http::{Http, HttpOptions};
use crate::sources::pacing::Pace;
use crate::sources::replay::{Replay, ReplayOptions};
use crate::sources::websocket::{WebSocket, WebSocketOptions};

/// The shortest round there is: five seconds of betting, one of pause.
const ROUND_MIN: DurationArg = DurationArg(Duration::from_secs(6));
const REPLAY_FSYNC: Duration = Duration::from_secs(5);

/// Everything that can be said in a flag, in the environment or in the configuration file; each field is one flag and one
/// key, and each of the inner structs one `[section]`.
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
        value_name = "demo|replay|browser|websocket|http"
    )]
    pub source: Option<SourceKind>,

    /// Directory of the CSV files [default: data/demo for the demo, else data]
    #[arg(long, env = "AVIATOR_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Which table is recorded: its files lie in the sub-directory of its name, those of `default` in the directory itself
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

    /// browser, websocket, http: where the newest round of a list stands [default: newest-first]
    #[arg(long, env = "AVIATOR_ORDER", value_enum, value_name = "ORDER")]
    pub order: Option<Order>,

    /// What to write of the first list ever seen [default: none]
    #[arg(long, env = "AVIATOR_BASELINE", value_enum, value_name = "WHICH")]
    pub baseline: Option<Baseline>,

    /// browser, websocket, http: the shortest time between two rounds of the game [default: 6s]
    #[arg(long, env = "AVIATOR_ROUND_MIN", value_name = "TIME")]
    pub round_min: Option<DurationArg>,

    /// When rows are made to survive a loss of power: row, never, or every so often [default: row, 5s for a replay]
    #[arg(long, env = "AVIATOR_FSYNC", value_name = "row|TIME|never")]
    pub fsync: Option<SyncPolicyArg>,

    /// No console line for each round
    #[arg(long, env = "AVIATOR_QUIET", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub quiet: Option<bool>,

    /// Form of the log on stderr: auto is pretty on a terminal and JSON otherwise [default: auto]
    #[arg(long, env = "AVIATOR_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub log_format: Option<log::Format>,

    /// What is logged: error, warn, info, debug, or a filter such as collector=debug [default: info]
    #[arg(long, env = "AVIATOR_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// Answer /metrics, /healthz and /readyz on this address of this machine, such as 127.0.0.1:5002 [default: nowhere]
    #[arg(long, env = "AVIATOR_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// The demo's own.
    #[command(flatten)]
    pub demo: DemoOptions,

    /// The replay's own.
    #[command(flatten)]
    pub replay: ReplayOptions,

    /// The browser source's own.
    #[command(flatten)]
    pub browser: BrowserOptions,

    /// What websocket and http share.
    #[command(flatten)]
    pub feed: FeedOptions,

    /// The websocket source's own.
    #[command(flatten)]
    pub websocket: WebSocketOptions,

    /// The http source's own.
    #[command(flatten)]
    pub http: HttpOptions,
}

/// What the collector does, checked and with every default filled in; the sources' own options are checked by the sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where rounds come from.
    pub source: SourceKind,
    /// Directory of the default table's CSV files, and above those of the others.
    pub data_dir: PathBuf,
    /// Which table is recorded.
    pub table: TableName,
    /// Speed of a demo or a replay.
    pub pace: Pace,
    /// End of a demo or a replay.
    pub rounds: Option<u64>,
    /// CSS selector of one entry of the list.
    pub selector: Option<String>,
    /// Where the newest round of a list stands.
    pub order: Order,
    /// What to write of the first list ever seen.
    pub baseline: Baseline,
    /// The shortest time between two rounds of the game.
    pub round_min: DurationArg,
    /// When rows are made to survive a loss of power.
    pub fsync: SyncPolicyArg,
    /// No console line for each round.
    pub quiet: bool,
    /// Form of the log.
    pub log_format: log::Format,
    /// What is logged.
    pub log: String,
    /// Where metrics are to be had.
    pub metrics_listen: Option<SocketAddr>,
    /// The demo's own.
    pub demo: DemoOptions,
    /// The replay's own.
    pub replay: ReplayOptions,
    /// The browser source's own.
    pub browser: BrowserOptions,
    /// What websocket and http share.
    pub feed: FeedOptions,
    /// The websocket source's own.
    pub websocket: WebSocketOptions,
    /// The http source's own.
    pub http: HttpOptions,
}

impl Config {
    /// The configuration out of `flags` (with the environment already in them) and the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read or has an unknown key or a wrong value, named by file and line.
    pub fn load(flags: &Options, file: Option<&Path>) -> Result<Self, ConfigError> {
        let told = match file {
            Some(path) => overlaid(&read(path)?, flags)?,
            None => flags.clone(),
        };
        match told.metrics_listen {
            Some(address) if !address.ip().is_loopback() => Err(ConfigError::flag(
                "metrics-listen",
                format!(
                    "{address} can be reached from other machines; only addresses such as 127.0.0.1:5002 are taken"
                ),
            )),
            _ => Ok(Self::from(told)),
        }
    }

    /// Where this table's CSV files lie.
    pub fn directory(&self) -> PathBuf {
        self.table.directory(&self.data_dir)
    }

    /// Returns the source that `--source` names; opens nothing yet.
    ///
    /// # Errors
    ///
    /// An option of the source is missing or wrong; the error names its flag or key.
    pub fn build_source(&self) -> Result<Source, ConfigError> {
        Ok(match self.source {
            SourceKind::Demo => {
                Source::Demo(Box::new(Demo::new(&self.demo, self.pace, self.rounds)))
            }
            SourceKind::Replay => {
                Source::Replay(Box::new(Replay::new(&self.replay, self.pace, self.rounds)?))
            }
            SourceKind::Browser => Source::Browser(Box::new(self.browser_source()?)),
            SourceKind::WebSocket => Source::WebSocket(Box::new(self.websocket_source()?)),
            SourceKind::Http => Source::Http(Box::new(self.http_source()?)),
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

    /// What stands in the file, under its own names.
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
    fn from(told: Options) -> Self {
        let source = told.source.unwrap_or(SourceKind::Demo);
        let (data_dir, pace) = match source {
            SourceKind::Demo => ("data/demo", Pace::Every(demo::DEFAULT_GAP)),
            _ => ("data", Pace::Real),
        };
        // What is replayed can be replayed again.
        let fsync = match source {
            SourceKind::Replay => SyncPolicy::Interval(REPLAY_FSYNC),
            _ => SyncPolicy::Always,
        };
        Self {
            source,
            data_dir: told.data_dir.unwrap_or_else(|| PathBuf::from(data_dir)),
            table: told.table.unwrap_or_default(),
            pace: told.pace.unwrap_or(pace),
            rounds: told.rounds,
            selector: told.selector,
            order: told.order.unwrap_or_default(),
            baseline: told.baseline.unwrap_or_default(),
            round_min: told.round_min.unwrap_or(ROUND_MIN),
            fsync: told.fsync.unwrap_or(SyncPolicyArg(fsync)),
            quiet: told.quiet.unwrap_or(false),
            log_format: told.log_format.unwrap_or_default(),
            log: told.log.unwrap_or_else(|| "info".to_owned()),
            metrics_listen: told.metrics_listen,
            demo: told.demo,
            replay: told.replay,
            browser: told.browser,
            feed: told.feed,
            websocket: told.websocket,
            http: told.http,
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

/// The key that a line sets, and the flag that says the same, if there is one.
fn flag_of(line: &str) -> Option<(&str, String)> {
    let key = line.split_once('=')?.0.trim();
    let flag = key.replace('_', "-");
    let command = Options::augment_args(clap::Command::new(""));
    let is_it = |argument: &clap::Arg| argument.get_long() == Some(flag.as_str());
    command.get_arguments().any(is_it).then_some((key, flag))
}

/// `file` with what `flags` say laid over it, key by key. Through JSON, so that a new option is one line and not three.
fn overlaid(file: &Options, flags: &Options) -> Result<Options, ConfigError> {
    let unreadable = |_| ConfigError::flag("data-dir", "a path in the flags is not valid Unicode");
    let mut merged = serde_json::to_value(file).map_err(unreadable)?;
    lay_over(&mut merged, serde_json::to_value(flags).map_err(unreadable)?);
    serde_json::from_value(merged).map_err(|error| {
        ConfigError::flag("config", format!("cannot be joined with the flags: {error}"))
    })
}

fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                lay_over(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (_, Value::Array(items)) if items.is_empty() => {}
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests;
