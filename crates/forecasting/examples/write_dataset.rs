//! Writes the training rows of simulated rounds to a file, so that `scripts/dev/bench.sh` can time
//! other programs on the same rows.
//!
//! `cargo run --release -p forecasting --example write_dataset -- ROUNDS STREAM FILE`
//!
//! The file is little-endian: the numbers of rows and columns as u64, then the features row by row as
//! f64, then the targets (ln M of the round that followed) as f64.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use evaluation::ln_multiplier;
use features::Extractor;
use forecasting::dataset::HISTORY_MIN;
use test_support::simulate::Scenario;

const SEED: u64 = 77;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rounds, stream, path] = arguments.as_slice() else {
        return Err("usage: write_dataset ROUNDS STREAM FILE".into());
    };
    let scenario = Scenario::named(stream).ok_or("STREAM is not the name of a scenario")?;
    let mut extractor = Extractor::new();
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    let mut row = None;
    for cents in scenario.rounds(rounds.parse()?, SEED) {
        let x = ln_multiplier(cents);
        if let Some(row) = row.filter(|_| extractor.rounds() >= HISTORY_MIN) {
            rows.push(row);
            targets.push(x);
        }
        row = Some(extractor.push(x)?);
    }
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&(rows.len() as u64).to_le_bytes())?;
    file.write_all(&(features::COUNT as u64).to_le_bytes())?;
    for value in rows.iter().flatten().chain(&targets) {
        file.write_all(&value.to_le_bytes())?;
    }
    file.flush()?;
    Ok(())
}
