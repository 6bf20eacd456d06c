//! The table of all features: name, group, definition, range, scale and function.

use std::f64::consts::FRAC_1_SQRT_2;
use std::fmt;

use crate::window::Window;
use crate::{momentum, pattern, percentile, trend, volatility};

/// Number of features.
pub const COUNT: usize = 25;

/// The features of one round, in the order of [`CATALOG`].
pub type FeatureRow = [f64; COUNT];

/// `ln` of 1,000,000x, the highest multiplier that games of this kind pay. The ranges are those up
/// to it.
const LN_CAP: f64 = 13.815_510_557_964_274;

/// Maximum absolute value of a standardised feature.
const STANDARDISED_MAX: f64 = 4.0;

/// One feature: its name, definition, range, scale, and the function that computes it.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// Name in the API and the documentation, and of the model's column.
    pub name: &'static str,
    /// The kind of pattern it looks for.
    pub group: Group,
    /// Definition in words, over `x = ln M`; a window of w rounds is the last w or, while the
    /// history is shorter, all of it.
    pub formula: &'static str,
    /// Smallest value on multipliers up to 1,000,000x.
    pub low: f64,
    /// Largest value on multipliers up to 1,000,000x.
    pub high: f64,
    /// Mean on long fair streams.
    pub centre: f64,
    /// Standard deviation on long fair streams.
    pub scale: f64,
    /// Computes the feature: defined and finite on every window.
    pub compute: fn(&Window<'_>) -> f64,
}

/// The kind of pattern a feature looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Level of the last rounds and its direction.
    Trends,
    /// Spread of the last rounds.
    Volatility,
    /// How the last rounds differ from those before them.
    Momentum,
    /// Patterns that players watch for.
    Patterns,
    /// Distribution of the last rounds.
    Percentiles,
}

impl Group {
    /// Returns the name in the API and the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trends => "trends",
            Self::Volatility => "volatility",
            Self::Momentum => "momentum",
            Self::Patterns => "patterns",
            Self::Percentiles => "percentiles",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Returns the row on a common scale: each feature less its centre, in units of its scale, clamped
/// to
/// -4 to 4.
///
/// Centre and scale are constants of the fair game, not statistics of the data at hand, so the
/// result depends on the row alone.
pub fn standardised(row: &FeatureRow) -> FeatureRow {
    std::array::from_fn(|i| {
        let Feature { centre, scale, .. } = CATALOG[i];
        ((row[i] - centre) / scale).clamp(-STANDARDISED_MAX, STANDARDISED_MAX)
    })
}

impl Window<'_> {
    /// Returns the features of the round that follows this history.
    pub fn row(&self) -> FeatureRow {
        CATALOG.each_ref().map(|feature| (feature.compute)(self))
    }
}

/// All features, in the order of the columns of a [`FeatureRow`].
pub const CATALOG: [Feature; COUNT] = [
    Feature {
        name: "lag_1",
        group: Group::Trends,
        formula: "the last round's x",
        low: 0.0,
        high: LN_CAP,
        centre: 0.9678,
        scale: 0.9995,
        compute: trend::lag_1,
    },
    Feature {
        name: "lag_2",
        group: Group::Trends,
        formula: "x of the round before the last (lag_1 while there is none)",
        low: 0.0,
        high: LN_CAP,
        centre: 0.9678,
        scale: 0.9995,
        compute: trend::lag_2,
    },
    Feature {
        name: "roll_mean_3",
        group: Group::Trends,
        formula: "mean of the last 3",
        low: 0.0,
        high: LN_CAP,
        centre: 0.9678,
        scale: 0.5784,
        compute: trend::roll_mean_3,
    },
    Feature {
        name: "roll_mean_5",
        group: Group::Trends,
        formula: "mean of the last 5",
        low: 0.0,
        high: LN_CAP,
        centre: 0.9678,
        scale: 0.4481,
        compute: trend::roll_mean_5,
    },
    Feature {
        name: "roll_mean_10",
        group: Group::Trends,
        formula: "mean of the last 10",
        low: 0.0,
        high: LN_CAP,
        centre: 0.9678,
        scale: 0.3167,
        compute: trend::roll_mean_10,
    },
    Feature {
        name: "roll_mean_20",
        group: Group::Trends,
        formula: "mean of the last 20",
        low: 0.0,
        high: LN_CAP,
        centre: 0.9678,
        scale: 0.2238,
        compute: trend::roll_mean_20,
    },
    Feature {
        name: "ewm_mean_10",
        group: Group::Trends,
        formula: "e = e + 2/11 (x - e) over the whole history, e = x at its first round",
        low: 0.0,
        high: LN_CAP,
        centre: 0.9678,
        scale: 0.3167,
        compute: trend::ewm_mean_10,
    },
    Feature {
        name: "slope_20",
        group: Group::Trends,
        formula: "least-squares slope of the last 20 over their places (0 below 3 rounds)",
        low: -LN_CAP / 2.0,
        high: LN_CAP / 2.0,
        centre: 0.0,
        scale: 0.0388,
        compute: trend::slope_20,
    },
    Feature {
        name: "roll_std_20",
        group: Group::Volatility,
        formula: "sample standard deviation (n - 1) of the last 20 (0 below 2 rounds)",
        low: 0.0,
        high: LN_CAP * FRAC_1_SQRT_2,
        centre: 0.9574,
        scale: 0.2865,
        compute: volatility::roll_std_20,
    },
    Feature {
        name: "roll_mad_20",
        group: Group::Volatility,
        formula: "median distance from the median of the last 20",
        low: 0.0,
        high: LN_CAP / 2.0,
        centre: 0.4637,
        scale: 0.152,
        compute: volatility::roll_mad_20,
    },
    Feature {
        name: "roll_iqr_20",
        group: Group::Volatility,
        formula: "75 % less 25 % quantile (type 7) of the last 20",
        low: 0.0,
        high: LN_CAP,
        centre: 1.0362,
        scale: 0.3405,
        compute: volatility::roll_iqr_20,
    },
    Feature {
        name: "roll_range_10",
        group: Group::Volatility,
        formula: "largest less smallest of the last 10",
        low: 0.0,
        high: LN_CAP,
        centre: 2.8231,
        scale: 1.2386,
        compute: volatility::roll_range_10,
    },
    Feature {
        name: "roll_cv_20",
        group: Group::Volatility,
        formula: "roll_std_20 / (roll_mean_20 + 0.1)",
        low: 0.0,
        high: 4.5,
        centre: 0.8939,
        scale: 0.1747,
        compute: volatility::roll_cv_20,
    },
    Feature {
        name: "mom_3",
        group: Group::Momentum,
        formula: "lag_1 less x 3 rounds before it (0 while there is none)",
        low: -LN_CAP,
        high: LN_CAP,
        centre: 0.0,
        scale: 1.4134,
        compute: momentum::mom_3,
    },
    Feature {
        name: "mom_5",
        group: Group::Momentum,
        formula: "lag_1 less x 5 rounds before it (0 while there is none)",
        low: -LN_CAP,
        high: LN_CAP,
        centre: 0.0,
        scale: 1.4125,
        compute: momentum::mom_5,
    },
    Feature {
        name: "mom_10",
        group: Group::Momentum,
        formula: "lag_1 less x 10 rounds before it (0 while there is none)",
        low: -LN_CAP,
        high: LN_CAP,
        centre: 0.0,
        scale: 1.4156,
        compute: momentum::mom_10,
    },
    Feature {
        name: "roc_5",
        group: Group::Momentum,
        formula: "(A - B) / (A + B + 0.1), A mean of the last 5, B of the 5 before (0 below 10 rounds)",
        low: -1.0,
        high: 1.0,
        centre: 0.0,
        scale: 0.2957,
        compute: momentum::roc_5,
    },
    Feature {
        name: "streak_below_2",
        group: Group::Patterns,
        formula: "rounds below 2.00x in a row up to the last, at most 20",
        low: 0.0,
        high: 20.0,
        centre: 1.0561,
        scale: 1.4658,
        compute: pattern::streak_below_2,
    },
    Feature {
        name: "since_ge_10",
        group: Group::Patterns,
        formula: "rounds since the last one of 10.00x or more (0: the last), at most 50; 50 if none",
        low: 0.0,
        high: 50.0,
        centre: 9.2405,
        scale: 9.4805,
        compute: pattern::since_ge_10,
    },
    Feature {
        name: "share_ge2_10",
        group: Group::Patterns,
        formula: "share of the last 10 at 2.00x or more",
        low: 0.0,
        high: 1.0,
        centre: 0.4856,
        scale: 0.158,
        compute: pattern::share_ge2_10,
    },
    Feature {
        name: "share_ge2_20",
        group: Group::Patterns,
        formula: "share of the last 20 at 2.00x or more",
        low: 0.0,
        high: 1.0,
        centre: 0.4856,
        scale: 0.1118,
        compute: pattern::share_ge2_20,
    },
    Feature {
        name: "pct_rank_50",
        group: Group::Percentiles,
        formula: "(number below lag_1 + half of those equal to it) / w in the last w = 50",
        low: 0.0,
        high: 1.0,
        centre: 0.4999,
        scale: 0.2885,
        compute: percentile::pct_rank_50,
    },
    Feature {
        name: "q25_50",
        group: Group::Percentiles,
        formula: "25 % quantile (type 7) of the last 50",
        low: 0.0,
        high: LN_CAP,
        centre: 0.2714,
        scale: 0.0832,
        compute: percentile::q25_50,
    },
    Feature {
        name: "q50_50",
        group: Group::Percentiles,
        formula: "50 % quantile (type 7) of the last 50",
        low: 0.0,
        high: LN_CAP,
        centre: 0.6715,
        scale: 0.1413,
        compute: percentile::q50_50,
    },
    Feature {
        name: "q90_50",
        group: Group::Percentiles,
        formula: "90 % quantile (type 7) of the last 50",
        low: 0.0,
        high: LN_CAP,
        centre: 2.2055,
        scale: 0.4049,
        compute: percentile::q90_50,
    },
];
