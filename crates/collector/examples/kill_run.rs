//! Kills the `collector` program repeatedly while it writes, and checks that no printed round is lost.
//!
//!     cargo build --release -p collector
//!     cargo run --release -p collector --example kill_run [CYCLES]

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints its results")]

#[path = "../tests/it/killing.rs"]
mod killing;

fn main() {
    let cycles = std::env::args().nth(1).map(|text| text.parse().expect("a number"));
    let examples = std::env::current_exe().unwrap();
    let program = examples.ancestors().nth(2).unwrap().join("collector");
    assert!(program.exists(), "{} does not exist; build it first", program.display());
    let dir = tempfile::tempdir().unwrap();
    println!("{}", killing::kill_repeatedly(&program, dir.path(), cycles.unwrap_or(200)));
}
