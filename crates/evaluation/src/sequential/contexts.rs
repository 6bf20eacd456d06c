//! A bettor that expects one unknown context of recent bits to influence the next bit.

use serde::{Deserialize, Serialize};

use super::{Bits, ln_weighted_sum};

/// Number of recent bits in a context.
const DEPTH: u32 = 3;

/// The prior of each context, in rounds.
const STRENGTH: f64 = 50.0;

/// Shares of the contexts: half for three equal bits, because streaks are what players notice and bet on.
const SHARES: [f64; 8] =
    [0.25, 1.0 / 12.0, 1.0 / 12.0, 1.0 / 12.0, 1.0 / 12.0, 1.0 / 12.0, 1.0 / 12.0, 0.25];

/// The weighted mean of eight bettors on bits, each of which bets in one context of three bits only.
///
/// [`Bits`] multiplies the gains of its contexts, so it pays for learning the seven that follow the
/// hypothesis: about 0.8 nats each after 5,000 rounds. If the pattern is in one context, as when a
/// high round is "due" after three low ones, the mean pays ln 4 or ln 12 instead of seven times that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contexts {
    bits: Bits,
    ln_e: [f64; 1 << DEPTH],
}

impl Contexts {
    /// Returns a bettor against "the bit is 1 with probability p".
    pub fn new(p: f64) -> Self {
        Self { bits: Bits::new(p, STRENGTH, DEPTH), ln_e: [0.0; 1 << DEPTH] }
    }

    /// Returns ln of the wealth.
    pub fn ln_e(&self) -> f64 {
        ln_weighted_sum(&SHARES, &self.ln_e)
    }

    /// Bets on the next bit, then learns from it; learns only if `late`.
    pub fn update(&mut self, bit: bool, late: bool) {
        let context = self.bits.context();
        let gain = self.bits.bet(bit);
        if !late {
            self.ln_e[context] += gain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(bettor: &Contexts, p: f64, left: u32) -> f64 {
        if left == 0 {
            return bettor.ln_e().exp();
        }
        let after = |bit: bool| {
            let mut after = bettor.clone();
            after.update(bit, false);
            expected(&after, p, left - 1)
        };
        p * after(true) + (1.0 - p) * after(false)
    }

    #[test]
    fn the_mean_over_all_strings_of_bits_is_one_and_only_under_the_hypothesis() {
        let bettor = Contexts::new(0.485);
        assert!((expected(&bettor, 0.485, 11) - 1.0).abs() < 1e-12);
        assert!((expected(&bettor, 0.6, 11) - 1.0).abs() > 1e-4);
    }

    #[test]
    fn a_bit_that_follows_one_context_makes_it_richer_than_all_contexts_together() {
        // After three zeros always a one; otherwise zeros and ones as a fixed sequence has them.
        let mut random = crate::pit::SplitMix64::new(4);
        let (mut one, mut all) = (Contexts::new(0.485), Bits::new(0.485, STRENGTH, DEPTH));
        let (mut zeros, mut ln_all) = (0, 0.0);
        for _ in 0..4000 {
            let p = if zeros >= 3 { 0.6 } else { 0.475 };
            let bit = random.uniform() < p;
            zeros = if bit { 0 } else { zeros + 1 };
            one.update(bit, false);
            ln_all += all.bet(bit);
        }
        assert!(one.ln_e() > ln_all && one.ln_e() > 3.0, "{} {ln_all}", one.ln_e());
    }
}
