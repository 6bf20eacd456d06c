//! The three tests combined: epochs, late rounds, and the verdict.

use evaluation::sequential::{Evidence, Level, ObservedRound};
use evaluation::simulate::{Scenario, SimpleModel, day_phase};
use evaluation::skill::SkillTrack;
use evaluation::verdict::{ReturnCount, Verdict};
use evaluation::{HouseLaw, TiltedLaw, scores};

/// The state after the three tests ran over one stream, with forecasts of the simple model.
struct Run {
    tests: Evidence,
    served: SkillTrack,
    unshrunk: SkillTrack,
    count: ReturnCount,
}

fn run(scenario: Scenario, rounds: usize, seed: u64) -> Run {
    let house = HouseLaw::default();
    let mut run = Run {
        tests: Evidence::new(house, seed),
        served: SkillTrack::new(),
        unshrunk: SkillTrack::new(),
        count: ReturnCount::new(),
    };
    let mut model = SimpleModel::new(seed + 1_000_003);
    for (t, cents) in (0u64..).zip(scenario.stream(seed).take(rounds)) {
        let forecast = model.forecast();
        let (served, unshrunk) = (forecast.shrunk(), forecast.probabilities());
        model.update(cents);
        let theirs = scores::mean_brier(&house.probabilities(), cents);
        run.tests.update(&ObservedRound::at(cents, day_phase(t)), Some(&served));
        run.served.update(scores::mean_brier(&served, cents), theirs);
        run.unshrunk.update(scores::mean_brier(&unshrunk, cents), theirs);
        run.count.update(cents);
    }
    run
}

impl Run {
    fn verdict(&self) -> Verdict {
        let house = HouseLaw::default();
        Verdict::of(&self.tests, &house, &self.served, &self.unshrunk, &self.count)
    }
}

#[test]
fn a_fair_game_raises_no_alarm_and_the_verdict_says_so() {
    let run = run(Scenario::Fair, 5000, 10_007);
    assert!(run.tests.tests().iter().all(|test| test.level == Level::Quiet));
    assert_eq!(run.tests.epoch(), 0);
    let verdict = run.verdict();
    assert!(verdict.sentence().starts_with("No evidence of any pattern after 5,000 rounds."));
    assert_eq!(verdict.absence(), None, "5,000 rounds are too few for the claim");
    assert!(verdict.measured_return.unwrap().contains(0.97));
}

/// Served forecasts that equal those of the house have a skill of exactly zero; after 100 rounds
/// this was once mistaken for proof that nothing can be predicted.
#[test]
fn forecasts_equal_to_the_house_prove_nothing() {
    let house = HouseLaw::default().probabilities();
    let (mut equal, mut worse) = (SkillTrack::new(), SkillTrack::new());
    let stretched = TiltedLaw::new(1.1).probabilities();
    for cents in Scenario::Fair.rounds(40_000, 5) {
        let theirs = scores::mean_brier(&house, cents);
        equal.update(theirs, theirs);
        worse.update(scores::mean_brier(&stretched, cents), theirs);
    }
    let verdict = |unshrunk: &SkillTrack| {
        let (tests, count) = (Evidence::new(HouseLaw::default(), 1), ReturnCount::new());
        Verdict::of(&tests, &HouseLaw::default(), &equal, unshrunk, &count)
    };
    assert_eq!(verdict(&SkillTrack::new()).absence(), None);
    let absence = verdict(&worse).absence().unwrap();
    assert!(absence.starts_with("After 40,000 forecasts we can say: if the learners have an edge"));
}

#[test]
fn a_dependent_game_turns_the_order_and_forecast_tests_red() {
    let run = run(Scenario::Autoregressive(0.3), 3000, 10_000);
    let [order, _, forecast] = run.tests.tests();
    assert_eq!((order.level, forecast.level), (Level::Red, Level::Red));
    // The same round as in the reference.
    assert_eq!(order.alarm_round, Some(182));
    assert!(order.anytime_p < 1e-20);
    let sentence = run.verdict().sentence();
    assert!(sentence.starts_with("The models beat the constant table; measured skill"));
}

#[test]
fn a_deviating_law_raises_an_alarm_of_the_law_test_only() {
    let run = run(Scenario::Independent { r: 0.95, theta: 1.0 }, 5000, 10_000);
    let verdict = run.verdict();
    assert!(verdict.law && !verdict.order && !verdict.forecast);
    assert!(verdict.measured_return.unwrap().hi < 0.97);
    assert!(verdict.sentence().ends_with("does not make the next round predictable."));
}

#[test]
fn one_change_begins_one_epoch_with_doubled_thresholds() {
    let run = run(Scenario::Shift, 9000, 10_002);
    let tests = &run.tests;
    assert_eq!(tests.epoch(), 1);
    let [ended] = tests.closed() else { panic!("one epoch has ended") };
    assert!((2500..3600).contains(&ended.last_round), "{}", ended.last_round);
    assert_eq!((ended.number, ended.first_round), (0, 1));
    assert_eq!(tests.epoch_from(), ended.last_round + 1);
    let [_, law, _] = tests.tests();
    assert!((law.ln_amber - 40f64.ln()).abs() < 1e-12);
    assert_eq!(tests.rounds(), 9000);
    assert!(run.verdict().change_note().unwrap().contains("once so far"));
}

#[test]
fn no_test_bets_on_late_rounds_or_missed_forecasts() {
    let bold = TiltedLaw::new(1.5).probabilities();
    let mut tests = Evidence::new(HouseLaw::default(), 1);
    for (t, cents) in (0u64..).zip(Scenario::Autoregressive(0.3).stream(1).take(500)) {
        let round = ObservedRound { late: true, ..ObservedRound::at(cents, day_phase(t)) };
        tests.update(&round, if t % 2 == 0 { Some(&bold) } else { None });
    }
    for test in tests.tests() {
        assert_eq!(test.ln_e.to_bits(), 0.0f64.to_bits(), "{}", test.name);
    }
}

/// A test turns amber at 20 and red at 100, and records the round at which it turned amber.
#[test]
fn a_level_rises_at_its_thresholds_and_never_falls_within_an_epoch() {
    let mut tests = Evidence::new(HouseLaw::default(), 10_000);
    let (mut amber, mut red, mut highest) = (None, None, 0.0f64);
    for (t, cents) in (1u64..).zip(Scenario::Autoregressive(0.3).stream(10_000).take(1000)) {
        tests.update(&ObservedRound::at(cents, day_phase(t - 1)), None);
        let [order, _, forecast] = tests.tests();
        highest = highest.max(order.ln_e);
        let level = match highest {
            peak if peak >= 100f64.ln() => Level::Red,
            peak if peak >= 20f64.ln() => Level::Amber,
            _ => Level::Quiet,
        };
        assert_eq!(order.level, level, "round {t}");
        assert!((order.anytime_p - (-highest).exp()).abs() < 1e-12);
        assert_eq!(order.ln_e_max.to_bits(), highest.to_bits());
        if level >= Level::Amber {
            amber.get_or_insert(t);
        }
        if level == Level::Red {
            red.get_or_insert(t);
        }
        assert_eq!(order.alarm_round, amber);
        assert_eq!((forecast.level, forecast.alarm_round), (Level::Quiet, None));
    }
    assert!(amber.is_some() && red > amber, "{amber:?} {red:?}");
    assert_eq!((tests.rounds(), tests.epoch_from()), (1000, 1));
    assert_eq!(tests.order().wealth().rounds(), 1000);
    assert_eq!(tests.law().wealth().rounds(), 1000);
    assert_eq!(tests.forecast().wealth().rounds(), 1000);
    assert_eq!(tests.detector().rounds(), 1000);
}

/// The rounds grow without end: they leave the law at once, and in every later epoch each round is
/// the highest so far.
#[test]
fn the_last_hundred_ended_epochs_are_kept_and_all_are_counted() {
    let mut tests = Evidence::new(HouseLaw::default(), 1);
    let mut ended = Vec::new();
    for t in 1u64.. {
        let before = tests.rounds();
        let step = tests.update(&ObservedRound::new(5_000_000 + t), None);
        assert_eq!(before + 1, tests.rounds());
        if step.changed {
            ended.push(t);
        }
        if ended.len() == 103 {
            break;
        }
    }
    assert_eq!(tests.epoch(), 103);
    let closed = tests.closed();
    let lasts: Vec<u64> = closed.iter().map(|epoch| epoch.last_round).collect();
    assert_eq!(lasts, ended[3..]);
    for (number, pair) in (4u32..).zip(closed.windows(2)) {
        assert_eq!((pair[1].number, pair[1].first_round), (number, pair[0].last_round + 1));
        let [order, ..] = &pair[1].tests;
        let doubled = f64::from(number) * 2f64.ln();
        assert!((order.ln_amber - 20f64.ln() - doubled).abs() < 1e-9);
        assert!((order.anytime_p - (doubled - order.ln_e_max).exp().min(1.0)).abs() < 1e-12);
    }
    assert_eq!(tests.epoch_from(), ended[102] + 1);
    assert_eq!(tests.tests()[0].alarm_round, None);
}

/// After a change the forecaster has already warmed up, so later epochs bet from their first
/// forecast on.
#[test]
fn after_a_change_the_forecast_test_bets_at_once() {
    let mut tests = Evidence::new(HouseLaw::default(), 1);
    let bold = TiltedLaw::new(1.3).probabilities();
    while tests.epoch() == 0 {
        tests.update(&ObservedRound::new(5_000_000), Some(&bold));
    }
    assert!(tests.rounds() < 60, "{}", tests.rounds());
    tests.update(&ObservedRound::new(5_000_000), Some(&bold));
    assert!(tests.tests()[2].ln_e > 0.0);
}
