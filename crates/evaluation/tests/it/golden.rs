//! Comparison with an independent reference implementation (`golden/golden.json`).

use evaluation::pit::{SplitMix64, keyed_uniform, z_score};
use evaluation::sequential::{Bettor, LawTest, ObservedRound, OrderTest};
use evaluation::{HouseLaw, TiltedLaw, multiplier, scores};
use serde_json::Value;
use test_support::simulate::{Scenario, day_phase};

pub(crate) fn golden() -> Value {
    serde_json::from_str(include_str!("golden/golden.json")).unwrap()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[track_caller]
fn check(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "ours {ours}, reference {theirs}");
}

#[test]
fn the_random_numbers_equal_the_reference() {
    // The published vector of SplitMix64 (Vigna's splitmix64.c).
    let mut random = SplitMix64::new(1_234_567);
    for bits in [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423] {
        assert_eq!(random.next_u64(), bits);
    }
    let golden = golden();
    let mut random = SplitMix64::new(42);
    for bits in golden["splitmix64_seed42_u64"].as_array().unwrap() {
        assert_eq!(random.next_u64().to_string(), bits.as_str().unwrap());
    }
    let mut random = SplitMix64::new(42);
    for u in numbers(&golden["uniform_seed42"]) {
        check(random.uniform(), u, 0.0);
    }
    let mut random = SplitMix64::new(42);
    for z in numbers(&golden["normal_seed42"]) {
        check(random.normal(), z, 1e-15);
    }
}

#[test]
fn every_generator_produces_the_cents_of_the_reference() {
    let golden = golden();
    for (name, scenario) in Scenario::ALL {
        let cents: Vec<u64> = golden[format!("cents_{name}_seed42_first20")]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_u64().unwrap())
            .collect();
        assert_eq!(scenario.rounds(20, 42), cents, "{name}");
    }
}

#[test]
fn transforms_and_normal_scores_equal_the_reference() {
    let golden = &golden()["ar03_seed10000"];
    let rounds = Scenario::Autoregressive(0.3).rounds(20, 10_000);
    let house = HouseLaw::default();
    for (t, theirs) in (0u64..).zip(numbers(&golden["pit10"])) {
        let v = keyed_uniform(10_000 + 1_000_003, t);
        check(house.pit(rounds[usize::try_from(t).unwrap()], v), theirs, 1e-12);
    }
    for (rank, z) in numbers(&golden["rank10"]).into_iter().zip(numbers(&golden["zrank10"])) {
        check(z_score(rank), z, 1e-12);
    }
}

#[test]
fn scores_and_quantiles_equal_the_reference() {
    for case in golden()["scores"].as_array().unwrap() {
        let value = |key: &str| case[key].as_f64().unwrap();
        let law = TiltedLaw::new(value("s"));
        let m = value("M");
        let cents = (100..20_000).find(|&k| (multiplier(k) - m).abs() < 1e-9).unwrap();
        check(scores::log_crps(m.ln(), &law), value("crps_log"), 1e-12);
        check(scores::crps_capped(m, &law, 20.0), value("crps_cap20"), 1e-9);
        check(law.log_pmf(cents), value("logpmf"), 1e-9);
        check(law.quantile(0.1), value("q10"), 1e-12);
        check(law.quantile(0.5), value("q50"), 1e-12);
        check(law.quantile(0.9), value("q90"), 1e-12);
    }
}

/// Returns the log-wealth of the reference's portfolio, the mean of these bettors. Ours has more
/// bettors, with unequal shares.
fn mean_of(bettors: &[Bettor]) -> f64 {
    let largest = bettors.iter().map(|it| it.ln_e).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = bettors.iter().map(|it| (it.ln_e - largest).exp()).sum();
    largest + (sum / bettors.len() as f64).ln()
}

#[test]
fn every_bettor_of_the_order_test_has_the_wealth_of_the_reference() {
    let golden = golden();
    let mut test = OrderTest::new(10_000 + 2_000_003);
    let rounds = Scenario::Autoregressive(0.3).stream(10_000);
    for (t, cents) in (1u64..=2000).zip(rounds) {
        test.update(&ObservedRound::at(cents, day_phase(t - 1)));
        for bettor in test.bettors() {
            if let Some(theirs) = golden["E3_ar03_seed10000_logE"][bettor.name].get(t.to_string()) {
                check(bettor.ln_e, theirs.as_f64().unwrap(), 1e-6);
            }
        }
        if let Some(theirs) = golden["E3_ar03_seed10000_portfolio_logE"].get(t.to_string()) {
            check(mean_of(&test.bettors()[..5]), theirs.as_f64().unwrap(), 1e-6);
        }
    }
    check(mean_of(&test.bettors()[..5]), 78.97095, 5e-6);
}

/// Returns the round at which a portfolio first reaches 20 euros, within 5,000 rounds.
fn alarm(mut ln_e: impl FnMut(u64, u64) -> f64, scenario: Scenario, seed: u64) -> Option<u64> {
    (1..=5000)
        .zip(scenario.stream(seed))
        .find(|&(t, cents)| ln_e(t - 1, cents) >= 20f64.ln())
        .map(|(t, _)| t)
}

fn order_alarm(scenario: Scenario, seed: u64) -> Option<u64> {
    let mut test = OrderTest::new(seed + 2_000_003);
    let step = |t, cents| {
        test.update(&ObservedRound::at(cents, day_phase(t)));
        mean_of(&test.bettors()[..5])
    };
    alarm(step, scenario, seed)
}

fn law_alarm(scenario: Scenario, seed: u64) -> Option<u64> {
    let mut test = LawTest::new(HouseLaw::default(), seed + 1_000_003);
    let step = |t, cents| {
        test.update(&ObservedRound::at(cents, day_phase(t)));
        mean_of(&test.bettors()[..7])
    };
    alarm(step, scenario, seed)
}

#[test]
fn the_false_alarms_on_fair_streams_equal_the_reference() {
    for (key, alarm) in [
        ("fair_alarms_E3_20", order_alarm as fn(Scenario, u64) -> Option<u64>),
        ("fair_alarms_E1_20", law_alarm),
    ] {
        for case in golden()[key].as_array().unwrap() {
            let seed = case[0].as_u64().unwrap();
            assert_eq!(alarm(Scenario::Fair, seed), case[1].as_u64(), "{key} {seed}");
        }
    }
    for seed in [10_000, 10_062, 10_199] {
        assert_eq!(order_alarm(Scenario::Fair, seed), None);
    }
}

#[test]
fn the_alarms_on_dependent_streams_equal_the_reference() {
    for (name, first) in
        [("ar03", 10), ("ar02", 10), ("ar01", 4), ("regime", 4), ("tod", 3), ("due", 4)]
    {
        let scenario = Scenario::named(name).unwrap();
        let theirs = golden()[format!("E3_20_alarm_rounds_{name}_first10")].clone();
        for (seed, theirs) in (10_000..).zip(theirs.as_array().unwrap().iter().take(first)) {
            assert_eq!(order_alarm(scenario, seed), theirs.as_u64(), "{name} {seed}");
        }
    }
}
