//! Walks generated streams and says how often a served chance was above break-even, and when the models
//! were first served.
//!
//!     cargo run --release -p forecasting --example gate [STREAMS [ROUNDS [SCENARIO]]]
//!
//! The default is 200 fair streams of 3,000 rounds. Other scenarios are those of `test_support::simulate`,
//! such as `ar03`. The ensemble is fitted at 30 rounds and after every 10 % more.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::DateTime;
use evaluation::TARGETS;
use forecasting::engine::{Effect, Engine};
use forecasting::ensemble::{self, FitOptions};
use forecasting::forecast::{Basis, Forecast};
use forecasting::parallel::Inline;
use forecasting::replay::{Fit, Refit, drive};
use rounds::{Multiplier, Round};
use test_support::simulate::Scenario;

/// First seed of the streams.
const SEED: u64 = 3_740_000;

/// What was served over one stream.
#[derive(Debug, Clone, Copy, Default)]
struct Walk {
    forecasts: u64,
    above_break_even: u64,
    /// The first round for which the models, or the observed frequencies, were served.
    models_from: Option<u64>,
    observed_from: Option<u64>,
}

impl Walk {
    fn add(&mut self, forecast: &Forecast) {
        self.forecasts += 1;
        let is_above = |(target, chance): (&f64, &f64)| target * chance > 1.0;
        self.above_break_even +=
            u64::from(TARGETS.iter().zip(&forecast.probabilities).any(is_above));
        match forecast.basis {
            Basis::House => None,
            Basis::Climatology => Some(self.observed_from.get_or_insert(forecast.round)),
            Basis::Models => Some(self.models_from.get_or_insert(forecast.round)),
        };
    }
}

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let streams: u64 = words.next().map_or(Ok(200), |word| word.parse())?;
    let rounds: usize = words.next().map_or(Ok(3000), |word| word.parse())?;
    let scenario = words.next().unwrap_or_else(|| "fair".to_owned());
    let scenario = Scenario::named(&scenario).context("no such scenario")?;
    let mut out = std::io::stdout();
    let mut walks = Vec::new();
    for seed in SEED..SEED + streams {
        let walk = walk(scenario, rounds, seed)?;
        if walk.above_break_even > 0 || walk.models_from.is_some() {
            writeln!(out, "seed {seed}: {walk:?}")?;
        }
        walks.push(walk);
    }
    let with = |claim: &dyn Fn(&Walk) -> bool| walks.iter().filter(|walk| claim(walk)).count();
    let mut opened: Vec<u64> = walks.iter().filter_map(|walk| walk.models_from).collect();
    opened.sort_unstable();
    writeln!(
        out,
        "{streams} streams of {rounds} rounds: a served chance above break-even in {}; the models served in {} \
         (median round {:?}), the observed frequencies in {}",
        with(&|walk| walk.above_break_even > 0),
        opened.len(),
        opened.get(opened.len() / 2),
        with(&|walk| walk.observed_from.is_some()),
    )?;
    Ok(())
}

fn walk(scenario: Scenario, count: usize, seed: u64) -> anyhow::Result<Walk> {
    let round = |(number, cents): (i64, u64)| -> anyhow::Result<Round> {
        let time = DateTime::from_timestamp(20 * number, 0).context("a time")?;
        Ok(Round { time, multiplier: Multiplier::from_cents(cents)? })
    };
    let rounds: Vec<Round> =
        (0..).zip(scenario.rounds(count, seed)).map(round).collect::<anyhow::Result<_>>()?;
    let go_on = |_, _| ControlFlow::Continue(());
    let fit: Fit<'_> =
        &|rows| Ok(Arc::new(ensemble::fit(rows, &FitOptions::default(), &Inline, &go_on)?));
    let mut walk = Walk::default();
    let mut watch = |_: &Engine, effects: &[Effect]| {
        for effect in effects {
            if let Effect::Issued(forecast) = effect {
                walk.add(forecast);
            }
        }
    };
    drive(&rounds, Refit::Percent(10.0), fit, &mut watch)?;
    Ok(walk)
}
