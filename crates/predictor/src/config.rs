//! What the daemon is told to do, checked once before anything is opened.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use rounds::TableName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cli::ServeArgs;
use crate::http::{Base, Token};
use crate::notify;

/// The directory is looked at this often even when nothing announces a change.
pub const SCAN_EVERY: Duration = Duration::from_secs(2);
/// Event streams served at once; one more is refused with 503.
pub const EVENT_STREAMS_MAX: usize = 256;
/// Largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Connections held at once, over all workers.
pub const CONNECTIONS_MAX: usize = 10_000;
/// A client that has not sent its request head by then is cut off.
pub const REQUEST_HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Where the rounds lie unless said otherwise.
const DATA_DIR: &str = "data";
/// Loopback, and the port the original used.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5001);

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

/// Settings of `predictor serve`. Each field has the name of its key in the file; `--print-config` shows them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// Directory with the CSV files; need not exist yet.
    pub data_dir: PathBuf,
    /// Directory of the forecast ledger; inside `data_dir` when absent.
    pub state_dir: Option<PathBuf>,
    /// Tables to serve, the first under the plain addresses; none means the default one.
    pub tables: Vec<TableName>,
    /// Serve whatever tables there are at the start.
    pub all_tables: bool,
    /// Address of dashboard and API.
    pub listen: SocketAddr,
    /// How new rows are noticed.
    pub watch: Watch,
    /// Whether new rows start a training by themselves.
    pub auto_train_enabled: bool,
    /// Host names a request may be addressed to, besides this machine's own.
    pub allowed_hosts: Vec<String>,
    /// File with the token that everyone who asks must know; nobody needs one when absent.
    pub token_file: Option<PathBuf>,
    /// An address that others can reach was asked for without a token.
    pub insecure_no_auth: bool,
    /// What a proxy leaves in front of every path: nothing, or `/aviator`.
    pub base_path: String,
    /// Where messages about trouble go.
    pub notify: notify::Settings,
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
            auto_train_enabled: true,
            allowed_hosts: Vec::new(),
            token_file: None,
            insecure_no_auth: false,
            base_path: String::new(),
            notify: notify::Settings::default(),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file named by `--config` could not be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        message: String,
    },
    /// The data directory is a file.
    #[error("{0} is not a directory; --data-dir takes the directory with aviator_payouts_*.csv")]
    NotADirectory(PathBuf),
    /// Other machines could reach the API.
    #[error(
        "{0} can be reached from other machines: name a file with a token by --token-file, or listen on \
         127.0.0.1; --insecure-no-auth goes without, where everyone on the network may use the API"
    )]
    Exposed(SocketAddr),
    /// A table is named twice.
    #[error("table {0} is named twice")]
    TwiceNamed(TableName),
    /// There is nothing `--all-tables` could mean.
    #[error("--all-tables: {path} cannot be listed: {source}")]
    NoTables {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The token file holds no token.
    #[error("{0}")]
    Token(String),
    /// The base path is no path.
    #[error("{0} is no base path; --base-path takes one like /aviator")]
    BasePath(String),
    /// Messages could not be sent as they are configured.
    #[error("{0}")]
    Notify(#[from] notify::SettingsError),
}

/// The TOML file: the same settings, each optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys have the names of the flags")]
struct File {
    data_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    tables: Option<Vec<TableName>>,
    all_tables: Option<bool>,
    listen: Option<SocketAddr>,
    watch: Option<Watch>,
    auto_train_enabled: Option<bool>,
    allowed_hosts: Option<Vec<String>>,
    token_file: Option<PathBuf>,
    insecure_no_auth: Option<bool>,
    base_path: Option<String>,
    #[serde(default)]
    notify: notify::Settings,
}

impl Config {
    /// Flag over environment over file over default. (The environment is read with the flags.)
    ///
    /// # Errors
    /// When the file cannot be read or has an unknown or ill-typed key, when the data directory is
    /// a file, when the token or the base path is none, or when the address is reachable from outside
    /// without a token and without that being asked for.
    pub fn load(args: &ServeArgs) -> Result<Self, ConfigError> {
        let file = args.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let default = Self::default();
        let config = Self {
            data_dir: args.data_dir.clone().or(file.data_dir).unwrap_or(default.data_dir),
            state_dir: args.state_dir.clone().or(file.state_dir),
            tables: match args.table.as_slice() {
                [] => file.tables.unwrap_or_default(),
                named => named.to_vec(),
            },
            // A flag that names tables wins over a file that wants all.
            all_tables: args.all_tables || args.table.is_empty() && file.all_tables == Some(true),
            listen: args.listen.or(file.listen).unwrap_or(default.listen),
            watch: args.watch.or(file.watch).unwrap_or(default.watch),
            auto_train_enabled: args
                .auto_train
                .or(file.auto_train_enabled)
                .unwrap_or(default.auto_train_enabled),
            allowed_hosts: if args.allowed_host.is_empty() {
                file.allowed_hosts.unwrap_or_default()
            } else {
                args.allowed_host.clone()
            },
            token_file: args.token_file.clone().or(file.token_file),
            base_path: args.base_path.clone().or(file.base_path).unwrap_or_default(),
            insecure_no_auth: args.insecure_no_auth || file.insecure_no_auth == Some(true),
            notify: args.notify.clone().or(file.notify),
        };
        config.check_access()?;
        config.notify.check()?;
        for (place, name) in config.tables.iter().enumerate() {
            if config.tables[..place].contains(name) {
                return Err(ConfigError::TwiceNamed(name.clone()));
            }
        }
        if config.data_dir.is_file() {
            return Err(ConfigError::NotADirectory(config.data_dir));
        }
        Ok(config)
    }

    fn check_access(&self) -> Result<(), ConfigError> {
        if let Some(path) = &self.token_file {
            Token::read(path).map_err(|error| ConfigError::Token(error.to_string()))?;
        } else if !self.listen.ip().is_loopback() && !self.insecure_no_auth {
            return Err(ConfigError::Exposed(self.listen));
        }
        let base = Base::parse(&self.base_path);
        base.map(|_| ()).ok_or_else(|| ConfigError::BasePath(self.base_path.clone()))
    }

    /// What stands in the file, under its own names.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn keys_of(path: &Path) -> Result<toml::Table, ConfigError> {
        read(path)
    }

    /// The tables to serve, never none.
    ///
    /// # Errors
    /// When all there are is wanted and the data directory cannot be listed.
    pub fn tables(&self) -> Result<Vec<TableName>, ConfigError> {
        let mut tables = self.tables.clone();
        if self.all_tables {
            let lacking = |source| ConfigError::NoTables { path: self.data_dir.clone(), source };
            for entry in std::fs::read_dir(&self.data_dir).map_err(lacking)? {
                let name = entry.map_err(lacking)?.file_name();
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

    /// What one of the tables is told.
    #[must_use]
    pub fn of(&self, table: &TableName) -> Self {
        Self {
            data_dir: table.directory(&self.data_dir),
            state_dir: self.state_dir.as_deref().map(|dir| table.directory(dir)),
            ..self.clone()
        }
    }

    /// Where the forecast ledger lies.
    pub fn state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| self.data_dir.join(".predictor"))
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        read(path)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| ConfigError::Malformed {
        path: path.to_owned(),
        message: one_line(&text, &error),
    })
}

fn holds_rounds(directory: &Path) -> bool {
    rounds::csv_names(directory).is_ok_and(|names| !names.is_empty())
}

fn one_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!("line {line}: {message}")
        }
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, args: ServeArgs) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("predictor.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&ServeArgs { config: Some(path), ..args })
    }

    #[test]
    fn without_flags_and_file_the_defaults_hold() {
        assert_eq!(Config::load(&ServeArgs::default()).unwrap(), Config::default());
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = "data_dir = \"a\"\nlisten = \"127.0.0.1:1\"\nwatch = \"scan\"\n";
        let args = ServeArgs { data_dir: Some("b".into()), ..ServeArgs::default() };
        let config = with_file(file, args).unwrap();
        assert_eq!(config.data_dir, PathBuf::from("b"));
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.watch, Watch::Scan);
        assert!(config.auto_train_enabled);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name_and_line() {
        let error = with_file("watch = \"scan\"\nport = 3\n", ServeArgs::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("line 2") && text.contains("port"), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }

    #[test]
    fn an_address_others_can_reach_has_to_be_asked_for() {
        let open =
            ServeArgs { listen: Some("0.0.0.0:5001".parse().unwrap()), ..ServeArgs::default() };
        assert!(matches!(Config::load(&open), Err(ConfigError::Exposed(_))));
        assert!(Config::load(&ServeArgs { insecure_no_auth: true, ..open }).is_ok());
    }

    #[test]
    fn tables_are_those_named_or_all_that_have_files() {
        let dir = tempfile::tempdir().unwrap();
        let file = "aviator_payouts_20260101_000000.csv";
        for place in ["", "eu", "asia"] {
            std::fs::create_dir_all(dir.path().join(place)).unwrap();
            std::fs::write(dir.path().join(place).join(file), "timestamp,multiplier\n").unwrap();
        }
        for place in [".predictor", "empty", "Not A Name"] {
            std::fs::create_dir(dir.path().join(place)).unwrap();
        }
        let names = |args: ServeArgs| -> Vec<String> {
            let args = ServeArgs { data_dir: Some(dir.path().to_owned()), ..args };
            let tables = Config::load(&args).unwrap().tables().unwrap();
            tables.iter().map(ToString::to_string).collect()
        };
        let two = vec!["us".parse().unwrap(), "eu".parse().unwrap()];
        assert_eq!(names(ServeArgs::default()), ["default"]);
        assert_eq!(names(ServeArgs { table: two, ..ServeArgs::default() }), ["us", "eu"]);
        let all = ServeArgs { all_tables: true, ..ServeArgs::default() };
        assert_eq!(names(all), ["default", "asia", "eu"]);
    }

    #[test]
    fn a_table_has_directories_of_its_own() {
        let config = Config { state_dir: Some("s".into()), ..Config::default() };
        let table = config.of(&"eu".parse().unwrap());
        assert_eq!(table.data_dir, PathBuf::from("data/eu"));
        assert_eq!(table.state_dir(), PathBuf::from("s/eu"));
        assert_eq!(config.of(&TableName::default()), config);
    }

    #[test]
    fn a_table_is_named_once() {
        let args = ServeArgs { table: vec![TableName::default(); 2], ..ServeArgs::default() };
        assert!(matches!(Config::load(&args), Err(ConfigError::TwiceNamed(_))));
    }

    #[test]
    fn a_token_opens_an_address_others_can_reach() {
        let token = tempfile::NamedTempFile::new().unwrap();
        let args = ServeArgs {
            listen: Some("0.0.0.0:5001".parse().unwrap()),
            token_file: Some(token.path().to_owned()),
            ..ServeArgs::default()
        };
        assert!(matches!(Config::load(&args), Err(ConfigError::Token(_))), "it is empty");
        std::fs::write(token.path(), "correct-horse-battery\n").unwrap();
        assert!(Config::load(&args).is_ok());
    }

    #[test]
    fn a_base_path_is_a_path() {
        let load = |path: &str| {
            Config::load(&ServeArgs { base_path: Some(path.to_owned()), ..ServeArgs::default() })
        };
        assert!(load("/aviator").is_ok());
        assert!(matches!(load("aviator?"), Err(ConfigError::BasePath(_))));
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let args = ServeArgs { data_dir: Some(file.path().to_owned()), ..ServeArgs::default() };
        assert!(matches!(Config::load(&args), Err(ConfigError::NotADirectory(_))));
    }
}
