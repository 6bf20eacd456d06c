//! Time-series features of a crash game's rounds.
//!
//! The input is the history of `x = ln M`, where `M >= 1` is a finished round's multiplier. The
//! features of round `t` use rounds up to `t - 1` only. [`CATALOG`] is the table of features,
//! [`Window`] defines them, and [`Extractor`] computes the same rows, to the bit, one round at a time.
//!
//! ```
//! use features::{CATALOG, Extractor, Window};
//!
//! let history: Vec<f64> = [1.3_f64, 6.06, 3.48, 2.81].iter().map(|m| m.ln()).collect();
//! let row = Window::new(&history)?.row();
//! assert_eq!(CATALOG[0].name, "lag_1");
//! assert_eq!(row[0], history[3]);
//!
//! let mut extractor = Extractor::new();
//! let mut last = row;
//! for &x in &history {
//!     last = extractor.push(x)?;
//! }
//! assert_eq!(last, row);
//! # Ok::<(), features::WindowError>(())
//! ```

mod catalog;
mod extractor;
mod momentum;
mod pattern;
mod percentile;
mod sorted;
mod statistics;
mod trend;
mod volatility;
mod window;

pub use catalog::{CATALOG, COUNT, Feature, FeatureRow, Group, standardised};
pub use extractor::Extractor;
pub use window::{Window, WindowError, X_MAX};
