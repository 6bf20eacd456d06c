//! The parameters of a crash game: the law of its multipliers, and how long its rounds take.
//!
//! `docs/reference/games.md` says where the figures of each preset come from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::house_law::AVIATOR_RETURN;
use crate::{HouseLaw, LawError, ln_multiplier};

/// Longest pause, and largest slope, that a game can have, in seconds.
const SECONDS_MAX: f64 = 3600.0;

/// How long a round takes: `pause + slope * ln M` seconds from the end of the round before to its own end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds between the ends of two rounds if the second ends at 1.00x: betting, take-off, pause.
    #[serde(rename = "pause_seconds")]
    pub pause: f64,
    /// Seconds of flight per unit of ln M.
    #[serde(rename = "slope_seconds")]
    pub slope: f64,
}

impl Pace {
    /// Returns the seconds that a round takes, given the ln M at which it ends.
    pub fn gap(&self, ln_m: f64) -> f64 {
        self.pause + self.slope * ln_m
    }

    /// Returns the seconds that a round takes, given its multiplier in cents.
    pub fn gap_of_cents(&self, cents: u64) -> f64 {
        self.gap(ln_multiplier(cents))
    }
}

/// A known game with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// The name that `--game` takes.
    pub name: &'static str,
    /// Expected return per unit staked, the same at every cash-out target.
    pub returns: f64,
    /// The pace measured on recordings of it, if there were any. Sites differ, so it judges no recording.
    pub measured_pace: Option<Pace>,
    /// Where the figures come from.
    pub source: &'static str,
}

/// The games whose parameters are known, the default first.
pub const PRESETS: [Preset; 5] = [
    Preset {
        name: "aviator",
        returns: AVIATOR_RETURN,
        measured_pace: Some(Pace { pause: 11.5, slope: 11.7 }),
        source: "return by its published formula; pace of five recordings",
    },
    Preset {
        name: "stake",
        returns: 0.99,
        measured_pace: Some(Pace { pause: 11.8, slope: 16.6 }),
        source: "return by its published formula; pace of a recording",
    },
    Preset {
        name: "bustabit",
        returns: 0.99,
        measured_pace: None,
        source: "return by the formula published since 2018; pace not measured",
    },
    Preset {
        name: "1xbet",
        returns: 0.97,
        measured_pace: Some(Pace { pause: 11.6, slope: 7.7 }),
        source: "return assumed, no formula is published; pace of a recording",
    },
    Preset {
        name: "roobet",
        returns: 0.96,
        measured_pace: None,
        source: "return at high targets by its published formula, up to 0.01 more at low ones; pace not measured",
    },
];

/// The parameters of the game whose rounds are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GameParameters {
    preset: &'static Preset,
    law: HouseLaw,
    has_own_atom: bool,
    pace: Option<Pace>,
}

/// Parameters that no game can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GameError {
    /// The law is impossible.
    Law(LawError),
    /// Pause or slope is not between 0 and 3,600 seconds.
    Pace(f64),
    /// Only one of pause and slope is given.
    HalfAPace,
}

impl fmt::Display for GameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Law(error) => error.fmt(f),
            Self::Pace(seconds) => {
                write!(f, "pause and slope must be between 0 and 3600 seconds, got {seconds}")
            }
            Self::HalfAPace => write!(f, "pause and slope must be given together"),
        }
    }
}

impl std::error::Error for GameError {}

impl From<LawError> for GameError {
    fn from(error: LawError) -> Self {
        Self::Law(error)
    }
}

impl Preset {
    /// Returns the preset of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Returns its law: P(M >= x) = r/x up to 1,000,000x, the remaining mass at 1.00x.
    pub fn law(&self) -> HouseLaw {
        HouseLaw::new(self.returns).expect("the return of a preset is possible")
    }
}

impl Default for GameParameters {
    fn default() -> Self {
        Self::of(&PRESETS[0])
    }
}

impl GameParameters {
    /// Returns the parameters of a preset.
    pub fn of(preset: &'static Preset) -> Self {
        Self { preset, law: preset.law(), has_own_atom: false, pace: None }
    }

    /// Returns the parameters with another return; 1.00x has the probability that the curve leaves.
    ///
    /// # Errors
    /// [`LawError::Return`] unless it lies in (0, 1].
    pub fn with_return(self, r: f64) -> Result<Self, GameError> {
        let law = HouseLaw::new(r)?.with_cap_cents(self.law.cap_cents())?;
        Ok(Self { law, has_own_atom: false, ..self })
    }

    /// Returns the parameters with another probability of 1.00x, the lowest multiplier.
    ///
    /// # Errors
    /// [`LawError::Atom`] unless it lies in [0, 1).
    pub fn with_atom(self, atom: f64) -> Result<Self, GameError> {
        Ok(Self { law: self.law.with_atom(atom)?, has_own_atom: true, ..self })
    }

    /// Returns the parameters with another highest multiplier, in cents.
    ///
    /// # Errors
    /// [`LawError::Cap`] unless it is above 1.02x.
    pub fn with_cap_cents(self, cap_cents: u64) -> Result<Self, GameError> {
        Ok(Self { law: self.law.with_cap_cents(cap_cents)?, ..self })
    }

    /// Returns the parameters with a pace by which gaps are judged, instead of the recording's own.
    ///
    /// # Errors
    /// [`GameError::Pace`] unless pause and slope lie in [0, 3600].
    pub fn with_pace(self, pace: Pace) -> Result<Self, GameError> {
        match [pace.pause, pace.slope].into_iter().find(|it| !(0.0..=SECONDS_MAX).contains(it)) {
            Some(seconds) => Err(GameError::Pace(seconds)),
            None => Ok(Self { pace: Some(pace), ..self }),
        }
    }

    /// Returns the preset from which the parameters were made.
    pub fn preset(&self) -> &'static Preset {
        self.preset
    }

    /// Returns the law of the multipliers.
    pub fn law(&self) -> &HouseLaw {
        &self.law
    }

    /// Returns the probability of 1.00x, if it was given; otherwise it is what the curve leaves.
    pub fn own_atom(&self) -> Option<f64> {
        self.has_own_atom.then_some(self.law.atom())
    }

    /// Returns the pace by which gaps are judged; `None` for the recording's own, fitted from 200 gaps on.
    pub fn pace(&self) -> Option<Pace> {
        self.pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_aviator_under_the_default_law() {
        let game = GameParameters::default();
        assert_eq!(game.preset().name, "aviator");
        assert_eq!((game.law(), game.pace()), (&HouseLaw::default(), None));
    }

    #[test]
    fn a_preset_is_found_by_its_name() {
        for preset in &PRESETS {
            assert_eq!(Preset::named(preset.name), Some(preset));
        }
        assert_eq!(Preset::named("Aviator"), None);
    }

    #[test]
    fn each_parameter_can_be_replaced() {
        let stake = GameParameters::of(Preset::named("stake").unwrap());
        let capped = stake.with_cap_cents(3_500).unwrap();
        let changed = capped.with_return(0.95).unwrap();
        assert_eq!((changed.law().r(), changed.law().cap_cents()), (0.95, 3_500));
        assert_eq!(changed.own_atom(), None);
        assert_eq!(changed.with_atom(0.1).unwrap().own_atom(), Some(0.1));
        let pace = Pace { pause: 5.0, slope: 0.0 };
        assert_eq!(changed.with_pace(pace).unwrap().pace(), Some(pace));
    }

    #[test]
    fn impossible_parameters_are_refused_with_their_range() {
        let game = GameParameters::default();
        for (error, text) in [
            (game.with_return(1.01), "(0, 1], got 1.01"),
            (game.with_return(f64::NAN), "(0, 1], got NaN"),
            (game.with_atom(1.0), "[0, 1), got 1"),
            (game.with_cap_cents(100), "above 1.02x, got 100 cents"),
            (game.with_pace(Pace { pause: -1.0, slope: 1.0 }), "got -1"),
            (game.with_pace(Pace { pause: 1.0, slope: f64::INFINITY }), "got inf"),
        ] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_round_takes_longer_the_higher_it_flies() {
        let pace = Pace { pause: 11.5, slope: 11.7 };
        assert!((pace.gap_of_cents(100) - 11.5).abs() < 1e-12);
        assert!((pace.gap_of_cents(1000) - 11.5 - 11.7 * 10f64.ln()).abs() < 1e-12);
    }
}
