//! Serves a page with a simulated game, for trying the browser source without a casino: the game's frame within a launcher's
//! frame within a casino's page, with the history list and the game's WebSocket.
//!
//!     cargo run -p collector --example simulated_game [SECONDS BETWEEN ROUNDS]

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints its results")]

use std::time::Duration;

#[expect(dead_code, reason = "only the tests use the rest of it")]
#[path = "../tests/it/simulator.rs"]
mod simulator;

use simulator::{Channels, Game};
use tokio::time::interval;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let seconds = std::env::args().nth(1).map(|text| text.parse().expect("a number of seconds"));
    let game = Game::open(Channels::Both, 7).await;
    println!("{}", game.url());
    let mut rounds = interval(Duration::from_secs_f64(seconds.unwrap_or(8.0)));
    loop {
        rounds.tick().await;
        game.play(1);
    }
}
