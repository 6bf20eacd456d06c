//! Forecasts depend on the past and on nothing else.

use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::DateTime;
use features::FeatureRow;
use forecasting::dataset::DatasetSnapshot;
use forecasting::engine::{Effect, Engine};
use forecasting::ensemble::{self, FitOptions};
use forecasting::forecast::{Forecast, Forecaster, Means};
use forecasting::models::FitError;
use forecasting::parallel::Inline;
use forecasting::replay::{Refit, drive};
use rounds::{Multiplier, Round};
use test_support::simulate::Scenario;

type Fitted = Result<Arc<dyn Forecaster>, FitError>;

fn rounds(count: usize, seed: u64) -> Vec<Round> {
    let cents = Scenario::Fair.rounds(count, seed);
    let round = |(number, cents): (usize, u64)| Round {
        time: DateTime::from_timestamp(i64::try_from(20 * number).unwrap(), 0).unwrap(),
        multiplier: Multiplier::from_cents(cents).unwrap(),
    };
    cents.into_iter().enumerate().map(round).collect()
}

/// Fits all three learners, small enough for a test.
fn small_ensemble(rows: &DatasetSnapshot) -> Fitted {
    let mut options = FitOptions::default();
    options.forest.trees = 8;
    options.boosting.trees = 8;
    let go_on = |_, _| ControlFlow::Continue(());
    Ok(Arc::new(ensemble::fit(rows, &options, &Inline, &go_on)?))
}

/// Makes confident forecasts that are unrelated to the next round.
#[derive(Debug)]
struct Noise;

impl Forecaster for Noise {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = if row[0].to_bits().is_multiple_of(3) { 1.8 } else { 0.5 };
        Means { members: [mean; 3], mean }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "other models can fail")]
fn noise(_: &DatasetSnapshot) -> Fitted {
    Ok(Arc::new(Noise))
}

fn forecasts(
    rounds: &[Round],
    refit: Refit,
    fit: &dyn Fn(&DatasetSnapshot) -> Fitted,
) -> (Vec<Forecast>, Engine) {
    let mut issued = Vec::new();
    let mut watch = |_: &Engine, effects: &[Effect]| {
        for effect in effects {
            if let Effect::Issued(forecast) = effect {
                issued.push(*forecast);
            }
        }
    };
    let engine = drive(rounds, refit, fit, &mut watch).unwrap();
    (issued, engine)
}

/// Returns a text that is equal only for bitwise equal forecasts.
fn bits(forecast: &Forecast) -> String {
    serde_json::to_string(forecast).unwrap()
}

#[test]
fn the_same_rounds_give_the_same_forecasts_bit_for_bit() {
    let rounds = rounds(120, 1);
    for refit in [Refit::Rules, Refit::Percent(20.0)] {
        let (once, _) = forecasts(&rounds, refit, &small_ensemble);
        let (twice, _) = forecasts(&rounds, refit, &small_ensemble);
        assert!(once.len() >= 91);
        assert!(once.iter().map(bits).eq(twice.iter().map(bits)));
    }
}

#[test]
fn no_forecast_depends_on_its_own_round_or_a_later_one() {
    let (past, other) = (rounds(110, 2), rounds(110, 3));
    let (whole, _) = forecasts(&past, Refit::Rounds(10), &small_ensemble);
    for known in [30, 31, 40, 59, 60, 99] {
        let mut changed = past.clone();
        changed[known..].copy_from_slice(&other[known..]);
        let (forecasts, _) = forecasts(&changed, Refit::Rounds(10), &small_ensemble);
        // The forecast for round known + 1 is the last one made from unchanged rounds only.
        let early = |all: &[Forecast]| -> Vec<String> {
            all.iter().filter(|it| it.round <= known as u64 + 1).map(bits).collect()
        };
        assert!(!early(&whole).is_empty());
        assert_eq!(early(&whole), early(&forecasts), "after {known} rounds");
        assert_ne!(bits(whole.last().unwrap()), bits(forecasts.last().unwrap()));
    }
}

#[test]
fn trust_is_zero_until_sixty_rounds_are_scored() {
    let (issued, _) = forecasts(&rounds(160, 4), Refit::Rounds(1000), &|_| {
        #[derive(Debug)]
        struct LastValue;
        impl Forecaster for LastValue {
            fn means(&self, row: &FeatureRow) -> Means {
                Means { members: [row[0]; 3], mean: row[0] }
            }
        }
        Ok(Arc::new(LastValue))
    });
    let last_untrusted = issued.iter().filter(|it| it.round <= 90);
    assert!(
        last_untrusted
            .clone()
            .all(|it| it.kappa.to_bits() == 0 && it.scale.to_bits() == 1f64.to_bits())
    );
    assert!(last_untrusted.count() >= 60);
}

#[test]
fn a_confident_model_without_skill_scores_worse_and_is_not_trusted() {
    let (_, engine) = forecasts(&rounds(3000, 5), Refit::Rounds(100_000), &noise);
    let report = engine.scorecard().report();
    let row = |name: &str| report.rows.iter().find(|row| row.name == name).unwrap().clone();
    let (house, ensemble, served) = (row("house"), row("ensemble"), row("served"));
    assert_eq!((house.rounds, ensemble.rounds, served.rounds), (2970, 2970, 2970));
    assert!(ensemble.log_crps.unwrap() > 1.05 * house.log_crps.unwrap(), "{ensemble:?}");
    assert!(served.log_crps.unwrap() < 1.005 * house.log_crps.unwrap(), "{served:?}");
    assert!(engine.kappa() < 0.1, "{}", engine.kappa());
    assert!((served.coverage.unwrap() - 0.8).abs() < 0.03, "{served:?}");
}

#[test]
fn every_round_after_the_first_model_has_exactly_one_forecast() {
    let (_, engine) = forecasts(&rounds(200, 6), Refit::Rules, &noise);
    let counts = engine.counts();
    assert_eq!((counts.settled, counts.missed, counts.late), (170, 0, 0));
    assert_eq!(engine.scorecard().scored(), 170);
    assert_eq!(engine.scorecard().evidence().rounds(), 200, "the evidence needs no forecast");
}
