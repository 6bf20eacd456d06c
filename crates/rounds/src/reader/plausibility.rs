//! Whether a column of numbers can be the multipliers of a crash game.
//!
//! A crash game pays `x` with a probability of about `1/x`, whatever its house edge, so that half of its
//! multipliers lie below 2 and one in ten above 10. Ids, counts, amounts of money, prices, coordinates
//! and temperatures are distributed differently.

use crate::reader::Implausible;

/// A number of the column that may hold multipliers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// Its value, which may be below 1.
    pub(crate) value: f64,
    /// Whether it is written with a decimal sign.
    pub(crate) has_decimals: bool,
}

/// What is known about a column before its values are examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prior {
    /// Its name means only the multiplier.
    Named,
    /// Its name is missing, or means the multiplier only in some recordings.
    Guessed,
}

/// Number of values above which only whole numbers are suspicious in a named column.
///
/// About one multiplier in a hundred is a whole number, so that ten in a row do not occur.
const WHOLE_MIN: usize = 10;

/// The same limit where all values are at least 100, as only one multiplier in a hundred is.
const HUNDREDTHS_MIN: usize = 3;

/// Number of values above which a strictly monotonic column is suspicious: by chance, 2 in 12! are.
const MONOTONIC_MIN: usize = 12;

/// Amounts of money are all at least this large; a recording may hold high rounds only, but of these only one
/// in a hundred rounds is this high.
const LARGE: f64 = 100.0;

/// The share of steps in one direction that multipliers do not reach, from [`SPREAD_MIN`] values on.
///
/// Half of the steps rise, with a standard deviation of `√(n/12)` steps among `n` values (Levene,
/// 1952): .9 is seven of them away at 30 values. The ticks of a flight reach it.
const ONE_WAY_MAX: f64 = 0.9;

/// Number of values above which median and spread are judged.
const SPREAD_MIN: usize = 30;

/// Why the values are not multipliers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// They are whole numbers of at least 100.
    Hundredths,
    /// They are something else.
    Implausible(Implausible),
}

/// Returns why the values are not the multipliers of a crash game; `None` if they may be.
pub(crate) fn doubt(sample: &[Sample], prior: Prior) -> Option<Doubt> {
    let values: Vec<f64> = sample.iter().map(|it| it.value).collect();
    if let Some(doubt) = whole_numbers(sample, prior) {
        return Some(doubt);
    }
    let enough = if prior == Prior::Named { MONOTONIC_MIN } else { MONOTONIC_MIN / 2 };
    let is_one_way = values.len() >= SPREAD_MIN && one_way(&values) >= ONE_WAY_MAX;
    let found = if values.len() >= enough && is_strictly_monotonic(&values) || is_one_way {
        Some(Implausible::Monotonic)
    } else if are_below_one(&values, prior) {
        Some(Implausible::BelowOne)
    } else if prior == Prior::Guessed && values.len() >= SPREAD_MIN {
        spread(sample, &values)
    } else if values.len() >= SPREAD_MIN && values.iter().all(|&value| value >= LARGE) {
        Some(Implausible::NoneSmall)
    } else {
        None
    };
    found.map(Doubt::Implausible)
}

fn whole_numbers(sample: &[Sample], prior: Prior) -> Option<Doubt> {
    if sample.is_empty() || sample.iter().any(|it| it.has_decimals) {
        return None;
    }
    let are_large = sample.iter().all(|it| it.value >= 100.0);
    if are_large && sample.len() >= HUNDREDTHS_MIN && !is_id_like(sample) {
        return Some(Doubt::Hundredths);
    }
    let enough = if prior == Prior::Named { WHOLE_MIN } else { 1 };
    (sample.len() >= enough).then_some(Doubt::Implausible(Implausible::WholeNumbers))
}

/// Hundredths of multipliers vary; ids only rise or fall.
fn is_id_like(sample: &[Sample]) -> bool {
    let values: Vec<f64> = sample.iter().map(|it| it.value).collect();
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    is_strictly_monotonic(&values) || smallest >= 1000.0
}

fn is_strictly_monotonic(values: &[f64]) -> bool {
    values.len() >= 2 && (values.is_sorted_by(|a, b| a < b) || values.is_sorted_by(|a, b| a > b))
}

/// Returns the share of steps in the more frequent direction.
fn one_way(values: &[f64]) -> f64 {
    let (mut up, mut down) = (0usize, 0usize);
    for pair in values.windows(2) {
        up += usize::from(pair[0] < pair[1]);
        down += usize::from(pair[0] > pair[1]);
    }
    up.max(down) as f64 / values.len() as f64
}

/// No multiplier is below 1; a named column may have a few slips, such as 0 for an instant crash, which are rejected
/// row by row; any other column may have one, as long as it has too few values to judge their spread.
fn are_below_one(values: &[f64], prior: Prior) -> bool {
    let below = values.iter().filter(|&&value| value < 1.0).count();
    match prior {
        Prior::Named => values.len() >= WHOLE_MIN && below * 10 > values.len(),
        Prior::Guessed => below > usize::from(values.len() < SPREAD_MIN),
    }
}

fn spread(sample: &[Sample], values: &[f64]) -> Option<Implausible> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    if !(1.2..=20.0).contains(&median) {
        Some(Implausible::Median)
    } else if !sample.iter().any(|it| it.has_decimals && it.value < 10.0) {
        Some(Implausible::NoneSmall)
    } else if has_common_decimals(values) {
        Some(Implausible::SameDecimals)
    } else if !is_spread_as_a_crash_game(&sorted) {
        Some(Implausible::Spread)
    } else {
        None
    }
}

/// Returns whether more than two values in five end with the same two decimals.
fn has_common_decimals(values: &[f64]) -> bool {
    let mut counts = [0usize; 100];
    for value in values {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a remainder of 100 is a whole number from 0 to 99"
        )]
        let decimals = (value.abs() * 100.0).round().rem_euclid(100.0) as usize;
        counts[decimals.min(99)] += 1;
    }
    counts.iter().any(|&count| count * 5 > values.len() * 2)
}

/// Compares the likelihood of the law of a crash game, density `1/x²` from 1 on, with those of a normal,
/// a log-normal, a uniform and an exponential law, each fitted to the values.
///
/// The log-likelihood ratio grows by .42 or more with each true multiplier (the divergence of the
/// crash law from the nearest of them, the log-normal: `ln √(2πe) − 1`), and falls with each other
/// number; each fitted parameter is charged 1, as Akaike's criterion does. Of simulated recordings 3 % of
/// those with 30 rows fail, .1 % of those with 80, and none of 4,000 with 100.
fn is_spread_as_a_crash_game(sorted: &[f64]) -> bool {
    // The atom at 1.00 belongs to the cell from 1.00 to 1.01.
    let values: Vec<f64> = sorted.iter().map(|value| value.max(1.005)).collect();
    let count = values.len() as f64;
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let sum_of_logs: f64 = logs.iter().sum();
    let crash = -2.0 * sum_of_logs;
    let (mean, deviation) = moments(&values);
    let (_, log_deviation) = moments(&logs);
    let normal = |deviation: f64| {
        -count * (deviation.max(1e-9).ln() + 0.5 * (std::f64::consts::TAU.ln() + 1.0)) - 2.0
    };
    let (first, last) = (values[0], values[values.len() - 1]);
    let uniform = -count * (last - first).max(1e-9).ln() - 2.0;
    let exponential = -count * ((mean - first).max(1e-9).ln() + 1.0) - 2.0;
    let others = [normal(deviation), normal(log_deviation) - sum_of_logs, uniform, exponential];
    others.into_iter().all(|other| crash > other)
}

/// Returns the mean and the standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use evaluation::pit::SplitMix64;

    use super::*;

    fn uniforms(seed: u64) -> impl Iterator<Item = f64> {
        let mut random = SplitMix64::new(seed);
        std::iter::repeat_with(move || random.uniform())
    }

    fn normals(seed: u64) -> impl Iterator<Item = f64> {
        let mut random = SplitMix64::new(seed);
        std::iter::repeat_with(move || random.normal())
    }

    fn sample(values: impl IntoIterator<Item = f64>, decimals: u32) -> Vec<Sample> {
        let unit = 10f64.powi(i32::try_from(decimals).unwrap());
        values
            .into_iter()
            .map(|value| Sample {
                value: (value * unit + 1e-6).floor() / unit,
                has_decimals: decimals > 0,
            })
            .collect()
    }

    fn multipliers(seed: u64, count: usize, edge: f64) -> Vec<Sample> {
        sample(uniforms(seed).map(|u| ((1.0 - edge) / (1.0 - u)).max(1.0)).take(count), 2)
    }

    #[test]
    fn multipliers_of_any_house_edge_raise_no_doubt() {
        for seed in 1u32..1500 {
            let edge = f64::from(seed % 5) * 0.025;
            let count = 100 + usize::try_from(seed % 200).unwrap();
            let seed = u64::from(seed);
            for prior in [Prior::Named, Prior::Guessed] {
                assert_eq!(doubt(&multipliers(seed, count, edge), prior), None, "{seed} {count}");
            }
        }
    }

    #[test]
    fn a_capped_game_raises_no_doubt() {
        for seed in 1..300 {
            let mut capped = multipliers(seed, 120, 0.03);
            for it in &mut capped {
                it.value = it.value.min(20.0);
            }
            assert_eq!(doubt(&capped, Prior::Guessed), None, "{seed}");
        }
    }

    #[test]
    fn other_numbers_with_decimals_are_told_from_multipliers() {
        let mut doubted = 0;
        for seed in 1..=400 {
            let count = 100;
            let uniform = |from: f64, to: f64| {
                sample(uniforms(seed).map(|u| from + (to - from) * u).take(count), 2)
            };
            let normal = |mean: f64, deviation: f64| {
                sample(normals(seed).map(|z| mean + deviation * z).take(count), 2)
            };
            let lognormal = |center: f64, deviation: f64| {
                sample(normals(seed).map(|z| 1.0 + center * (deviation * z).exp()).take(count), 2)
            };
            for (name, values) in [
                ("prices from 1 to 20", uniform(1.0, 20.0)),
                ("prices from 1 to 5", uniform(1.0, 5.0)),
                ("temperatures", normal(14.0, 6.0)),
                ("latitudes", uniform(1.1, 60.0)),
                ("fares", lognormal(6.0, 0.6)),
                ("grades", normal(2.7, 0.6)),
                ("weights", lognormal(3.0, 0.4)),
            ] {
                assert!(doubt(&values, Prior::Guessed).is_some(), "{name} {seed}");
                doubted += 1;
            }
        }
        assert_eq!(doubted, 2800);
    }

    #[test]
    fn whole_numbers_are_ids_counts_or_hundredths() {
        let whole = |values: Vec<f64>| sample(values, 0);
        let hundredths = whole(vec![231.0, 104.0, 1206.0]);
        assert_eq!(doubt(&hundredths, Prior::Named), Some(Doubt::Hundredths));
        let ids = whole((0..20).map(|it| f64::from(70_000 + it)).collect());
        let expected = Some(Doubt::Implausible(Implausible::WholeNumbers));
        assert_eq!(doubt(&ids, Prior::Named), expected);
        let counts = whole((0..20).map(|it| f64::from(1 + it * 7 % 13)).collect());
        assert_eq!(doubt(&counts, Prior::Named), expected);
        assert_eq!(doubt(&counts[..5], Prior::Named), None, "few may be whole by chance");
        assert_eq!(doubt(&counts[..1], Prior::Guessed), expected);
    }

    #[test]
    fn values_that_only_rise_are_no_multipliers() {
        let ticks = sample((0..60).map(|it| 1.0 + 0.01 * f64::from(it % 20)), 2);
        assert_eq!(
            doubt(&ticks, Prior::Named),
            Some(Doubt::Implausible(Implausible::Monotonic)),
            "three flights"
        );
        let rising = sample((1..30).map(|it| 1.0 + 0.37 * f64::from(it)), 2);
        let expected = Some(Doubt::Implausible(Implausible::Monotonic));
        assert_eq!(doubt(&rising, Prior::Named), expected);
        assert_eq!(doubt(&rising[..6], Prior::Guessed), expected);
        assert_eq!(doubt(&rising[..6], Prior::Named), None);
    }

    #[test]
    fn prices_share_their_decimals() {
        let prices = sample(uniforms(3).map(|u| (1.0 / (1.0 - u)).floor() + 0.99).take(60), 2);
        let found = doubt(&prices, Prior::Guessed);
        assert_eq!(found, Some(Doubt::Implausible(Implausible::SameDecimals)));
    }
}
