//! How naive methods go wrong. These figures have no bound; `docs/explanation/what-the-numbers-mean.md` quotes them.

use evaluation::house_law::MEDIAN;
use evaluation::pit::normal_scores;
use evaluation::scores::PointErrors;
use evaluation::{HouseLaw, multiplier};
use test_support::simulate::{Scenario, SimpleModel};

use crate::table::{Table, for_seeds, percent, quantile};

pub(crate) fn run(table: &mut Table) {
    peeking(table);
    spread(table);
    floors(table);
    returns(table);
}

fn share(of: &[bool]) -> f64 {
    of.iter().filter(|&&yes| yes).count() as f64 / of.len() as f64
}

/// Returns whether the mean, an autocorrelation and a hit rate ever reach "p < .05" on fair rounds.
fn ever_significant(seed: u64) -> [bool; 3] {
    let rounds = Scenario::Fair.rounds(5000, seed);
    let scores = normal_scores(&HouseLaw::default(), seed + 1_000_003, &rounds);
    let mut model = SimpleModel::new(seed + 1_000_003);
    let [mut sum, mut product, mut before] = [0.0; 3];
    let [mut calls, mut hits] = [0.0f64; 2];
    let mut ever = [false; 3];
    for (t, (&cents, z)) in (1u32..).zip(rounds.iter().zip(scores)) {
        let root = f64::from(t).sqrt();
        sum += z;
        product += z * before;
        before = z;
        ever[0] |= t > 100 && (sum / root).abs() > 1.96;
        ever[1] |= t > 101 && (product / root).abs() > 1.96;
        if model.forecast().probabilities()[1] > 0.485 {
            calls += 1.0;
            hits += f64::from(cents >= 200);
            let excess = (hits - calls * 0.485) / (calls * 0.485 * 0.515).sqrt();
            ever[2] |= calls > 50.0 && excess > 1.645;
        }
        model.update(cents);
    }
    ever
}

fn peeking(table: &mut Table) {
    let seeds: Vec<u64> = (10_000..10_200).collect();
    let ever = for_seeds(&seeds, ever_significant);
    for (i, (what, reference)) in
        [("mean", "46.5 %"), ("autocorrelation", "46.0 %"), ("hit rate", "40.0 %")]
            .into_iter()
            .enumerate()
    {
        let found: Vec<bool> = ever.iter().map(|ever| ever[i]).collect();
        let what = format!("fair streams with p < .05 at some look: {what}");
        table.note(("", &what), (percent(share(&found)), reference));
    }
}

/// Reports the raw MAE and RMSE of one constant over 200 fair streams.
fn spread(table: &mut Table) {
    let seeds: Vec<u64> = (100_000..100_200).collect();
    let errors = for_seeds(&seeds, |seed| {
        let errors = Scenario::Fair.stream(seed).take(20_000).map(|k| PointErrors::of(MEDIAN, k));
        let (mae, mse) = errors.fold((0.0, 0.0), |(a, s), e| (a + e.absolute, s + e.squared));
        [mae / 20_000.0, (mse / 20_000.0).sqrt()]
    });
    for (i, (what, reference)) in
        [("MAE", "7.3-29.4"), ("RMSE", "87.0-2674.0")].into_iter().enumerate()
    {
        let mut values: Vec<f64> = errors.iter().map(|errors| errors[i]).collect();
        values.sort_by(f64::total_cmp);
        let ours = format!("{:.1}-{:.1}", quantile(&values, 0.05), quantile(&values, 0.95));
        table.note(("", &format!("raw {what} of the constant 1.94, 5-95 %")), (ours, reference));
    }
}

/// Reports a Kolmogorov-Smirnov test that ignores the cent grid and the atom.
fn floors(table: &mut Table) {
    let seeds: Vec<u64> = (50_000..50_100).collect();
    let rejected = for_seeds(&seeds, |seed| {
        let mut rounds = Scenario::Fair.rounds(5000, seed);
        rounds.sort_unstable();
        let distances = rounds.iter().enumerate().map(|(i, &k)| {
            let law = 1.0 - 0.97 / multiplier(k);
            (law - i as f64 / 5000.0).max((i + 1) as f64 / 5000.0 - law)
        });
        distances.fold(0.0, f64::max) * 5000f64.sqrt() > 1.358
    });
    let figures = (percent(share(&rejected)), "100.0 %");
    table.note(("", "naive KS test: fair streams rejected"), figures);
}

/// Reports the standard deviation of two estimates of the return.
fn returns(table: &mut Table) {
    let seeds: Vec<u64> = (80_000..80_200).collect();
    for (what, target, factor, reference) in
        [("1.00x count", 101, 1.01, "0.0030"), ("2x", 200, 2.0, "0.0145")]
    {
        let returns = for_seeds(&seeds, |seed| {
            let hits = Scenario::Fair.stream(seed).take(5000).filter(|&k| k >= target).count();
            factor * hits as f64 / 5000.0
        });
        let mean = returns.iter().sum::<f64>() / returns.len() as f64;
        let variance = returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>();
        let sd = (variance / returns.len() as f64).sqrt();
        let what = format!("sd of the return at 5,000 rounds, from {what}");
        table.note(("", &what), (format!("{sd:.4}"), reference));
    }
}
