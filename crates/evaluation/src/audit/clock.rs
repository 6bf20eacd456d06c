//! The two tests that need a clock.
//!
//! A round counts in the hour in which the round before it ended. Its own time is recorded when it
//! ends, so a long round could fall into a later hour just because it was long.

use super::TestResult;
use super::distributions::chi_square_tail;
use crate::quality::RecordedRound;
use crate::{HouseLaw, normal};

/// Minimum number of rounds in an hour for the hour to be used.
const HOUR_ROUNDS_MIN: u32 = 5;

/// Runs both tests; their p-values are `None` with fewer than two usable hours.
pub(super) fn run(rounds: &[RecordedRound], house: &HouseLaw) -> [TestResult; 2] {
    let timed: Vec<(usize, u64)> = rounds
        .windows(2)
        .filter_map(|pair| Some((hour(pair[0].unix_seconds?), pair[1].cents)))
        .collect();
    let chance = house.survival_cents(200);
    let high = timed.iter().map(|&(hour, k)| (hour, f64::from(k >= 200) - chance));
    let high = Hours::of(high).chi_square(chance * (1.0 - chance), 0);
    let scores = rank_scores(&timed);
    let spread = scores.iter().map(|z| z * z).sum::<f64>() / scores.len().max(1) as f64;
    let ranked = timed.iter().zip(scores).map(|(&(hour, _), z)| (hour, z));
    let ranked = Hours::of(ranked).chi_square(spread, 1);
    [
        result("hour_rank", "order or clock", "Does size depend on the hour of the day?", ranked),
        result(
            "hour_2x",
            "law, order or clock",
            "Is 2x reached as often as stated in every hour?",
            high,
        ),
    ]
}

fn result(
    name: &'static str,
    about: &'static str,
    question: &'static str,
    p: Option<f64>,
) -> TestResult {
    TestResult { name, about, question, p, holm_p: None, stands_out: false }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the remainder lies in 0..86,400, and `as` takes a missing time to 0"
)]
fn hour(unix_seconds: f64) -> usize {
    ((unix_seconds.rem_euclid(86_400.0) / 3600.0) as usize).min(23)
}

/// Returns the normal scores of the ranks in the whole sample, where ties share their mean rank.
/// Assumes no law (Kruskal and Wallis 1952).
fn rank_scores(timed: &[(usize, u64)]) -> Vec<f64> {
    let n = timed.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&i| timed[i].1);
    let mut scores = vec![0.0; n];
    for tied in order.chunk_by(|&a, &b| timed[a].1 == timed[b].1) {
        let first = order.partition_point(|&i| timed[i].1 < timed[tied[0]].1);
        let rank = first as f64 + (tied.len() as f64).midpoint(1.0);
        let score = normal::quantile((rank - 0.5) / n as f64);
        for &i in tied {
            scores[i] = score;
        }
    }
    scores
}

/// Sums and counts by hour of the day.
#[derive(Default)]
struct Hours {
    sums: [f64; 24],
    counts: [u32; 24],
}

impl Hours {
    fn of(values: impl Iterator<Item = (usize, f64)>) -> Self {
        let mut hours = Self::default();
        for (hour, value) in values {
            hours.sums[hour] += value;
            hours.counts[hour] += 1;
        }
        hours
    }

    /// Returns the chi² p-value of the squared hourly sums over their variance. The degrees of
    /// freedom are the usable hours minus `lost`.
    fn chi_square(&self, variance: f64, lost: usize) -> Option<f64> {
        let hours =
            self.sums.iter().zip(self.counts).filter(|&(_, count)| count >= HOUR_ROUNDS_MIN);
        let (statistic, used) = hours.fold((0.0, 0), |(statistic, used), (sum, count)| {
            (statistic + sum * sum / f64::from(count), used + 1)
        });
        (used >= 2 && variance > 0.0).then(|| chi_square_tail(statistic / variance, used - lost))
    }
}
