//! The law test: do the multipliers follow the house law?

use serde::{Deserialize, Serialize};

use super::bettors::{FiveBettors, NAMES, ScoredRound};
use super::{Bettor, Bits, LaggedInputs, ObservedRound, Regression, Wealth, ln_mean_exp};
use crate::pit::{keyed_uniform, z_score};
use crate::{HouseLaw, ln_multiplier};

/// E1, the law test, of the null hypothesis "rounds are independent, with P(M >= x) = r/x".
///
/// The five bettors of the order test bet on the randomised transform under the house law; two more
/// bet on the mean level and on the share of 1.00x. Evidence here without evidence in the order test
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
    ln_intercept: f64,
    ln_atom: f64,
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
            ln_intercept: 0.0,
            ln_atom: 0.0,
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
            day_phase: round.day_phase,
            late: round.late,
        });
        let level = self.intercept.bet(&[1.0], z);
        let atom = self.atom.bet(round.cents > 100);
        if !round.late {
            self.ln_intercept += level;
            self.ln_atom += atom;
        }
        let mut seven = [self.ln_intercept; 7];
        seven[..5].copy_from_slice(self.bettors.ln_e());
        seven[6] = self.ln_atom;
        self.wealth.record(ln_mean_exp(&seven));
        z
    }

    /// Returns the current ln E1.
    pub fn ln_e(&self) -> f64 {
        self.wealth.ln_e()
    }

    /// Returns the highest ln E1 so far.
    pub fn ln_e_max(&self) -> f64 {
        self.wealth.ln_e_max()
    }

    /// Returns the anytime-valid p-value, min(1, 1/sup E).
    pub fn anytime_p(&self) -> f64 {
        self.wealth.anytime_p()
    }

    /// Returns the wealth and its peak.
    pub fn wealth(&self) -> &Wealth {
        &self.wealth
    }

    /// Returns what the bettors know before the next round.
    pub fn inputs(&self) -> &LaggedInputs {
        self.bettors.inputs()
    }

    /// Returns the seven bettors of the portfolio.
    pub fn bettors(&self) -> Vec<Bettor> {
        let five =
            NAMES.iter().zip(self.bettors.ln_e()).map(|(&name, &ln_e)| Bettor { name, ln_e });
        five.chain([
            Bettor { name: "intercept", ln_e: self.ln_intercept },
            Bettor { name: "atom", ln_e: self.ln_atom },
        ])
        .collect()
    }
}
