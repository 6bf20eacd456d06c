//! Rounds in, forecasts and their scores out: the pure core of the predictor.
//!
//! Start reading at [`engine`], which both serving and backtesting drive; [`replay`] is the loop of
//! a backtest. The crate has no clock, file, thread or network: times are passed in, independent jobs
//! go to [`parallel::Workers`], and the caller stores what must survive.

pub mod calibration;
pub mod dataset;
pub mod engine;
pub mod ensemble;
pub mod forecast;
pub mod history;
pub mod learner;
pub mod ledger;
pub mod models;
pub mod parallel;
pub mod replay;
pub mod score_history;
pub mod scorecard;
pub mod training_schedule;
