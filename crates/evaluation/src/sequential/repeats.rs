//! A test that bets on repetition: that the last three multipliers are followed by what followed them last time.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Number of multipliers in a context.
const DEPTH: usize = 3;

/// How many rounds are remembered. A generator with a longer period goes undetected.
const MEMORY: usize = 16_384;

/// Number of slots in the index of contexts.
const SLOTS: usize = 2 * MEMORY;

/// The upper edges, in cents, of all cells but the last: eighths of a fair game.
const EDGES: [u64; CELLS - 1] = [111, 130, 156, 194, 259, 388, 776];
const CELLS: usize = 8;

/// A test for generators that repeat themselves. It is valid for exchangeable rounds, whatever is known of
/// earlier ones: multipliers, ties or times.
///
/// It forecasts in which of eight cells the next multiplier falls: the cell of the round that
/// followed the last three multipliers when they last occurred, mixed with the frequencies so far. Its
/// wealth is the probability that these forecasts gave to the cells, over the highest that *any*
/// exchangeable law gives to them: the product of `c_i`! over n!, for `c_i` rounds in cell i
/// (universal inference: Wasserman, Ramdas and Balakrishnan 2020). That is at most the likelihood
/// ratio against the true law, which is a martingale, so Ville's bound holds at every stopping time.
///
/// The bettors on ranks cannot do this. Ranks are uniform only for a bettor who does not know the
/// multipliers: two equal rounds, for example, suggest that the law has few values.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "SeenRounds", into = "SeenRounds")]
pub struct Repeats {
    seen: SeenRounds,
    /// By hash of three multipliers: the number, counted from 1, of the last round that followed
    /// them; 0 for none.
    index: Vec<u64>,
}

/// What the test has seen, from which the index is rebuilt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct SeenRounds {
    rounds: u64,
    counts: [u64; CELLS],
    hits: u64,
    misses: u64,
    ln_e: f64,
    /// The newest multipliers, in cents.
    recent: VecDeque<u64>,
}

impl Repeats {
    /// Returns the test before any round.
    pub fn new() -> Self {
        SeenRounds::default().into()
    }

    /// Returns ln of the wealth.
    pub fn ln_e(&self) -> f64 {
        self.seen.ln_e
    }

    /// Bets on a round, then learns from it; learns only if `late`.
    pub fn update(&mut self, cents: u64, late: bool) {
        let cell = cell_of(cents);
        let slot = self.slot();
        let guess = slot.and_then(|slot| self.guess(slot)).filter(|_| !late);
        let seen = &mut self.seen;
        let (n, of_cell) = (seen.rounds as f64, seen.counts[cell] as f64);
        let mut forecast = (of_cell + 1.0) / (n + CELLS as f64);
        if let Some(guess) = guess {
            let tries = seen.hits as f64 + seen.misses as f64;
            let stake = (seen.hits as f64 + 0.5) / (tries + 1.0);
            let is_hit = guess == cell;
            forecast = (1.0 - stake) * forecast + if is_hit { stake } else { 0.0 };
            *(if is_hit { &mut seen.hits } else { &mut seen.misses }) += 1;
        }
        seen.ln_e += (forecast * (n + 1.0) / (of_cell + 1.0)).ln();
        seen.counts[cell] += 1;
        seen.rounds += 1;
        if let Some(slot) = slot {
            self.index[slot] = seen.rounds;
        }
        seen.recent.push_back(cents);
        if seen.recent.len() > MEMORY {
            seen.recent.pop_front();
        }
    }

    /// Returns the slot of the newest three multipliers.
    fn slot(&self) -> Option<usize> {
        let from = self.seen.recent.len().checked_sub(DEPTH)?;
        Some(slot_of(self.seen.recent.range(from..)))
    }

    /// Returns the cell of the last round that followed the newest three multipliers.
    fn guess(&self, slot: usize) -> Option<usize> {
        let recent = &self.seen.recent;
        let place = self.index[slot].checked_sub(self.seen.oldest())?;
        let place = usize::try_from(place).ok()?;
        let from = place.checked_sub(DEPTH)?;
        let is_same = recent.range(from..place).eq(recent.range(recent.len() - DEPTH..));
        is_same.then(|| cell_of(recent[place]))
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self::new()
    }
}

impl From<SeenRounds> for Repeats {
    fn from(seen: SeenRounds) -> Self {
        let oldest = seen.oldest();
        let mut index = vec![0; SLOTS];
        for place in DEPTH..seen.recent.len() {
            index[slot_of(seen.recent.range(place - DEPTH..place))] = oldest + place as u64;
        }
        Self { seen, index }
    }
}

impl From<Repeats> for SeenRounds {
    fn from(test: Repeats) -> Self {
        test.seen
    }
}

impl SeenRounds {
    /// Returns the number, counted from 1, of the oldest round remembered.
    fn oldest(&self) -> u64 {
        (self.rounds + 1).saturating_sub(self.recent.len() as u64)
    }
}

/// Returns the cell of a multiplier.
fn cell_of(cents: u64) -> usize {
    EDGES.partition_point(|&edge| edge <= cents)
}

/// Returns the slot of three multipliers, by multiplicative hashing (Knuth 1973).
fn slot_of<'a>(context: impl Iterator<Item = &'a u64>) -> usize {
    let mixed = context.fold(0u64, |hash, &cents| {
        (hash ^ cents).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
    });
    usize::try_from(mixed % SLOTS as u64).expect("there are 32,768 slots")
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::simulate::{PlantedGame, Scenario};

    /// One multiplier from each of three cells.
    const VALUES: [u64; 3] = [100, 200, 1_000];

    /// The most that any stopping rule expects of the wealth under independent rounds with these
    /// probabilities, by backward induction over all sequences.
    fn snell(test: &Repeats, law: [f64; 3], left: u32, sign: f64) -> f64 {
        let now = (sign * test.ln_e()).exp();
        if left == 0 {
            return now;
        }
        let after = |value: usize| {
            let mut after = test.clone();
            after.update(VALUES[value], false);
            law[value] * snell(&after, law, left - 1, sign)
        };
        (0..3).map(after).sum::<f64>().max(now)
    }

    #[test]
    fn no_stopping_rule_expects_more_than_one_whatever_the_law() {
        for law in [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.8, 0.1, 0.1], [0.3, 0.3, 0.4]] {
            let best = snell(&Repeats::new(), law, 7, 1.0);
            assert!((best - 1.0).abs() < 1e-12, "{law:?}: {best}");
        }
        let wrong_sign = snell(&Repeats::new(), [0.5, 0.5, 0.0], 7, -1.0);
        assert!(wrong_sign > 2.0, "{wrong_sign}");
    }

    #[test]
    fn over_all_orders_of_the_same_rounds_the_mean_is_at_most_one() {
        // Seven rounds in every order, among them orders with a context that comes twice.
        fn orders(left: [usize; 3], test: &Repeats) -> (f64, f64) {
            if left == [0; 3] {
                return (test.ln_e().exp(), 1.0);
            }
            let parts = (0..3).filter(|&value| left[value] > 0).map(|value| {
                let (mut left, mut after) = (left, test.clone());
                left[value] -= 1;
                after.update(VALUES[value], false);
                orders(left, &after)
            });
            parts.fold((0.0, 0.0), |(sum, count), (s, c)| (sum + s, count + c))
        }
        for bag in [[7, 0, 0], [4, 3, 0], [3, 2, 2]] {
            let (sum, count) = orders(bag, &Repeats::new());
            assert!(sum / count <= 1.0 + 1e-12, "{bag:?}: {}", sum / count);
        }
    }

    #[test]
    fn a_generator_is_found_soon_after_its_period_and_a_fair_game_is_not() {
        let alarm = |game: PlantedGame, rounds: usize| {
            let mut test = Repeats::new();
            game.rounds(rounds, 3).iter().position(|round| {
                test.update(round.cents, false);
                test.ln_e() > 320f64.ln()
            })
        };
        let short = alarm(PlantedGame::Congruential { modulus: 251 }, 400).unwrap();
        let long = alarm(PlantedGame::Congruential { modulus: 4096 }, 4400).unwrap();
        assert!((251..290).contains(&short) && (4097..4200).contains(&long), "{short} {long}");
        assert_eq!(alarm(PlantedGame::Plain(Scenario::Fair), 20_000), None);
        assert_eq!(alarm(PlantedGame::Atom { share: 0.3 }, 20_000), None);
    }

    #[test]
    fn it_continues_bit_for_bit_after_a_restore_even_when_rounds_have_been_forgotten() {
        let rounds = PlantedGame::Congruential { modulus: 4096 }.rounds(40_000, 1);
        for cut in [2, 4_000, 20_000] {
            let mut test = Repeats::new();
            for round in &rounds[..cut] {
                test.update(round.cents, false);
            }
            let json = serde_json::to_string(&test).unwrap();
            let mut back: Repeats = serde_json::from_str(&json).unwrap();
            for round in &rounds[cut..] {
                test.update(round.cents, false);
                back.update(round.cents, false);
                assert_eq!(test.ln_e().to_bits(), back.ln_e().to_bits());
            }
        }
    }
}
