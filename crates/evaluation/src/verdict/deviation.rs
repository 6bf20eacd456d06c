//! Where the multipliers deviate from the advertised law.

use crate::confidence_sequence::Estimate;
use crate::returns::ReturnRow;
use crate::sequential::{MeasuredCap, MeasuredLaw};

/// A deviation from the advertised law that the rounds show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deviation {
    /// A target returns more or less than advertised.
    Return {
        /// The target.
        target: f64,
        /// What comes back of 100 staked, with an anytime-valid 95 % interval.
        measured: Estimate,
        /// What should come back of 100 staked.
        stated: f64,
    },
    /// More or fewer rounds than advertised end at 1.00x.
    Atom {
        /// Such rounds among 100, with an anytime-valid 95 % interval.
        measured: Estimate,
        /// Such rounds among 100 under the law.
        stated: f64,
    },
    /// Higher multipliers than this do not occur.
    Cap(MeasuredCap),
}

impl Deviation {
    /// Returns the deviations that the rounds show for certain: that of the target farthest from its advertised return,
    /// else that of the rounds at 1.00x, and the cap.
    pub(super) fn of(law: &MeasuredLaw) -> Vec<Self> {
        // The first row, of 1.01x, repeats the share of rounds at 1.00x.
        let targets = law.returns.iter().skip(1).filter(|row| !row.agrees);
        let farthest = targets.max_by(|a, b| distance(a).total_cmp(&distance(b)));
        let of_target = farthest.map(|row| Self::Return {
            target: row.target,
            measured: row.measured.times(100.0),
            stated: 100.0 * row.stated,
        });
        let differs = |atom: &Estimate| !atom.contains(law.atom_stated);
        let of_atom = || {
            let measured = law.atom.filter(differs)?.times(100.0);
            Some(Self::Atom { measured, stated: 100.0 * law.atom_stated })
        };
        of_target.or_else(of_atom).into_iter().chain(law.cap.map(Self::Cap)).collect()
    }
}

/// Returns how far the advertised return lies outside the interval.
fn distance(row: &ReturnRow) -> f64 {
    (row.measured.lo - row.stated).max(row.stated - row.measured.hi)
}
