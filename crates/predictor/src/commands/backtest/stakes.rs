//! What flat stakes of one unit a round would have returned.

use evaluation::HouseLaw;
use evaluation::confidence_sequence::{Estimate, beta_binomial};
use evaluation::flat_stakes::{expected_net, net};
use forecasting::engine::Settlement;
use rounds::Multiplier;
use serde::Serialize;

/// Stakes of one unit on a cash-out target: on every round, and only where a forecast says that it pays.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Stakes {
    pub(super) target: f64,
    /// The probability above which a bet pays: 1 / target.
    pub(super) break_even: f64,
    /// The probability in a fair game.
    pub(super) house_chance: f64,
    /// What a fair house keeps of each unit, in percent.
    pub(super) house_edge_percent: f64,
    /// On every round that had a forecast.
    pub(super) every_round: Bets,
    /// Only where the served probability was above break-even.
    pub(super) when_served_says: Bets,
    /// Only where the raw ensemble's probability was above break-even.
    pub(super) when_ensemble_says: Bets,
    #[serde(skip)]
    cents: u64,
}

/// Bets of one unit each on one target.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Bets {
    pub(super) count: u64,
    pub(super) won: u64,
    /// Returns minus stakes, in units.
    pub(super) net: f64,
    /// Net per unit staked, in percent, with a 95 % interval that is valid at any time.
    pub(super) return_percent: Option<Estimate>,
}

impl Stakes {
    /// Returns the bets of each rule, with the words for when it bets.
    pub(super) fn rules(&self) -> [(&'static str, &Bets); 3] {
        [
            ("on every round", &self.every_round),
            ("when the served chance pays", &self.when_served_says),
            ("when the ensemble's chance pays", &self.when_ensemble_says),
        ]
    }

    pub(super) fn on(target: Multiplier) -> Self {
        let (cents, target) = (target.cents(), evaluation::multiplier(target.cents()));
        let house = HouseLaw::default();
        Self {
            target,
            break_even: 1.0 / target,
            house_chance: house.survival_cents(cents),
            house_edge_percent: edge_percent(&house, cents),
            every_round: Bets::default(),
            when_served_says: Bets::default(),
            when_ensemble_says: Bets::default(),
            cents,
        }
    }

    pub(super) fn settle(&mut self, settlement: &Settlement) {
        let is_won = settlement.round.multiplier.cents() >= self.cents;
        let house = &settlement.forecast.house;
        self.house_chance = house.survival_cents(self.cents);
        self.house_edge_percent = edge_percent(house, self.cents);
        let ensemble = settlement.forecast.ensemble_law();
        self.every_round.add(is_won);
        // The observed frequencies are the same for every round, so they select none to bet on.
        let served = settlement.forecast.law();
        if served.is_some_and(|law| law.survival_cents(self.cents) > self.break_even) {
            self.when_served_says.add(is_won);
        }
        if ensemble.survival_cents(self.cents) > self.break_even {
            self.when_ensemble_says.add(is_won);
        }
    }

    /// Computes net and return of all bets.
    pub(super) fn finished(mut self) -> Self {
        for bets in
            [&mut self.every_round, &mut self.when_served_says, &mut self.when_ensemble_says]
        {
            bets.net = net(self.cents, bets.count, bets.won);
            bets.return_percent = beta_binomial(bets.won, bets.count, 0.05).map(|share| {
                let percent = |share: f64| 100.0 * (self.target * share - 1.0);
                Estimate {
                    value: percent(share.value),
                    lo: percent(share.lo),
                    hi: percent(share.hi),
                }
            });
        }
        self
    }
}

/// Returns what a fair house keeps of each unit staked on a target, in percent.
fn edge_percent(house: &HouseLaw, cents: u64) -> f64 {
    -100.0 * expected_net(cents, house.survival_cents(cents))
}

impl Bets {
    fn add(&mut self, is_won: bool) {
        self.count += 1;
        self.won += u64::from(is_won);
    }
}
