//! A1: the values of the reference implementation, one by one.

use evaluation::pit::{keyed_uniform, z_score};
use evaluation::sequential::{ObservedRound, OrderTest};
use evaluation::{HouseLaw, TiltedLaw, scores};
use serde_json::Value;
use test_support::simulate::{Scenario, day_phase};

use crate::evidence::mean_of;
use crate::table::Table;

pub(crate) fn run(table: &mut Table) {
    let golden: Value = serde_json::from_str(include_str!("../../tests/it/golden/golden.json"))
        .expect("the golden values are JSON");
    cents(table, &golden);
    transforms(table, &golden);
    score_values(table, &golden);
    wealth(table, &golden);
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn cents(table: &mut Table, golden: &Value) {
    let wrong: usize = Scenario::ALL
        .iter()
        .map(|(name, scenario)| {
            let theirs = golden[format!("cents_{name}_seed42_first20")].as_array();
            let theirs = theirs.into_iter().flatten().filter_map(Value::as_u64);
            theirs.zip(scenario.stream(42)).filter(|(a, b)| a != b).count()
        })
        .sum();
    table.line(("A1", "differing cents in ten generators"), (wrong, 0), ("exact", wrong == 0));
}

fn transforms(table: &mut Table, golden: &Value) {
    let golden = &golden["ar03_seed10000"];
    let rounds = Scenario::Autoregressive(0.3).rounds(10, 10_000);
    let house = HouseLaw::default();
    let ours = (0u64..).zip(&rounds).map(|(t, &k)| house.pit(k, keyed_uniform(1_010_003, t)));
    difference(table, "PIT", 1e-12, ours, &golden["pit10"]);
    let mut ranks = Vec::new();
    let mut test = OrderTest::new(2_010_003);
    for &k in &rounds {
        ranks.push(test.update(&ObservedRound::new(k)));
    }
    difference(table, "normal scores of ranks", 1e-9, ranks.into_iter(), &golden["zrank10"]);
    let ours = numbers(&golden["rank10"]).into_iter().map(z_score);
    difference(table, "inverse normal", 1e-12, ours, &golden["zrank10"]);
}

fn difference(
    table: &mut Table,
    what: &str,
    tolerance: f64,
    ours: impl Iterator<Item = f64>,
    theirs: &Value,
) {
    let largest = ours.zip(numbers(theirs)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    report(table, what, tolerance, largest);
}

fn report(table: &mut Table, what: &str, tolerance: f64, largest: f64) {
    let what = format!("largest difference: {what}");
    let bound = format!("<= {tolerance:.0e}");
    table.line(("A1", &what), (format!("{largest:.1e}"), 0), (&bound, largest <= tolerance));
}

fn score_values(table: &mut Table, golden: &Value) {
    let mut largest = 0.0f64;
    for case in golden["scores"].as_array().into_iter().flatten() {
        let value = |key: &str| case[key].as_f64().unwrap_or(f64::NAN);
        let law = TiltedLaw::new(value("s"));
        let m = value("M");
        let cents = (100..20_000).find(|&k| (evaluation::multiplier(k) - m).abs() < 1e-9);
        for (ours, theirs) in [
            (scores::log_crps(m.ln(), &law), value("crps_log")),
            (scores::crps_capped(m, &law, 20.0), value("crps_cap20")),
            (law.log_pmf(cents.unwrap_or(0)), value("logpmf")),
            (law.quantile(0.1), value("q10")),
            (law.quantile(0.5), value("q50")),
            (law.quantile(0.9), value("q90")),
        ] {
            largest = largest.max((ours - theirs).abs());
        }
    }
    report(table, "scores, quantiles", 1e-9, largest);
}

fn wealth(table: &mut Table, golden: &Value) {
    let mut test = OrderTest::new(2_010_003);
    let mut largest = 0.0f64;
    for (t, cents) in (1u64..=2000).zip(Scenario::Autoregressive(0.3).stream(10_000)) {
        test.update(&ObservedRound::at(cents, day_phase(t - 1)));
        let key = t.to_string();
        for bettor in test.bettors() {
            let theirs = golden["E3_ar03_seed10000_logE"][bettor.name].get(&key);
            if let Some(theirs) = theirs.and_then(Value::as_f64) {
                largest = largest.max((bettor.ln_e - theirs).abs());
            }
        }
        let theirs = match t {
            200 => 3.86793,
            500 => 16.19703,
            1000 => 41.98313,
            2000 => 78.97095,
            _ => continue,
        };
        let what = format!("ln E3, ar03 seed 10000, round {t}");
        let ours = mean_of(&test.bettors()[..5]);
        let holds = (ours - theirs).abs() < 6e-6;
        table.line(("A1", &what), (format!("{ours:.5}"), format!("{theirs:.5}")), ("equal", holds));
    }
    report(table, "ln E of five bettors", 1e-6, largest);
}
