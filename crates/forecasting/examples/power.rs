//! Prints what the product's tests see, and how often they are wrong: whole engines in their default
//! flow, looked at after every round.
//!
//! ```text
//! cargo run --release -p forecasting --example power               the table, 200 streams a row
//! cargo run --release -p forecasting --example power -- false      false alarms on fair streams
//! cargo run --release -p forecasting --example power -- 50 cap     50 streams a row, rows that match
//! ```
//!
//! No model is trained: the order test, the law test and the notes on changes use every round and no
//! forecast. `cargo run --release -p predictor --example acceptance_served` measures the forecasts.

use std::io::Write as _;

use chrono::DateTime;
use evaluation::sequential::Level;
use forecasting::engine::{Engine, Settings};
use rounds::{Multiplier, Round};
use statrs::distribution::{Beta, ContinuousCDF as _};
use test_support::simulate::{PlantedGame, Scenario};

/// One row of the table.
struct RowSpec {
    name: &'static str,
    rounds: usize,
    game: PlantedGame,
}

const fn row(name: &'static str, rounds: usize, game: PlantedGame) -> RowSpec {
    RowSpec { name, rounds, game }
}

const fn independent(r: f64, theta: f64) -> PlantedGame {
    PlantedGame::Plain(Scenario::Independent { r, theta })
}

const ROWS: [RowSpec; 20] = [
    row("fair", 3000, PlantedGame::Plain(Scenario::Fair)),
    row("time of day, .15", 5000, PlantedGame::ByTheClock { strength: 0.15 }),
    row("hot and cold", 5000, PlantedGame::Plain(Scenario::Regime)),
    row("AR .1", 5000, PlantedGame::Plain(Scenario::Autoregressive(0.1))),
    row("AR .2", 5000, PlantedGame::Plain(Scenario::Autoregressive(0.2))),
    row("AR .3", 5000, PlantedGame::Plain(Scenario::Autoregressive(0.3))),
    row("due", 5000, PlantedGame::Plain(Scenario::Due)),
    row("return .95", 5000, independent(0.95, 1.0)),
    row("return .99", 5000, independent(0.99, 1.0)),
    row("return 1.00", 5000, independent(1.0, 1.0)),
    row("tail index .9", 5000, independent(0.97, 0.9)),
    row("10 % at 1.00x", 5000, PlantedGame::Atom { share: 0.10 }),
    row("cap 20x", 6000, PlantedGame::Capped { cap_cents: 2_000 }),
    row("cap 35x", 6000, PlantedGame::Capped { cap_cents: 3_500 }),
    row("cap 100x", 50_000, PlantedGame::Capped { cap_cents: 10_000 }),
    row("return .97, .93, .97", 9000, PlantedGame::ReturnSteps { rounds: 9000 }),
    row("volatility clusters", 8000, PlantedGame::Volatility),
    row("generator of period 250", 3000, PlantedGame::Congruential { modulus: 251 }),
    row("generator of period 4,096", 6000, PlantedGame::Congruential { modulus: 4096 }),
    row("tail index falls at 2,500", 9000, PlantedGame::Plain(Scenario::Shift)),
];

/// First seeds of the streams: of the table's rows, and of the two batches of fair streams. The bettors and their weights
/// were chosen on other streams.
const SEED: u64 = 3_700_000;
const FAIR_SEEDS: [u64; 2] = [3_800_000, 3_900_000];

/// The rounds of the first alarms.
#[derive(Clone, Default)]
struct Alarms {
    /// Order, law.
    tests: [Option<usize>; 2],
    changes: Vec<usize>,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "false") {
        return false_alarms();
    }
    let streams = arguments.first().map_or(Ok(200), |count| count.parse())?;
    let wanted = arguments.get(1).map_or("", String::as_str);
    say(
        "| stream | rounds | order | median | law | median | change noted | median first | changes a stream |",
    )?;
    say("|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    for row in ROWS.iter().filter(|row| row.name.contains(wanted)) {
        let all = over_streams(row, SEED, streams);
        let [order, law] = [0, 1].map(|test| shares(all.iter().map(|it| it.tests[test])));
        let change = shares(all.iter().map(|it| it.changes.first().copied()));
        let total: usize = all.iter().map(|it| it.changes.len()).sum();
        say(&format!(
            "| {} | {} | {order} | {law} | {change} | {:.2} |",
            row.name,
            thousands(row.rounds),
            total as f64 / all.len() as f64
        ))?;
    }
    Ok(())
}

/// Prints the share of fair streams with a false alarm, with exact binomial intervals.
fn false_alarms() -> anyhow::Result<()> {
    say("| fair streams | rounds | order | law | either | change noted |")?;
    say("|--:|--:|--:|--:|--:|--:|")?;
    for ((streams, rounds), seed) in [(1000, 3000), (100, 50_000)].into_iter().zip(FAIR_SEEDS) {
        let all = over_streams(&row("fair", rounds, ROWS[0].game), seed, streams);
        let count = |is: &dyn Fn(&Alarms) -> bool| all.iter().filter(|&it| is(it)).count();
        let cells = [
            count(&|it| it.tests[0].is_some()),
            count(&|it| it.tests[1].is_some()),
            count(&|it| it.tests.iter().any(Option::is_some)),
            count(&|it| !it.changes.is_empty()),
        ];
        let cells = cells.map(|hits| interval(hits, all.len())).join(" | ");
        say(&format!("| {} | {} | {cells} |", thousands(all.len()), thousands(rounds)))?;
    }
    Ok(())
}

fn over_streams(row: &RowSpec, first_seed: u64, streams: usize) -> Vec<Alarms> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let seeds = (first_seed..).take(streams).skip(worker).step_by(threads);
                scope.spawn(move || seeds.map(|seed| alarms(row, seed)).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn alarms(row: &RowSpec, seed: u64) -> Alarms {
    let mut engine = Engine::new(Settings { auto_train: false, can_be_late: false });
    let mut alarms = Alarms::default();
    let mut epoch = 0;
    for (number, simulated) in (1..).zip(row.game.rounds(row.rounds, seed)) {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
        let time = DateTime::from_timestamp_millis((1000.0 * simulated.unix_seconds) as i64);
        let time = time.unwrap_or_default();
        let multiplier = Multiplier::from_cents(simulated.cents);
        let round = Round { time, multiplier: multiplier.expect("at least 1.00x") };
        engine.observe(round, time);
        let evidence = engine.scorecard().evidence();
        for (alarm, test) in alarms.tests.iter_mut().zip(evidence.tests()) {
            if alarm.is_none() && test.level >= Level::Amber {
                *alarm = Some(number);
            }
        }
        if evidence.epoch() > epoch {
            epoch = evidence.epoch();
            alarms.changes.push(number);
        }
    }
    alarms
}

/// Returns "share | median round" of first alarms; the median counts streams without an alarm.
fn shares(first: impl Iterator<Item = Option<usize>>) -> String {
    let mut all: Vec<usize> = first.map(|round| round.unwrap_or(usize::MAX)).collect();
    all.sort_unstable();
    let hits = all.iter().filter(|&&round| round < usize::MAX).count();
    let median = all[all.len() / 2];
    let median = if median == usize::MAX { "–".to_owned() } else { thousands(median) };
    format!("{:.1} % | {median}", 100.0 * hits as f64 / all.len() as f64)
}

/// Returns "share [interval]": the exact 95 % interval of Clopper and Pearson 1934.
fn interval(hits: usize, n: usize) -> String {
    let (hits_f, n_f) = (hits as f64, n as f64);
    let quantile =
        |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(p));
    let lo = if hits == 0 { 0.0 } else { quantile(hits_f, n_f - hits_f + 1.0, 0.025) };
    let hi = if hits == n { 1.0 } else { quantile(hits_f + 1.0, n_f - hits_f, 0.975) };
    let [share, lo, hi] = [hits_f / n_f, lo, hi].map(|share| format!("{:.1}", 100.0 * share));
    format!("{share} % [{lo}, {hi}]")
}

fn thousands(n: usize) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) }
}

fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
