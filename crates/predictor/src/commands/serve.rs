//! `predictor serve`: runs the daemon.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{ArgMatches, Args};
use daemon::config::parse_address;
use daemon::signals::Signals;
use daemon::{log, systemd as service_manager};
use rounds::TableName;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::Application;
use crate::commands::UsageError;
use crate::commands::data_place::DataPlace;
use crate::commands::read_args::ReadArgs;
use crate::commands::{output, print_config, startup_banner};
use crate::config::game_settings::limit;
use crate::config::{AlertSettings, ApiFormat, Config, ConfigError, GameSettings, Watch};
use crate::{alerts, systemd};

/// Flags of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// The settings.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Open the dashboard in the browser
    #[arg(long)]
    pub open: bool,
    /// Print each setting with its value and origin, and exit
    #[arg(long)]
    pub print_config: bool,
}

/// The settings of the daemon, shared by its commands.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Directory with `aviator_payouts_*.csv`; it may appear later. Without it the predictor looks for rounds in
    /// `data`, its sub-directories and the working directory [default: data]
    #[arg(long, value_name = "DIR", env = "AVIATOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Directory of the forecast ledger [default: .predictor in the data directory]
    #[arg(long, value_name = "DIR", env = "AVIATOR_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Table to serve; its files are in the sub-directory of its name (those of `default` in the data
    /// directory itself); may be given more than once [default: default]
    #[arg(long, value_name = "NAME", env = "AVIATOR_TABLES", value_delimiter = ',')]
    pub table: Vec<TableName>,
    /// Serve every table that has files at start-up: the data directory and its sub-directories
    #[arg(long, env = "AVIATOR_ALL_TABLES", conflicts_with = "table")]
    pub all_tables: bool,
    /// Address and port of dashboard and API [default: 127.0.0.1:5001]
    #[arg(long, value_name = "ADDRESS", env = "AVIATOR_LISTEN", value_parser = parse_address)]
    pub listen: Option<SocketAddr>,
    /// TOML file with the same settings
    #[arg(long, value_name = "FILE", env = "AVIATOR_PREDICTOR_CONFIG")]
    pub config: Option<PathBuf>,
    /// How new rows are noticed: `scan` scans every 2 s, `notify` also uses notifications of the file
    /// system, `auto` uses them where they work [default: auto]
    #[arg(long, value_enum, value_name = "HOW", env = "AVIATOR_WATCH")]
    pub watch: Option<Watch>,
    /// How rows are read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Which game's rounds are read.
    #[command(flatten)]
    pub game: GameSettings,
    /// Whether new rows start trainings automatically [default: true]
    #[arg(long, value_name = "BOOL", env = "AVIATOR_AUTO_TRAIN")]
    pub auto_train: Option<bool>,
    /// Further host name that requests may be addressed to; may be given more than once
    #[arg(long, value_name = "HOST", env = "AVIATOR_ALLOWED_HOST", value_delimiter = ',')]
    pub allowed_host: Vec<String>,
    /// File with the token that clients must send; required on an address that other machines can reach
    #[arg(long, value_name = "FILE", env = "AVIATOR_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Prefix that a proxy leaves on every path, such as /aviator
    #[arg(long, value_name = "PATH", env = "AVIATOR_BASE_PATH")]
    pub base_path: Option<String>,
    /// Form of times in the answers of the Python original's routes: `legacy` is the original's, in local time
    /// [default: rfc3339]
    #[arg(long, value_enum, value_name = "FORMAT", env = "AVIATOR_API_FORMAT")]
    pub api_format: Option<ApiFormat>,
    /// Allow an address that other machines can reach without a token: anyone there can use the API
    #[arg(long)]
    pub insecure_no_auth: bool,
    /// Which services receive alerts.
    #[command(flatten)]
    pub notify: AlertSettings,
    /// Format of log lines
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", env = "AVIATOR_LOG_FORMAT")]
    pub log_format: log::Format,
}

impl ServeArgs {
    /// Returns the settings from these flags and the file of `--config`: flag over environment over file
    /// over default. (The environment is read with the flags.)
    ///
    /// # Errors
    /// The file cannot be read or has an unknown or ill-typed key, the data directory is a file, the token
    /// or the base path is malformed, or other machines could reach the address without a token although
    /// that was not allowed.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let file = Config::file(self.config.as_deref())?;
        let default = Config::default();
        let game = self.game.or(file.game).parameters()?;
        let config = Config {
            data_dir: self.data_dir.clone().or(file.data_dir).unwrap_or(default.data_dir),
            state_dir: self.state_dir.clone().or(file.state_dir),
            tables: match self.table.as_slice() {
                [] => file.tables.unwrap_or_default(),
                named => named.to_vec(),
            },
            // A flag that names tables wins over `all_tables` in the file.
            all_tables: self.all_tables || self.table.is_empty() && file.all_tables == Some(true),
            listen: self.listen.or(file.listen).unwrap_or(default.listen),
            watch: self.watch.or(file.watch).unwrap_or(default.watch),
            timezone: self.read.timezone.or(file.timezone).unwrap_or(default.timezone),
            max_multiplier: self
                .read
                .max_multiplier
                .or(file.max_multiplier)
                .unwrap_or_else(|| limit(&game)),
            game,
            auto_train_enabled: self
                .auto_train
                .or(file.auto_train_enabled)
                .unwrap_or(default.auto_train_enabled),
            allowed_hosts: if self.allowed_host.is_empty() {
                file.allowed_hosts.unwrap_or_default()
            } else {
                self.allowed_host.clone()
            },
            token_file: self.token_file.clone().or(file.token_file),
            base_path: self.base_path.clone().or(file.base_path).unwrap_or_default(),
            api_format: self.api_format.or(file.api_format).unwrap_or_default(),
            insecure_no_auth: self.insecure_no_auth || file.insecure_no_auth == Some(true),
            notify: self.notify.clone().or(file.notify),
        };
        config.checked()
    }
}

impl ServeArgs {
    /// Returns whether to search for rounds, which is so if neither a directory nor a table is
    /// named.
    ///
    /// # Errors
    /// The file of `--config` cannot be read.
    pub(crate) fn may_search(&self) -> Result<bool, ConfigError> {
        let file = Config::file(self.config.as_deref())?;
        let is_named = self.data_dir.is_some() || file.data_dir.is_some();
        let has_tables = !self.table.is_empty() || file.tables.is_some();
        Ok(!is_named && !has_tables && !self.all_tables && file.all_tables != Some(true))
    }
}

/// Runs the daemon, or prints its settings with `--print-config`.
pub(crate) fn run(
    args: &RunArgs,
    command: &clap::Command,
    matches: &ArgMatches,
) -> anyhow::Result<()> {
    let mut config = args.serve.config()?;
    if args.print_config {
        let file = args.serve.config.as_deref();
        return output::print(&print_config::text(command, matches, &config, file)?);
    }
    let mut may_move = false;
    if args.serve.may_search()? {
        match DataPlace::find(Path::new(".")) {
            DataPlace::Found(place) => config.data_dir = place,
            DataPlace::Several(places) => bail!(UsageError(places.message("predictor"))),
            DataPlace::Nowhere => may_move = true,
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(serve(config, may_move, args.open))
}

/// Serves the directory until a signal arrives. With `may_move`, switches to the first directory in which rounds
/// appear.
async fn serve(mut config: Config, may_move: bool, mut open: bool) -> anyhow::Result<()> {
    let signals = Signals::listen().context("listening for signals")?;
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let mut listener = JoinSet::new();
    listener.spawn(signals.stop_then_exit("predictor", move || {
        service_manager::stopping();
        stop.cancel();
    }));
    let mut may_move = may_move;
    loop {
        let application = Application::build(&config)?;
        // Keep the port when switching to another directory.
        config.listen = application.address();
        let observers = application.observers();
        // Stopped when dropped, after the application has ended.
        let mut companions = JoinSet::new();
        companions.spawn(startup_banner::show(observers.clone(), config.clone(), open));
        companions.spawn(systemd::inform(observers.clone()));
        for observer in observers {
            companions.spawn(alerts::watch(observer));
        }
        let mut place = None;
        let stopping = async {
            tokio::select! {
                () = shutdown.cancelled() => {}
                found = DataPlace::appears(), if may_move => place = Some(found),
            }
        };
        application.run_until(stopping).await?;
        let Some(found) = place else { break };
        tracing::info!(directory = %found.display(), "Rounds appeared; reading them.");
        (config.data_dir, may_move, open) = (found, false, false);
    }
    tracing::info!("Stopped.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, args: ServeArgs) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("predictor.toml");
        std::fs::write(&path, text).unwrap();
        ServeArgs { config: Some(path), ..args }.config()
    }

    #[test]
    fn without_flags_and_file_the_defaults_hold() {
        assert_eq!(ServeArgs::default().config().unwrap(), Config::default());
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
    fn an_address_others_can_reach_must_be_allowed() {
        let open =
            ServeArgs { listen: Some("0.0.0.0:5001".parse().unwrap()), ..ServeArgs::default() };
        assert!(matches!(open.config(), Err(ConfigError::Exposed(_))));
        assert!(ServeArgs { insecure_no_auth: true, ..open }.config().is_ok());
    }

    #[test]
    fn tables_are_those_named_or_all_that_have_files() {
        let dir = tempfile::tempdir().unwrap();
        let file = "aviator_payouts_20260101_000000.csv";
        for sub in ["", "eu", "asia"] {
            std::fs::create_dir_all(dir.path().join(sub)).unwrap();
            std::fs::write(dir.path().join(sub).join(file), "timestamp,multiplier\n").unwrap();
        }
        for sub in [".predictor", "empty", "Not A Name"] {
            std::fs::create_dir(dir.path().join(sub)).unwrap();
        }
        let names = |args: ServeArgs| -> Vec<String> {
            let args = ServeArgs { data_dir: Some(dir.path().to_owned()), ..args };
            let tables = args.config().unwrap().tables().unwrap();
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
        assert!(matches!(args.config(), Err(ConfigError::TwiceNamed(_))));
    }

    #[test]
    fn a_token_allows_an_address_others_can_reach() {
        let token = tempfile::NamedTempFile::new().unwrap();
        let args = ServeArgs {
            listen: Some("0.0.0.0:5001".parse().unwrap()),
            token_file: Some(token.path().to_owned()),
            ..ServeArgs::default()
        };
        assert!(matches!(args.config(), Err(ConfigError::Token(_))), "it is empty");
        std::fs::write(token.path(), "correct-horse-battery\n").unwrap();
        assert!(args.config().is_ok());
    }

    #[test]
    fn a_base_path_is_a_path() {
        let load = |path: &str| {
            ServeArgs { base_path: Some(path.to_owned()), ..ServeArgs::default() }.config()
        };
        assert!(load("/aviator").is_ok());
        assert!(matches!(load("aviator?"), Err(ConfigError::BasePath(_))));
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let args = ServeArgs { data_dir: Some(file.path().to_owned()), ..ServeArgs::default() };
        assert!(matches!(args.config(), Err(ConfigError::NotADirectory(_))));
    }
}
