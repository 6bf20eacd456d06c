//! Kills the `collector` program again and again while it writes, and counts what is left.
//!
//!     cargo build --release -p collector
//!     cargo run --release -p collector --example kill_run [CYCLES]

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the eye")]

#[path = "../tests/it/killing.rs"]
mod killing;

fn main() {
    let told = std::env::args().nth(1).map(|text| text.parse().expect("a number"));
    let examples = std::env::current_exe().unwrap();
    let program = examples.ancestors().nth(2).unwrap().join("collector");
    assert!(program.exists(), "{}: build it first", program.display());
    let dir = tempfile::tempdir().unwrap();
    println!("{}", killing::kill(&program, dir.path(), told.unwrap_or(200)));
}
