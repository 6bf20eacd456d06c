//! How much of the models' forecast is served and how wide its intervals are. Both adapt with every
//! scored round.

use evaluation::Kappa;
use evaluation::TiltedLaw;
use evaluation::intervals::PitInterval;
use serde::{Deserialize, Serialize};

use crate::forecast::{Forecast, Means};

/// Converts the learners' forecast into the served one; it adapts with every scored round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    /// Trust in the models.
    pub kappa: Kappa,
    /// Levels of the 80 % interval.
    pub interval80: PitInterval,
    /// Levels of the 90 % interval.
    pub interval90: PitInterval,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            kappa: Kappa::new(),
            interval80: PitInterval::new(0.2),
            interval90: PitInterval::new(0.1),
        }
    }
}

/// The published salt of the uniform numbers that randomise the transform. They are fixed before any
/// round, so they can be neither tuned nor drawn again.
pub const SALT: u64 = 0x6176_6961_746f_7221;

impl Calibration {
    /// Returns the law, the probabilities and the intervals to serve for the learners' forecast.
    pub fn serve(&self, means: &Means) -> Served {
        let scale = self.kappa.served_scale(means.mean);
        let law = TiltedLaw::new(scale);
        Served {
            kappa: self.kappa.served(),
            scale,
            probabilities: law.probabilities(),
            interval80: self.interval80.interval(&law),
            interval90: self.interval90.interval(&law),
        }
    }

    /// Adapts to the outcome of a forecast.
    pub fn settle(&mut self, forecast: &Forecast, cents: u64, ln_m: f64) {
        let v = evaluation::pit::keyed_uniform(SALT, forecast.round);
        let u = forecast.law().pit(cents, v);
        self.kappa.settle(forecast.means.mean, ln_m);
        self.interval80.update(u);
        self.interval90.update(u);
    }
}

/// The served part of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// Trust: the weight of the models' forecast, 0 to 1.
    pub kappa: f64,
    /// Scale of the served law.
    pub scale: f64,
    /// Probability of reaching each of [`TARGETS`](evaluation::TARGETS).
    pub probabilities: [f64; 5],
    /// Both ends of the 80 % interval.
    pub interval80: (f64, f64),
    /// Both ends of the 90 % interval.
    pub interval90: (f64, f64),
}
