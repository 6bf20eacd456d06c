//! The `predictor` program.
fn main() {}
