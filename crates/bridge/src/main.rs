//! The `bridge` program.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use bridge::config::{
    ConfigError, InitOptions, KeyOptions, LogOptions, MergeOptions, PullOptions, PushOptions,
};
use bridge::hub::{self, Hub, HubError};
use bridge::merge::MergeError;
use bridge::pull::PullError;
use bridge::push::{State, StateError};
use bridge::{merge, nkey, pull, push};
use clap::{CommandFactory, Parser, Subcommand};
use daemon::log;
use daemon::manual::ManualCommand;
use daemon::output::{in_one_line, say};
use daemon::signals::Signals;
use rounds::LogError;
use tokio_util::sync::CancellationToken;

const FAILED: u8 = 1;
const BAD_USAGE: u8 = 2;
const LOCKED: u8 = 3;

/// Carries rounds between machines through a NATS server.
#[derive(Parser, Debug)]
#[command(name = "bridge", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    log: LogOptions,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Send the rows of a collector's files to the hub, each once, and keep sending new ones
    Push(PushOptions),
    /// Write the hub's rounds into a directory, each once, and keep writing new ones
    Pull(PullOptions),
    /// Merge recordings of one table without round ids: rounds that one missed are taken from another
    Merge(MergeOptions),
    /// Create the stream of a table at the hub, with limits that you choose
    Init(InitOptions),
    /// Create a key for --nkey and print its public half for the hub's configuration
    Key(KeyOptions),
    /// Completions and manual pages.
    #[command(flatten)]
    Manual(ManualCommand),
}

const EXAMPLES: &str = "\
Examples:
  bridge push --data-dir data --table spribe --site attic --hub nats://hub.example:4222 --nkey attic.nk --ca-file ca.pem
  bridge pull --data-dir pulled/spribe --table spribe --hub nats://hub.example:4222 --nkey reader.nk --ca-file ca.pem
  bridge merge --from attic=pulled/attic --from cellar=pulled/cellar --data-dir data --follow
  bridge key attic.nk

docs/many-machines.md explains when you need the bridge and how to set up the hub.
Most options can also be set in the environment (AVIATOR_HUB for --hub).
Exit codes: 0 done or stopped, 1 failed, 2 bad usage, configuration, credentials or stream, 3 the directory is in use by another program.";

fn main() -> ExitCode {
    // Fails only if a provider is already installed, which is fine.
    drop(rustls::crypto::ring::default_provider().install_default());
    let cli = Cli::parse();
    let done = start_log(&cli.log).and_then(|()| act(&cli.command));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bridge: {}", in_one_line(&error)));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn act(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Push(options) => {
            let push = options.push()?;
            let mut state = State::open(&options.state_dir(), &push.table)?;
            push::run(&push, &mut state, &listen_for_shutdown()?)?;
        }
        Command::Pull(options) => pull::run(&options.pull()?, &listen_for_shutdown()?)?,
        Command::Merge(options) => {
            let counts = merge::run(&options.merge(), &listen_for_shutdown()?)?;
            let merge::MergeCounts { written, conflicts, no_room, unplaced } = counts;
            tracing::info!(written, conflicts, no_room, unplaced, "Merged.");
        }
        Command::Init(options) => {
            let (access, table, limits) = options.init()?;
            let table_stream = hub::run(async {
                Hub::connect(&access, 1).await?.stream_for(&table, limits).await
            })?;
            let config = &table_stream.stream.cached_info().config;
            tracing::info!(
                stream = config.name,
                max_bytes = config.max_bytes,
                replicas = config.num_replicas,
                "The stream is ready."
            );
        }
        Command::Key(options) => {
            let public = nkey::create(&options.file)
                .with_context(|| format!("creating {}", options.file.display()))?;
            writeln!(stdout(), "{public}").context("printing")?;
        }
        Command::Manual(manual) => manual.run(Cli::command())?,
    }
    Ok(())
}

/// Returns a token that the first signal cancels; a second signal ends the program at once.
fn listen_for_shutdown() -> anyhow::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen().context("listening for signals")?
    };
    let listen = move || {
        runtime.block_on(async {
            let signal = signals.next().await;
            tracing::info!(signal, "Stopping.");
            token.cancel();
            signals.next().await;
        });
        say("bridge: stopped at once; acknowledged rows are kept");
        #[expect(clippy::exit, reason = "files and stream are consistent at all times")]
        std::process::exit(i32::from(FAILED));
    };
    thread::Builder::new().name("signals".to_owned()).spawn(listen).context("starting a thread")?;
    Ok(shutdown)
}

fn start_log(options: &LogOptions) -> anyhow::Result<()> {
    log::start(&options.log, options.log_format)
        .map_err(|error| ConfigError { flag: "log", problem: error.to_string() })?;
    Ok(())
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let is_bad_usage =
        |error: &HubError| error.is_permanent() && !matches!(error, HubError::Runtime(_));
    if error.downcast_ref::<ConfigError>().is_some() {
        return BAD_USAGE;
    }
    if let Some(error) = error.downcast_ref::<HubError>() {
        return if is_bad_usage(error) { BAD_USAGE } else { FAILED };
    }
    if let Some(error) = error.downcast_ref::<MergeError>() {
        return match error {
            MergeError::Log(LogError::Locked { .. }) => LOCKED,
            MergeError::Log(LogError::Mixed { .. }) | MergeError::Mismatch(_) => BAD_USAGE,
            _ => FAILED,
        };
    }
    match (error.downcast_ref::<PullError>(), error.downcast_ref::<StateError>()) {
        (Some(PullError::Hub(error)), _) if is_bad_usage(error) => BAD_USAGE,
        (Some(PullError::Log(LogError::Locked { .. })), _) | (_, Some(StateError::Locked(_))) => {
            LOCKED
        }
        (Some(PullError::Log(LogError::Mixed { .. })), _) => BAD_USAGE,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flag_is_defined_twice() {
        Cli::command().debug_assert();
    }
}
