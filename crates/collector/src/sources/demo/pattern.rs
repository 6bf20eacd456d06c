//! Patterns that the demo can plant in its rounds, so that everyone can see what the predictor says when there is one.
//!
//! Rounds with a pattern are simulated without seeds: nobody can commit to a round that depends on other rounds.

use chrono::{DateTime, Timelike as _, Utc};
use clap::ValueEnum;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;
use rounds::{MAX_MULTIPLIER, Multiplier};
use serde::{Deserialize, Serialize};

/// Share of the stakes that the simulated house pays back, in percent.
const RETURN_PERCENT: f64 = 97.0;
/// The highest multiplier, in cents.
const CAP_CENTS: f64 = 100.0 * MAX_MULTIPLIER;
/// Chance that a round of [`Pattern::Memory`] lies on the same side of the median as the one before.
const SAME_SIDE: f64 = 0.65;
/// Change of the tail index over a day of [`Pattern::Clock`], to either side.
const CLOCK_AMPLITUDE: f64 = 0.3;
/// Tail indexes of the wild and the calm stretches of [`Pattern::Volatility`], and the chance that a stretch ends.
const WILD: f64 = 0.75;
const CALM: f64 = 1.4;
const STRETCH_END: f64 = 0.02;
/// The cap of [`Pattern::Capped`], in cents.
const LOW_CAP_CENTS: f64 = 2_000.0;
/// Number of rounds after which [`Pattern::Generator`] repeats itself.
const PERIOD: usize = 250;

/// A pattern in the simulated rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Independent, provably fair rounds.
    #[default]
    None,
    /// 65 of 100 rounds lie on the same side of 1.94x as the round before.
    Memory,
    /// Multipliers are higher from midnight to noon UTC and lower in the other half of the day.
    Clock,
    /// Calm stretches of about 50 rounds alternate with wild ones.
    Volatility,
    /// No multiplier exceeds 20x; the rounds are independent.
    Capped,
    /// The same 250 multipliers over and over.
    Generator,
}

impl Pattern {
    /// Returns the name on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value().expect("no pattern is hidden");
        value.get_name().to_owned()
    }

    /// Returns what the pattern is, in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "provably fair",
            Self::Memory => {
                "planted pattern: 65 of 100 rounds on the same side of 1.94x as the one before"
            }
            Self::Clock => "planted pattern: higher multipliers from midnight to noon UTC",
            Self::Volatility => "planted pattern: calm and wild stretches of about 50 rounds",
            Self::Capped => "planted pattern: no multiplier above 20x",
            Self::Generator => "planted pattern: the same 250 multipliers over and over",
        }
    }
}

/// A game with a pattern.
#[derive(Debug)]
pub(super) struct PatternedGame {
    pattern: Pattern,
    /// Whether the last round was below the median.
    was_low: bool,
    is_wild: bool,
    /// The first multipliers, up to [`PERIOD`] of them.
    cycle: Vec<Multiplier>,
    /// Number of rounds played.
    played: usize,
}

impl PatternedGame {
    pub(super) fn new(pattern: Pattern) -> Self {
        Self { pattern, was_low: false, is_wild: false, cycle: Vec::new(), played: 0 }
    }

    pub(super) fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// Plays a round that ends at this time.
    pub(super) fn play(&mut self, rng: &mut ChaCha20Rng, ends_at: DateTime<Utc>) -> Multiplier {
        let draw = uniform(rng);
        match self.pattern {
            Pattern::None => law(draw, 1.0, CAP_CENTS),
            Pattern::Memory => {
                let is_same = uniform(rng) <= SAME_SIDE;
                self.was_low = self.was_low == is_same;
                // The upper half of the draws gives the lower half of the multipliers.
                let draw = if self.was_low { f64::midpoint(draw, 1.0) } else { draw / 2.0 };
                law(draw, 1.0, CAP_CENTS)
            }
            Pattern::Clock => {
                let day = f64::from(ends_at.num_seconds_from_midnight()) / 86_400.0;
                let tail = (-CLOCK_AMPLITUDE * (std::f64::consts::TAU * day).sin()).exp();
                law(draw, tail, CAP_CENTS)
            }
            Pattern::Volatility => {
                self.is_wild ^= uniform(rng) <= STRETCH_END;
                law(draw, if self.is_wild { WILD } else { CALM }, CAP_CENTS)
            }
            Pattern::Capped => law(draw, 1.0, LOW_CAP_CENTS),
            Pattern::Generator => {
                let at = self.played % PERIOD;
                self.played += 1;
                if at == self.cycle.len() {
                    self.cycle.push(law(draw, 1.0, CAP_CENTS));
                }
                self.cycle[at]
            }
        }
    }
}

/// Returns the multiplier that a draw from (0, 1] stands for: a round reaches `x` with probability
/// `.97 x^-tail`, up to the cap.
fn law(draw: f64, tail: f64, cap_cents: f64) -> Multiplier {
    let cents = (RETURN_PERCENT * draw.powf(-1.0 / tail)).floor().clamp(100.0, cap_cents);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let cents = cents as u64;
    Multiplier::from_cents(cents).expect("a multiplier within the limits")
}

/// Returns a uniform number from (0, 1], with 53 bits.
fn uniform(rng: &mut ChaCha20Rng) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng as _;

    use super::*;

    fn played(pattern: Pattern, count: usize) -> Vec<u64> {
        let (mut game, mut rng) = (PatternedGame::new(pattern), ChaCha20Rng::seed_from_u64(3));
        let noon = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        (0..count).map(|_| game.play(&mut rng, noon).cents()).collect()
    }

    /// Asserts that a share of `count` trials is `expected`, within four standard deviations.
    fn is_about(hits: usize, count: usize, expected: f64) {
        let share = hits as f64 / count as f64;
        let error = (expected * (1.0 - expected) / count as f64).sqrt();
        assert!((share - expected).abs() < 4.0 * error, "{share} is not {expected}");
    }

    #[test]
    fn memory_keeps_the_house_law_and_the_side_of_the_median() {
        let all = played(Pattern::Memory, 20_000);
        for target in [150, 194, 500] {
            let hits = all.iter().filter(|cents| **cents >= target).count();
            let (share, expected) = (hits as f64 / all.len() as f64, 97.0 / target as f64);
            // Rounds depend on each other, so this share varies more than that of independent ones.
            assert!((share - expected).abs() < 0.02, "{target}: {share}");
        }
        let same = all.windows(2).filter(|pair| (pair[0] < 194) == (pair[1] < 194)).count();
        is_about(same, all.len() - 1, SAME_SIDE);
    }

    #[test]
    fn the_clock_raises_multipliers_in_the_morning_and_lowers_them_in_the_evening() {
        let share = |hour: u32| {
            let (mut game, mut rng) =
                (PatternedGame::new(Pattern::Clock), ChaCha20Rng::seed_from_u64(3));
            let time = DateTime::from_timestamp(i64::from(hour) * 3600, 0).unwrap();
            (0..5_000).filter(|_| game.play(&mut rng, time).as_f64() >= 5.0).count()
        };
        let tail = |sign: f64| 0.97 * 5_f64.powf(-(sign * CLOCK_AMPLITUDE).exp());
        is_about(share(6), 5_000, tail(-1.0));
        is_about(share(18), 5_000, tail(1.0));
        is_about(share(0), 5_000, tail(0.0));
    }

    #[test]
    fn wild_stretches_follow_calm_ones() {
        let all = played(Pattern::Volatility, 20_000);
        let high: Vec<f64> =
            all.chunks(20).map(|it| it.iter().filter(|x| **x >= 400).count() as f64).collect();
        let mean = high.iter().sum::<f64>() / high.len() as f64;
        let variance = high.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / high.len() as f64;
        let independent = mean * (1.0 - mean / 20.0);
        assert!(variance > 1.3 * independent, "{variance} {independent}");
    }

    #[test]
    fn a_cap_is_reached_and_never_exceeded() {
        let all = played(Pattern::Capped, 5_000);
        let capped = all.iter().filter(|cents| **cents == 2_000).count();
        assert!(all.iter().all(|cents| *cents <= 2_000));
        is_about(capped, all.len(), 0.97 / 20.0);
    }

    #[test]
    fn a_generator_repeats_itself() {
        let all = played(Pattern::Generator, 1_000);
        assert!((PERIOD..1_000).all(|index| all[index] == all[index - PERIOD]));
        assert_ne!(all[..PERIOD], all[1..=PERIOD]);
    }
}
