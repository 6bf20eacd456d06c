//! How much better an entry of a list is explained by a known round than by chance, in nats.

use rounds::USUAL_RETURN;

use super::{KnownRound, ListedRound};

/// -ln of the probability that an entry of the right round is displayed with another value: a
/// correction by the game, or a misprint. Which value is a matter of chance.
const DISAGREES: f64 = 9.21; // -ln 1e-4
/// The same for an entry that the page may still be drawing.
const DRAWN_DISAGREES: f64 = 3.0; // -ln 0.05
/// -ln of the probability that two rounds share an id.
const SAME_ID: f64 = 27.63; // -ln 1e-12
/// Maximum for one value: a page may cap what it displays, so that the rarest values repeat.
const VALUE_MAX: f64 = 16.0;

/// Returns -ln of the probability that a round ends at `cents` hundredths under the house law
/// P(M >= x) = 0.97 / x: 3.2 for 1.00x, 6.0 for 2.00x, 12.5 for 50x.
pub(super) fn surprise(cents: u64) -> f64 {
    let at_least = |cents: u64| (100.0 * USUAL_RETURN / cents as f64).min(1.0);
    let here = if cents <= 100 { 1.0 } else { at_least(cents) };
    (-(here - at_least(cents.max(100).saturating_add(1))).ln()).min(VALUE_MAX)
}

/// Returns ln of the likelihood ratio of "`shown` is the known round" to "`shown` is any other
/// round". An entry that cannot be read is evidence for neither. `is_drawn` says that the page may
/// still be drawing it. What a message said and no list has shown (`is_unlisted`) cannot be a
/// misprint of the page.
pub(super) fn log_ratio(
    shown: &ListedRound<'_>,
    known: &KnownRound,
    (is_drawn, is_unlisted): (bool, bool),
) -> f64 {
    if let (Some(shown), Some(known)) = (shown.id, &known.id) {
        return if shown == known { SAME_ID } else { -SAME_ID };
    }
    match (shown.cents(), known.cents) {
        (Some(shown), Some(known)) if shown == known => surprise(shown),
        (Some(_), Some(_)) if is_drawn => -DRAWN_DISAGREES,
        (Some(_), Some(_)) if is_unlisted => f64::NEG_INFINITY,
        (Some(shown), Some(_)) => -DISAGREES - surprise(shown),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surprise_of_a_value_follows_the_house_law() {
        for (cents, nats) in [(100, 3.23), (200, 6.03), (5000, 12.46), (10_000_000, 16.0)] {
            assert!((surprise(cents) - nats).abs() < 0.01, "{cents}: {}", surprise(cents));
        }
        let total: f64 = (100..2000).map(|cents| (-surprise(cents)).exp()).sum();
        assert!((total - (1.0 - 0.97 / 20.0)).abs() < 1e-9, "{total}");
    }
}
