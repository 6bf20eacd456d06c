//! Does one of the costly parts so many times, for `scripts/tests/instructions.sh` to count what
//! the processor executes: `work PART TIMES`.
//!
//! All is prepared for [`TIMES_MAX`] whatever is asked for, so that the difference of two calls is
//! the cost of the part alone.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use chrono::DateTime;
use evaluation::ln_multiplier;
use evaluation::simulate::Scenario;
use features::{Extractor, FeatureRow};
use forecasting::dataset::Dataset;
use forecasting::ensemble::{self, FitOptions};
use forecasting::forecast::{Forecaster, Means};
use forecasting::parallel::Inline;
use forecasting::replay::{Fit, Refit, drive};
use rounds::{Multiplier, Round};

/// Rounds at hand.
const TIMES_MAX: usize = 4_000;

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let (part, times) = words.next().zip(words.next()).context("work PART TIMES")?;
    let times: usize = times.parse()?;
    ensure!(times <= TIMES_MAX, "there are {TIMES_MAX} rounds");
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

/// The features of every round.
fn features(history: &[f64]) -> anyhow::Result<f64> {
    let mut extractor = Extractor::new();
    let mut sum = 0.0;
    for &x in history {
        sum += extractor.push(x)?.iter().sum::<f64>();
    }
    Ok(sum)
}

/// Each round through the engine: settled, scored for all forecasters, bet on by the three tests,
/// learnt, and the next one forecast.
fn round(rounds: &[Round]) -> anyhow::Result<f64> {
    let model: Fit<'_> = &|_| Ok(Arc::new(Formula));
    let engine = drive(rounds, Refit::Rounds(u64::MAX / 2), model, &mut |_, _| ())?;
    Ok(engine.kappa())
}

/// A model that costs nothing.
#[derive(Debug)]
struct Formula;

impl Forecaster for Formula {
    fn means(&self, row: &FeatureRow) -> Means {
        Means { members: [row[5], row[4], row[6]], mean: 0.9 + 0.1 * row[5] }
    }
}

/// One training on so many rows.
fn fit(history: &[f64], times: usize) -> anyhow::Result<f64> {
    let rows = Dataset::of_history(history)?.snapshot().slice(0..times);
    if rows.is_empty() {
        return Ok(0.0);
    }
    let go_on = |_, _| ControlFlow::Continue(());
    let ensemble = ensemble::fit(&rows, &FitOptions::default(), &Inline, &go_on)?;
    Ok(ensemble.predict(&[0.0; features::COUNT]).mean)
}
