//! The tilted house law.

use serde::{Deserialize, Serialize};

use super::HouseLaw;
use crate::{TARGET_CENTS, multiplier};

/// The house law with its tail index divided by s: P(M >= x) = r x^(-1/s) on the cent grid from
/// 1.01 up.
///
/// Invariant: the scale lies within [`SCALES`](super::SCALES).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredTilt", into = "StoredTilt")]
pub struct TiltedLaw {
    pub(super) house: HouseLaw,
    pub(super) scale: f64,
}

/// The stored form of a tilted law.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredTilt {
    house: HouseLaw,
    scale: f64,
}

impl From<StoredTilt> for TiltedLaw {
    fn from(tilt: StoredTilt) -> Self {
        tilt.house.tilted(tilt.scale)
    }
}

impl From<TiltedLaw> for StoredTilt {
    fn from(law: TiltedLaw) -> Self {
        Self { house: law.house, scale: law.scale }
    }
}

impl TiltedLaw {
    /// Returns the default house law tilted to `scale`, clamped to [`SCALES`](super::SCALES); NaN
    /// counts as 1.
    pub fn new(scale: f64) -> Self {
        HouseLaw::default().tilted(scale)
    }

    /// Returns the scale s.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Returns the house law that is tilted.
    pub fn house(&self) -> &HouseLaw {
        &self.house
    }

    /// Returns P(M >= c). Multipliers lie on the cent grid, so c is rounded up to a whole cent: 1.555
    /// means 1.56.
    pub fn survival(&self, c: f64) -> f64 {
        self.survival_cents(ceil_cents(c))
    }

    /// Returns P(M >= k/100): 1 up to 1.00x, 0 above the cap.
    pub fn survival_cents(&self, k: u64) -> f64 {
        match k {
            0..=100 => 1.0,
            101 => self.above_atom(),
            _ if k > self.house.cap_cents => 0.0,
            _ => self.curve(multiplier(k)).min(self.above_atom()),
        }
    }

    /// Returns the [`survival`](Self::survival) at the five [`TARGETS`](crate::TARGETS).
    pub fn probabilities(&self) -> [f64; 5] {
        TARGET_CENTS.map(|k| self.survival_cents(k))
    }

    /// Returns P(M = k/100), with k clamped to between 1.00x and the cap.
    pub fn pmf_cents(&self, k: u64) -> f64 {
        let k = k.clamp(100, self.house.cap_cents);
        self.survival_cents(k) - self.survival_cents(k + 1)
    }

    /// Returns ln P(M = k/100), at least ln 1e-300: one impossible round must not make a running sum
    /// infinite.
    pub fn log_pmf(&self, k: u64) -> f64 {
        self.pmf_cents(k).max(1e-300).ln()
    }

    /// Returns the quantile on the cent grid, floor(100 (r/(1-tau))^s)/100, at least 1 and at most
    /// the cap.
    pub fn quantile(&self, tau: f64) -> f64 {
        ((100.0 * self.level(tau) + 1e-9).floor() / 100.0).max(1.0)
    }

    /// Returns the quantile on the continuous curve, (r/(1-tau))^s, at least 1 and at most the cap.
    pub fn level(&self, tau: f64) -> f64 {
        let cap = multiplier(self.house.cap_cents);
        if tau < 1.0 - self.above_atom() {
            1.0
        } else if tau >= 1.0 {
            cap
        } else {
            let level = self.house.r / (1.0 - tau);
            // The house law itself, which is scored beside every forecast, needs no power.
            let is_house = self.scale.to_bits() == 1f64.to_bits();
            (if is_house { level } else { level.powf(self.scale) }).clamp(1.01, cap)
        }
    }

    /// Returns the median, on the cent grid: 1.94^s under the default house law.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Returns the randomised probability integral transform of a round of k cents, given v uniform
    /// on (0, 1).
    ///
    /// Exactly uniform when the round follows this law, in spite of the cent grid and the atom;
    /// increasing in M (Smith 1985; Czado, Gneiting and Held 2009).
    pub fn pit(&self, k: u64, v: f64) -> f64 {
        let k = k.clamp(100, self.house.cap_cents);
        let upper = self.survival_cents(k);
        let lower = self.survival_cents(k + 1);
        1.0 - (upper - v * (upper - lower))
    }

    /// r x^(-1/s).
    fn curve(&self, x: f64) -> f64 {
        if self.scale.to_bits() == 1.0f64.to_bits() {
            self.house.r / x
        } else {
            self.house.r * x.powf(-1.0 / self.scale)
        }
    }

    /// P(M >= 1.01).
    fn above_atom(&self) -> f64 {
        let house = 1.0 - self.house.atom;
        if self.scale.to_bits() == 1.0f64.to_bits() {
            house
        } else {
            (house * 1.01f64.powf(1.0 - 1.0 / self.scale)).min(1.0)
        }
    }
}

/// Returns the smallest number of cents at or above a multiplier, after allowing for a float that
/// rounding has put slightly above its cent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates: a negative or NaN multiplier is 0 cents, an infinite one `u64::MAX`"
)]
fn ceil_cents(c: f64) -> u64 {
    (100.0 * c - 1e-7).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laws() -> Vec<TiltedLaw> {
        let default = HouseLaw::default();
        let mut laws = Vec::new();
        for house in [
            default,
            HouseLaw::new(0.95).unwrap(),
            default.with_atom(0.1).unwrap(),
            default.with_atom(0.0).unwrap(),
            default.with_cap_cents(20_000).unwrap(),
        ] {
            laws.extend([0.5, 0.8, 1.0, 1.25, 2.0].map(|scale| house.tilted(scale)));
        }
        laws
    }

    #[test]
    fn survival_falls_from_one_and_the_masses_add_up() {
        for law in laws() {
            let mut mass = law.pmf_cents(100);
            for k in 101..40_000 {
                let step = law.survival_cents(k) - law.survival_cents(k + 1);
                assert!(step >= 0.0, "{law:?} at {k}");
                mass += step;
            }
            assert!((mass + law.survival_cents(40_000) - 1.0).abs() < 1e-12, "{law:?}");
        }
    }

    #[test]
    fn quantile_undoes_survival() {
        for law in laws() {
            for i in 1..200 {
                let tau = f64::from(i) / 200.0;
                let q = law.quantile(tau);
                // P(M < q) <= tau <= P(M <= q), up to rounding where tau falls on a cent.
                assert!(1.0 - law.survival(q) <= tau + 1e-9, "{law:?} {tau} {q}");
                assert!(1.0 - law.survival(q + 0.01) >= tau - 1e-9, "{law:?} {tau} {q}");
            }
        }
    }

    #[test]
    fn the_transform_fills_the_unit_interval_without_gaps() {
        for law in laws() {
            let mut upper = 0.0;
            for k in 100..3000 {
                assert!((law.pit(k, 0.0) - upper).abs() < 1e-12, "{law:?} at {k}");
                upper = law.pit(k, 1.0);
            }
        }
    }

    #[test]
    fn a_target_between_two_cents_means_the_upper_one() {
        let law = TiltedLaw::new(1.0);
        assert_eq!(law.survival(1.555).to_bits(), law.survival_cents(156).to_bits());
        for k in 100..100_000 {
            let c = multiplier(k);
            assert_eq!(law.survival(c).to_bits(), law.survival_cents(k).to_bits(), "{k}");
        }
    }
}
