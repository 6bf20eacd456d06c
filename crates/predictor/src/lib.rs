//! Forecasts the next round of a crash game and measures whether that is worth anything
