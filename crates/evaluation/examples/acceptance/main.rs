//! Prints our figures beside those of the reference implementation; fails if one of ours is out of
//! bounds.
//!
//! `cargo run --release -p evaluation --example acceptance` takes about two minutes on two cores.
//! Figures that need the whole ensemble (A5, A6, A10) are measured by the predictor.
#![expect(clippy::print_stdout, reason = "its purpose is to print a table")]

mod audit;
mod cost;
mod evidence;
mod golden;
mod intervals;
mod pitfalls;
mod table;

use std::process::ExitCode;

use table::Table;

fn main() -> ExitCode {
    println!("{:<4} {:<46} {:>16} {:>16}  bound", "", "figure", "ours", "reference");
    let mut table = Table::default();
    golden::run(&mut table);
    evidence::run(&mut table);
    intervals::run(&mut table);
    audit::run(&mut table);
    cost::run(&mut table);
    pitfalls::run(&mut table);
    table.end()
}
