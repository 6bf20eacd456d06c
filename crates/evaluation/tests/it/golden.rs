//! Values of an independent reference implementation (`golden/golden.json`).

use evaluation::pit::{SplitMix64, keyed_uniform, z_score};
use evaluation::simulate::Scenario;
use evaluation::{HouseLaw, TiltedLaw, multiplier, scores};
use serde_json::Value;

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
fn the_random_numbers_are_those_of_the_reference() {
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
fn every_generator_gives_the_cents_of_the_reference() {
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
fn transforms_and_normal_scores_are_those_of_the_reference() {
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
fn scores_and_quantiles_are_those_of_the_reference() {
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
