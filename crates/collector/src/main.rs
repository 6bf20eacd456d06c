//! The `collector` program.

use std::io::{IsTerminal, Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use collector::config::{Config, ConfigError, LogFormat, Options};
use collector::session;
use collector::signals::Signals;
use rounds::LogError;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

const FAILED: u8 = 1;
const BAD_USAGE: u8 = 2;
const HELD_BY_ANOTHER: u8 = 3;

/// What may still be running when everything is said and done.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// Records every round of a crash game, each exactly once.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    run: Told,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Record rounds (what happens without a subcommand)
    #[command(after_help = EXAMPLES)]
    Run(Told),
    /// Say what would keep the collector from recording, and what to do about it
    Doctor {
        #[command(flatten)]
        told: Told,

        /// The findings as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args, Debug)]
struct Told {
    /// TOML file with any of these options; see docs/collector.md
    #[arg(long, env = "AVIATOR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "\
Examples:
  collector                                          simulated, provably-fair rounds in data/demo
  collector --source replay --file rounds.csv --pace max --data-dir data/replay
  collector --source browser --cdp http://127.0.0.1:9222
  collector doctor --source browser

Every option can also stand in the environment (AVIATOR_DATA_DIR for --data-dir) or in the file of --config.
A flag wins over the environment, the environment over the file.
Exit codes: 0 asked to stop or done, 1 failed, 2 bad usage or configuration, 3 another collector holds the directory.";

fn main() -> ExitCode {
    collector::tls::install();
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Run(told)) => record(&told),
        None => record(&cli.run),
        Some(Command::Doctor { told, json }) => examine(&told, json),
    };
    done.unwrap_or_else(|error| {
        say(&format!("collector: {}", in_one_line(&error)));
        ExitCode::from(code(&error))
    })
}

/// An error with its causes, each said once: many name their cause in their own words already.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn record(told: &Told) -> anyhow::Result<ExitCode> {
    let config = Config::load(&told.options, told.config.as_deref())?;
    start_log(&config)?;
    let runtime = Runtime::new().context("starting the runtime")?;
    let recorded = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let signals = Signals::listen().context("listening for signals")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(obey(signals, shutdown.clone()));
        session::run(config, shutdown).await
    });
    runtime.shutdown_timeout(LEFTOVERS);
    recorded.map(|()| ExitCode::SUCCESS)
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
    std::io::stdout().write_all(text.as_bytes()).context("printing")?;
    let failed = findings.iter().any(collector::doctor::Finding::is_failed);
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The first signal asks for an end, the second one does not ask.
async fn obey(mut signals: Signals, shutdown: CancellationToken) {
    let signal = signals.next().await;
    tracing::info!(signal, "Asked to stop.");
    shutdown.cancel();
    signals.next().await;
    say("collector: stopped at once; what was on the disk stays");
    #[expect(clippy::exit, reason = "every round that was acknowledged is on the disk already")]
    std::process::exit(i32::from(FAILED));
}

fn start_log(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| ConfigError::flag("log", error.to_string()))?;
    let is_json = match config.log_format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let has_colour = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if is_json {
        log.json().init();
    } else {
        log.with_target(false).with_ansi(has_colour).init();
    }
    Ok(())
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

/// The last words of a program that may have no log yet; if nobody hears them there is nothing to be done.
fn say(line: &str) {
    drop(writeln!(stderr(), "{line}"));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_flag_is_defined_twice() {
        Cli::command().debug_assert();
    }
}
