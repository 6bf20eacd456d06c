//! Generated rounds that tests share.

use std::f64::consts::TAU;

/// `SplitMix64`, and numbers drawn from it.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller, the cosine branch).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}

/// `ln M` of the fair game: M = 0.97 / u floored to cents.
pub(crate) fn fair(seed: u64, rounds: usize) -> Vec<f64> {
    let mut draw = Draw(seed);
    (0..rounds).map(|_| ln_of(0.97 / draw.uniform())).collect()
}

/// `ln M` of rounds whose law is the fair one but whose order is not: a normal autoregression with
/// coefficient `rho`, mapped to the fair law.
pub(crate) fn autoregressive(rho: f64, seed: u64, rounds: usize) -> Vec<f64> {
    let mut draw = Draw(seed);
    let mut z = draw.normal();
    (0..rounds)
        .map(|_| {
            z = rho * z + (1.0 - rho * rho).sqrt() * draw.normal();
            ln_of(0.97 / upper_tail(z).max(1e-12))
        })
        .collect()
}

fn ln_of(multiplier: f64) -> f64 {
    ((multiplier * 100.0).floor().clamp(100.0, 1e8) / 100.0).ln()
}

/// P(Z > z) of a standard normal: Zelen and Severo's approximation, off by less than 1e-7.
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let polynomial = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-0.5 * z * z).exp() / TAU.sqrt() * polynomial;
    if z < 0.0 { 1.0 - tail } else { tail }
}
