//! Equal neighbours, compared with the same rounds in random order.

use serde::Serialize;

use super::Fault;

/// Multipliers are counted below this, in cents; two independent rounds above it hardly ever agree.
const COUNTED_BELOW: usize = 10_000;
/// Significance alone does not make a fault: dependent rounds are also equal more often, twice as often at a
/// correlation of .3. Dropping and doubling change the number by more than these factors.
const DROPPED_MIN: f64 = 1.5;
const DOUBLED_MIN: f64 = 3.0;

/// Equal neighbours of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EqualNeighbours {
    /// Pairs of equal neighbours.
    pub seen: u64,
    /// Pairs expected of the same rounds in random order.
    pub expected: f64,
    /// The two-sided p-value of their number.
    pub p: f64,
}

/// Counts of multipliers and of equal neighbours.
#[derive(Clone, Debug, Default)]
pub(super) struct NeighbourCounts {
    rounds: u64,
    counts: Vec<u32>,
    /// Unordered pairs of rounds with equal multipliers, neighbours or not.
    equal_pairs: u64,
    equal_neighbours: u64,
    last: Option<u64>,
}

impl NeighbourCounts {
    pub(super) fn push(&mut self, cents: u64) {
        self.rounds += 1;
        self.equal_neighbours += u64::from(self.last == Some(cents));
        self.last = Some(cents);
        if self.counts.is_empty() {
            self.counts.resize(COUNTED_BELOW, 0);
        }
        let count = usize::try_from(cents).ok().and_then(|cents| self.counts.get_mut(cents));
        if let Some(count) = count {
            self.equal_pairs += u64::from(*count);
            *count = count.saturating_add(1);
        }
    }

    /// Returns the number of equal neighbours expected of these rounds in random order. Each of the n - 1
    /// places is as likely as any other pair to hold one of the equal pairs.
    fn expected(&self) -> f64 {
        2.0 * self.equal_pairs as f64 / (self.rounds as f64).max(1.0)
    }

    pub(super) fn equal_neighbours(&self) -> EqualNeighbours {
        let (seen, expected) = (self.equal_neighbours, self.expected());
        let (at_most, at_least) = poisson_tails(seen, expected);
        EqualNeighbours { seen, expected, p: (2.0 * at_most.min(at_least)).min(1.0) }
    }

    pub(super) fn fault(&self, alpha: f64) -> Option<Fault> {
        let (seen, expected) = (self.equal_neighbours, self.expected());
        let few = seen as f64 * DROPPED_MIN < expected;
        let many = seen as f64 > expected * DOUBLED_MIN;
        let (at_most, at_least) = poisson_tails(seen, expected);
        match alpha / 2.0 {
            side if few && at_most < side => Some(Fault::RepeatsDropped { seen, expected }),
            side if many && at_least < side => Some(Fault::RepeatsDoubled { seen, expected }),
            _ => None,
        }
    }
}

/// Returns P(X <= seen) and P(X >= seen) for a Poisson X of this mean. The number of equal neighbours in
/// random order is nearly Poisson, because each pair is rare (Barbour, Holst and Janson 1992).
fn poisson_tails(seen: u64, mean: f64) -> (f64, f64) {
    if mean <= 0.0 {
        return (1.0, if seen == 0 { 1.0 } else { 0.0 });
    }
    // Masses relative to that of `seen`, summed outwards; the normalising mass is exact in logarithms.
    let ln_seen = seen as f64 * mean.ln() - mean - ln_factorial(seen);
    let (mut below, mut mass) = (0.0, 1.0);
    for k in (1..=seen).rev() {
        mass *= k as f64 / mean;
        below += mass;
        if mass < 1e-18 * below {
            break;
        }
    }
    let (mut above, mut mass, mut k) = (0.0, 1.0, seen);
    loop {
        k += 1;
        mass *= mean / k as f64;
        above += mass;
        if mass < 1e-18 * (1.0 + above) && k as f64 > mean {
            break;
        }
    }
    let at = ln_seen.exp();
    ((at * (1.0 + below)).min(1.0), (at * (1.0 + above)).min(1.0))
}

fn ln_factorial(n: u64) -> f64 {
    libm::lgamma(n as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_tails_equal_known_values() {
        let (few, _) = poisson_tails(10, 23.1);
        let (_, many) = poisson_tails(40, 23.1);
        let direct = |range: std::ops::RangeInclusive<u64>| -> f64 {
            range.map(|k| (k as f64 * 23.1f64.ln() - 23.1 - ln_factorial(k)).exp()).sum()
        };
        assert!((few / direct(0..=10) - 1.0).abs() < 1e-10, "{few}");
        assert!((many / direct(40..=200) - 1.0).abs() < 1e-10, "{many}");
        assert_eq!(poisson_tails(0, 0.0), (1.0, 1.0));
    }
}
