//! Null distributions of the tests in the battery.

use std::f64::consts::PI;

use statrs::function::gamma::{gamma_ur, ln_gamma};

/// Returns P(X > x) for chi² with `df` degrees of freedom.
pub(super) fn chi_square_tail(x: f64, df: usize) -> f64 {
    if x <= 0.0 { 1.0 } else { gamma_ur(df as f64 / 2.0, x / 2.0) }
}

/// Returns P(sup |Brownian bridge| > x), Kolmogorov's distribution, from whichever of its two
/// series converges faster at x.
pub(super) fn kolmogorov_tail(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let tail = if x < 1.0 {
        let term = |k: i32| (-f64::from((2 * k - 1) * (2 * k - 1)) * PI * PI / (8.0 * x * x)).exp();
        1.0 - (2.0 * PI).sqrt() / x * (1..=6).map(term).sum::<f64>()
    } else {
        let term = |k: i32| {
            let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
            sign * (-2.0 * f64::from(k * k) * x * x).exp()
        };
        (1..=8).map(term).sum()
    };
    tail.clamp(0.0, 1.0)
}

/// Returns the p-value of a one-sample Kolmogorov-Smirnov distance, with the finite-n correction of
/// Stephens 1970.
pub(super) fn kolmogorov_smirnov_p(distance: f64, n: usize) -> f64 {
    let root = (n as f64).sqrt();
    kolmogorov_tail((root + 0.12 + 0.11 / root) * distance)
}

/// Returns the asymptotic p-value of an Anderson-Darling statistic (Marsaglia and Marsaglia 2004).
pub(super) fn anderson_darling_p(z: f64) -> f64 {
    let polynomial =
        |coefficients: &[f64]| coefficients.iter().rev().fold(0.0, |sum, c| sum * z + c);
    let below = if z <= 0.0 {
        0.0
    } else if z < 2.0 {
        (-1.233_714_1 / z).exp() / z.sqrt()
            * polynomial(&[
                2.000_12,
                0.247_105,
                -0.064_982_1,
                0.034_796_2,
                -0.011_672,
                0.001_686_91,
            ])
    } else {
        (-polynomial(&[1.0776, -2.306_95, 0.434_24, -0.082_433, 0.008_056, -0.000_314_6]).exp())
            .exp()
    };
    (1.0 - below).clamp(0.0, 1.0)
}

/// Returns the exact two-sided binomial p-value: the probability of all counts no likelier than
/// `hits`.
pub(crate) fn binomial_p(hits: usize, n: usize, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        let sure = if p <= 0.0 { 0 } else { n };
        return if hits == sure { 1.0 } else { 0.0 };
    }
    let ln_odds = p.ln() - (-p).ln_1p();
    let ln_choose = |k: f64, n: f64| ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    let total = n as f64;
    let seen = hits as f64;
    let ln_seen = ln_choose(seen, total) + seen * ln_odds + total * (-p).ln_1p();
    let mut ln_mass = total * (-p).ln_1p();
    let mut sum = 0.0;
    for k in 0..=n {
        // The tolerance counts ties in spite of rounding, as R and scipy do.
        if ln_mass <= ln_seen + 1e-7 {
            sum += ln_mass.exp();
        }
        ln_mass += ((n - k) as f64 / (k + 1) as f64).ln() + ln_odds;
    }
    sum.min(1.0)
}

/// Returns P(longest run >= `length`) for an event of probability p in n independent rounds, by
/// recursion over the rounds.
pub(super) fn longest_run_p(length: usize, n: usize, p: f64) -> f64 {
    if length == 0 {
        return 1.0;
    }
    if length > n {
        return 0.0;
    }
    let whole = p.powf(length as f64);
    let step = (1.0 - p) * whole;
    // without[m]: the probability of no such run in m rounds.
    let mut without = vec![1.0; n + 1];
    without[length] = 1.0 - whole;
    for m in length + 1..=n {
        without[m] = without[m - 1] - step * without[m - length - 1];
    }
    1.0 - without[n]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ours: f64, theirs: f64, tolerance: f64) {
        assert!((ours - theirs).abs() < tolerance, "ours {ours}, reference {theirs}");
    }

    #[test]
    fn tails_equal_published_critical_values() {
        check(chi_square_tail(18.307, 10), 0.05, 1e-5);
        check(chi_square_tail(31.410_43, 20), 0.05, 1e-7);
        check(kolmogorov_tail(1.358_098_6), 0.05, 1e-7);
        check(kolmogorov_tail(0.5), 0.963_945_243_664_875_1, 1e-14);
        check(kolmogorov_tail(0.999_999_9), 0.269_999_778_872_225_76, 1e-14);
        check(kolmogorov_tail(1.000_000_1), 0.269_999_564_482_514_05, 1e-14);
        check(kolmogorov_tail(2.0), 6.709_252_557_796_953e-4, 1e-14);
        check(anderson_darling_p(2.492), 0.05, 1e-4);
        check(anderson_darling_p(3.878_125), 0.01, 1e-5);
        check(anderson_darling_p(1.999_999_9), anderson_darling_p(2.000_000_1), 1e-5);
    }

    #[test]
    fn binomial_p_values_equal_scipy() {
        check(binomial_p(7, 20, 0.5), 0.263_175_964_355_468_75, 1e-12);
        check(binomial_p(2, 10, 0.3), 0.733_172_067_999_999_9, 1e-12);
        check(binomial_p(0, 30, 0.1), 0.068_217_946_937_126_1, 1e-12);
        check(binomial_p(10, 20, 0.5), 1.0, 1e-12);
        check(binomial_p(230, 5000, 1.0 - 0.97 / 1.01), 0.022_303_933_269_636_513, 1e-10);
    }

    /// The longest run of ones in the lowest `n` bits.
    fn longest_run(bits: u32, n: usize) -> usize {
        let text = format!("{bits:0n$b}");
        text.split('0').map(str::len).max().unwrap_or(0)
    }

    #[test]
    fn longest_run_p_values_equal_an_enumeration_of_all_strings() {
        let (n, p) = (12, 0.515f64);
        for length in 0..=n + 1 {
            let chance: f64 = (0u32..1 << n)
                .filter(|&bits| longest_run(bits, n) >= length)
                .map(|bits| {
                    let ones = f64::from(bits.count_ones());
                    p.powf(ones) * (1.0 - p).powf(n as f64 - ones)
                })
                .sum();
            check(longest_run_p(length, n, p), chance, 1e-12);
        }
    }
}
