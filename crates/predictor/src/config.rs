//! The settings of the daemon, checked once before anything is opened.

mod alert_settings;
mod base_path;
pub(crate) mod game_settings;
mod secret_ref;
mod token;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use daemon::config::{FileError, load_toml};
use evaluation::game::{GameError, GameParameters};
use rounds::{Multiplier, ReadSettings, TableName, TimeZoneOfRows};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::alert_settings::{AlertSettings, SettingsError};
pub(crate) use self::base_path::BasePath;
pub use self::game_settings::GameSettings;
use self::game_settings::{as_section, limit};
pub use self::secret_ref::SecretRef;
pub(crate) use self::token::{Token, TokenFile, is_exposed};

/// Interval at which the directory is scanned even without a notification.
pub const SCAN_EVERY: Duration = Duration::from_secs(2);
/// Event streams served at once to one address of another machine. A proxy on this machine stands for many clients, so
/// loopback addresses are not counted.
pub(crate) const EVENT_STREAMS_PER_CLIENT_MAX: usize = 64;
/// Event streams served at once; one more is refused with 503.
pub const EVENT_STREAMS_MAX: usize = 256;
/// Largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Maximum number of open connections, over all workers.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Time limit for a client to send its request head.
pub const REQUEST_HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Default data directory.
const DATA_DIR: &str = "data";
/// Default address: loopback, and the port of the Python original.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5001);

/// What to do about a directory with a name that no table can have.
pub(crate) const UNNAMED: &str =
    "rename it; the name of a table is of a-z, 0-9, - and _, and not `default`";

/// How new rows are noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// Listen to the file system where that works, and scan.
    #[default]
    Auto,
    /// Listen to the file system, say so when that fails, and scan.
    Notify,
    /// Only scan.
    Scan,
}

/// The form of times in the answers that clients of the Python original read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ApiFormat {
    /// `2026-01-31T18:30:00.000+00:00`.
    #[default]
    Rfc3339,
    /// `2026-01-31 18:30:00`, the local time of this machine, as the original wrote it.
    Legacy,
}

/// Settings of `predictor serve`. Each field has the name of its key in the file; `--print-config` shows them all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// Directory with the CSV files; need not exist yet.
    pub data_dir: PathBuf,
    /// Directory of the forecast ledger; inside `data_dir` when absent.
    pub state_dir: Option<PathBuf>,
    /// Tables to serve; routes without a table name serve the first. If empty, the default table.
    pub tables: Vec<TableName>,
    /// Serve all tables that exist at start-up.
    pub all_tables: bool,
    /// Address of dashboard and API.
    pub listen: SocketAddr,
    /// How new rows are noticed.
    pub watch: Watch,
    /// Time zone of times without an offset.
    pub timezone: TimeZoneOfRows,
    /// The game whose rounds are read.
    #[serde(serialize_with = "as_section")]
    pub game: GameParameters,
    /// Rows with larger multipliers are rejected; the cap of the game, unless set.
    pub max_multiplier: Multiplier,
    /// Whether new rows start trainings automatically.
    pub auto_train_enabled: bool,
    /// Host names a request may be addressed to, besides this machine's own.
    pub allowed_hosts: Vec<String>,
    /// File with the token that clients must send; without it no token is required.
    pub token_file: Option<PathBuf>,
    /// Allow an address that other machines can reach without a token.
    pub insecure_no_auth: bool,
    /// Prefix that a proxy leaves on every path: nothing, or one like `/aviator`.
    pub base_path: String,
    /// Form of times in `status`, `load_csv`, `predict` and `train` below `/api`, unless a request asks for another.
    pub api_format: ApiFormat,
    /// Services that receive alerts.
    pub notify: AlertSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(DATA_DIR),
            state_dir: None,
            tables: Vec::new(),
            all_tables: false,
            listen: LISTEN,
            watch: Watch::Auto,
            timezone: ReadSettings::default().time_zone,
            game: GameParameters::default(),
            max_multiplier: limit(&GameParameters::default()),
            auto_train_enabled: true,
            allowed_hosts: Vec::new(),
            token_file: None,
            insecure_no_auth: false,
            base_path: String::new(),
            api_format: ApiFormat::default(),
            notify: AlertSettings::default(),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file named by `--config` could not be read.
    #[error("cannot read the configuration file {path} (--config): {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("{path}: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong with it.
        message: String,
    },
    /// The data directory is a file.
    #[error("{0} is not a directory; --data-dir takes the directory with aviator_payouts_*.csv")]
    NotADirectory(PathBuf),
    /// Other machines could reach the API.
    #[error(
        "{0} can be reached from other machines: name a file with a token by --token-file, or listen on \
         127.0.0.1; --insecure-no-auth allows it without, and then everyone on the network can use the API"
    )]
    Exposed(SocketAddr),
    /// A table is named twice.
    #[error("table {0} is named twice")]
    TwiceNamed(TableName),
    /// The tables for `--all-tables` cannot be listed.
    #[error("--all-tables: {path} cannot be listed: {source}")]
    NoTables {
        /// The data directory.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The token file cannot be used.
    #[error("{0}")]
    Token(String),
    /// The base path is malformed.
    #[error("{0} is not a base path; --base-path takes one like /aviator")]
    BasePath(String),
    /// No game has these parameters.
    #[error("[game]: {0}")]
    Game(#[from] GameError),
    /// The alert settings are unusable.
    #[error("{0}")]
    Notify(#[from] SettingsError),
}

/// The TOML file: the settings of [`Config`], each optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) tables: Option<Vec<TableName>>,
    pub(crate) all_tables: Option<bool>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) watch: Option<Watch>,
    pub(crate) timezone: Option<TimeZoneOfRows>,
    pub(crate) max_multiplier: Option<Multiplier>,
    pub(crate) auto_train_enabled: Option<bool>,
    pub(crate) allowed_hosts: Option<Vec<String>>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) insecure_no_auth: Option<bool>,
    pub(crate) base_path: Option<String>,
    pub(crate) api_format: Option<ApiFormat>,
    #[serde(default)]
    pub(crate) game: GameSettings,
    #[serde(default)]
    pub(crate) notify: AlertSettings,
}

impl Config {
    /// Reads the settings of the file at `path`; without a path all are absent.
    pub(crate) fn file(path: Option<&Path>) -> Result<ConfigFile, ConfigError> {
        path.map_or_else(|| Ok(ConfigFile::default()), read)
    }

    /// Checks what can be checked without opening anything but the token's file.
    ///
    /// # Errors
    /// The data directory is a file, a table is named twice, the token or the base path is malformed, or
    /// other machines could reach the address without a token although that was not allowed.
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        self.check_access()?;
        self.notify.check()?;
        for (index, name) in self.tables.iter().enumerate() {
            if self.tables[..index].contains(name) {
                return Err(ConfigError::TwiceNamed(name.clone()));
            }
        }
        if self.data_dir.is_file() {
            return Err(ConfigError::NotADirectory(self.data_dir));
        }
        Ok(self)
    }

    fn check_access(&self) -> Result<(), ConfigError> {
        if let Some(path) = &self.token_file {
            Token::read(path).map_err(|error| ConfigError::Token(error.to_string()))?;
        } else if !self.listen.ip().is_loopback() && !self.insecure_no_auth {
            return Err(ConfigError::Exposed(self.listen));
        }
        let base = BasePath::parse(&self.base_path);
        base.map(|_| ()).ok_or_else(|| ConfigError::BasePath(self.base_path.clone()))
    }

    /// Returns the keys and values of the file, unchecked.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn keys_of(path: &Path) -> Result<toml::Table, ConfigError> {
        read(path)
    }

    /// Returns the tables to serve, at least one.
    ///
    /// # Errors
    /// All tables are to be served, but the data directory cannot be listed.
    pub fn tables(&self) -> Result<Vec<TableName>, ConfigError> {
        let mut tables = self.tables.clone();
        if self.all_tables {
            let no_tables = |source| ConfigError::NoTables { path: self.data_dir.clone(), source };
            for dir in self.unnamed_tables().map_err(no_tables)? {
                tracing::warn!(directory = %dir.display(), reason = UNNAMED, "A directory with rounds is not read.");
            }
            for name in directories(&self.data_dir).map_err(no_tables)? {
                let name = name.to_str().and_then(|name| name.parse::<TableName>().ok());
                tables.extend(name.filter(|name| !name.is_default()));
            }
            tables.push(TableName::default());
            tables.retain(|name| holds_rounds(&name.directory(&self.data_dir)));
            tables.sort();
            tables.sort_by_key(|name| !name.is_default());
        }
        if tables.is_empty() {
            tables.push(TableName::default());
        }
        Ok(tables)
    }

    /// Returns each sub-directory that holds rounds under a name that no table can have.
    ///
    /// # Errors
    /// The data directory cannot be listed.
    pub(crate) fn unnamed_tables(&self) -> std::io::Result<Vec<PathBuf>> {
        let is_unnamed = |name: &OsString| {
            let table = name.to_str().and_then(|name| name.parse::<TableName>().ok());
            table.is_none_or(|name| name.is_default()) && holds_rounds(&self.data_dir.join(name))
        };
        let names = directories(&self.data_dir)?.into_iter().filter(is_unnamed);
        Ok(names.map(|name| self.data_dir.join(name)).collect())
    }

    /// Returns the settings for one table: the same, with the table's own directories.
    #[must_use]
    pub fn of(&self, table: &TableName) -> Self {
        Self {
            data_dir: table.directory(&self.data_dir),
            state_dir: self.state_dir.as_deref().map(|dir| table.directory(dir)),
            ..self.clone()
        }
    }

    /// Returns how rows are read.
    pub(crate) fn read_settings(&self) -> ReadSettings {
        ReadSettings { time_zone: self.timezone, max_multiplier: self.max_multiplier }
    }

    /// Returns the directory of the forecast ledger.
    pub fn state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| self.data_dir.join(".predictor"))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    load_toml(path).map_err(|error| match error {
        FileError::Unreadable { path, source } => ConfigError::Unreadable { path, source },
        FileError::Malformed { path, line, message, .. } => {
            let message = format!("line {line}: {}", message.replace('\n', " "));
            ConfigError::Malformed { path, message }
        }
    })
}

/// Names of what is in a directory, in order.
fn directories(directory: &Path) -> std::io::Result<Vec<OsString>> {
    let entries = std::fs::read_dir(directory)?;
    let mut names: Vec<OsString> =
        entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<_>>()?;
    names.sort();
    Ok(names)
}

fn holds_rounds(directory: &Path) -> bool {
    rounds::csv_names(directory).is_ok_and(|names| !names.is_empty())
}
