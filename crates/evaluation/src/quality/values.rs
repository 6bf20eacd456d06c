//! Detects a coarse grid of the multipliers, and a cap.

use super::Fault;

/// Steps wider than a cent on which all multipliers may lie, the widest first.
const STEPS_CENTS: [u64; 4] = [100, 50, 10, 5];
/// Number of rounds with the highest multiplier from which it is a cap. Three independent rounds share it
/// with a probability below 1e-4.
const AT_CAP_MIN: u64 = 3;
/// A highest multiplier below this, in cents, is not a cap, because rounds share low multipliers by
/// chance.
const CAP_MIN: u64 = 500;

/// The highest multiplier of a recording, where higher ones were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObservedCap {
    /// The multiplier in cents.
    pub cents: u64,
    /// Number of rounds with it.
    pub count: u64,
}

/// What the multipliers have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    rounds: u64,
    /// Rounds above 1.00x, which lies on every grid, and those of them off each grid.
    above_one: u64,
    off_grid: [u64; STEPS_CENTS.len()],
    highest: u64,
    at_highest: u64,
}

impl Values {
    pub(crate) fn push(&mut self, cents: u64) {
        self.rounds += 1;
        if cents > 100 {
            self.above_one += 1;
            for (off, step) in self.off_grid.iter_mut().zip(STEPS_CENTS) {
                *off += u64::from(!cents.is_multiple_of(step));
            }
        }
        if cents > self.highest {
            (self.highest, self.at_highest) = (cents, 0);
        }
        self.at_highest += u64::from(cents == self.highest);
    }

    /// Returns the widest step, in cents, of which all multipliers are multiples.
    ///
    /// At least four fifths of fair rounds lie off any grid wider than a cent, so the probability that all of 32 rounds
    /// lie on one is below 1e-22.
    pub(crate) fn step_cents(&self) -> u64 {
        let on_grid = self.off_grid.iter().position(|&off| off == 0);
        on_grid.filter(|_| self.above_one >= 32).map_or(1, |at| STEPS_CENTS[at])
    }

    /// Returns the highest multiplier, if so many rounds share it that higher ones were cut.
    pub(crate) fn cap(&self) -> Option<ObservedCap> {
        let is_capped = self.at_highest >= AT_CAP_MIN && self.highest >= CAP_MIN;
        (is_capped && self.step_cents() == 1)
            .then_some(ObservedCap { cents: self.highest, count: self.at_highest })
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = Fault> {
        let grid = match self.step_cents() {
            1 => None,
            100 => Some(Fault::IntegersOnly),
            step_cents => Some(Fault::CoarseGrid { step_cents }),
        };
        let cap = self.cap().map(|ObservedCap { cents, count }| Fault::Capped { cents, count });
        grid.into_iter().chain(cap)
    }
}
