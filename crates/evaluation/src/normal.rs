//! The standard normal distribution: its distribution function and quantiles.
//!
//! `libm` computes the error function to the last digit. The one of `statrs` 0.19 is off by 1e-12,
//! enough to fail the golden tests.

use std::f64::consts::{PI, SQRT_2};

use libm::erfc;

/// Returns P(Z <= x).
pub fn cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// Returns P(Z > x), accurate in the upper tail where `1 - cdf(x)` loses digits.
pub fn survival(x: f64) -> f64 {
    0.5 * erfc(x / SQRT_2)
}

/// Returns the x with P(Z <= x) = p, with p clamped to \[1e-15, 1 - 1e-15\].
///
/// Acklam's rational approximation (2003) and one Halley step: a relative error of about 1e-15 in
/// the middle. The inverse in `statrs` uses other approximations; this one reproduces the reference
/// values of the sequential tests.
pub fn quantile(p: f64) -> f64 {
    let p = p.clamp(1e-15, 1.0 - 1e-15);
    let x = if p < TAIL {
        tail((-2.0 * p.ln()).sqrt())
    } else if p <= 1.0 - TAIL {
        centre(p - 0.5)
    } else {
        -tail((-2.0 * (1.0 - p).ln()).sqrt())
    };
    let error = 0.5 * erfc(-x / SQRT_2) - p;
    let step = error * (2.0 * PI).sqrt() * (x * x / 2.0).exp();
    x - step / (1.0 + x * step / 2.0)
}

/// The probability below which Acklam's approximation uses its formula for the tail.
const TAIL: f64 = 0.02425;
/// Coefficients of Acklam's approximation, highest power first: numerators and denominators of the
/// formulas for the centre and the tail.
const CENTRE_TOP: [f64; 6] = [
    -3.969_683_028_665_376e1,
    2.209_460_984_245_205e2,
    -2.759_285_104_469_687e2,
    1.383_577_518_672_69e2,
    -3.066_479_806_614_716e1,
    2.506_628_277_459_239,
];
const CENTRE_BOTTOM: [f64; 6] = [
    -5.447_609_879_822_406e1,
    1.615_858_368_580_409e2,
    -1.556_989_798_598_866e2,
    6.680_131_188_771_972e1,
    -1.328_068_155_288_572e1,
    1.0,
];
const TAIL_TOP: [f64; 6] = [
    -7.784_894_002_430_293e-3,
    -3.223_964_580_411_365e-1,
    -2.400_758_277_161_838,
    -2.549_732_539_343_734,
    4.374_664_141_464_968,
    2.938_163_982_698_783,
];
const TAIL_BOTTOM: [f64; 5] = [
    7.784_695_709_041_462e-3,
    3.224_671_290_700_398e-1,
    2.445_134_137_142_996,
    3.754_408_661_907_416,
    1.0,
];

/// Returns the quantile in the lower tail, where q = sqrt(-2 ln p).
fn tail(q: f64) -> f64 {
    horner(&TAIL_TOP, q) / horner(&TAIL_BOTTOM, q)
}

/// Returns the quantile in the centre, where q = p - 1/2.
fn centre(q: f64) -> f64 {
    let r = q * q;
    horner(&CENTRE_TOP, r) * q / horner(&CENTRE_BOTTOM, r)
}

/// Evaluates a polynomial, highest power first, by Horner's scheme. Fused multiply-adds would change
/// the last digits against the reference.
fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_inverts_cdf() {
        for i in 1..2000 {
            let p = f64::from(i) / 2000.0;
            assert!((cdf(quantile(p)) - p).abs() < 1e-15, "{p}");
        }
        for exponent in 2..14 {
            let p = 10f64.powi(-exponent);
            assert!((cdf(quantile(p)) / p - 1.0).abs() < 1e-11, "{p}");
            assert!((quantile(1.0 - p) + quantile(p)).abs() < 1e-2, "{p}");
        }
    }

    #[test]
    fn quantiles_equal_published_values() {
        // Abramowitz & Stegun, table 26.1 and 26.5.
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((quantile(0.995) - 2.575_829_303_548_901).abs() < 1e-14);
        assert!((survival(3.0) - 1.349_898_031_630_094_6e-3).abs() < 1e-17);
    }

    #[test]
    fn quantiles_of_zero_and_one_are_finite() {
        assert!(quantile(0.0).is_finite() && quantile(1.0).is_finite());
        assert!(quantile(0.0) < -7.9 && quantile(1.0) > 7.9);
    }
}
