//! A bettor on the cell into which the next multiplier falls, from 1.00x to the far tail.

use serde::{Deserialize, Serialize};

use crate::HouseLaw;

/// The lower edges of the cells, in cents. The first cell holds 1.00x alone.
const EDGES: [u64; CELLS] = [100, 101, 110, 125, 150, 200, 300, 500, 1000, 2000, 5000, 10_000];
const CELLS: usize = 12;

/// The prior, in rounds.
const STRENGTH: f64 = 200.0;

/// A bettor against the cell probabilities of a law, with a Dirichlet prior centred on them and worth
/// 200 rounds.
///
/// Its wealth is the ratio of the Dirichlet-multinomial probability of the cells so far to that
/// under the law. It finds what moves whole rounds from one cell to another without moving the mean:
/// a capped or a thinned tail, or too many rounds at 1.00x.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cells {
    law: [f64; CELLS],
    counts: [f64; CELLS],
    total: f64,
}

impl Cells {
    /// Returns a bettor against this law.
    pub fn new(house: &HouseLaw) -> Self {
        let at_least = |place: usize| EDGES.get(place).map_or(0.0, |&k| house.survival_cents(k));
        let law: [f64; CELLS] = std::array::from_fn(|i| at_least(i) - at_least(i + 1));
        Self { law, counts: law.map(|p| STRENGTH * p), total: STRENGTH }
    }

    /// Bets on a round, learns from it, and returns the log growth of the wealth. A cell that the
    /// law excludes, above its cap, brings nothing.
    pub fn bet(&mut self, cents: u64) -> f64 {
        let cell = EDGES.partition_point(|&edge| edge <= cents).saturating_sub(1);
        let (p, q) = (self.law[cell], self.counts[cell] / self.total);
        self.counts[cell] += 1.0;
        self.total += 1.0;
        if p > 0.0 && q > 0.0 { (q / p).ln() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use statrs::function::gamma::ln_gamma;

    use super::*;

    fn expected(bettor: &Cells, left: u32) -> f64 {
        if left == 0 {
            return 1.0;
        }
        let law = bettor.law;
        let growth = |cell: usize| {
            let mut after = bettor.clone();
            let e = after.bet(EDGES[cell]).exp();
            law[cell] * e * expected(&after, left - 1)
        };
        (0..CELLS).map(growth).sum()
    }

    #[test]
    fn the_mean_over_all_sequences_of_cells_is_one() {
        let mut bettor = Cells::new(&HouseLaw::default());
        assert!((bettor.law.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((expected(&bettor, 4) - 1.0).abs() < 1e-12);
        for cents in [100, 100, 4_000, 150] {
            bettor.bet(cents);
        }
        assert!((expected(&bettor, 3) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn its_wealth_is_the_ratio_of_the_dirichlet_multinomial_to_the_law() {
        let mut bettor = Cells::new(&HouseLaw::default());
        let law = bettor.law;
        let rounds = [100, 2_000, 2_000, 130, 99_000, 101, 100];
        let ours: f64 = rounds.iter().map(|&cents| bettor.bet(cents)).sum();
        let counts = [2.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 1.0];
        let mut theirs = ln_gamma(STRENGTH) - ln_gamma(STRENGTH + 7.0);
        for (p, n) in law.iter().zip(counts) {
            theirs += ln_gamma(STRENGTH * p + n) - ln_gamma(STRENGTH * p) - n * p.ln();
        }
        assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
    }

    #[test]
    fn a_cell_above_the_cap_of_the_law_brings_nothing() {
        let house = HouseLaw::default().with_cap_cents(3_000).unwrap();
        let mut bettor = Cells::new(&house);
        assert_eq!(bettor.bet(50_000).to_bits(), 0);
        assert!(bettor.bet(3_000).is_finite());
    }
}
