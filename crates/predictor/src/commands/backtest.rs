//! `predictor backtest`: drives the engine over recorded rounds and reports what its forecasts were
//! worth.

mod html;
mod plot;
mod progress;
mod report;
mod stakes;
mod text;

use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use clap::Args;
use forecasting::dataset::DatasetSnapshot;
use forecasting::engine::{Effect, Engine};
use forecasting::ensemble::{self, FitOptions};
use forecasting::forecast::Forecaster;
use forecasting::models::FitError;
use forecasting::replay::{Refit, drive_under};
use rounds::Multiplier;

use self::progress::Progress;
use self::report::ReportBuilder;
use crate::commands::output;
use crate::commands::recording::{Recording, RecordingArgs};
use crate::training::thread_pool::Threads;

/// Minimum number of rounds: those of the first model, and one to forecast.
const ROUNDS_MIN: usize = 31;

/// Flags of `backtest`.
#[derive(Debug, Clone, Args)]
pub struct BacktestArgs {
    /// Which rounds
    #[command(flatten)]
    pub recording: RecordingArgs,
    /// When to refit: `rules` (as when serving) or `every=5%` or `every=500`
    #[arg(long, value_name = "WHEN", default_value = "every=5%")]
    pub refit: Refit,
    /// Cash-out target for the flat stakes; may be given more than once
    #[arg(long, value_name = "X", default_values = ["2", "5"], value_parser = target, value_delimiter = ',')]
    pub target: Vec<Multiplier>,
    /// Write the full result to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a self-contained HTML report to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `predictor backtest`.
pub(crate) fn run(args: &BacktestArgs) -> anyhow::Result<()> {
    let recording = Recording::read(&args.recording, ROUNDS_MIN)?;
    output::check_writable(args.json.as_deref(), "--json")?;
    output::check_writable(args.html.as_deref(), "--html")?;
    let workers = Threads(thread::available_parallelism().map_or(1, NonZero::get));
    let game = args.recording.game()?;
    let house = *game.law();
    let options = FitOptions { house, ..FitOptions::default() };
    let fit = |rows: &DatasetSnapshot| -> Result<Arc<dyn Forecaster>, FitError> {
        let go_on = |_, _| ControlFlow::Continue(());
        Ok(Arc::new(ensemble::fit(rows, &options, &workers, &go_on)?))
    };
    let mut builder = ReportBuilder::new(recording.rounds.len(), &args.target);
    let mut progress = Progress::new(recording.rounds.len());
    let mut watch = |engine: &Engine, effects: &[Effect]| {
        builder.take(engine, effects);
        progress.show(engine.rounds());
    };
    let driven = drive_under(house, &recording.rounds, args.refit, &fit, &mut watch);
    progress.end();
    let engine = driven.context("training")?;
    let report = builder.report(&engine, recording, &game, args.refit);
    output::print(&text::of(&report))?;
    if let Some(path) = &args.json {
        output::write_json(path, &report)?;
    }
    if let Some(path) = &args.html {
        output::write(path, html::of(&report).as_bytes())?;
    }
    Ok(())
}

fn target(text: &str) -> Result<Multiplier, String> {
    let target: Multiplier = text.parse().map_err(|error| format!("{error}"))?;
    if target.cents() > 100 { Ok(target) } else { Err("a target must be above 1.00".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_pays_more_than_the_stake() {
        assert_eq!(target("2.5x").unwrap().cents(), 250);
        assert!(["1", "1.00", "0", "-2", "two"].into_iter().all(|text| target(text).is_err()));
    }
}
