//! Closed forms checked numerically: by integrals, by exact sums over the cent grid, and by their
//! minima at the true law.

use evaluation::scores::{
    PointErrors, briers, crps_capped, interval_score, log_crps, log_loss, mean_brier, pinball,
};
use evaluation::{HouseLaw, TiltedLaw, ln_multiplier, multiplier};

/// Integrates by Simpson's rule.
fn integral(f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let steps = 20_000;
    let h = (to - from) / f64::from(steps);
    let inner: f64 =
        (1..steps).map(|i| f(from + h * f64::from(i)) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    (f(from) + inner + f(to)) * h / 3.0
}

#[test]
fn the_log_crps_is_the_integral_of_the_squared_distance() {
    for s in [0.7, 1.0, 1.4] {
        let law = TiltedLaw::new(s);
        for m in [1.0f64, 1.5, 4.0, 30.0] {
            let y = m.ln();
            let below = |l: f64| (1.0 - 0.97 * (-l / s).exp()).powi(2);
            let above = |l: f64| (0.97 * (-l / s).exp()).powi(2);
            let numeric = integral(below, 0.0, y) + integral(above, y, 60.0);
            assert!((numeric - log_crps(y, &law)).abs() < 1e-7, "{s} {m}");
        }
    }
}

#[test]
fn the_capped_crps_is_the_integral_of_the_squared_distance() {
    for s in [0.7, 1.0, 1.4, 2.0] {
        let law = TiltedLaw::new(s);
        for m in [1.0f64, 1.5, 4.0, 30.0] {
            let cut = m.min(20.0);
            let below = |x: f64| (1.0 - 0.97 * x.powf(-1.0 / s)).powi(2);
            let above = |x: f64| (0.97 * x.powf(-1.0 / s)).powi(2);
            let numeric = integral(below, 1.0, cut) + integral(above, cut, 20.0);
            assert!((numeric - crps_capped(m, &law, 20.0)).abs() < 1e-7, "{s} {m}");
        }
    }
}

/// Returns the expectation of f over the law on the cent grid, with all mass from 30,000x up at one
/// point; f must be bounded or grow slowly.
fn expectation(law: &TiltedLaw, f: impl Fn(u64) -> f64) -> f64 {
    let top = 3_000_000;
    let body: f64 = (100..top).map(|k| law.pmf_cents(k) * f(k)).sum();
    body + law.survival_cents(top) * f(top)
}

#[test]
fn the_expected_scores_under_the_fair_law_are_exact() {
    let law = HouseLaw::default().untilted();
    let expect = |f: &dyn Fn(u64) -> f64| expectation(&law, f);
    let check = |ours: f64, par: f64, tolerance: f64| {
        assert!((ours - par).abs() < tolerance, "ours {ours}, par {par}");
    };
    let p = law.probabilities();
    for (c, par) in [0.228_489, 0.249_775, 0.218_789, 0.156_364, 0.087_591].into_iter().enumerate()
    {
        check(expect(&|k| briers(&p, k)[c]), par, 1e-6);
    }
    check(expect(&|k| mean_brier(&p, k)), 0.188_202, 1e-6);
    check(expect(&|k| log_crps(ln_multiplier(k), &law)), 0.500_26, 5e-5);
    check(expect(&|k| crps_capped(multiplier(k), &law, 10.0)), 1.386_99, 1e-5);
    check(expect(&|k| crps_capped(multiplier(k), &law, 100.0)), 3.535_43, 1e-5);
    check(expect(&|k| PointErrors::of(1.94, k).log_absolute), 0.693_82, 5e-5);
    check(expect(&|k| PointErrors::of(1.94, k).absolute_at_10), 1.888_2, 1e-4);
    check(expect(&|k| interval_score((1.07, 9.70), multiplier(k), 0.2)), 3.249_3, 1e-3);
    for (tau, par) in [
        (0.05, 0.048_27),
        (0.1, 0.094_50),
        (0.25, 0.215_78),
        (0.5, 0.346_91),
        (0.75, 0.346_90),
        (0.9, 0.230_43),
        (0.95, 0.149_88),
    ] {
        check(expect(&|k| pinball(law.quantile(tau), multiplier(k), tau)), par, 5e-5);
    }
}

/// Asserts that every other scale has a worse expected score than the true one.
#[track_caller]
fn best_at_the_truth(score: impl Fn(&TiltedLaw, u64) -> f64) {
    for truth in [0.8, 1.0, 1.2] {
        let law = TiltedLaw::new(truth);
        let expected = |s: f64| {
            let served = TiltedLaw::new(s);
            let body: f64 = (100..200_000).map(|k| law.pmf_cents(k) * score(&served, k)).sum();
            body + law.survival_cents(200_000) * score(&served, 200_000)
        };
        let best = expected(truth);
        for step in [0.7, 0.9, 0.95, 1.05, 1.1, 1.4] {
            assert!(expected(truth * step) > best, "truth {truth}, served {}", truth * step);
        }
    }
}

#[test]
fn the_log_crps_is_proper() {
    best_at_the_truth(|law, k| log_crps(ln_multiplier(k), law));
}

#[test]
fn the_capped_crps_is_proper() {
    best_at_the_truth(|law, k| crps_capped(multiplier(k), law, 20.0));
}

#[test]
fn the_log_loss_is_proper() {
    best_at_the_truth(|law, k| log_loss(k, law));
}

#[test]
fn the_mean_brier_is_proper() {
    best_at_the_truth(|law, k| mean_brier(&law.probabilities(), k));
}

#[test]
fn the_interval_score_is_proper() {
    best_at_the_truth(|law, k| {
        interval_score((law.quantile(0.1), law.quantile(0.9)), multiplier(k), 0.2)
    });
}

#[test]
fn the_pinball_loss_is_proper() {
    best_at_the_truth(|law, k| pinball(law.quantile(0.75), multiplier(k), 0.75));
}

#[test]
fn a_certain_and_correct_forecast_scores_zero() {
    assert!(PointErrors::of(3.0, 300).squared.abs() < 1e-15);
    assert!(mean_brier(&[1.0, 1.0, 1.0, 0.0, 0.0], 300).abs() < 1e-15);
    assert!((mean_brier(&[0.0, 0.0, 0.0, 1.0, 1.0], 300) - 1.0).abs() < 1e-15);
    assert!((interval_score((2.0, 4.0), 3.0, 0.2) - 2f64.ln()).abs() < 1e-15);
    let missed = interval_score((2.0, 4.0), 8.0, 0.2);
    assert!((missed - 2f64.ln() - 10.0 * 2f64.ln()).abs() < 1e-12);
}
