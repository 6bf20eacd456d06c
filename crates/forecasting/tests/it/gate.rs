//! The models are served only after they have proved better; luck puts no served chance above break-even.
//!
//! `cargo run --release -p forecasting --example gate` walks 200 streams with the whole ensemble. Here the
//! model is a moving average, which is as overconfident on fair rounds and right on rounds that depend on
//! the one before.

use std::sync::Arc;

use chrono::DateTime;
use evaluation::{HouseLaw, TARGETS};
use features::FeatureRow;
use forecasting::engine::{Effect, Engine};
use forecasting::forecast::{Basis, Forecast, Forecaster, Means};
use forecasting::replay::{Fit, Refit, drive};
use rounds::{Multiplier, Round};
use test_support::simulate::Scenario;

/// Leans on the last round.
#[derive(Debug)]
struct LastRound;

impl Forecaster for LastRound {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = 0.7 + 0.3 * row[0];
        Means { members: [mean; 3], mean }
    }
}

/// Returns the last forecast for each round, and the engine at the end.
fn served(cents: impl IntoIterator<Item = u64>) -> (Vec<Forecast>, Engine) {
    let round = |(number, cents): (i64, u64)| Round {
        time: DateTime::from_timestamp(20 * number, 0).unwrap(),
        multiplier: Multiplier::from_cents(cents).unwrap(),
    };
    let rounds: Vec<Round> = (0..).zip(cents).map(round).collect();
    let fit: Fit<'_> = &|_| Ok(Arc::new(LastRound));
    let mut issued = Vec::new();
    let mut watch = |_: &Engine, effects: &[Effect]| {
        issued.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Issued(forecast) => Some(*forecast),
            Effect::Settled(_) | Effect::Retrain(_) => None,
        }));
    };
    let engine = drive(&rounds, Refit::Rounds(u64::MAX / 2), fit, &mut watch).unwrap();
    (issued, engine)
}

fn is_above_break_even(forecast: &Forecast) -> bool {
    TARGETS.iter().zip(forecast.probabilities).any(|(target, chance)| target * chance > 1.0)
}

#[test]
fn on_fair_rounds_no_served_chance_is_above_break_even() {
    const STREAMS: u64 = 60;
    let house = HouseLaw::default().probabilities();
    let mut above = 0;
    for seed in 0..STREAMS {
        let (issued, _) = served(Scenario::Fair.rounds(1500, 7000 + seed));
        above += u64::from(issued.iter().any(is_above_break_even));
        let closed = issued.iter().filter(|it| it.basis == Basis::House);
        for forecast in closed {
            assert_eq!(forecast.probabilities.map(f64::to_bits), house.map(f64::to_bits));
            assert_eq!(forecast.served_kappa().to_bits(), 0f64.to_bits());
            assert!((forecast.median() - 1.94).abs() < 1e-12);
        }
    }
    // At most 2.5 % of all streams, and three standard errors of the share among sixty.
    assert!(above <= 5, "{above} of {STREAMS} streams");
}

#[test]
fn on_rounds_that_depend_on_the_one_before_the_models_are_served_soon() {
    let scenario = Scenario::named("ar03").unwrap();
    let mut from: Vec<u64> = (0..20)
        .filter_map(|seed| {
            let (issued, engine) = served(scenario.rounds(1500, 9000 + seed));
            assert_eq!(engine.scorecard().basis(), Basis::Models, "stream {seed}");
            let first = issued.iter().find(|it| it.basis == Basis::Models)?;
            assert!(first.served_kappa() > 0.0);
            Some(first.round)
        })
        .collect();
    from.sort_unstable();
    assert_eq!(from.len(), 20);
    assert!(from[10] <= 400, "{from:?}");
}

#[test]
fn on_independent_rounds_of_another_law_the_observed_frequencies_are_served_and_scored() {
    let scenario = Scenario::Fair.rounds(3000, 11).into_iter().map(|cents| 100 + (cents - 100) / 2);
    let (issued, engine) = served(scenario);
    let observed: Vec<&Forecast> =
        issued.iter().filter(|it| it.basis == Basis::Climatology).collect();
    assert!(observed.len() > 1000, "{}", observed.len());
    for forecast in &observed {
        assert_eq!(forecast.law(), None);
        let (lo, hi) = forecast.interval80;
        assert!(lo <= forecast.median() && forecast.median() <= hi, "{forecast:?}");
        assert!(forecast.probabilities.is_sorted_by(|a, b| a >= b), "{forecast:?}");
    }
    let report = engine.scorecard().report();
    let row = |name: &str| report.rows.iter().find(|row| row.name == name).unwrap().clone();
    let (served, house) = (row("served"), row("house"));
    assert!(served.brier.unwrap() < house.brier.unwrap(), "{served:?}");
    assert!(served.log_crps.unwrap() < house.log_crps.unwrap(), "{served:?}");
    assert!((served.coverage.unwrap() - 0.8).abs() < 0.03, "{served:?}");
}
