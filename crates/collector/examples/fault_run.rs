//! A long simulated run with faults: what the ledger writes, and what the `text != last` rule would have written.
//!
//!     cargo run --release -p collector --example fault_run [ROUNDS [SEED]]

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the eye")]

#[path = "../tests/it/game.rs"]
mod game;

use game::{Plan, run};

fn main() {
    let mut told = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let rounds = usize::try_from(told.next().unwrap_or(100_000)).unwrap();
    let seed = told.next().unwrap_or(1);
    let calm = Plan {
        rounds,
        seed,
        reload: 0.0,
        outage: 0.0,
        restart: 0.0,
        switch: 0.0,
        double: 0.0,
        has_frames: false,
    };
    let reloads = Plan { reload: 0.002, double: 0.001, ..calm };
    let outages = Plan { outage: 0.001, ..reloads };
    let all = Plan { restart: 0.0002, switch: 0.0002, ..outages };
    let frames = Plan { has_frames: true, ..all };
    let plans = [
        ("no faults", calm),
        ("reloads and double lists", reloads),
        ("and outages", outages),
        ("and restarts and table switches", all),
        ("all of it, with frames and ids", frames),
    ];
    for (name, plan) in plans {
        let dir = tempfile::tempdir().unwrap();
        println!("{name}: {}", run(&plan, dir.path()));
    }
}
