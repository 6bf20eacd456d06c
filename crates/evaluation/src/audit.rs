//! A fairness audit of recorded rounds: twelve tests at a fixed number of rounds, the return at
//! each target, and the defects of the recording itself.
//!
//! The battery is valid for a single look. Run it only at the round counts announced in
//! [`SNAPSHOTS`], each look with half the error probability of the one before. The
//! [sequential tests](crate::sequential) may be looked at at any time.

mod battery;
mod clock;
mod distributions;
mod recording;
mod text;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use battery::cells as cells_p;
pub(crate) use distributions::binomial_p;
pub use recording::{Gap, PaceSource, Recording};
pub use text::p_value;

use crate::pit::normal_scores;
use crate::quality::RecordedRound;
use crate::returns::ReturnRow;
use crate::sequential::{Epoch, Evidence, Level, ObservedRound, TestEvidence};
use crate::{HouseLaw, Pace};

/// The round counts at which to audit, fixed in advance.
pub const SNAPSHOTS: [u64; 10] =
    [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];

/// Minimum number of rounds in an audit.
pub const ROUNDS_MIN: usize = 100;

/// The hypothesis and the error level of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditOptions {
    /// The law that the house states.
    pub house: HouseLaw,
    /// The pace by which gaps are judged; `None` for that of the recording.
    pub pace: Option<Pace>,
    /// The published salt from which the uniform numbers are drawn.
    pub salt: u64,
    /// The probability of any false finding in the whole battery.
    pub alpha: f64,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { house: HouseLaw::default(), pace: None, salt: 0, alpha: 0.05 }
    }
}

impl AuditOptions {
    /// Returns these options with the alpha that the look at `SNAPSHOTS[number]` may spend:
    /// .05/2^(number + 1), so that all looks together stay below .05.
    #[must_use]
    pub fn at_snapshot(self, number: i32) -> Self {
        Self { alpha: 0.05 * 0.5f64.powi(number + 1), ..self }
    }
}

/// The error of an audit of fewer than [`ROUNDS_MIN`] rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewRounds {
    /// The number of rounds given.
    pub rounds: usize,
}

impl fmt::Display for TooFewRounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an audit needs at least {ROUNDS_MIN} rounds, found {}", self.rounds)
    }
}

impl std::error::Error for TooFewRounds {}

/// One test of the battery.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestResult {
    /// Its name.
    pub name: &'static str,
    /// What a finding would be about: `law`, `order`, `law or order`, `order or clock`,
    /// `law, order or clock`, `drift`.
    pub about: &'static str,
    /// The question it answers, in plain words.
    pub question: &'static str,
    /// The p-value; `None` if the data do not allow it, for example without a clock.
    pub p: Option<f64>,
    /// The p-value after Holm's correction over all tests that have one.
    pub holm_p: Option<f64>,
    /// Whether the corrected p-value is at most alpha.
    pub stands_out: bool,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditReport {
    /// Rounds audited.
    pub rounds: usize,
    /// The hypothesis and the error level.
    pub options: AuditOptions,
    /// The twelve tests.
    pub tests: Vec<TestResult>,
    /// The return at 1.01x and at each target.
    pub returns: Vec<ReturnRow>,
    /// The order and law tests run over the rounds; the forecast test would need forecasts.
    pub evidence: Vec<TestEvidence>,
    /// The epochs that ended when a change was noticed, oldest first.
    pub epochs: Vec<Epoch>,
    /// Defects of the recording: rounds it may have missed, dropped or reordered.
    pub recording: Recording,
}

impl AuditReport {
    /// Returns the tests that stand out after correction.
    pub fn findings(&self) -> impl Iterator<Item = &TestResult> {
        self.tests.iter().filter(|test| test.stands_out)
    }

    /// Returns the report as text.
    pub fn to_text(&self) -> String {
        self.to_string()
    }
}

/// Audits rounds, given in the order in which they were played.
///
/// # Errors
/// [`TooFewRounds`] below [`ROUNDS_MIN`].
pub fn run(rounds: &[RecordedRound], options: &AuditOptions) -> Result<AuditReport, TooFewRounds> {
    if rounds.len() < ROUNDS_MIN {
        return Err(TooFewRounds { rounds: rounds.len() });
    }
    let cents: Vec<u64> = rounds.iter().map(|round| round.cents).collect();
    let evidence = evidence(rounds, options);
    Ok(AuditReport {
        rounds: rounds.len(),
        options: *options,
        tests: tests(rounds, &cents, options),
        returns: evidence.measured().returns,
        evidence: evidence.tests()[..2].to_vec(),
        epochs: evidence.closed().to_vec(),
        recording: Recording::of(rounds, options),
    })
}

/// Runs the twelve tests and corrects their p-values.
fn tests(rounds: &[RecordedRound], cents: &[u64], options: &AuditOptions) -> Vec<TestResult> {
    let scores = normal_scores(&options.house, options.salt, cents);
    let mut tests = battery::run(cents, &scores, &options.house);
    tests.extend(clock::run(rounds, &options.house));
    let answered: Vec<f64> = tests.iter().filter_map(|test| test.p).collect();
    for test in &mut tests {
        test.holm_p = test.p.map(|p| holm(p, &answered));
        test.stands_out = test.holm_p.is_some_and(|p| p <= options.alpha);
    }
    tests
}

/// Returns Holm's corrected p-value: the largest of p times the number of tests left, over all
/// p-values up to this one (Holm 1979).
fn holm(p: f64, all: &[f64]) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    let left = (1..=sorted.len()).rev();
    let corrected = sorted.iter().zip(left).take_while(|&(&other, _)| other <= p);
    corrected.map(|(other, left)| other * left as f64).fold(0.0, f64::max).min(1.0)
}

fn evidence(rounds: &[RecordedRound], options: &AuditOptions) -> Evidence {
    let mut evidence = Evidence::new(options.house, options.salt);
    let mut before = None;
    for round in rounds {
        let day_phase = before.map(|seconds: f64| (seconds / 86_400.0).rem_euclid(1.0));
        evidence.update(&ObservedRound { cents: round.cents, day_phase, late: false }, None);
        before = round.unix_seconds;
    }
    evidence
}

/// Returns whether a test has reached the amber or red level.
fn has_alarm(test: &TestEvidence) -> bool {
    test.level >= Level::Amber
}

#[cfg(test)]
mod tests {
    use super::holm;

    #[test]
    fn holm_corrects_step_by_step() {
        let all = [0.01, 0.04, 0.03, 0.005];
        // R: p.adjust(c(.01, .04, .03, .005), "holm") = .03 .06 .06 .02
        for (p, corrected) in all.into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((holm(p, &all) - corrected).abs() < 1e-12);
        }
        assert!((holm(0.9, &[0.9, 0.8]) - 1.0).abs() < 1e-12);
    }
}
