//! How fast rounds of many files are merged:
//! `cargo run --release -p rounds --example merge_speed [FILES] [ROWS]`.
//!
//! Each figure is the best of five, over rounds that are in memory already. Beside it stands how many times as long
//! it is as reading that many rows from files.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use rounds::scan::Directory;
use rounds::{FileRounds, HEADER, Multiplier, Round, merge};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let files: usize = arguments.next().map_or(Ok(200), |text| text.parse())?;
    let rows: usize = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let table = table(rows)?;
    let row = read_one(&table)?;
    println!("{:8.2} ms  {rows} rows read from a file", row * rows as f64);
    let measure = |name: &str, rounds: &[&[Round]]| measure(name, rounds, row);
    let size = rows.div_ceil(files);
    let apart: Vec<&[Round]> = table.chunks(size).collect();
    measure(&format!("{rows} rows in {files} files that do not overlap"), &apart);
    let edges: Vec<&[Round]> = (0..rows)
        .step_by(size)
        .map(|start| &table[start.saturating_sub(20)..(start + size).min(rows)])
        .collect();
    measure("the same, each with the last 20 rounds of the one before", &edges);
    let second = observed(&table, 6_000);
    measure("two recorders of all rows, 6 s apart", &[&table, &second]);
    let published = observed(&table[36_957 - 5_000..54_826], 6_000);
    measure("36,957 and 22,869 rows, 5,000 shared", &[&table[..36_957], &published]);
    let other =
        observed(&table[rows / 2..], -(table[rows / 2].time - table[0].time).num_milliseconds());
    measure("two unrelated tables at one time", &[&table[..rows / 2], &other]);
    Ok(())
}

/// Milliseconds that reading takes per row.
fn read_one(table: &[Round]) -> Result<f64, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let rows: Vec<String> = table.iter().map(Round::to_row).collect();
    fs::write(dir.path().join("aviator_payouts_a.csv"), format!("{HEADER}{}", rows.concat()))?;
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        black_box(Directory::new(dir.path()).scan()?);
        best = best.min(start.elapsed());
    }
    Ok(best.as_secs_f64() * 1000.0 / table.len() as f64)
}

fn measure(name: &str, rounds: &[&[Round]], row: f64) {
    let names: Vec<String> = (0..rounds.len()).map(|index| format!("file {index:05}")).collect();
    let files: Vec<FileRounds<'_>> =
        names.iter().zip(rounds).map(|(file, rounds)| FileRounds { file, rounds }).collect();
    let mut best = Duration::MAX;
    let mut kept = 0;
    for _ in 0..5 {
        let start = Instant::now();
        kept = black_box(merge(black_box(&files))).rounds.len();
        best = best.min(start.elapsed());
    }
    let (ms, read) = (best.as_secs_f64() * 1000.0, rounds.iter().map(|it| it.len()).sum::<usize>());
    let times = ms / (row * read as f64);
    println!("{ms:8.2} ms, {times:.2} times the reading  {name}: {kept} rounds");
}

/// Rounds with the law of a crash game, 10 to 40 s apart.
fn table(count: usize) -> Result<Vec<Round>, Box<dyn Error>> {
    let mut state = 1u64;
    let mut ms = 1_600_000_000_000i64;
    let mut rounds = Vec::with_capacity(count);
    for _ in 0..count {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let unit = ((state >> 11) + 1) as f64 / (1u64 << 53) as f64;
        let multiplier = (97.0 / unit).floor().max(100.0) / 100.0;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of one round")]
        let taken = (11_500.0 + 11_700.0 * multiplier.ln()) as i64;
        ms += taken;
        let time = DateTime::from_timestamp_millis(ms).ok_or("time out of range")?;
        rounds.push(Round { time, multiplier: Multiplier::new(multiplier)? });
    }
    Ok(rounds)
}

/// The same rounds by another clock, up to 400 ms late.
fn observed(rounds: &[Round], clock: i64) -> Vec<Round> {
    let late = |index: usize| i64::try_from(index * 7919 % 400).unwrap_or_default();
    let observed = |(index, round): (usize, &Round)| Round {
        time: round.time + TimeDelta::milliseconds(clock + late(index)),
        ..*round
    };
    rounds.iter().enumerate().map(observed).collect()
}
