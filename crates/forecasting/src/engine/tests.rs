use rounds::Multiplier;

use super::*;
use crate::forecast::Means;

#[derive(Debug)]
struct ConstantMean(f64);

impl Forecaster for ConstantMean {
    fn means(&self, _: &FeatureRow) -> Means {
        Means { members: [self.0; 3], mean: self.0 }
    }
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn round(second: i64) -> Round {
    Round { time: at(second), multiplier: Multiplier::new(3.0).unwrap() }
}

/// Returns a model that has been trained on all rounds of the engine.
fn installed(engine: &Engine, mean: f64, version: u64) -> Installed {
    let (trained_on, history) = (engine.rounds(), engine.history());
    Installed { model: Arc::new(ConstantMean(mean)), version, trained_on, history }
}

impl Engine {
    fn install_constant(
        &mut self,
        mean: f64,
        version: u64,
        now: DateTime<Utc>,
    ) -> Option<Forecast> {
        self.install(installed(self, mean, version), now)
    }
}

fn engine(can_be_late: bool) -> Engine {
    let mut engine = Engine::new(Settings { auto_train: false, can_be_late });
    engine.replay(round(0), None);
    engine
}

#[test]
fn a_new_model_replaces_the_forecast_while_betting_is_open() {
    let mut engine = engine(true);
    assert!(!engine.install_constant(0.9, 1, at(1)).unwrap().late);
    assert_eq!(engine.install_constant(1.1, 2, at(5)).unwrap().model_version, 2);
    assert_eq!(engine.open().unwrap().model_version, 2);
}

#[test]
fn a_forecast_in_time_is_not_replaced_after_betting_has_closed() {
    let mut engine = engine(true);
    engine.install_constant(0.9, 1, at(1));
    assert_eq!(engine.install_constant(1.1, 2, at(6)), None);
    assert_eq!(engine.open().unwrap().model_version, 1);
    // The next round is forecast by the new model.
    engine.observe(round(20), at(20));
    assert_eq!(engine.open().unwrap().model_version, 2);
}

#[test]
fn a_forecast_issued_after_betting_has_closed_is_marked_late() {
    let mut engine = engine(true);
    assert!(engine.install_constant(0.9, 1, at(100)).unwrap().late);
    assert!(engine.install_constant(1.1, 2, at(101)).unwrap().late, "late replaces late");
    engine.observe(round(120), at(121));
    assert!(!engine.open().unwrap().late);
    engine.observe(round(140), at(160));
    assert!(engine.open().unwrap().late);
    engine.observe(round(180), at(181));
    let counts = ForecastCounts { settled: 3, late: 2, missed: 0 };
    assert_eq!(engine.counts(), counts);
}

#[test]
fn in_a_replay_no_forecast_is_late() {
    let mut engine = engine(false);
    assert!(!engine.install_constant(0.9, 1, at(1_000_000)).unwrap().late);
}

#[test]
fn a_late_forecast_is_scored_but_not_bet_on() {
    let run = |delay: i64| {
        let mut engine = engine(true);
        engine.install_constant(1.6, 1, at(delay));
        for second in 1..400 {
            engine.observe(round(second * 20), at(second * 20 + delay));
        }
        engine
    };
    let (in_time, late) = (run(1), run(10));
    assert_eq!(in_time.scorecard().scored(), late.scorecard().scored());
    let bets = |engine: &Engine| engine.scorecard().evidence().ln_e()[2] + std::f64::consts::LN_2;
    assert!(bets(&in_time).abs() > 0.1, "{}", bets(&in_time));
    assert!(bets(&late).abs() < 1e-15);
}

#[test]
fn a_training_is_requested_once_when_due() {
    let mut engine = Engine::new(Settings { auto_train: true, can_be_late: true });
    let mut requested = Vec::new();
    for second in 0..40 {
        let effects = engine.observe(round(second), at(second));
        requested.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Retrain(records) => Some(records),
            _ => None,
        }));
    }
    assert_eq!(requested, [30, 32, 34, 36, 38, 40]);
}

#[test]
fn a_model_trained_on_later_rounds_or_on_others_issues_nothing_until_they_are_there() {
    let rounds: Vec<Round> = (0..40).map(round).collect();
    let after = |count: usize| {
        let mut engine = Engine::new(Settings { auto_train: false, can_be_late: false });
        let rounds = &rounds[..count];
        engine.restore(rounds, HistoryChain::of(rounds), LearnedState::new(HouseLaw::default()));
        engine
    };
    let whole = after(40);
    let model = installed(&whole, 0.9, 1);
    let mut engine = after(20);
    assert_eq!(engine.install(model.clone(), at(99)), None);
    assert!(engine.installed().is_none() && engine.newest_model().is_some());
    for round in &rounds[20..39] {
        assert_eq!(engine.observe(*round, round.time), [], "no forecast, nothing to settle");
    }
    let effects = engine.observe(rounds[39], rounds[39].time);
    assert!(matches!(effects[..], [Effect::Issued(forecast)] if forecast.round == 41));
    assert_eq!(engine.counts(), ForecastCounts::default(), "none of these rounds was missed");

    let other = Round { multiplier: Multiplier::new(7.0).unwrap(), ..rounds[5] };
    let mut engine = after(20);
    engine.observe(other, other.time);
    assert!(engine.install_constant(0.9, 1, at(99)).is_some());
    assert_eq!(engine.install(model, at(99)), None);
    assert_eq!(engine.installed().map(|it| it.version), Some(1), "the usable model stays");
}
