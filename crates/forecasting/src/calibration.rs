//! How much of the models' forecast is served and how wide its intervals are. Both adapt with every
//! scored round.

use evaluation::baselines::{Baseline as _, Climatology};
use evaluation::intervals::{PitInterval, outward};
use evaluation::{HouseLaw, Kappa, TiltedLaw};
use serde::{Deserialize, Serialize};

use crate::forecast::{Basis, Candidate, Forecast, Means};

/// Converts the learners' forecast into the models' own law, and what is served into intervals; it adapts
/// with every scored round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    /// The law of the house.
    house: HouseLaw,
    /// Trust in the models.
    pub kappa: Kappa,
    /// Levels of the 80 % interval.
    pub interval80: PitInterval,
    /// Levels of the 90 % interval.
    pub interval90: PitInterval,
}

impl Default for Calibration {
    /// Under the default house law.
    fn default() -> Self {
        Self::new(HouseLaw::default())
    }
}

impl Calibration {
    /// Returns the calibration before any scored round.
    pub fn new(house: HouseLaw) -> Self {
        Self {
            house,
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
    /// Returns the models' own law for the learners' forecast.
    pub fn candidate(&self, means: &Means) -> Candidate {
        let (kappa, house) = (&self.kappa, self.house);
        Candidate { house, kappa: kappa.served(), scale: kappa.served_scale(&house, means.mean) }
    }

    /// Returns what to serve; `climatology` has seen the rounds so far.
    pub fn serve(&self, basis: Basis, candidate: &Candidate, climatology: &Climatology) -> Served {
        match basis {
            Basis::House => self.serve_law(&self.house.untilted()),
            Basis::Models => self.serve_law(&candidate.law()),
            Basis::Climatology => self.serve_observed(climatology),
        }
    }

    fn serve_law(&self, law: &TiltedLaw) -> Served {
        Served {
            observed_median: None,
            probabilities: law.probabilities(),
            interval80: self.interval80.interval(law),
            interval90: self.interval90.interval(law),
        }
    }

    /// Returns the observed frequencies, no target above break-even by luck; the intervals of the house law where there are
    /// none.
    fn serve_observed(&self, climatology: &Climatology) -> Served {
        let observed = climatology.forecast();
        let house = self.serve_law(&self.house.untilted());
        let interval = |interval: &PitInterval, house| {
            let (lower, upper) = interval.levels();
            let ends = climatology.quantile(lower).zip(climatology.quantile(upper));
            ends.map_or(house, |(lo, hi)| outward(lo, hi))
        };
        Served {
            observed_median: observed.point,
            probabilities: climatology.cautious_probabilities(),
            interval80: interval(&self.interval80, house.interval80),
            interval90: interval(&self.interval90, house.interval90),
        }
    }

    /// Adapts to the outcome of a forecast; `climatology` has seen the rounds before it.
    pub fn settle(
        &mut self,
        forecast: &Forecast,
        climatology: &Climatology,
        cents: u64,
        ln_m: f64,
    ) {
        let v = evaluation::pit::keyed_uniform(SALT, forecast.round);
        let u = match forecast.law() {
            Some(law) => law.pit(cents, v),
            None => climatology.pit(cents, v),
        };
        self.kappa.settle(&self.house, forecast.means.mean, ln_m);
        self.interval80.update(u);
        self.interval90.update(u);
    }
}

/// The served part of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// Median of the observed frequencies, if these are served.
    pub observed_median: Option<f64>,
    /// Probability of reaching each of [`TARGETS`](evaluation::TARGETS).
    pub probabilities: [f64; 5],
    /// Both ends of the 80 % interval.
    pub interval80: (f64, f64),
    /// Both ends of the 90 % interval.
    pub interval90: (f64, f64),
}
