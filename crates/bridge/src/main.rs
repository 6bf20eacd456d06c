//! The `bridge` program.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use bridge::cli::{Cli, Command};
use bridge::config::{ConfigError, LogOptions};
use bridge::hub::{self, Hub, HubError};
use bridge::merge::MergeError;
use bridge::pull::PullError;
use bridge::push::{State, StateError};
use bridge::{merge, nkey, pull, push};
use clap::{CommandFactory, Parser};
use daemon::log;
use daemon::output::{in_one_line, say};
use daemon::signals::Signals;
use rounds::LogError;
use tokio_util::sync::CancellationToken;

const FAILED: u8 = 1;
const BAD_USAGE: u8 = 2;
const LOCKED: u8 = 3;

fn main() -> ExitCode {
    // Fails only if a provider is already installed, which is fine.
    drop(rustls::crypto::ring::default_provider().install_default());
    let cli = Cli::parse();
    let done = start_log(&cli.log).and_then(|()| act(&cli.command));
    let code = match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bridge: {}", in_one_line(&error)));
            ExitCode::from(exit_code(&error))
        }
    };
    log::flush();
    code
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
    let signals = {
        let _entered = runtime.enter();
        Signals::listen().context("listening for signals")?
    };
    let listen = move || runtime.block_on(signals.stop_then_exit("bridge", || token.cancel()));
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
