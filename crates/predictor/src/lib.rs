//! Forecasts the next round of a crash game and measures whether that is worth anything

pub mod dataset;
pub mod ensemble;
pub mod models;
pub mod workers;
