//! Forecasts the next round of a crash game and measures whether that is worth anything.
//!
//! Start reading at [`engine`]: rounds in, forecasts and their scores out, with no clock, file or
//! thread. `live` feeds it from a directory, `backtest` from a recording; `http` shows what came
//! of it. docs/explanation/architecture.md has the map.

mod application;
mod audit;
mod checkpoint;
mod distribution;
mod doctor;
mod durations;
mod ears;
mod effective;
mod http;
mod intake;
mod journal;
mod keeper;
mod live;
mod packed;
mod predictions;
mod priority;
mod recorder;
mod recording;
mod results;
mod roll;
mod series;
mod snapshot;
mod statistics;
mod supervisor;
mod tables;
mod tail;
mod trainer;
mod trainings;
mod verify;
mod view;
mod welcome;

pub mod backtest;
pub mod chronicle;
pub mod cli;
pub mod config;
pub mod dataset;
pub mod engine;
pub mod ensemble;
pub mod forecast;
pub mod ledger;
pub mod models;
pub mod notify;
pub mod query;
pub mod retrain;
pub mod scorecard;
pub mod workers;

pub use application::Application;
pub use trainer::{EnsembleLearner, Learned, Learner, Member};

use anyhow::Context as _;
use clap::{ArgMatches, CommandFactory as _};
use cli::{Cli, Command, RunArgs};
use config::Config;
use program::signals::Signals;
use program::{manual, systemd};
use tokio::task::JoinSet;

/// Does what the command line says.
///
/// # Errors
/// A [`config::ConfigError`] for bad usage; anything else that went wrong, with what was being
/// done.
pub fn run(cli: Cli, matches: &ArgMatches) -> anyhow::Result<()> {
    match cli.command {
        None => serve(&cli.run, matches),
        Some(Command::Serve(args)) => serve(&args, matches),
        Some(Command::Backtest(args)) => backtest::run(&args),
        Some(Command::Audit(args)) => audit::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&Config::load(&args)?),
        Some(Command::Notify(args)) => {
            let config = Config::load(&args.serve)?;
            notify::run(&config.notify, args.test, application::now())
        }
        Some(Command::Completions { shell }) => manual::completions(Cli::command(), shell),
        Some(Command::Man { dir }) => manual::pages(Cli::command(), dir.as_deref()),
    }
}

fn serve(args: &RunArgs, matches: &ArgMatches) -> anyhow::Result<()> {
    let config = Config::load(&args.serve)?;
    if args.print_config {
        let shown = effective::text(matches, &config, args.serve.config.as_deref())?;
        return results::say(&shown);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let shutdown = shutdown_asked()?;
        let application = Application::build(&config)?;
        let observers = application.observers();
        // They end with the application.
        let mut beside = JoinSet::new();
        beside.spawn(welcome::greet(observers.clone(), config, args.open));
        beside.spawn(supervisor::inform(observers.clone()));
        for observer in observers {
            beside.spawn(notify::watch(observer));
        }
        let stopping = async {
            shutdown.await;
            systemd::stopping();
        };
        application.run_until(stopping).await?;
        tracing::info!("Stopped.");
        Ok(())
    })
}

/// Resolves at the first signal that asks to stop.
fn shutdown_asked() -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals = Signals::listen().context("listening for signals")?;
    Ok(async move {
        let signal = signals.next().await;
        tracing::info!(signal, "Asked to stop.");
    })
}
