//! A page with a simulated game, to try the browser source on without a casino: a launcher's frame in a casino's page, the game's
//! frame in that, the history list, and the game's socket.
//!
//!     cargo run -p collector --example simulated_game [SECONDS BETWEEN ROUNDS]

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the eye")]

use std::time::Duration;

#[expect(dead_code, reason = "the tests ask more of it")]
#[path = "../tests/it/simulator.rs"]
mod simulator;

use simulator::{Game, Shows};
use tokio::time::interval;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let told = std::env::args().nth(1).map(|text| text.parse().expect("a number of seconds"));
    let game = Game::open(Shows::Both, 7).await;
    println!("{}", game.url());
    let mut rounds = interval(Duration::from_secs_f64(told.unwrap_or(8.0)));
    loop {
        rounds.tick().await;
        game.play(1);
    }
}
