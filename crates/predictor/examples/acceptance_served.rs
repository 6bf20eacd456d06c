//! Prints the acceptance figures that need the whole ensemble beside those of the reference
//! implementation, and fails when one of them is out of bounds.
//!
//! `cargo run --release -p predictor --example acceptance_served` takes about half a minute of computing time.
//! The other figures are printed by the example of the same name in `evaluation`.
#![expect(clippy::print_stdout, reason = "a table for people is its whole purpose")]

use std::num::NonZero;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use chrono::{DateTime, TimeDelta};
use evaluation::house_law::{MEDIAN, point_from_mean_ln, scale_from_mean_ln};
use evaluation::score_sheet::{ForecastRecord, ScoreSheet};
use evaluation::sequential::Evidence;
use evaluation::{HouseLaw, TARGETS};
use features::{COUNT, FeatureRow};
use forecasting::dataset::{Dataset, DatasetSnapshot, Rows};
use forecasting::engine::{Effect, Engine, Settlement};
use forecasting::ensemble::{self, FitOptions};
use forecasting::forecast::{Forecaster, Means};
use forecasting::models::FitError;
use forecasting::replay::{Fit, Refit, drive};
use predictor::training::thread_pool::Threads;
use rounds::{Multiplier, Round};
use test_support::simulate::Scenario;

/// The reference scores rounds from here on; those before are burn-in.
const SCORED_FROM: u64 = 501;

fn main() -> ExitCode {
    println!("{:<4} {:<47} {:>12} {:>12}  bound", "", "figure", "ours", "reference");
    let mut table = Table::default();
    fair(&mut table);
    dependent(&mut table);
    memoriser(&mut table);
    table.end()
}

/// A5: on a fair game nothing is served but fixed odds.
fn fair(table: &mut Table) {
    let found = Found::of(Scenario::Fair, 20_000, &fit_ensemble);
    let served = found.skill(&found.served);
    let raw = found.skill(&found.ensemble);
    let gap = found.served.all_time().log_mae.unwrap_or(f64::NAN) - found.log_mae_constant();
    let calls = 100.0 * found.calls as f64 / found.served.rounds() as f64;
    let what = "fair: served log-CRPS skill, %";
    table.line(("A5", what), served.log_crps, -0.002, (-0.05, 0.02));
    let what = "fair: unshrunk log-CRPS skill, %";
    table.line(("A5", what), raw.log_crps, -0.291, (-0.6, 0.0));
    table.line(("A5", "fair: kappa at the end"), Some(found.kappa), 0.034, (0.0, 0.15));
    let what = "fair: log-MAE, beyond that of the constant";
    table.line(("A5", what), Some(gap), 0.0, (-0.002, 0.002));
    let what = "fair: rounds with a call at 2x, %";
    table.line(("A5", what), Some(calls), 0.005, (0.0, 1.0));
}

/// A6: a dependence that is there is found and used.
fn dependent(table: &mut Table) {
    let found = Found::of(Scenario::Autoregressive(0.3), 20_000, &fit_ensemble);
    let served = found.skill(&found.served);
    let what = "AR(.3): served log-CRPS skill, %";
    table.line(("A6", what), served.log_crps, 3.72, (3.0, 100.0));
    let what = "AR(.3): served Brier skill, %";
    table.line(("A6", what), served.brier_mean, 4.26, (3.5, 100.0));
    table.line(("A6", "AR(.3): kappa at the end"), Some(found.kappa), 0.885, (0.7, 1.0));
    let log_mae = found.served.all_time().log_mae;
    table.line(("A6", "AR(.3): log-MAE"), log_mae, 0.6798, (0.0, 0.69));
    let what = "AR(.3): log-MAE of the constant, for comparison";
    table.line(("A6", what), Some(found.log_mae_constant()), 0.704, (0.703, 0.705));
    let what = "AR(.3): round of the forecast test's alarm";
    let alarm = found.forecast_alarm.map(|round| round as f64);
    table.line(("A6", what), alarm, 618.0, (1.0, 1499.0));
}

/// A10: learning by heart is worth nothing.
fn memoriser(table: &mut Table) {
    let found = Found::of(Scenario::Fair, 5_000, &|rows| Ok(memorise(rows)));
    let what = "memoriser: error on a row it has learnt, ln M";
    table.line(("A10", what), Some(found.error_on_learnt), 0.0, (0.0, 0.0));
    for (what, sheet) in [
        ("its own log-CRPS skill, %", &found.ensemble),
        ("served log-CRPS skill, %", &found.served),
    ] {
        let skill = found.skill(sheet);
        table.line(("A10", &format!("memoriser: {what}")), skill.log_crps, 0.0, (-1e3, 0.0));
    }
    let shown = found.skill_shown.map(|skill| skill.lo);
    table.line(("A10", "memoriser: lower end of the skill shown, %"), shown, 0.0, (-1e3, 0.0));
}

fn fit_ensemble(rows: &DatasetSnapshot) -> Result<Arc<dyn Forecaster>, FitError> {
    let workers = Threads(thread::available_parallelism().map_or(1, NonZero::get));
    let go_on = |_, _| ControlFlow::Continue(());
    Ok(Arc::new(ensemble::fit(rows, &FitOptions::default(), &workers, &go_on)?))
}

/// Says what followed the most similar round it has learnt.
#[derive(Debug)]
struct Memoriser {
    rows: Vec<[f32; COUNT]>,
    targets: Vec<f64>,
}

impl Memoriser {
    fn say(&self, row: &[f32; COUNT]) -> f64 {
        let distance = |known: &[f32; COUNT]| -> f32 {
            known.iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let nearest = self.rows.iter().zip(&self.targets).map(|(known, &y)| (distance(known), y));
        nearest.min_by(|(a, _), (b, _)| a.total_cmp(b)).map_or(0.0, |(_, target)| target)
    }
}

impl Forecaster for Memoriser {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = self.say(&Rows::of(row).row(0));
        Means { members: [mean; 3], mean }
    }
}

fn memorise(rows: &DatasetSnapshot) -> Arc<dyn Forecaster> {
    let (rows, targets) = rows.every(0, 1);
    let rows = (0..rows.len()).map(|index| rows.row(index)).collect();
    Arc::new(Memoriser { rows, targets })
}

fn settled(effect: &Effect) -> Option<&Settlement> {
    match effect {
        Effect::Settled(settlement) => Some(settlement),
        Effect::Issued(_) | Effect::Retrain(_) => None,
    }
}

/// What a backtest of a simulated stream found.
struct Found {
    served: ScoreSheet,
    ensemble: ScoreSheet,
    house: ScoreSheet,
    kappa: f64,
    /// Rounds whose served chance of 2x was above one half.
    calls: u64,
    forecast_alarm: Option<u64>,
    skill_shown: Option<evaluation::confidence_sequence::Estimate>,
    /// The largest error of the last model on rows it has learnt.
    error_on_learnt: f64,
}

impl Found {
    fn of(scenario: Scenario, rounds: usize, fit: Fit<'_>) -> Self {
        let house = HouseLaw::default();
        let sheet = |name| ScoreSheet::new(name, &house);
        let mut found = Self {
            served: sheet("served"),
            ensemble: sheet("ensemble"),
            house: sheet("house"),
            kappa: 0.0,
            calls: 0,
            forecast_alarm: None,
            skill_shown: None,
            error_on_learnt: f64::NAN,
        };
        let rounds: Vec<Round> = (0..).zip(scenario.rounds(rounds, 1)).map(round).collect();
        let mut watch = |_: &Engine, effects: &[Effect]| {
            effects.iter().filter_map(settled).for_each(|it| found.settle(it));
        };
        let engine = drive(&rounds, Refit::Percent(5.0), fit, &mut watch).expect("enough rows");
        found.forecast_alarm = forecast_alarm(engine.scorecard().evidence());
        found.skill_shown = engine.scorecard().verdict().skill;
        found.error_on_learnt = error_on_learnt(&engine, &rounds);
        found
    }

    fn settle(&mut self, settlement: &Settlement) {
        let Settlement { forecast, round } = settlement;
        self.kappa = forecast.kappa;
        if forecast.round < SCORED_FROM {
            return;
        }
        let (cents, mean) = (round.multiplier.cents(), forecast.means.mean);
        let candidate = forecast.candidate().law();
        self.served.record(&ForecastRecord::law(candidate.median(), candidate.scale()), cents);
        let own = ForecastRecord::law(point_from_mean_ln(mean), scale_from_mean_ln(mean));
        self.ensemble.record(&own, cents);
        self.house.record(&ForecastRecord::law(MEDIAN, 1.0), cents);
        let at_two = TARGETS.iter().position(|&target| target.total_cmp(&2.0).is_eq());
        self.calls += u64::from(at_two.is_some_and(|at| forecast.probabilities[at] > 0.5));
    }

    fn skill(&self, sheet: &ScoreSheet) -> evaluation::score_sheet::Skill {
        sheet.all_time().skill_against(&self.house.all_time())
    }

    fn log_mae_constant(&self) -> f64 {
        self.house.all_time().log_mae.unwrap_or(f64::NAN)
    }
}

/// Simulated rounds come every 30 s.
fn round((number, cents): (i32, u64)) -> Round {
    let time = DateTime::UNIX_EPOCH + TimeDelta::seconds(30) * number;
    Round { time, multiplier: Multiplier::from_cents(cents).expect("a stream has multipliers") }
}

/// The first alarm of the forecast test.
fn forecast_alarm(evidence: &Evidence) -> Option<u64> {
    evidence.tests()[2].alarm_round
}

fn error_on_learnt(engine: &Engine, rounds: &[Round]) -> f64 {
    let Some(installed) = engine.installed() else { return f64::NAN };
    let learnt = Dataset::of_rounds(rounds.iter().copied()).snapshot();
    let (rows, targets) = learnt.slice(0..100).every(0, 1);
    let error = |(index, target): (usize, &f64)| {
        let row = rows.row(index).map(f64::from);
        (installed.model.means(&row).mean - target).abs()
    };
    targets.iter().enumerate().map(error).fold(0.0, f64::max)
}

/// The table of figures, printed line by line.
#[derive(Default)]
struct Table {
    passed: usize,
    failed: usize,
}

impl Table {
    fn line(
        &mut self,
        (id, what): (&str, &str),
        ours: Option<f64>,
        reference: f64,
        (low, high): (f64, f64),
    ) {
        let holds = ours.is_some_and(|ours| (low..=high).contains(&ours));
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
        let mark = if holds { "PASS" } else { "FAIL" };
        let ours = ours.map_or_else(|| "none".to_owned(), |ours| format!("{ours:.4}"));
        println!("{id:<4} {what:<47} {ours:>12} {reference:>12.4}  [{low}, {high}]  {mark}");
    }

    fn end(&self) -> ExitCode {
        println!(
            "{} of {} figures are within their bounds",
            self.passed,
            self.passed + self.failed
        );
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
