//! The parameters of a game, estimated from recorded rounds.
//!
//! Under the law P(M >= x) = r/x the share of rounds at or above the lowest multiplier on the curve is all
//! that tells r: given that a round reaches it, its multiplier no longer depends on r. So the maximum
//! likelihood estimate is that share times that multiplier, and its interval is that of a binomial share:
//! the values whose log-likelihood is at most 1.92 below the maximum (Wilks 1938).

use std::fmt;

use crate::audit::{binomial_p, cells_p};
use crate::confidence_sequence::Estimate;
use crate::game::{GameParameters, PRESETS, Preset};
use crate::multiplier;
use crate::quality::{ObservedCap, PaceEstimate, RecordedRound, Values, gaps};

/// Minimum number of rounds.
pub const ROUNDS_MIN: usize = 200;

/// Half the 95 % quantile of chi² with one degree of freedom.
const LN_LIKELIHOOD_LOSS: f64 = 1.920_729_410_347_062;
/// Probability below which the lowest step of the curve does not belong to it: 1.00x then has a probability
/// of its own.
const ATOM_LEVEL: f64 = 1e-4;
/// Differences that weigh alike when the nearest preset is chosen: a percent of return, a second of pace.
const RETURN_UNIT: f64 = 0.01;
const SECONDS_UNIT: f64 = 1.0;

/// Why no parameters can be estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitError {
    /// There are fewer than [`ROUNDS_MIN`] rounds.
    TooFewRounds(usize),
    /// All rounds have the same multiplier.
    Constant,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewRounds(rounds) => {
                write!(f, "parameters need at least {ROUNDS_MIN} rounds, found {rounds}")
            }
            Self::Constant => write!(f, "all rounds have the same multiplier"),
        }
    }
}

impl std::error::Error for FitError {}

/// The parameters that fit a recording, each with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FittedGame {
    /// Number of rounds.
    pub rounds: usize,
    /// The return to the player.
    pub returns: Estimate,
    /// The probability of 1.00x.
    pub atom: Estimate,
    /// Whether that is not what the curve leaves.
    pub has_own_atom: bool,
    /// The highest multiplier, if several rounds share it.
    pub cap: Option<ObservedCap>,
    /// Pause and slope; `None` without enough gaps.
    pub pace: Option<PaceEstimate>,
    /// Number of gaps between timed rounds.
    pub gaps: usize,
    /// The p-value of the chi² test of the fitted law: small if no return fits these rounds.
    pub law_p: f64,
    /// The preset that is nearest to it.
    pub nearest: Comparison,
}

/// A preset beside the parameters that fit a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The preset.
    pub preset: &'static Preset,
    /// Whether its return lies within the interval.
    pub has_return: bool,
    /// Whether its probability of 1.00x lies within the interval.
    pub has_atom: bool,
    /// Whether the recording has no cap either.
    pub has_cap: bool,
    /// Whether its pause lies within the interval; `None` if either is unknown.
    pub has_pause: Option<bool>,
    /// The same for the slope.
    pub has_slope: Option<bool>,
}

/// Estimates the parameters of the game from rounds in the order in which they were played.
///
/// # Errors
/// There are too few rounds, or all have the same multiplier.
pub fn fit(rounds: &[RecordedRound]) -> Result<FittedGame, FitError> {
    if rounds.len() < ROUNDS_MIN {
        return Err(FitError::TooFewRounds(rounds.len()));
    }
    if rounds.iter().all(|round| round.cents == rounds[0].cents) {
        return Err(FitError::Constant);
    }
    let mut values = Values::default();
    for round in rounds {
        values.push(round.cents);
    }
    let curve = Curve::of(rounds, values.step_cents());
    let gaps: Vec<(f64, f64)> = gaps(rounds).map(|(_, gap)| gap).collect();
    let gap_count = gaps.len();
    let (returns, cap, pace) = (curve.returns(), values.cap(), PaceEstimate::of(gaps));
    let atom = share(curve.at_one, rounds.len());
    let own_atom = curve.has_own_atom.then_some(atom.value);
    let distance = |preset: &Preset| distance(preset, returns.value, pace);
    let nearest = PRESETS.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    let nearest = nearest.unwrap_or(&PRESETS[0]);
    let cents: Vec<u64> = rounds.iter().map(|round| round.cents).collect();
    Ok(FittedGame {
        rounds: rounds.len(),
        returns,
        atom,
        has_own_atom: curve.has_own_atom,
        cap,
        pace,
        gaps: gap_count,
        law_p: cells_p(&cents, parameters(nearest, returns.value, cap, own_atom).law()),
        nearest: Comparison::with(nearest, returns, atom, cap, pace),
    })
}

impl FittedGame {
    /// Returns the fitted law as parameters of the nearest preset.
    pub fn parameters(&self) -> GameParameters {
        let own_atom = self.has_own_atom.then_some(self.atom.value);
        parameters(self.nearest.preset, self.returns.value, self.cap, own_atom)
    }
}

/// Returns the parameters of a preset with a fitted return, and with cap and share of 1.00x where they are not its own. A
/// value that no game can have is left out.
fn parameters(
    preset: &'static Preset,
    returns: f64,
    cap: Option<ObservedCap>,
    own_atom: Option<f64>,
) -> GameParameters {
    let preset = GameParameters::of(preset);
    let game = preset.with_return(returns).unwrap_or(preset);
    let game = cap.map_or(game, |cap| game.with_cap_cents(cap.cents).unwrap_or(game));
    own_atom.map_or(game, |atom| game.with_atom(atom).unwrap_or(game))
}

/// Returns how far a preset is from a fit: the sum of squares of what is known of both.
fn distance(preset: &Preset, returns: f64, pace: Option<PaceEstimate>) -> f64 {
    let squared = |difference: f64, unit: f64| (difference / unit).powi(2);
    let of_pace = match (preset.measured_pace, pace) {
        (Some(theirs), Some(ours)) => {
            squared(theirs.pause - ours.pause.value, SECONDS_UNIT)
                + squared(theirs.slope - ours.slope.value, SECONDS_UNIT)
        }
        // A preset without a measured pace is no nearer for that: three seconds off.
        (None, Some(_)) => 9.0,
        (_, None) => 0.0,
    };
    squared(preset.returns - returns, RETURN_UNIT) + of_pace
}

impl Comparison {
    fn with(
        preset: &'static Preset,
        returns: Estimate,
        atom: Estimate,
        cap: Option<ObservedCap>,
        pace: Option<PaceEstimate>,
    ) -> Self {
        let known = preset.measured_pace.zip(pace);
        Self {
            preset,
            has_return: returns.contains(preset.returns),
            has_atom: atom.contains(preset.law().atom()),
            has_cap: cap.is_none_or(|cap| cap.cents == preset.law().cap_cents()),
            has_pause: known.map(|(theirs, ours)| ours.pause.contains(theirs.pause)),
            has_slope: known.map(|(theirs, ours)| ours.slope.contains(theirs.slope)),
        }
    }

    /// Returns whether all that is known of the preset lies within the intervals.
    pub fn agrees(&self) -> bool {
        let mut pace = [self.has_pause, self.has_slope].into_iter().flatten();
        self.has_return && self.has_atom && self.has_cap && pace.all(|it| it)
    }
}

/// How many rounds reached the lowest multiplier on the curve r/x.
#[derive(Clone, Copy, Debug)]
struct Curve {
    rounds: usize,
    at_one: usize,
    /// In cents.
    lowest: u64,
    reached: usize,
    has_own_atom: bool,
}

impl Curve {
    /// The multipliers are multiples of `step` cents.
    fn of(rounds: &[RecordedRound], step: u64) -> Self {
        let count = |cents: u64| rounds.iter().filter(|round| round.cents >= cents).count();
        let first = 100 + step;
        let above_one = count(first);
        let at_first = above_one - count(first + step);
        let share_at_first = 1.0 - multiplier(first) / multiplier(first + step);
        let has_own_atom = binomial_p(at_first, above_one, share_at_first) < ATOM_LEVEL;
        let above = rounds.iter().map(|round| round.cents).filter(|&cents| cents >= first);
        // What is above the lowest multiplier is on the curve for certain.
        let lowest = if has_own_atom { above.min().map_or(first, |it| it + step) } else { first };
        Self {
            rounds: rounds.len(),
            at_one: rounds.len() - above_one,
            lowest,
            reached: count(lowest),
            has_own_atom,
        }
    }

    fn returns(&self) -> Estimate {
        let Estimate { value, lo, hi } =
            share(self.reached, self.rounds).times(multiplier(self.lowest));
        Estimate { value: value.min(1.0), lo: lo.min(1.0), hi: hi.min(1.0) }
    }
}

/// Returns the probability of an event seen `hits` times in `n` rounds, with its likelihood interval.
fn share(hits: usize, n: usize) -> Estimate {
    let (hits, misses) = (hits as f64, (n - hits) as f64);
    let value = hits / (hits + misses);
    let term = |count: f64, p: f64| if count > 0.0 { count * p.ln() } else { 0.0 };
    let ln_likelihood = |p: f64| term(hits, p) + term(misses, 1.0 - p);
    let lowest = ln_likelihood(value) - LN_LIKELIHOOD_LOSS;
    let bound = |end: f64| {
        let (mut inside, mut outside) = (value, end);
        for _ in 0..60 {
            let middle = inside.midpoint(outside);
            if ln_likelihood(middle) >= lowest {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        inside
    };
    Estimate { value, lo: bound(0.0), hi: bound(1.0) }
}

#[cfg(test)]
mod tests;
