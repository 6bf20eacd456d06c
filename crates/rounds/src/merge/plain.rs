//! Stretches of two recordings in which times alone tell which rounds are the same.
//!
//! Where each round of the second recording has at most one round of the first one within reach, and that one has its
//! multiplier, there is only one way to align them, which needs no search. Nearly all rounds of two recorders of one
//! table are of this kind.

use super::evidence::Pair;

/// Number of rounds decided per step.
const ROUNDS_MAX: usize = 4_096;
/// Number of last decisions that are left to the search, because later rounds may change them.
const MARGIN: usize = 8;
/// A plain stretch of fewer rounds is left to the search.
const ROUNDS_MIN: usize = 16;

/// The decision about a round of the second recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is this round of the first recording.
    Same(usize),
    /// The first recording lacks it. Its rounds before this index precede it.
    Missing(usize),
}

/// Bounds on times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How far apart two reports of one round may be in time.
    pub(super) observed: i64,
    /// Minimum time between two rounds.
    pub(super) round: i64,
    /// Corrected time that the second recording has reached.
    pub(super) latest: i64,
}

/// Decides the next rounds of the second recording for as long as only one decision is possible. The last of them is
/// shared.
///
/// `at` and `index` are the next rounds of the recordings; those of the first one count up to `end`, those of the
/// second one up to `stop`.
pub(super) fn decisions(
    pair: &Pair<'_, '_>,
    (at, end): (usize, usize),
    (index, stop): (usize, usize),
    bounds: Bounds,
) -> Vec<Decision> {
    let Bounds { observed, round, latest } = bounds;
    // Earlier than every time, yet far from where sums overflow.
    let mut latest = latest.max(i64::MIN / 4);
    let (first, second) = (pair.first, pair.second);
    let ms = |at: usize| if at < end { first.ms(at) } else { i64::MAX / 4 };
    let mut decisions = Vec::new();
    let (mut at, mut next) = (at, ms(at));
    // Time of the last round of either recording.
    let mut before = at.checked_sub(1).map_or(i64::MIN / 4, |before| first.ms(before));
    for index in index..stop.min(index + ROUNDS_MAX) {
        let time = pair.corrected(index);
        // A clock that was set back, or a strip of rounds with one time.
        if time <= latest {
            break;
        }
        let mut has_estimates = false;
        while next < time - observed {
            (before, at) = (next, at + 1);
            next = ms(at);
            has_estimates |= next == before;
        }
        // Times of several rounds do not tell which of them is missing.
        if has_estimates {
            break;
        }
        if next - latest <= observed {
            break;
        }
        if next > time + observed {
            if time - before < round || next - time < round {
                break;
            }
            decisions.push(Decision::Missing(at));
            (before, latest) = (time, time);
            continue;
        }
        let after = ms(at + 1);
        let is_equal =
            first.rounds[at].multiplier.cents() == second.rounds[index].multiplier.cents();
        if !is_equal || after <= time + observed || before >= time - observed {
            break;
        }
        decisions.push(Decision::Same(at));
        (before, at, latest) = (next.max(time), at + 1, time);
        next = after;
    }
    decisions.truncate(decisions.len().saturating_sub(MARGIN));
    let is_shared = |decision: &Decision| matches!(decision, Decision::Same(_));
    decisions.truncate(decisions.iter().rposition(is_shared).map_or(0, |last| last + 1));
    if decisions.len() < ROUNDS_MIN {
        decisions.clear();
    }
    decisions
}
