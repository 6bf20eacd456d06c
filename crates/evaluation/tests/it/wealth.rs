//! The wealth of the bettors of the three tests, checked by formulas independent of how they bet.

use evaluation::pit::{keyed_uniform, normal_scores};
use evaluation::returns::TargetCounts;
use evaluation::sequential::{
    Bettor, ChangeDetector, ForecastTest, LaggedInputs, LawTest, ObservedRound, OrderTest,
    Regression, Wealth,
};
use evaluation::{HouseLaw, TiltedLaw, normal};
use statrs::function::beta::ln_beta;
use test_support::simulate::{Scenario, day_phase};

const SALT: u64 = 7_001;

#[track_caller]
fn check(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9, "ours {ours}, expected {theirs}");
}

/// Returns the log-wealth of the mixture of bettors on N(mean, 1) against N(0, 1), with the means
/// weighted by N(0, tau2).
fn mixture(scores: &[f64], tau2: f64) -> f64 {
    let (n, sum) = (scores.len() as f64, scores.iter().sum::<f64>());
    let spread = 1.0 + n * tau2;
    tau2 * sum * sum / (2.0 * spread) - 0.5 * spread.ln()
}

/// Returns the same for a bit that is 1 with probability p, with a beta prior worth `strength`
/// rounds.
fn beta_mixture(bits: &[bool], p: f64, strength: f64) -> f64 {
    let ones = bits.iter().filter(|&&bit| bit).count() as f64;
    let zeros = bits.len() as f64 - ones;
    let (a, b) = (strength * p, strength * (1.0 - p));
    ln_beta(a + ones, b + zeros) - ln_beta(a, b) - ones * p.ln() - zeros * (1.0 - p).ln()
}

/// The shares of the bettors of the three portfolios.
const ORDER: [f64; 12] = [0.07, 0.15, 0.02, 0.04, 0.02, 0.17, 0.09, 0.11, 0.09, 0.02, 0.09, 0.13];
const LAW: [f64; 9] = [0.05, 0.05, 0.05, 0.05, 0.05, 0.12, 0.28, 0.22, 0.13];
const FORECAST: [f64; 3] = [1.0 / 3.0; 3];

/// Asserts that the portfolio is the average of its bettors with these shares, and that its peak is
/// that of `course`.
#[track_caller]
fn check_course(shares: &[f64], bettors: &[Bettor], course: &[f64], wealth: &Wealth) {
    check(shares.iter().sum(), 1.0);
    assert_eq!(shares.len(), bettors.len());
    let purses = shares.iter().zip(bettors).map(|(share, bettor)| share * bettor.ln_e.exp());
    let now = purses.sum::<f64>().ln();
    let (mut highest, mut at) = (0.0, 0);
    for (round, &ln_e) in (1..).zip(course) {
        if ln_e > highest {
            (highest, at) = (ln_e, round);
        }
    }
    check(wealth.ln_e(), now);
    check(wealth.ln_e_max(), highest);
    assert_eq!((wealth.peak_round(), wealth.rounds()), (at, course.len() as u64));
    check(wealth.anytime_p(), (-highest).exp());
}

fn names(bettors: &[Bettor]) -> Vec<&'static str> {
    bettors.iter().map(|bettor| bettor.name).collect()
}

#[test]
fn the_bettors_on_the_level_and_on_the_atom_equal_the_textbook_mixtures() {
    let house = HouseLaw::default();
    let mut test = LawTest::new(house, SALT);
    let (mut scores, mut atoms, mut course) = (Vec::new(), Vec::new(), Vec::new());
    let rounds = Scenario::Independent { r: 0.90, theta: 1.0 }.rounds(399, 3);
    for (t, &cents) in (0u64..).zip(&rounds) {
        scores.push(test.update(&ObservedRound::at(cents, day_phase(t))));
        atoms.push(cents > 100);
        course.push(test.ln_e());
    }
    let bettors = test.bettors();
    assert_eq!(
        names(&bettors),
        ["ar3", "level", "features", "daily", "bits3", "intercept", "atom", "cells", "cap"]
    );
    check(bettors[5].ln_e, mixture(&scores, 0.01));
    check(bettors[6].ln_e, beta_mixture(&atoms, 0.97 / 1.01, 200.0));
    assert!(bettors.iter().all(|bettor| bettor.ln_e.abs() > 1e-3), "{bettors:?}");
    check_course(&LAW, &bettors, &course, test.wealth());
    assert!(test.wealth().ln_e_max() > test.ln_e(), "the peak must lie before the last round");
    assert_eq!(test.inputs().rounds(), 399);
    // Anyone can compute the scores from the salt.
    assert_eq!(normal_scores(&house, SALT, &rounds), scores);
    let first = house.pit(rounds[0], keyed_uniform(SALT, 0));
    assert_eq!(normal::quantile(first).to_bits(), scores[0].to_bits());
}

#[test]
fn none_of_the_nine_bets_on_late_rounds() {
    let mut test = LawTest::new(HouseLaw::default(), SALT);
    for cents in (Scenario::Independent { r: 0.90, theta: 1.0 }).rounds(100, 3) {
        test.update(&ObservedRound { late: true, ..ObservedRound::new(cents) });
    }
    assert!(test.bettors().iter().all(|bettor| bettor.ln_e.to_bits() == 0));
    assert_eq!(test.wealth().rounds(), 100);
}

#[test]
fn the_order_test_is_the_weighted_mean_of_its_bettors() {
    let mut test = OrderTest::new(SALT);
    let mut course = Vec::new();
    for (t, cents) in (0u64..).zip(Scenario::Autoregressive(0.2).rounds(600, 9)) {
        test.update(&ObservedRound::at(cents, day_phase(t)));
        course.push(test.ln_e());
    }
    let bettors = test.bettors();
    assert_eq!(
        names(&bettors),
        [
            "ar3", "level", "features", "daily", "bits3", "ar1", "day", "contexts", "scale",
            "parity", "streaks", "clock"
        ]
    );
    check_course(&ORDER, &bettors, &course, test.wealth());
    assert!(test.wealth().ln_e_max() > test.ln_e());
}

/// The expected values were computed independently from the definition: the differences of the mean
/// Brier scores over the worst of them, staked at a quarter, a half and all of E g / E g², at most
/// half of the wealth.
#[test]
fn the_stakes_of_the_forecast_test_follow_its_definition() {
    let rounds = [1000, 100, 250, 180, 520, 340];
    for (served, money, portfolio) in [
        (
            TiltedLaw::new(1.2).probabilities(),
            [0.037_482_168_484_700_82, 0.072_816_352_205_365_92, 0.137_299_975_541_386_95],
            0.083_390_544_910_862_19,
        ),
        (
            [0.95, 0.8, 0.1, 0.05, 0.4],
            [-0.715_313_639_905_627, -1.062_415_977_214_602_2, -1.062_415_977_214_602_2],
            -0.932_862_040_473_750_2,
        ),
    ] {
        let mut test = ForecastTest::skipping(&HouseLaw::default(), 0);
        let mut course = Vec::new();
        for cents in rounds {
            test.update(Some(&served), cents);
            course.push(test.ln_e());
        }
        let bettors = test.bettors();
        assert_eq!(names(&bettors), ["quarter", "half", "full"]);
        for (bettor, money) in bettors.iter().zip(money) {
            check(bettor.ln_e, money);
        }
        check(test.ln_e(), portfolio);
        check_course(&FORECAST, &bettors, &course, test.wealth());
    }
}

#[test]
fn the_change_detector_sums_over_every_round_at_which_the_change_may_have_begun() {
    let scores = [0.3, -1.1, 2.2, 0.9, 1.7, -2.2, 2.5];
    let none = TargetCounts::new();
    let mut detector = ChangeDetector::new();
    for n in 1..=scores.len() {
        assert_eq!(detector.update(scores[n - 1], &none), None);
        let sum_over_starts = |ratio: &dyn Fn(f64) -> f64| -> f64 {
            (0..n).map(|from| scores[from..n].iter().map(|&z| ratio(z)).product::<f64>()).sum()
        };
        let shift = |size: f64| sum_over_starts(&|z| (size * z - size * size / 2.0).exp());
        let low =
            |q: f64| sum_over_starts(&|z| if z < -1.750_686 { q / 0.04 } else { (1.0 - q) / 0.96 });
        let lower = |q: f64| {
            sum_over_starts(&|z| if z < -1.405_071_5 { q / 0.08 } else { (1.0 - q) / 0.92 })
        };
        let high = |q: f64| {
            sum_over_starts(&|z| if z > 1.880_793_6 { q / 0.03 } else { (1.0 - q) / 0.97 })
        };
        let shifts: f64 = [-0.4, -0.2, -0.1, 0.1, 0.2, 0.4].map(shift).iter().sum();
        let ends = low(0.02) + low(0.08) + lower(0.04) + lower(0.13) + high(0.0075) + high(0.06);
        check(detector.level(), (shifts + ends) / 12.0);
        assert_eq!(detector.rounds(), n as u64);
    }
    let until_alarm = (1..100).find(|_| detector.update(5.0, &none).is_some());
    assert_eq!(until_alarm, Some(7));
}

#[test]
fn a_regression_predicts_what_ridge_regression_predicts() {
    let mut bettor = Regression::new(1, 0.5);
    assert_eq!(bettor.predict(&[2.0]), (0.0, 3.0));
    let scores = [1.5, -0.5, 2.0];
    let ln_e: f64 = scores.iter().map(|&z| bettor.bet(&[1.0], z)).sum();
    check(ln_e, mixture(&scores, 0.5));
    // tau² S / (1 + n tau²), and 1 + 4 tau² / (1 + n tau²), for a design of 2.
    let (mean, variance) = bettor.predict(&[2.0]);
    check(mean, 2.0 * 0.5 * 3.0 / 2.5);
    check(variance, 1.0 + 4.0 * 0.5 / 2.5);
}

#[test]
fn lagged_inputs_return_the_newest_scores_and_their_sums() {
    let mut inputs = LaggedInputs::new();
    assert_eq!((inputs.lags(), inputs.levels()), ([0.0; 3], [0.0; 2]));
    for n in 1..=70u32 {
        inputs.push(f64::from(n), 0.5);
        assert_eq!(inputs.features().iter().all(|&f| f.to_bits() == 0), n < 10, "{n}");
    }
    assert_eq!(inputs.rounds(), 70);
    assert_eq!(inputs.lags().map(f64::to_bits), [70.0, 69.0, 68.0].map(f64::to_bits));
    let [ten, fifty] = inputs.levels();
    check(ten, (61..=70).map(f64::from).sum::<f64>() / 10f64.sqrt());
    check(fifty, (21..=70).map(f64::from).sum::<f64>() / 50f64.sqrt());
}

#[test]
fn values_outside_the_range_of_the_features_are_clamped() {
    let mut all = [LaggedInputs::new(), LaggedInputs::new(), LaggedInputs::new()];
    for _ in 0..20 {
        for (inputs, ln_m) in all.iter_mut().zip([f64::NAN, -3.0, 0.0]) {
            inputs.push(0.1, ln_m);
        }
    }
    let [nan, negative, zero] = all.map(|inputs| inputs.features().map(f64::to_bits));
    assert_eq!((nan, negative), (zero, zero));
}
