//! The law test: do the multipliers follow the house law?

use serde::{Deserialize, Serialize};

use super::bettors::{FiveBettors, NAMES, ScoredRound, waves};
use super::{
    AMBER, Bettor, Bits, Cap, Cells, LaggedInputs, ObservedRound, Regression, Wealth,
    ln_weighted_sum,
};
use crate::pit::{keyed_uniform, z_score};
use crate::{HouseLaw, ln_multiplier};

/// The shares of the bettors at the start: the five of [`NAMES`], then intercept, atom, cells, cap.
/// Most is on the four that know no order: a wrong law is the likelier deviation, and what the five
/// find the order test finds as well.
const SHARES: [f64; 9] = [0.05, 0.05, 0.05, 0.05, 0.05, 0.12, 0.28, 0.22, 0.13];

/// How often the highest multiplier must have occurred to be called a cap.
const CAP_TIMES_MIN: u64 = 3;

/// E1, the law test, of the null hypothesis "rounds are independent, with P(M >= x) = r/x".
///
/// Five bettors of the order test bet on the randomised transform under the house law; four more bet
/// on the mean level, on the share of 1.00x, on the cell of the multiplier, and on a cap. Evidence here without evidence in the order test
/// means that the game follows another law: it may be unfair, yet its next round is no more
/// predictable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LawTest {
    house: HouseLaw,
    salt: u64,
    index: u64,
    bettors: FiveBettors,
    intercept: Regression,
    atom: Bits,
    cells: Cells,
    cap: Cap,
    /// ln of the wealth of intercept, atom, cells and cap.
    ln_rest: [f64; 4],
    wealth: Wealth,
}

impl LawTest {
    /// Returns a test of `house`, with the uniform numbers of a published salt.
    pub fn new(house: HouseLaw, salt: u64) -> Self {
        Self::starting_at(house, salt, 0)
    }

    /// Returns a test for a stream already under way, with the uniform numbers from number `index`
    /// on.
    pub fn starting_at(house: HouseLaw, salt: u64, index: u64) -> Self {
        Self {
            house,
            salt,
            index,
            bettors: FiveBettors::new(house.survival_cents(200)),
            intercept: Regression::new(1, 0.01),
            atom: Bits::new(house.survival_cents(101), 200.0, 0),
            cells: Cells::new(&house),
            cap: Cap::new(house),
            ln_rest: [0.0; 4],
            wealth: Wealth::new(),
        }
    }

    /// Bets on a round, then learns from it; returns its normal score under the law.
    pub fn update(&mut self, round: &ObservedRound) -> f64 {
        let v = keyed_uniform(self.salt, self.index);
        self.index += 1;
        let z = z_score(self.house.pit(round.cents, v));
        self.bettors.update(ScoredRound {
            z,
            ln_m: ln_multiplier(round.cents),
            high: round.cents >= 200,
            waves: waves(round.day_phase),
            late: round.late,
        });
        let gains = [
            self.intercept.bet(&[1.0], z),
            self.atom.bet(round.cents > 100),
            self.cells.bet(round.cents),
            self.cap.bet(round.cents),
        ];
        if !round.late {
            for (ln_e, gain) in self.ln_rest.iter_mut().zip(gains) {
                *ln_e += gain;
            }
        }
        self.wealth.record(ln_weighted_sum(&SHARES, &self.all_ln_e()));
        z
    }

    /// Returns the current ln E1.
    pub fn ln_e(&self) -> f64 {
        self.wealth.ln_e()
    }

    /// Returns the wealth and its peak.
    pub fn wealth(&self) -> &Wealth {
        &self.wealth
    }

    /// Returns what the bettors know before the next round.
    pub fn inputs(&self) -> &LaggedInputs {
        self.bettors.inputs()
    }

    /// Returns the nine bettors of the portfolio.
    pub fn bettors(&self) -> Vec<Bettor> {
        let names = NAMES.into_iter().chain(["intercept", "atom", "cells", "cap"]);
        names.zip(self.all_ln_e()).map(|(name, ln_e)| Bettor { name, ln_e }).collect()
    }

    /// Returns the highest multiplier, in cents, and how often it has occurred, if its recurrences alone are
    /// evidence of a cap.
    pub fn cap(&self) -> Option<(u64, u64)> {
        let [_, _, _, ln_cap] = self.ln_rest;
        self.cap.highest().filter(|&(_, times)| times >= CAP_TIMES_MIN && ln_cap >= AMBER.ln())
    }

    /// Returns the log-wealth of each bettor, in the order of [`SHARES`].
    fn all_ln_e(&self) -> [f64; 9] {
        let mut all = [0.0; 9];
        all[..5].copy_from_slice(self.bettors.ln_e());
        all[5..].copy_from_slice(&self.ln_rest);
        all
    }
}
