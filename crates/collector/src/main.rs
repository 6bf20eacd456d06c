//! The `collector` program.
fn main() {}
