//! Runs one expensive part of the program a number of times, so that `scripts/tests/instructions.sh`
//! can count the instructions that the processor executes: `work PART TIMES`.
//!
//! The preparation is that for [`TIMES_MAX`] in every call, so the difference between two calls is the
//! cost of the part alone.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use chrono::DateTime;
use evaluation::ln_multiplier;
use features::{Extractor, FeatureRow};
use forecasting::dataset::Dataset;
use forecasting::ensemble::{self, FitOptions};
use forecasting::forecast::{Forecaster, Means};
use forecasting::parallel::Inline;
use forecasting::replay::{Fit, Refit, drive};
use rounds::{Multiplier, Round};
use test_support::simulate::Scenario;

/// Number of rounds prepared.
const TIMES_MAX: usize = 4_000;

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let (part, times) = words.next().zip(words.next()).context("usage: work PART TIMES")?;
    let times: usize = times.parse()?;
    ensure!(times <= TIMES_MAX, "TIMES is at most {TIMES_MAX}");
    let rounds = rounds()?;
    let history: Vec<f64> =
        rounds.iter().map(|round| ln_multiplier(round.multiplier.cents())).collect();
    let outcome = match part.as_str() {
        "features" => features(&history[..times])?,
        "round" => round(&rounds[..times])?,
        "fit" => fit(&history, times)?,
        _ => bail!("the parts are features, round and fit"),
    };
    Ok(writeln!(std::io::stdout(), "{outcome}")?)
}

fn rounds() -> anyhow::Result<Vec<Round>> {
    let round = |(number, cents)| {
        let time = DateTime::from_timestamp(20 * number, 0).context("a time")?;
        Ok(Round { time, multiplier: Multiplier::from_cents(cents)? })
    };
    (0_i64..).zip(Scenario::Fair.rounds(TIMES_MAX, 1)).map(round).collect()
}

/// Computes the features of every round.
fn features(history: &[f64]) -> anyhow::Result<f64> {
    let mut extractor = Extractor::new();
    let mut sum = 0.0;
    for &x in history {
        sum += extractor.push(x)?.iter().sum::<f64>();
    }
    Ok(sum)
}

/// Passes each round through the engine, which settles it, scores all forecasters, updates the three
/// tests, learns from it, and forecasts the next one.
fn round(rounds: &[Round]) -> anyhow::Result<f64> {
    let model: Fit<'_> = &|_| Ok(Arc::new(Formula));
    let engine = drive(rounds, Refit::Rounds(u64::MAX / 2), model, &mut |_, _| ())?;
    Ok(engine.kappa())
}

/// A model of negligible cost.
#[derive(Debug)]
struct Formula;

impl Forecaster for Formula {
    fn means(&self, row: &FeatureRow) -> Means {
        Means { members: [row[5], row[4], row[6]], mean: 0.9 + 0.1 * row[5] }
    }
}

/// Trains once on `times` rows.
fn fit(history: &[f64], times: usize) -> anyhow::Result<f64> {
    let rows = Dataset::of_history(history)?.snapshot().slice(0..times);
    if rows.is_empty() {
        return Ok(0.0);
    }
    let go_on = |_, _| ControlFlow::Continue(());
    let ensemble = ensemble::fit(&rows, &FitOptions::default(), &Inline, &go_on)?;
    Ok(ensemble.predict(&[0.0; features::COUNT]).mean)
}
