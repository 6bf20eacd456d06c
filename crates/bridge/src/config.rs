//! Command-line options: flag, else environment variable `AVIATOR_…`, else default.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use daemon::log;
use rounds::{Multiplier, Origin, ReadSettings, TableName, TimeZoneOfRows, grants};
use thiserror::Error;

use crate::hub::stream::StreamLimits;
use crate::hub::{Access, Address, Credentials};
use crate::merge::{Merge, MergeSource};
use crate::pull::Pull;
use crate::push::Push;
use crate::subject::Table;

/// A flag has an unusable value. Nothing has been opened yet; the program exits with 2.
#[derive(Debug, Error)]
#[error("--{flag}: {problem}")]
pub struct ConfigError {
    /// Name of the flag, without dashes.
    pub flag: &'static str,
    /// What is wrong with it, and what to do.
    pub problem: String,
}

/// How to reach the hub.
#[derive(Args, Clone, Debug)]
pub struct HubOptions {
    /// The NATS server, or several of a cluster separated by commas
    #[arg(long, env = "AVIATOR_HUB", value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    pub hub: Address,

    /// The table
    #[arg(long, env = "AVIATOR_TABLE", value_name = "NAME", default_value = "default")]
    pub table: TableName,

    /// Credentials file of a NATS account
    #[arg(long, env = "AVIATOR_CREDS", value_name = "FILE", conflicts_with = "nkey")]
    pub creds: Option<PathBuf>,

    /// Key created by `bridge key`
    #[arg(long, env = "AVIATOR_NKEY", value_name = "FILE")]
    pub nkey: Option<PathBuf>,

    /// Certificate of the authority that signed the hub's certificate, PEM
    #[arg(long, env = "AVIATOR_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Connect to a hub on another machine without TLS: anyone on the network path can read and change the rounds
    #[arg(long, env = "AVIATOR_PLAIN", num_args = 0..=1, default_missing_value = "true", default_value = "false", value_name = "BOOL")]
    pub plain: bool,
}

impl HubOptions {
    fn access(&self, what: &str) -> Result<Access, ConfigError> {
        let readable = |flag, file: &Option<PathBuf>| match file {
            Some(file) => std::fs::File::open(file).map(drop).map_err(|error| ConfigError {
                flag,
                problem: format!("{}: {error}", file.display()),
            }),
            None => Ok(()),
        };
        readable("creds", &self.creds)?;
        readable("nkey", &self.nkey)?;
        readable("ca-file", &self.ca_file)?;
        if self.plain && self.ca_file.is_some() {
            let problem = "contradicts --ca-file, which requires TLS".to_owned();
            return Err(ConfigError { flag: "plain", problem });
        }
        let creds = self.creds.clone().map(Credentials::Creds);
        let credentials = creds.or_else(|| self.nkey.clone().map(Credentials::Nkey));
        let file = credentials.as_ref().map(Credentials::file);
        if let Some(file) = file.filter(|file| grants(file, 0o004)) {
            tracing::warn!(file = %file.display(), "Every user of this machine can read these credentials; protect them with chmod 600.");
        }
        Ok(Access {
            needs_tls: self.ca_file.is_some() || !(self.plain || self.hub.is_local()),
            address: self.hub.clone(),
            ca_file: self.ca_file.clone(),
            credentials,
            client: format!("aviator bridge {what} {}", self.table),
        })
    }
}

/// How rows are read; the defaults are those of [`ReadSettings`].
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct RowOptions {
    /// Time zone of times without an offset: `America/Sao_Paulo`, `-03:00` or `local` [default: local]
    #[arg(long, value_name = "ZONE", env = "AVIATOR_TIMEZONE", allow_hyphen_values = true)]
    pub timezone: Option<TimeZoneOfRows>,

    /// Reject rows with larger multipliers [default: 1000000]
    #[arg(long, value_name = "MULTIPLIER", env = "AVIATOR_MAX_MULTIPLIER")]
    pub max_multiplier: Option<Multiplier>,
}

impl RowOptions {
    /// Returns the settings, with defaults for what is not given.
    pub fn settings(self) -> ReadSettings {
        ReadSettings::of(self.timezone, self.max_multiplier)
    }
}

/// `bridge push`
#[derive(Args, Clone, Debug)]
pub struct PushOptions {
    /// The hub.
    #[command(flatten)]
    pub hub: HubOptions,

    /// Directory of the collector's CSV files; a table other than `default` has its own sub-directory in it
    #[arg(long, env = "AVIATOR_DATA_DIR", value_name = "DIR", default_value = "data")]
    pub data_dir: PathBuf,

    /// The name of this machine among those that record the table
    #[arg(long, env = "AVIATOR_SITE", value_name = "NAME")]
    pub site: TableName,

    /// Directory of the state file, which records how much has been pushed [default: .bridge in the table's directory]
    #[arg(long, env = "AVIATOR_BRIDGE_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Maximum number of rows in flight
    #[arg(long, env = "AVIATOR_IN_FLIGHT", value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub in_flight: u16,

    /// Stop once every row in the files is at the hub
    #[arg(long)]
    pub once: bool,

    /// How rows are read.
    #[command(flatten)]
    pub rows: RowOptions,
}

impl PushOptions {
    /// Returns what to push.
    ///
    /// # Errors
    /// A flag has an unusable value.
    pub fn push(&self) -> Result<Push, ConfigError> {
        Ok(Push {
            access: self.hub.access(&format!("push {} of", self.site))?,
            dir: self.dir(),
            table: self.hub.table.clone(),
            site: self.site.clone(),
            in_flight: usize::from(self.in_flight),
            once: self.once,
            read: self.rows.settings(),
        })
    }

    /// Returns the directory of the state file.
    pub fn state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| self.dir().join(".bridge"))
    }

    /// Returns the directory of the table, the same as the collector's.
    fn dir(&self) -> PathBuf {
        self.hub.table.directory(&self.data_dir)
    }
}

/// `bridge pull`
#[derive(Args, Clone, Debug)]
pub struct PullOptions {
    /// The hub.
    #[command(flatten)]
    pub hub: HubOptions,

    /// Directory for the CSV files, into which no collector writes; a table other than `default` gets its own sub-directory
    #[arg(long, env = "AVIATOR_DATA_DIR", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Pull only rows without ids from this site; repeat it for a machine that replaced the first one
    #[arg(long, env = "AVIATOR_ONLY_SITE", value_name = "NAME", value_delimiter = ',')]
    pub only_site: Vec<TableName>,

    /// Seconds between two syncs of a file: rows lost in a power failure are pulled again
    #[arg(long, env = "AVIATOR_SYNC_SECONDS", value_name = "N", default_value_t = 1)]
    pub sync_seconds: u32,

    /// Stop once every round at the hub is in the files
    #[arg(long)]
    pub once: bool,
}

impl PullOptions {
    /// Returns what to pull.
    ///
    /// # Errors
    /// A flag has an unusable value.
    pub fn pull(&self) -> Result<Pull, ConfigError> {
        Ok(Pull {
            access: self.hub.access("pull")?,
            dir: self.hub.table.directory(&self.data_dir),
            table: self.hub.table.clone(),
            only_sites: self.only_site.clone(),
            sync_interval: Duration::from_secs(self.sync_seconds.into()),
            once: self.once,
        })
    }
}

/// `bridge merge`
#[derive(Args, Clone, Debug)]
pub struct MergeOptions {
    /// A recording of the table and the machine it comes from; times are converted to the clock of the first one
    #[arg(long, value_name = "NAME=DIR", required = true)]
    pub from: Vec<MergeSource>,

    /// Directory for the merged series, into which no collector writes
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Keep running and merge new rounds as they are recorded
    #[arg(long)]
    pub follow: bool,

    /// How rows are read.
    #[command(flatten)]
    pub rows: RowOptions,
}

impl MergeOptions {
    /// Returns what to merge.
    pub fn merge(&self) -> Merge {
        Merge {
            from: self.from.clone(),
            dir: self.data_dir.clone(),
            follow: self.follow,
            read: self.rows.settings(),
        }
    }
}

/// `bridge init`
#[derive(Args, Clone, Debug)]
pub struct InitOptions {
    /// The hub.
    #[command(flatten)]
    pub hub: HubOptions,

    /// Origin of the table's rounds
    #[arg(long, value_parser = origin_parser(), value_name = "ORIGIN", default_value = "recorded")]
    pub origin: Origin,

    /// Number of servers in a cluster that keep a copy
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,

    /// MiB that each server reserves for the table; when they are full, the hub rejects rows, which stay in their files
    /// [default: all tables share what the server has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    pub max_mib: Option<u64>,

    /// Days for which the hub keeps rounds, at least 7; pulled files keep older rounds [default: forever]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(7..=36500))]
    pub keep_days: Option<u32>,
}

/// Seconds per day.
const DAY: u64 = 24 * 60 * 60;

/// Returns the parser of an origin, which lists all of them in the help.
fn origin_parser() -> impl TypedValueParser<Value = Origin> {
    let values = Origin::ALL.map(|origin| {
        PossibleValue::new(origin.word()).help(match origin {
            Origin::Recorded => "Recorded live from a game",
            Origin::Replayed => "Recorded earlier and played back",
            Origin::Simulated => "Generated by the demo source",
        })
    });
    PossibleValuesParser::new(values).map(|word| {
        let origin = Origin::ALL.into_iter().find(|origin| origin.word() == word);
        origin.expect("only the words of origins are possible values")
    })
}

impl InitOptions {
    /// Returns the hub, the table and its limits.
    ///
    /// # Errors
    /// A flag has an unusable value.
    pub fn init(&self) -> Result<(Access, Table, StreamLimits), ConfigError> {
        let days = u64::from(self.keep_days.unwrap_or_default());
        let limits = StreamLimits {
            bytes: self.max_mib.map(|mib| mib << 20),
            replicas: self.replicas.into(),
            keep: Duration::from_secs(days * DAY),
        };
        let table = Table { name: self.hub.table.clone(), origin: self.origin };
        Ok((self.hub.access("init")?, table, limits))
    }
}

/// `bridge key`
#[derive(Args, Clone, Debug)]
pub struct KeyOptions {
    /// New file for the secret half
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Log options.
#[derive(Args, Clone, Debug)]
pub struct LogOptions {
    /// Log format on stderr: auto is pretty on a terminal and JSON otherwise
    #[arg(
        long,
        env = "AVIATOR_LOG_FORMAT",
        value_enum,
        value_name = "FORMAT",
        default_value = "auto",
        global = true
    )]
    pub log_format: log::Format,

    /// What is logged: error, warn, info, debug, or a filter such as bridge=debug
    #[arg(
        long,
        env = "AVIATOR_LOG",
        value_name = "FILTER",
        default_value = "info,async_nats=error",
        global = true
    )]
    pub log: String,
}
