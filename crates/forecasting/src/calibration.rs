//! How much of the models' forecast is served and how wide its intervals are, learnt from every
//! scored round.

use evaluation::Kappa;
use evaluation::TiltedLaw;
use evaluation::intervals::PitInterval;
use serde::{Deserialize, Serialize};

use crate::forecast::{Forecast, Means};

/// What turns the learners' say into what is served; it learns from every scored round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    /// Trust in the model.
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

/// The published salt of the uniforms that break ties of the randomised transform: they are
/// fixed before any round, so that they can be neither tuned nor drawn again.
pub const SALT: u64 = 0x6176_6961_746f_7221;

impl Calibration {
    /// The law, the probabilities and the intervals that are served for what the learners say.
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

    /// Learns from a forecast's round.
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
    /// How much of the model's say is served.
    pub kappa: f64,
    /// Scale of the served law.
    pub scale: f64,
    /// Chance to reach each of [`TARGETS`](evaluation::TARGETS).
    pub probabilities: [f64; 5],
    /// Both ends of the 80 % interval.
    pub interval80: (f64, f64),
    /// Both ends of the 90 % interval.
    pub interval90: (f64, f64),
}
