//! The law of a fair game, and the one-parameter family around it from which forecasts are served.
//!
//! House law: P(M >= x) = r/x on the cent grid from 1.01 up, the remaining mass at 1.00. Tilted
//! house law with scale s: P(M >= x) = r x^(-1/s), median (2r)^s; s = 1 is the house law, s > 1 has
//! a heavier tail. The tilt acts on ln M because under the house law ln M is nearly Exp(1): a model
//! of E ln M has all its moments, whereas the mean of M itself does not exist.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The return of Aviator, whose law is the default.
pub(crate) const AVIATOR_RETURN: f64 = 0.97;

/// E ln M under the default house law, summed exactly over the cent grid.
pub const M0: f64 = 0.967_577_714_6;

/// The median of the default house law: the best constant point forecast by absolute error of ln M.
pub const MEDIAN: f64 = 1.94;

/// The range of scales that a forecast may take.
pub const SCALES: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// The law of a fair game: P(M >= x) = r/x.
///
/// Invariants: 0 < r <= 1, 0 <= atom < 1, and the cap lies above 1.02x.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredLaw", into = "StoredLaw")]
pub struct HouseLaw {
    r: f64,
    atom: f64,
    cap_cents: u64,
}

/// The stored form of a house law.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredLaw {
    r: f64,
    atom: f64,
    cap_cents: u64,
}

/// A parameter that no house law can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LawError {
    /// The return to the player is not in (0, 1].
    Return(f64),
    /// The probability of 1.00x is not in [0, 1).
    Atom(f64),
    /// The cap, in cents, is not above 1.02x.
    Cap(u64),
}

impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Return(r) => write!(f, "the return to the player must be in (0, 1], got {r}"),
            Self::Atom(atom) => write!(f, "the probability of 1.00x must be in [0, 1), got {atom}"),
            Self::Cap(cents) => write!(f, "the cap must be above 1.02x, got {cents} cents"),
        }
    }
}

impl std::error::Error for LawError {}

impl Default for HouseLaw {
    fn default() -> Self {
        Self { r: AVIATOR_RETURN, atom: 1.0 - AVIATOR_RETURN / 1.01, cap_cents: 100_000_000 }
    }
}

impl HouseLaw {
    /// Returns the law with return `r`, the atom at 1.00x that the curve leaves (1 - r/1.01) and a
    /// cap of 1,000,000x.
    ///
    /// # Errors
    /// [`LawError::Return`] unless 0 < r <= 1.
    pub fn new(r: f64) -> Result<Self, LawError> {
        if r > 0.0 && r <= 1.0 {
            Ok(Self { r, atom: 1.0 - r / 1.01, ..Self::default() })
        } else {
            Err(LawError::Return(r))
        }
    }

    /// Returns the law with another probability of 1.00x. The curve r/x then applies from 1.02 up
    /// and never exceeds 1 - atom.
    ///
    /// # Errors
    /// [`LawError::Atom`] unless 0 <= atom < 1.
    pub fn with_atom(self, atom: f64) -> Result<Self, LawError> {
        if (0.0..1.0).contains(&atom) {
            Ok(Self { atom, ..self })
        } else {
            Err(LawError::Atom(atom))
        }
    }

    /// Returns the law with another highest multiplier, in cents.
    ///
    /// # Errors
    /// [`LawError::Cap`] unless the cap is above 1.02x.
    pub fn with_cap_cents(self, cap_cents: u64) -> Result<Self, LawError> {
        if cap_cents > 102 { Ok(Self { cap_cents, ..self }) } else { Err(LawError::Cap(cap_cents)) }
    }

    /// Returns r, the return to the player.
    pub fn r(&self) -> f64 {
        self.r
    }

    /// Returns P(M = 1.00).
    pub fn atom(&self) -> f64 {
        self.atom
    }

    /// Returns the highest multiplier, in cents.
    pub fn cap_cents(&self) -> u64 {
        self.cap_cents
    }

    /// Returns P(M >= c) for a multiplier c; see [`TiltedLaw::survival`].
    pub fn survival(&self, c: f64) -> f64 {
        self.untilted().survival(c)
    }

    /// Returns P(M >= k/100).
    pub fn survival_cents(&self, k: u64) -> f64 {
        self.untilted().survival_cents(k)
    }

    /// Returns the [`survival`](Self::survival) at the five [`TARGETS`](crate::TARGETS).
    pub fn probabilities(&self) -> [f64; 5] {
        self.untilted().probabilities()
    }

    /// Returns the median, on the cent grid: 1.94 for r = 0.97.
    pub fn median(&self) -> f64 {
        self.untilted().median()
    }

    /// Returns the randomised probability integral transform; see [`TiltedLaw::pit`].
    pub fn pit(&self, k: u64, v: f64) -> f64 {
        self.untilted().pit(k, v)
    }

    /// Returns E ln M without the cap, the sum of P(M >= x) over the steps of ln x: [`M0`] for the
    /// default law.
    pub fn mean_ln(&self) -> f64 {
        // The sum over the curve is proportional to r. It needs a correction only where 1 - atom
        // is not on the curve: at 1.01x, and where the curve would exceed it.
        let curve = M0 * (self.r / AVIATOR_RETURN);
        let step = |k: u64| {
            let x = crate::multiplier(k);
            (x / crate::multiplier(k - 1)).ln()
        };
        let first = (1.0 - self.atom - self.r / 1.01) * step(101);
        let cut: f64 = (102..=self.cap_cents)
            .take_while(|&k| self.r / crate::multiplier(k) > 1.0 - self.atom)
            .map(|k| (1.0 - self.atom - self.r / crate::multiplier(k)) * step(k))
            .sum();
        curve + first + cut
    }

    /// Returns this law with scale 1.
    pub fn untilted(&self) -> TiltedLaw {
        TiltedLaw { house: *self, scale: 1.0 }
    }

    /// Returns this law tilted to `scale`, clamped to [`SCALES`]; NaN counts as 1, the house law.
    pub fn tilted(&self, scale: f64) -> TiltedLaw {
        let scale = if scale.is_nan() { 1.0 } else { scale.clamp(*SCALES.start(), *SCALES.end()) };
        TiltedLaw { house: *self, scale }
    }

    /// Returns the scale of a model with E ln M = `mean_ln`, clamped to [`SCALES`].
    pub fn scale_from_mean_ln(&self, mean_ln: f64) -> f64 {
        self.tilted(mean_ln / self.mean_ln()).scale
    }

    /// Returns the point forecast of a model with E ln M = `mean_ln`: the median of the tilted law,
    /// at least 1.00x.
    ///
    /// exp(E ln M) is not the median: under the fair law it is 2.63, while the median is 1.94.
    pub fn point_from_mean_ln(&self, mean_ln: f64) -> f64 {
        self.median().powf(mean_ln / self.mean_ln()).max(1.0)
    }
}

impl TryFrom<StoredLaw> for HouseLaw {
    type Error = LawError;

    fn try_from(terms: StoredLaw) -> Result<Self, LawError> {
        Self::new(terms.r)?.with_atom(terms.atom)?.with_cap_cents(terms.cap_cents)
    }
}

impl From<HouseLaw> for StoredLaw {
    fn from(law: HouseLaw) -> Self {
        Self { r: law.r, atom: law.atom, cap_cents: law.cap_cents }
    }
}

/// Returns [`HouseLaw::scale_from_mean_ln`] under the default house law.
pub fn scale_from_mean_ln(mean_ln: f64) -> f64 {
    HouseLaw::default().tilted(mean_ln / M0).scale
}

/// Returns [`HouseLaw::point_from_mean_ln`] under the default house law: 1.94^(m/m0).
pub fn point_from_mean_ln(mean_ln: f64) -> f64 {
    MEDIAN.powf(mean_ln / M0).max(1.0)
}

mod tilted;
pub use tilted::TiltedLaw;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_laws_are_rejected() {
        assert_eq!(HouseLaw::new(0.0), Err(LawError::Return(0.0)));
        assert!(HouseLaw::new(f64::NAN).is_err());
        assert!(HouseLaw::new(1.01).is_err());
        assert_eq!(HouseLaw::default().with_atom(1.0), Err(LawError::Atom(1.0)));
        assert_eq!(HouseLaw::default().with_cap_cents(102), Err(LawError::Cap(102)));
        assert!(serde_json::from_str::<HouseLaw>(r#"{"r":2,"atom":0,"cap_cents":1000}"#).is_err());
    }

    #[test]
    fn the_constants_agree_with_the_default_law() {
        let law = HouseLaw::default();
        assert!((law.mean_ln() - M0).abs() < 1e-15);
        assert!((law.median() - MEDIAN).abs() < 1e-12);
        assert!((scale_from_mean_ln(M0) - 1.0).abs() < 1e-15);
        assert!((point_from_mean_ln(M0) - MEDIAN).abs() < 1e-12);
        assert!((point_from_mean_ln(-3.0) - 1.0).abs() < 1e-15);
        assert!((scale_from_mean_ln(f64::NAN) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_mean_of_ln_m_equals_the_sum_over_the_grid() {
        for law in [
            HouseLaw::default(),
            HouseLaw::new(0.95).unwrap(),
            HouseLaw::default().with_atom(0.1).unwrap(),
            HouseLaw::default().with_atom(0.01).unwrap(),
        ] {
            // The sum of P(M >= x) d ln x up to X = 2,000x; the tail beyond adds r/X.
            let sum: f64 = (101..=200_000)
                .map(|k| {
                    law.survival_cents(k) * (crate::multiplier(k) / crate::multiplier(k - 1)).ln()
                })
                .sum();
            assert!((law.mean_ln() - sum - law.r() / 2000.0).abs() < 1e-8, "{law:?}");
        }
    }
}
