//! Simulated recordings, with times, of games with a planted pattern or another law.

use std::f64::consts::PI;

use evaluation::normal;
use evaluation::pit::SplitMix64;

use super::{Scenario, floor_cents};

/// The pause between two rounds, and the seconds per unit of ln M that a round lasts: the gap after
/// a round of multiplier M is 11.5 + 11.7 ln M.
const PAUSE_SECONDS: f64 = 11.5;
const SECONDS_PER_LN: f64 = 11.7;

/// When the first simulated round ended, in seconds since 1970: at midnight.
const START_SECONDS: f64 = 1_700_006_400.0;

/// A game with a planted pattern or another law than that of the house.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlantedGame {
    /// A scenario without a clock of its own.
    Plain(Scenario),
    /// The tail index is exp(`strength` sin(2 pi x)) at time of day x in \[0, 1), by the clock that
    /// the rounds themselves drive.
    ByTheClock {
        /// The amplitude of the logarithm of the tail index.
        strength: f64,
    },
    /// A fair game that ends at 1.00x with this probability in all.
    Atom {
        /// P(M = 1.00).
        share: f64,
    },
    /// A fair game whose multipliers are cut at a cap.
    Capped {
        /// The cap, in hundredths.
        cap_cents: u64,
    },
    /// The return is .97 in the first third of `rounds`, .93 in the second, .97 in the third.
    ReturnSteps {
        /// The number of rounds in all three thirds.
        rounds: u64,
    },
    /// The spread of the normal scores comes in clusters, as an exponential GARCH process (Nelson
    /// 1991) makes them.
    Volatility,
    /// The uniform number of a round is the state of a linear congruential generator with this
    /// modulus, 251 or 4,096; the period is 250 or 4,096.
    Congruential {
        /// The modulus.
        modulus: u64,
    },
}

/// One simulated round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedRound {
    /// Its multiplier, in hundredths.
    pub cents: u64,
    /// When it ended, in seconds since 1970.
    pub unix_seconds: f64,
}

impl PlantedGame {
    /// Returns the first n rounds of a seed.
    pub fn rounds(self, n: usize, seed: u64) -> Vec<TimedRound> {
        let mut game = State::new(self, seed);
        let mut seconds = START_SECONDS;
        (0..n as u64)
            .map(|t| {
                let cents = game.next(t, seconds);
                seconds += PAUSE_SECONDS + SECONDS_PER_LN * evaluation::ln_multiplier(cents);
                TimedRound { cents, unix_seconds: seconds }
            })
            .collect()
    }
}

/// The state of a simulated game.
struct State {
    game: PlantedGame,
    random: SplitMix64,
    plain: Box<dyn Iterator<Item = u64>>,
    ln_spread: f64,
    congruential: u64,
}

impl State {
    fn new(game: PlantedGame, seed: u64) -> Self {
        let scenario =
            if let PlantedGame::Plain(scenario) = game { scenario } else { Scenario::Fair };
        let mut random = SplitMix64::new(seed);
        let congruential = 1 + random.next_u64() % 250;
        Self { game, random, plain: Box::new(scenario.stream(seed)), ln_spread: 0.0, congruential }
    }

    /// Returns the multiplier of round number t (0 = the first) that begins at `seconds`, in cents.
    fn next(&mut self, t: u64, seconds: f64) -> u64 {
        match self.game {
            PlantedGame::Plain(_) => self.plain.next().unwrap_or(100),
            PlantedGame::ByTheClock { strength } => {
                let theta = (strength * (2.0 * PI * (seconds % 86_400.0) / 86_400.0).sin()).exp();
                floor_cents((0.97 / self.random.uniform()).powf(1.0 / theta))
            }
            PlantedGame::Atom { share } => {
                // 1 - .97/1.01 of the fair rounds end at 1.00x anyway.
                let extra = 1.0 - (1.0 - share) / (0.97 / 1.01);
                let is_cut = self.random.uniform() < extra;
                let fair = floor_cents(0.97 / self.random.uniform());
                if is_cut { 100 } else { fair }
            }
            PlantedGame::Capped { cap_cents } => {
                floor_cents(0.97 / self.random.uniform()).min(cap_cents)
            }
            PlantedGame::ReturnSteps { rounds } => {
                let r = if (t * 3 / rounds) == 1 { 0.93 } else { 0.97 };
                floor_cents(r / self.random.uniform())
            }
            PlantedGame::Volatility => self.clustered(),
            PlantedGame::Congruential { modulus } => {
                // Their states have next to no serial correlation, so only their period gives them away.
                let (factor, increment) = if modulus == 251 { (159, 0) } else { (1101, 377) };
                self.congruential = (factor * self.congruential + increment) % modulus;
                floor_cents(0.97 / ((self.congruential as f64 + 0.5) / modulus as f64))
            }
        }
    }

    fn clustered(&mut self) -> u64 {
        let e = self.random.normal();
        // 1.2 is about the standard deviation of exp(h) e.
        let score = self.ln_spread.exp() * e / 1.2;
        let mean_abs = (2.0 / PI).sqrt();
        self.ln_spread = 0.97 * self.ln_spread + 0.12 * (e.abs() - mean_abs);
        floor_cents(0.97 / normal::survival(score).max(1e-12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(game: PlantedGame, is: impl Fn(u64) -> bool) -> f64 {
        let rounds = game.rounds(40_000, 3);
        rounds.iter().filter(|round| is(round.cents)).count() as f64 / 40_000.0
    }

    #[test]
    fn each_game_has_its_law() {
        let atom = share(PlantedGame::Atom { share: 0.10 }, |cents| cents == 100);
        assert!((atom - 0.10).abs() < 0.006, "{atom}");
        let capped = PlantedGame::Capped { cap_cents: 2000 };
        let cap = share(capped, |cents| cents == 2000);
        assert!((cap - 0.97 / 20.0).abs() < 0.004, "{cap}");
        assert!(share(capped, |cents| cents > 2000) < 1e-9);
        let steps = PlantedGame::ReturnSteps { rounds: 40_000 };
        let high = share(steps, |cents| cents >= 200);
        assert!((high - (0.97 * 2.0 + 0.93) / 6.0).abs() < 0.01, "{high}");
    }

    #[test]
    fn a_congruential_game_repeats_after_its_period_and_not_before() {
        for (modulus, period) in [(251, 250), (4096, 4096)] {
            let rounds = PlantedGame::Congruential { modulus }.rounds(3 * period, 5);
            let cents: Vec<u64> = rounds.iter().map(|round| round.cents).collect();
            assert_eq!(cents[..period], cents[period..2 * period]);
            assert!((1..period).all(|lag| cents[..period] != cents[lag..lag + period]));
        }
    }

    #[test]
    fn the_time_of_a_round_grows_with_its_length() {
        let rounds = PlantedGame::ByTheClock { strength: 0.15 }.rounds(500, 1);
        for pair in rounds.windows(2) {
            let gap = pair[1].unix_seconds - pair[0].unix_seconds;
            let expected = 11.5 + 11.7 * evaluation::ln_multiplier(pair[1].cents);
            assert!((gap - expected).abs() < 1e-5, "{gap} {expected}");
        }
    }
}
