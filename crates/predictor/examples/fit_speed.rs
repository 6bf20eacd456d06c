//! Fits the ensemble on generated rounds and prints, as a table, how long it took and what the
//! models are worth on 50,000 later rounds.
//!
//! `cargo run --release -p predictor --example fit_speed -- [ROUNDS…] [STREAM…] [--threads N] [--whole]`
//!
//! A stream is a name of `test_support::simulate`; ar03 and fair where none is given. `--whole` fits, for comparison, trees on all rows and columns with small leaves.

use std::error::Error;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Instant;

use evaluation::ln_multiplier;
use forecasting::dataset::{Dataset, DatasetSnapshot, HISTORY_MIN};
use forecasting::ensemble::{self, FitOptions, out_of_sample};
use forecasting::models::Model;
use predictor::training::thread_pool::Threads;
use test_support::process_cost::{peak_megabytes, processor_seconds};
use test_support::simulate::Scenario;

const TESTED: usize = 50_000;
const SEED: u64 = 77;

struct Arguments {
    sizes: Vec<usize>,
    streams: Vec<String>,
    threads: usize,
    options: FitOptions,
}

#[expect(clippy::print_stdout, reason = "an example speaks to its caller")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments = parse()?;
    println!(
        "| rounds | stream | fit s | its CPU s | measuring CPU s | forest R² | boosting R² | ridge R² \
         | ensemble R² | peak MB |"
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for &rounds in &arguments.sizes {
        for name in &arguments.streams {
            println!("{}", line(rounds, name, &arguments)?);
        }
    }
    Ok(())
}

fn parse() -> Result<Arguments, Box<dyn Error>> {
    let (sizes, streams) = (Vec::new(), Vec::new());
    let mut parsed = Arguments { sizes, streams, threads: 2, options: FitOptions::default() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--threads" => parsed.threads = words.next().ok_or("how many threads?")?.parse()?,
            "--whole" => parsed.options = whole(),
            name if Scenario::named(name).is_some() => parsed.streams.push(word),
            rounds => parsed.sizes.push(rounds.parse()?),
        }
    }
    if parsed.sizes.is_empty() {
        parsed.sizes = vec![1_000, 10_000, 100_000, 1_000_000];
    }
    if parsed.streams.is_empty() {
        parsed.streams = vec!["ar03".to_owned(), "fair".to_owned()];
    }
    Ok(parsed)
}

/// What the defaults are measured against.
fn whole() -> FitOptions {
    let mut options = FitOptions::default();
    options.forest.parts_min = 1;
    options.forest.rows_per_tree_max = usize::MAX;
    options.forest.leaf_rows_min = Some(5);
    options.boosting.rows_per_tree_max = usize::MAX;
    options.boosting.columns_per_tree = features::COUNT;
    options.boosting.leaf_rows_min = Some(20);
    options
}

fn line(rounds: usize, name: &str, arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let scenario = Scenario::named(name).ok_or("no such stream")?;
    let (train, test) = rows(scenario, rounds)?;
    let workers = Threads(arguments.threads);
    let go_on = |_, _| ControlFlow::Continue(());

    let processor_seconds = || processor_seconds().unwrap_or_default();
    let (clock, start) = (Instant::now(), processor_seconds());
    let ensemble = ensemble::fit(&train, &arguments.options, &workers, &go_on)?;
    let fitted = clock.elapsed().as_secs_f64();
    let fit_end = processor_seconds();
    ensemble::holdout(&train, &arguments.options, &workers, &go_on)?;
    let (fitting, measuring) = (fit_end - start, processor_seconds() - fit_end);

    let mut line = format!("| {rounds} | {name} | {fitted:.2} | {fitting:.2} | {measuring:.2} |");
    let [forest, boosting, ridge] = ensemble.models();
    let models: [&dyn Model; 4] = [forest, boosting, ridge, &ensemble];
    for model in models {
        write!(line, " {:.4} |", out_of_sample(model, rounds, &test).r2)?;
    }
    write!(line, " {} |", peak_megabytes().unwrap_or_default())?;
    Ok(line)
}

fn rows(
    scenario: Scenario,
    rounds: usize,
) -> Result<(DatasetSnapshot, DatasetSnapshot), Box<dyn Error>> {
    let stream = scenario.rounds(rounds + TESTED, SEED);
    let history: Vec<f64> = stream.into_iter().map(ln_multiplier).collect();
    let all = Dataset::of_history(&history)?.snapshot();
    let boundary = rounds - HISTORY_MIN;
    Ok((all.slice(0..boundary), all.slice(boundary..all.len())))
}
