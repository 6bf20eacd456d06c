//! The three tests combined: epochs, late rounds, and the verdict.

use std::f64::consts::LN_2;

use evaluation::baselines::{Baseline as _, Climatology};
use evaluation::sequential::{Evidence, Level, ObservedRound};
use evaluation::skill::SkillTrack;
use evaluation::verdict::{Deviation, Skills, Verdict};
use evaluation::{HouseLaw, TiltedLaw, scores};
use test_support::simulate::{PlantedGame, Scenario, SimpleModel, day_phase};

/// The state after the three tests ran over one stream, with forecasts of the simple model.
struct Run {
    tests: Evidence,
    candidate: SkillTrack,
    against_climatology: SkillTrack,
    unshrunk: SkillTrack,
}

fn run(scenario: Scenario, rounds: usize, seed: u64) -> Run {
    let house = HouseLaw::default();
    let mut run = Run {
        tests: Evidence::new(house, seed),
        candidate: SkillTrack::new(),
        against_climatology: SkillTrack::new(),
        unshrunk: SkillTrack::new(),
    };
    let mut climatology = Climatology::new();
    let mut model = SimpleModel::new(seed + 1_000_003);
    for (t, cents) in (0u64..).zip(scenario.stream(seed).take(rounds)) {
        let forecast = model.forecast();
        let (served, unshrunk) = (forecast.shrunk(), forecast.probabilities());
        model.update(cents);
        let theirs = scores::mean_brier(&house.probabilities(), cents);
        run.tests.update(&ObservedRound::at(cents, day_phase(t)), Some(&served));
        let ours = scores::mean_brier(&served, cents);
        run.candidate.update(ours, theirs);
        run.unshrunk.update(scores::mean_brier(&unshrunk, cents), theirs);
        let observed = climatology.forecast().probabilities.unwrap_or(house.probabilities());
        run.against_climatology.update(ours, scores::mean_brier(&observed, cents));
        climatology.update(cents);
    }
    run
}

impl Run {
    fn verdict(&self) -> Verdict {
        let skills = Skills {
            candidate: &self.candidate,
            against_climatology: &self.against_climatology,
            unshrunk: &self.unshrunk,
        };
        Verdict::of(&self.tests, &HouseLaw::default(), skills)
    }
}

#[test]
fn a_fair_game_raises_no_alarm_and_the_verdict_says_so() {
    let run = run(Scenario::Fair, 5000, 10_007);
    assert!(run.tests.tests().iter().all(|test| test.level == Level::Quiet));
    assert_eq!(run.tests.epoch(), 0);
    let verdict = run.verdict();
    assert!(verdict.statement().sentence().starts_with("No: nothing in 5,000 rounds helps"));
    assert_eq!(verdict.negligible_after, None, "5,000 rounds are too few for the claim");
    assert!(verdict.deviations.is_empty() && verdict.proven_skill().is_none());
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
        let tests = Evidence::new(HouseLaw::default(), 1);
        let skills = Skills { candidate: &equal, against_climatology: &equal, unshrunk };
        Verdict::of(&tests, &HouseLaw::default(), skills)
    };
    assert_eq!(verdict(&SkillTrack::new()).negligible_after, None);
    assert_eq!(verdict(&worse).negligible_after, Some(40_000));
}

#[test]
fn a_dependent_game_turns_the_order_and_forecast_tests_red() {
    let run = run(Scenario::Autoregressive(0.3), 12_000, 10_000);
    let [order, _, forecast] = run.tests.tests();
    assert_eq!((order.level, forecast.level), (Level::Red, Level::Red));
    assert!(order.alarm_round.is_some_and(|round| round < 300), "{:?}", order.alarm_round);
    assert!(order.anytime_p < 1e-20);
    let sentence = run.verdict().statement().sentence();
    assert!(
        sentence.starts_with("Yes, a little: our forecasts beat fixed odds (over 12,000 rounds"),
        "{sentence}"
    );
}

#[test]
fn a_deviating_law_raises_an_alarm_of_the_law_test_only() {
    let run = run(Scenario::Independent { r: 0.95, theta: 1.0 }, 5000, 10_000);
    let verdict = run.verdict();
    assert!(verdict.law && !verdict.order && !verdict.forecast);
    // The share of rounds at 1.00x shows the return soonest: 1 - .95/1.01.
    let [Deviation::Atom { measured, stated }] = verdict.deviations[..] else {
        panic!("{:?}", verdict.deviations)
    };
    assert!(measured.contains(5.94) && measured.lo > stated, "{measured:?} {stated}");
    let sentence = verdict.statement().sentence();
    assert!(sentence.starts_with("The game pays differently from what it says."), "{sentence}");
    assert!(sentence.ends_with("That alone does not tell the next round."), "{sentence}");
}

/// The tests never start again, and the threshold stays 20: the evidence of the run from the first
/// round on survives a change.
#[test]
fn a_noticed_change_begins_an_epoch_and_takes_no_evidence_away() {
    let run = run(Scenario::Shift, 9000, 10_002);
    let tests = &run.tests;
    assert_eq!(tests.epoch(), 1);
    let [ended] = tests.closed() else { panic!("one epoch has ended") };
    assert!((2400..2700).contains(&ended.last_round), "{}", ended.last_round);
    assert!((2500..5000).contains(&ended.noticed_at), "{}", ended.noticed_at);
    assert_eq!((ended.number, ended.first_round), (0, 1));
    assert_eq!(tests.epoch_from(), ended.last_round + 1);
    let rows = [&ended.returns, &tests.epoch_returns()].map(|rows| rows[2]);
    assert!(rows[0].agrees && !rows[1].agrees, "{rows:?}");
    assert!(rows[1].measured.value > 1.03, "the second epoch pays more at 2x");
    for test in tests.tests() {
        assert!((test.ln_amber - 20f64.ln()).abs() < 1e-12);
    }
    assert_eq!(tests.rounds(), 9000);
    let notes = run.verdict().statement().notes_text();
    assert!(notes.contains("The rounds may have changed around #2,"), "{notes}");
}

/// The law changes at 2,500, and the evidence that was there before is still there after.
#[test]
fn evidence_before_a_change_outlives_it() {
    let dependent = Scenario::Autoregressive(0.3).stream(4).take(2500);
    let lower = Scenario::Fair.stream(5).map(|cents| 100 + (cents - 100) / 2).take(2500);
    let mut tests = Evidence::new(HouseLaw::default(), 1);
    let (mut changes, mut alarm) = (0, None);
    for (t, cents) in (1u64..).zip(dependent.chain(lower)) {
        let before = tests.ln_e();
        let update = tests.update(&ObservedRound::at(cents, day_phase(t)), None);
        changes += u32::from(update.changed);
        for (after, before) in tests.ln_e().into_iter().zip(before) {
            assert!(!update.changed || after > before - 10.0, "round {t}");
        }
        let [order, ..] = tests.tests();
        alarm = alarm.or(order.alarm_round);
        assert_eq!(order.alarm_round, alarm, "since which round stays the same");
    }
    assert!(changes > 0);
    assert_eq!(tests.epoch(), changes);
    assert!(tests.tests()[0].ln_e_max > 50.0);
}

/// E10: "since" is the first round after which the shown E was 20, for each test.
#[test]
fn since_is_the_first_round_at_which_the_shown_evidence_passed_twenty() {
    let lower = Scenario::Independent { r: 0.94, theta: 1.0 };
    for scenario in [Scenario::Autoregressive(0.2), lower] {
        let mut tests = Evidence::new(HouseLaw::default(), 3);
        let mut first = [None; 3];
        for (t, cents) in (1u64..).zip(scenario.stream(8).take(5000)) {
            tests.update(&ObservedRound::at(cents, day_phase(t - 1)), None);
            let reached = tests.ln_e().map(|ln_e| (ln_e >= 20f64.ln()).then_some(t));
            first = std::array::from_fn(|test| first[test].or(reached[test]));
        }
        assert_eq!(tests.tests().map(|test| test.alarm_round), first);
        assert!(first.iter().any(Option::is_some), "{first:?}");
    }
}

#[test]
fn what_deviates_is_measured() {
    let measured = |game: PlantedGame| {
        let mut tests = Evidence::new(HouseLaw::default(), 2);
        for round in game.rounds(5000, 6) {
            tests.update(&ObservedRound::new(round.cents), None);
        }
        (tests.tests()[1].level >= Level::Amber, tests.measured())
    };
    let (is_law_rejected, fair) = measured(PlantedGame::Plain(Scenario::Fair));
    assert!(!is_law_rejected && fair.cap.is_none());
    assert!(fair.returns.iter().all(|row| row.agrees));
    assert!(fair.atom.unwrap().contains(fair.atom_stated));
    let (is_law_rejected, capped) = measured(PlantedGame::Capped { cap_cents: 3_500 });
    let cap = capped.cap.unwrap();
    assert!(is_law_rejected && (cap.at - 35.0).abs() < 1e-9 && cap.rounds > 90, "{cap:?}");
    let (is_law_rejected, heavy) = measured(PlantedGame::Atom { share: 0.10 });
    let atom = heavy.atom.unwrap();
    assert!(is_law_rejected && atom.contains(0.10) && !atom.contains(heavy.atom_stated));
    assert!(heavy.cap.is_none() && !heavy.returns[0].agrees);
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
        // Half of each euro, for the order test 15/16 of it, and nothing won or lost.
        let share: f64 = if test.name == "order" { 15.0 / 32.0 } else { 0.5 };
        assert!((test.ln_e - share.ln()).abs() < 1e-12, "{}", test.name);
    }
}

/// A test turns amber at 20 and red at 100, and records the round at which it turned amber.
#[test]
fn a_level_rises_at_its_thresholds_and_never_falls() {
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
    assert_eq!(tests.detector().rounds(), 1000);
}

/// The rounds grow without end: in every epoch each round is the highest so far.
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
    let lasts: Vec<u64> = closed.iter().map(|epoch| epoch.noticed_at).collect();
    assert_eq!(lasts, ended[3..]);
    for (number, pair) in (4u32..).zip(closed.windows(2)) {
        assert_eq!((pair[1].number, pair[1].first_round), (number, pair[0].last_round + 1));
    }
    assert_eq!(tests.epoch_from(), closed[99].last_round + 1);
    // The alarm of the first rounds is never taken back.
    let [order, law, _] = tests.tests();
    assert!(order.alarm_round.is_some() && law.alarm_round.is_some_and(|round| round < 100));
}

/// After a change the forecaster has already warmed up, so later epochs bet from their first
/// forecast on.
#[test]
fn after_a_change_the_forecast_test_bets_at_once() {
    let mut tests = Evidence::new(HouseLaw::default(), 1);
    let bold = TiltedLaw::new(1.3).probabilities();
    let mut highest = 5_000_000..;
    while tests.epoch() == 0 || tests.ln_e()[2] <= -LN_2 {
        let round = ObservedRound::new(highest.next().unwrap());
        tests.update(&round, Some(&bold));
        assert!(tests.rounds() < 60, "the first run does not bet before round 60");
    }
}
