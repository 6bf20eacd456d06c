//! A long simulated run with faults: what the deduplicator writes, and what the naive rule (`text != last`) would write.
//!
//!     cargo run --release -p collector --example fault_run [ROUNDS [SEED]]

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints its results")]

#[path = "../tests/it/game.rs"]
mod game;

use game::{FaultPlan, run};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let rounds = usize::try_from(arguments.next().unwrap_or(100_000)).unwrap();
    let seed = arguments.next().unwrap_or(1);
    let calm = FaultPlan {
        rounds,
        seed,
        reload: 0.0,
        outage: 0.0,
        restart: 0.0,
        switch: 0.0,
        double: 0.0,
        has_frames: false,
    };
    let reloads = FaultPlan { reload: 0.002, double: 0.001, ..calm };
    let outages = FaultPlan { outage: 0.001, ..reloads };
    let all = FaultPlan { restart: 0.0002, switch: 0.0002, ..outages };
    let frames = FaultPlan { has_frames: true, ..all };
    let plans = [
        ("no faults", calm),
        ("reloads and double lists", reloads),
        ("with outages too", outages),
        ("with restarts and table switches too", all),
        ("all of these, with frames and ids", frames),
    ];
    for (name, plan) in plans {
        let dir = tempfile::tempdir().unwrap();
        println!("{name}: {}", run(&plan, dir.path()));
    }
}
