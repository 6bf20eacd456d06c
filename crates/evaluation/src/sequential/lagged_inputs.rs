//! Inputs of the bettors, computed from past rounds.

use std::collections::VecDeque;

use features::{COUNT, Extractor, FeatureRow, X_MAX, standardised};
use serde::{Deserialize, Serialize};

/// Rounds seen before the features are used.
const WARM: u64 = 10;

/// Scores kept for the level sums.
const SCORES: usize = 50;

/// Values of ln M stored so that the features can be restored bit for bit. All features but one look
/// back at most 50 rounds. The exponential moving average discounts its start by 9/11 per round; two
/// such averages that differ only in the last place soon coincide, and after 512 rounds always do.
const LOGS: usize = 512;

/// What a bettor may know before a round: the scores and ln M of the rounds before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "StoredInputs", into = "StoredInputs")]
pub struct LaggedInputs {
    rounds: u64,
    scores: VecDeque<f64>,
    logs: VecDeque<f64>,
    extractor: Extractor,
    row: FeatureRow,
}

/// The stored form of the inputs.
#[derive(Clone, Serialize, Deserialize)]
struct StoredInputs {
    rounds: u64,
    scores: VecDeque<f64>,
    logs: VecDeque<f64>,
}

impl LaggedInputs {
    /// Returns the inputs before any round.
    pub fn new() -> Self {
        Self {
            rounds: 0,
            scores: VecDeque::with_capacity(SCORES + 1),
            logs: VecDeque::with_capacity(LOGS + 1),
            extractor: Extractor::new(),
            row: [0.0; COUNT],
        }
    }

    /// Returns the number of rounds so far.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Returns the last three scores, newest first; 0 for those that do not exist yet.
    pub fn lags(&self) -> [f64; 3] {
        let mut newest = self.scores.iter().rev().copied();
        std::array::from_fn(|_| newest.next().unwrap_or(0.0))
    }

    /// Returns the sums of the last 10 and 50 scores, divided by the square roots of 10 and 50.
    pub fn levels(&self) -> [f64; 2] {
        [10usize, 50].map(|w| {
            let from = self.scores.len().saturating_sub(w);
            self.scores.range(from..).sum::<f64>() / (w as f64).sqrt()
        })
    }

    /// Returns the standardised features for the next round; zeros until ten rounds are known.
    pub fn features(&self) -> FeatureRow {
        if self.rounds < WARM { [0.0; COUNT] } else { self.row }
    }

    /// Adds a finished round: its score and its ln M, clamped to the range of the features.
    pub fn push(&mut self, score: f64, ln_m: f64) {
        self.rounds += 1;
        self.scores.push_back(score);
        if self.scores.len() > SCORES {
            self.scores.pop_front();
        }
        let ln_m = if ln_m.is_nan() { 0.0 } else { ln_m.clamp(0.0, X_MAX) };
        self.logs.push_back(ln_m);
        if self.logs.len() > LOGS {
            self.logs.pop_front();
        }
        self.row = standardised(&extend(&mut self.extractor, ln_m));
    }
}

impl Default for LaggedInputs {
    fn default() -> Self {
        Self::new()
    }
}

fn extend(extractor: &mut Extractor, ln_m: f64) -> FeatureRow {
    extractor.push(ln_m).expect("the value has been clamped to the range of the features")
}

impl From<StoredInputs> for LaggedInputs {
    fn from(stored: StoredInputs) -> Self {
        let StoredInputs { rounds, scores, logs } = stored;
        let mut inputs = Self { rounds, scores, ..Self::new() };
        for &ln_m in &logs {
            let ln_m = if ln_m.is_nan() { 0.0 } else { ln_m.clamp(0.0, X_MAX) };
            inputs.row = standardised(&extend(&mut inputs.extractor, ln_m));
        }
        Self { logs, ..inputs }
    }
}

impl From<LaggedInputs> for StoredInputs {
    fn from(inputs: LaggedInputs) -> Self {
        Self { rounds: inputs.rounds, scores: inputs.scores, logs: inputs.logs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ln_multiplier;
    use test_support::simulate::Scenario;

    #[test]
    fn restored_inputs_equal_the_originals_bit_for_bit_ever_after() {
        for (seed, cut) in [(1, 5), (2, 49), (3, 300), (4, 512), (5, 2000), (6, 5000), (7, 7777)] {
            let mut inputs = LaggedInputs::new();
            let mut rounds = Scenario::Fair.stream(seed).map(ln_multiplier);
            for x in rounds.by_ref().take(cut) {
                inputs.push(x - 1.0, x);
            }
            let text = serde_json::to_string(&inputs).unwrap();
            let mut back: LaggedInputs = serde_json::from_str(&text).unwrap();
            for x in rounds.take(100) {
                assert_eq!(back.features().map(f64::to_bits), inputs.features().map(f64::to_bits));
                assert_eq!(back.levels().map(f64::to_bits), inputs.levels().map(f64::to_bits));
                assert_eq!(back.lags().map(f64::to_bits), inputs.lags().map(f64::to_bits));
                back.push(x - 1.0, x);
                inputs.push(x - 1.0, x);
            }
        }
    }
}
