//! A bettor on one bit per round that learns which bit tends to follow each context of recent bits.

use serde::{Deserialize, Serialize};

/// A bettor on one bit per round that counts which bit followed each context of the last few bits.
///
/// A beta-binomial mixture in every context (Krichevsky and Trofimov 1981), with a stronger prior
/// centred on the hypothesised probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bits {
    p: f64,
    depth: u32,
    context: usize,
    rounds: u32,
    /// Per context: the counts of a following 1 and a following 0, prior included.
    counts: Vec<[f64; 2]>,
}

impl Bits {
    /// Returns a bettor against "the bit is 1 with probability p", with `2^depth` contexts and a
    /// prior worth `strength` rounds.
    pub fn new(p: f64, strength: f64, depth: u32) -> Self {
        let counts = vec![[strength * p, strength * (1.0 - p)]; 1 << depth];
        Self { p, depth, context: 0, rounds: 0, counts }
    }

    /// Returns the number of the context of the next bit: the last `depth` bits, the newest lowest.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Bets on the next bit, learns from it, and returns the log growth of the wealth. There is no
    /// bet on the first `depth` rounds, because they have no context.
    pub fn bet(&mut self, bit: bool) -> f64 {
        let mut ln_e = 0.0;
        if self.rounds < self.depth {
            self.rounds += 1;
        } else {
            let [ones, zeros] = &mut self.counts[self.context];
            let q = *ones / (*ones + *zeros);
            ln_e = if bit { (q / self.p).ln() } else { ((1.0 - q) / (1.0 - self.p)).ln() };
            *(if bit { ones } else { zeros }) += 1.0;
        }
        self.context = ((self.context << 1) | usize::from(bit)) & (self.counts.len() - 1);
        ln_e
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected wealth after `left` more bits.
    fn expected(bettor: &Bits, p: f64, left: u32) -> f64 {
        if left == 0 {
            return 1.0;
        }
        [(true, p), (false, 1.0 - p)]
            .map(|(bit, chance)| {
                let mut after = bettor.clone();
                let e = after.bet(bit).exp();
                chance * e * expected(&after, p, left - 1)
            })
            .iter()
            .sum()
    }

    #[test]
    fn the_bets_are_exactly_fair_over_all_strings_of_bits() {
        for (p, strength, depth) in [(0.485, 50.0, 3), (0.97 / 1.01, 200.0, 0), (0.3, 2.0, 1)] {
            let bettor = Bits::new(p, strength, depth);
            assert!((expected(&bettor, p, 10) - 1.0).abs() < 1e-12);
            assert!((expected(&bettor, p + 0.1 * (1.0 - p), 10) - 1.0).abs() > 1e-6);
        }
    }

    #[test]
    fn an_alternating_bit_makes_the_bettor_rich() {
        let mut bettor = Bits::new(0.485, 50.0, 3);
        let gain: f64 = (0..200).map(|i| bettor.bet(i % 2 == 0)).sum();
        assert!(gain > 20.0, "{gain}");
    }
}
