//! Two recorders of one fair game, of 36,957 and 22,869 rows with 5,000 shared rounds and clocks 6 s apart:
//! `cargo run -p rounds --example overlapping_recorders -- DIRECTORY`.
//!
//! Writes the two files to `DIRECTORY/recorders`, and all of their rows as one file, as if nobody had noticed, to
//! `DIRECTORY/concatenated`. What the doubles do to a verdict is then shown by
//!
//!     predictor backtest --data-dir DIRECTORY/concatenated
//!     predictor backtest --data-dir DIRECTORY/recorders
#![expect(clippy::print_stdout, reason = "it says what it has written")]

use std::error::Error;
use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rounds::{FileRounds, HEADER, Multiplier, Round, merge};

/// Rows of the first recorder, of the second one, and rounds that both have.
const ROWS: (usize, usize, usize) = (36_957, 22_869, 5_000);
/// By how much the clock of the second recorder is ahead.
const CLOCK: TimeDelta = TimeDelta::seconds(6);

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("which directory?")?;
    let dir = Path::new(&dir);
    let (first, second, shared) = ROWS;
    let game = game(first + second - shared)?;
    let late = |index: usize| i64::try_from(index * 7919 % 400).unwrap_or_default();
    let observed = |(index, round): (usize, &Round)| Round {
        time: round.time + CLOCK + TimeDelta::milliseconds(late(index)),
        ..*round
    };
    let ours = &game[..first];
    let theirs: Vec<Round> = game[first - shared..].iter().enumerate().map(observed).collect();
    write(&dir.join("recorders"), "aviator_payouts_first.csv", ours)?;
    write(&dir.join("recorders"), "aviator_payouts_second.csv", &theirs)?;
    let mut all: Vec<Round> = ours.iter().chain(&theirs).copied().collect();
    all.sort_by_key(|round| round.time);
    write(&dir.join("concatenated"), "aviator_payouts_all.csv", &all)?;
    let merged = merge(&[
        FileRounds { file: "first", rounds: ours },
        FileRounds { file: "second", rounds: &theirs },
    ]);
    println!("{} rounds were played, {} rows recorded", game.len(), all.len());
    for overlap in &merged.overlaps {
        println!("{overlap}");
    }
    let multipliers = |rounds: &[Round]| rounds.iter().map(|it| it.multiplier).collect::<Vec<_>>();
    let is_true = multipliers(&merged.rounds) == multipliers(&game);
    println!(
        "merged: {} rounds, {}",
        merged.rounds.len(),
        if is_true { "those played" } else { "OTHERS" }
    );
    Ok(())
}

fn write(dir: &Path, name: &str, rounds: &[Round]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(dir)?;
    let rows: String = rounds.iter().map(Round::to_row).collect();
    Ok(fs::write(dir.join(name), format!("{HEADER}{rows}"))?)
}

/// Rounds of a fair game whose house keeps 3 %.
fn game(count: usize) -> Result<Vec<Round>, Box<dyn Error>> {
    let mut state = 2_026u64;
    let mut time: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let mut rounds = Vec::with_capacity(count);
    for _ in 0..count {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = (((mixed ^ (mixed >> 31)) >> 11) + 1) as f64 / (1u64 << 53) as f64;
        let multiplier = ((97.0 / unit).floor() / 100.0).clamp(1.0, 1e6);
        #[expect(clippy::cast_possible_truncation, reason = "seconds of one round")]
        let taken = (11_500.0 + 11_700.0 * multiplier.ln()) as i64;
        time += TimeDelta::milliseconds(taken);
        rounds.push(Round { time, multiplier: Multiplier::new(multiplier)? });
    }
    Ok(rounds)
}
