//! The ten tests that need no clock.

use super::TestResult;
use super::distributions::{
    anderson_darling_p, binomial_p, chi_square_tail, kolmogorov_smirnov_p, kolmogorov_tail,
    longest_run_p,
};
use crate::{HouseLaw, ln_multiplier, normal};

/// Lags of the Ljung-Box tests.
const LAGS: usize = 20;

/// The lower limits, in cents, of the chi² cells above 1.00x.
const CELLS: [u64; 10] = [101, 110, 125, 150, 200, 300, 500, 1000, 2000, 5000];

/// Runs the ten tests; `z` are the rounds' normal scores under the house law.
pub(super) fn run(cents: &[u64], z: &[f64], house: &HouseLaw) -> Vec<TestResult> {
    let logs: Vec<f64> = cents.iter().map(|&k| ln_multiplier(k)).collect();
    let squares: Vec<f64> = z.iter().map(|z| z * z).collect();
    let low: Vec<bool> = cents.iter().map(|&k| k < 200).collect();
    let mut uniform: Vec<f64> = z.iter().map(|&z| normal::cdf(z)).collect();
    uniform.sort_by(f64::total_cmp);
    let atoms = cents.iter().filter(|&&k| k <= 100).count();
    let low_chance = 1.0 - house.survival_cents(200);
    let longest = longest_run_p(longest_run(&low), low.len(), low_chance);
    [
        (KS, kolmogorov_smirnov_p(ks_distance(&uniform), uniform.len())),
        (AD, anderson_darling_p(anderson_darling(&uniform))),
        (CELL, cells(cents, house)),
        (ATOM, binomial_p(atoms, cents.len(), house.atom())),
        (RUNS, runs(&low)),
        (LJUNG_Z, ljung_box(z)),
        (LJUNG_LN, ljung_box(&logs)),
        (LJUNG_SQUARE, ljung_box(&squares)),
        (LONGEST, longest),
        (DRIFT, cusum(z)),
    ]
    .into_iter()
    .map(|((name, about, question), p)| TestResult {
        name,
        about,
        question,
        p: (!p.is_nan()).then_some(p),
        holm_p: None,
        stands_out: false,
    })
    .collect()
}

type Label = (&'static str, &'static str, &'static str);
const KS: Label = ("ks", "law", "Do the multipliers follow the stated law?");
const AD: Label = ("anderson_darling", "law", "The same, with more weight on both tails.");
const CELL: Label = ("chi2_cells", "law", "Do the eleven size classes have the stated shares?");
const ATOM: Label = ("atom", "law", "Is 1.00x as frequent as the law states?");
const RUNS: Label = ("runs_2x", "order", "Do rounds below and above 2x alternate by chance only?");
const LJUNG_Z: Label = ("ljung_box_z", "order", "Do sizes depend on the last 20 sizes?");
const LJUNG_LN: Label = ("ljung_box_ln", "order", "The same, on ln M itself.");
const LJUNG_SQUARE: Label = ("ljung_box_z2", "order", "Do calm and wild rounds cluster?");
const LONGEST: Label =
    ("longest_low_run", "law or order", "Is the longest run below 2x too long for chance?");
const DRIFT: Label = ("cusum", "drift", "Does the level shift somewhere?");

/// Returns the Kolmogorov-Smirnov distance of sorted values from the uniform distribution.
fn ks_distance(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    sorted
        .iter()
        .enumerate()
        .map(|(i, &u)| (u - i as f64 / n).max((i + 1) as f64 / n - u))
        .fold(0.0, f64::max)
}

/// Returns the Anderson-Darling statistic of sorted values against the uniform distribution
/// (Anderson and Darling 1954).
fn anderson_darling(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    let cut = |u: f64| u.clamp(1e-12, 1.0 - 1e-12);
    let sum: f64 = sorted
        .iter()
        .zip(sorted.iter().rev())
        .enumerate()
        .map(|(i, (&low, &high))| (2 * i + 1) as f64 * (cut(low).ln() + (-cut(high)).ln_1p()))
        .sum();
    -n - sum / n
}

/// Returns the p-value of Pearson's chi² over 1.00x and the cells above it; 0 when a round falls
/// into a cell that the law excludes.
pub(crate) fn cells(cents: &[u64], house: &HouseLaw) -> f64 {
    let mut counts = [0u32; CELLS.len() + 1];
    for &k in cents {
        counts[CELLS.partition_point(|&from| from <= k)] += 1;
    }
    let n = cents.len() as f64;
    let upper = |cell: usize| CELLS.get(cell).map_or(0.0, |&from| house.survival_cents(from));
    let mut above = 1.0;
    let mut statistic = 0.0;
    let mut used = 0;
    for (cell, &count) in counts.iter().enumerate() {
        let expected = n * (above - upper(cell));
        above = upper(cell);
        if expected > 0.0 {
            statistic += (f64::from(count) - expected) * (f64::from(count) - expected) / expected;
            used += 1;
        } else if count > 0 {
            return 0.0;
        }
    }
    chi_square_tail(statistic, used - 1)
}

/// Returns the two-sided p-value of the runs test (Wald and Wolfowitz 1940), conditional on the
/// counts; NaN when all bits are equal.
fn runs(bits: &[bool]) -> f64 {
    let n = bits.len() as f64;
    let ones = bits.iter().filter(|&&bit| bit).count() as f64;
    let runs = 1.0 + bits.windows(2).filter(|pair| pair[0] != pair[1]).count() as f64;
    let mean = 1.0 + 2.0 * ones * (n - ones) / n;
    let variance = (mean - 1.0) * (mean - 2.0) / (n - 1.0);
    if variance <= 0.0 {
        f64::NAN
    } else {
        2.0 * normal::survival((runs - mean).abs() / variance.sqrt())
    }
}

/// Returns the p-value of the Ljung-Box test with 20 lags (Ljung and Box 1978); NaN when all values
/// are equal.
fn ljung_box(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let power: f64 = centred.iter().map(|c| c * c).sum();
    let sum: f64 = (1..=LAGS)
        .map(|lag| {
            let product: f64 = centred[lag..].iter().zip(&centred).map(|(a, b)| a * b).sum();
            let correlation = product / power;
            correlation * correlation / (n - lag as f64)
        })
        .sum();
    if power > 0.0 { chi_square_tail(n * (n + 2.0) * sum, LAGS) } else { f64::NAN }
}

/// Returns the p-value of the largest excursion of the centred cumulative sum against a Brownian
/// bridge (Ploberger and Krämer 1992, for a constant mean); NaN when all scores are equal.
fn cusum(z: &[f64]) -> f64 {
    let n = z.len() as f64;
    let mean = z.iter().sum::<f64>() / n;
    let sd = (z.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / n).sqrt();
    let mut sum = 0.0;
    let mut largest = 0.0f64;
    for z in z {
        sum += z - mean;
        largest = largest.max(sum.abs());
    }
    kolmogorov_tail(largest / (sd * n.sqrt()))
}

/// Returns the length of the longest run of ones.
fn longest_run(bits: &[bool]) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for &bit in bits {
        run = if bit { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
