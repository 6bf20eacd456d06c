//! The `collector` program.

use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use collector::cli::{Cli, Command, Run, Told};
use collector::config::{Config, ConfigError};
use collector::status::Board;
use collector::{effective, metrics, session, supervisor, welcome};
use program::signals::Signals;
use program::words::{in_one_line, print, say};
use program::{log, manual, systemd};
use rounds::LogError;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const FAILED: u8 = 1;
const BAD_USAGE: u8 = 2;
const HELD_BY_ANOTHER: u8 = 3;

/// What may still be running when everything is said and done.
const LEFTOVERS: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    collector::tls::install();
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let ended = match cli.command {
        Some(Command::Run(run)) => record(&run, &matches),
        None => record(&cli.run, &matches),
        Some(Command::Doctor { told, json }) => examine(&told, json),
        Some(Command::Completions { shell }) => done(manual::completions(Cli::command(), shell)),
        Some(Command::Man { dir }) => done(manual::pages(Cli::command(), dir.as_deref())),
    };
    ended.unwrap_or_else(|error| {
        say(&format!("collector: {}", in_one_line(&error)));
        ExitCode::from(code(&error))
    })
}

fn done(result: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}

fn record(run: &Run, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let told = &run.told;
    let config = Config::load(&told.options, told.config.as_deref())?;
    if run.print_config {
        let shown = effective::text(&Cli::command(), matches, &config, told.config.as_deref())?;
        return done(print(shown.as_bytes()));
    }
    start_log(&config)?;
    if stderr().is_terminal() {
        drop(stderr().write_all(welcome::banner(&config).as_bytes()));
    }
    let runtime = Runtime::new().context("starting the runtime")?;
    let recorded = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let signals = Signals::listen().context("listening for signals")?;
        let board = Board::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(obey(signals, shutdown.clone()));
        tasks.spawn(supervisor::inform(board.clone()));
        if let Some(address) = config.metrics_listen {
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("cannot listen on {address}; choose another with --metrics-listen")
            })?;
            let address = listener.local_addr().context("asking for the port")?;
            tracing::info!("Metrics: http://{address}/metrics");
            tasks.spawn(metrics::serve(listener, board.clone()));
        }
        session::run_shown(config, shutdown, board).await
    });
    runtime.shutdown_timeout(LEFTOVERS);
    done(recorded)
}

fn examine(told: &Told, json: bool) -> anyhow::Result<ExitCode> {
    let config = Config::load(&told.options, told.config.as_deref())?;
    let runtime = Runtime::new().context("starting the runtime")?;
    let findings = runtime.block_on(collector::doctor::examine(&config));
    runtime.shutdown_timeout(LEFTOVERS);
    let text = if json {
        collector::doctor::as_json(&findings)
    } else {
        collector::doctor::as_text(&findings)
    };
    print(text.as_bytes())?;
    let failed = findings.iter().any(collector::doctor::Finding::is_failed);
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The first signal asks for an end, the second one does not ask.
async fn obey(mut signals: Signals, shutdown: CancellationToken) {
    let signal = signals.next().await;
    tracing::info!(signal, "Asked to stop.");
    systemd::stopping();
    shutdown.cancel();
    signals.next().await;
    say("collector: stopped at once; what was on the disk stays");
    #[expect(clippy::exit, reason = "every round that was acknowledged is on the disk already")]
    std::process::exit(i32::from(FAILED));
}

fn start_log(config: &Config) -> Result<(), ConfigError> {
    log::start(&config.log, config.log_format)
        .map_err(|error| ConfigError::flag("log", error.to_string()))
}

fn code(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<ConfigError>().is_some() {
        return BAD_USAGE;
    }
    match error.downcast_ref::<LogError>() {
        Some(LogError::Locked { .. }) => HELD_BY_ANOTHER,
        _ => FAILED,
    }
}
