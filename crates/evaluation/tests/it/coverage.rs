//! Intervals reach their nominal coverage whatever the true law is.

use evaluation::intervals::{GAMMA, PitInterval};
use evaluation::multiplier;
use test_support::simulate::{Scenario, SimpleModel};

const ROUNDS: u32 = 6000;

/// Returns the shares of rounds below and above the interval at level alpha.
fn missed(scenario: Scenario, seed: u64, alpha: f64) -> (f64, f64) {
    let mut model = SimpleModel::new(seed + 1_000_003);
    let mut interval = PitInterval::new(alpha);
    let (mut below, mut above) = (0, 0);
    for cents in scenario.stream(seed).take(ROUNDS as usize) {
        let forecast = model.forecast();
        let (lo, hi) = forecast.interval(interval.levels());
        below += u32::from(multiplier(cents) < lo - 0.005);
        above += u32::from(multiplier(cents) > hi + 0.005);
        let z = model.update(cents);
        interval.update(forecast.transform(z));
    }
    (f64::from(below) / f64::from(ROUNDS), f64::from(above) / f64::from(ROUNDS))
}

#[test]
fn eighty_percent_intervals_cover_eighty_percent_on_six_generators() {
    for (seed, name) in (20_000..).zip(["fair", "ar03", "regime", "tod", "shift", "iid_th09"]) {
        let scenario = Scenario::named(name).unwrap();
        let (below, above) = missed(scenario, seed, 0.2);
        let covered = 1.0 - below - above;
        assert!((0.785..=0.825).contains(&covered), "{name}: {covered}");
        assert!((below - 0.1).abs() < 0.015 && (above - 0.1).abs() < 0.015, "{below} {above}");
    }
}

#[test]
fn ninety_percent_intervals_cover_ninety_percent_on_six_generators() {
    for (seed, name) in (20_000..).zip(["fair", "ar03", "regime", "tod", "shift", "iid_th09"]) {
        let scenario = Scenario::named(name).unwrap();
        let (below, above) = missed(scenario, seed, 0.1);
        let covered = 1.0 - below - above;
        assert!((0.885..=0.93).contains(&covered), "{name}: {covered}");
        let bound = (1.0 + GAMMA) / (GAMMA * f64::from(ROUNDS));
        assert!(below <= 0.05 + bound && above <= 0.05 + bound, "{name}: {below} {above}");
    }
}
