//! Measures the cost per round over a million rounds, and the time of a restart after them:
//!
//! ```text
//! cargo run --release -p forecasting --example throughput -- [ROUNDS]
//! ```
//!
//! A round includes settling and scoring twelve forecasters, three tests, features, dataset and the
//! next forecast. The model is a formula of negligible cost. Times are processor times where the
//! system provides them, so that other programs do not count.

use std::io::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use chrono::DateTime;
use features::FeatureRow;
use forecasting::engine::{Effect, Engine, Settings};
use forecasting::forecast::{Forecaster, Means};
use forecasting::history::HistoryChain;
use forecasting::ledger::{Absent, Entry, Ledger, Settled};
use forecasting::replay::{Fit, Refit, drive};
use rounds::{Multiplier, Round};
use test_support::process_cost::processor_seconds;
use test_support::simulate::Scenario;

#[derive(Debug)]
struct Formula;

impl Forecaster for Formula {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = 0.9 + 0.1 * row[5];
        Means { members: [mean, row[4], row[6]], mean }
    }
}

fn main() -> anyhow::Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let cents = Scenario::Fair.rounds(count, 1);
    let round = |(number, cents): (usize, u64)| -> anyhow::Result<Round> {
        let time = DateTime::from_timestamp_millis(20_000 * i64::try_from(number)?);
        let time = time.unwrap_or_default();
        Ok(Round { time, multiplier: Multiplier::from_cents(cents)? })
    };
    let rounds: Vec<Round> = cents.into_iter().enumerate().map(round).collect::<Result<_, _>>()?;

    let fit: Fit<'_> = &|_| Ok(Arc::new(Formula));
    let mut lines: Vec<u8> = Vec::new();
    let mut issued: Vec<Entry> = Vec::with_capacity(2 * count);
    let mut keep = |_: &Engine, effects: &[Effect]| issued.extend(effects.iter().filter_map(entry));
    let start = seconds();
    let engine = drive(&rounds, Refit::Rounds(u64::MAX / 2), fit, &mut keep)?;
    let driven = seconds();
    for entry in issued.drain(..) {
        serde_json::to_writer(&mut lines, &entry)?;
        lines.push(b'\n');
    }
    let written = seconds();
    say(&format!(
        "{count} rounds: {:.2} s, {:.2} microseconds per round, and {:.2} to write its two lines ({} MB)",
        driven - start,
        1e6 * (driven - start) / count as f64,
        1e6 * (written - driven) / count as f64,
        lines.len() / 1_000_000
    ))?;

    let start = seconds();
    let text = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let entries: Result<Vec<Entry>, _> = text.map(serde_json::from_slice).collect();
    let chain = HistoryChain::of(&rounds);
    let mut counting =
        Ledger::from_entries(entries?).counting(&rounds, &chain, 0, Absent::default());
    let parsed = seconds();
    let mut again = Engine::new(Settings { auto_train: false, can_be_late: false });
    for (before, round) in (0..).zip(&rounds) {
        let stored = counting.take(before);
        again.replay(*round, stored.map(|stored| stored.forecast));
    }
    let replayed = seconds();
    anyhow::ensure!(
        again.scorecard().scored() == engine.scorecard().scored(),
        "the replay has scored another number of rounds"
    );
    say(&format!(
        "without a checkpoint: {:.2} s to read the ledger, {:.2} s to replay all rounds",
        parsed - start,
        replayed - parsed
    ))
}

fn entry(effect: &Effect) -> Option<Entry> {
    match effect {
        Effect::Settled(it) => Some(Entry::Settled(Settled {
            round: it.forecast.round,
            time: it.round.time,
            actual: it.round.multiplier.as_f64(),
            settled_at: it.round.time,
        })),
        Effect::Issued(forecast) => Some(Entry::Forecast(*forecast)),
        Effect::Retrain(_) => None,
    }
}

/// Returns the processor time of this process in seconds, to a hundredth; the time since the first call
/// where the system does not provide it.
fn seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let first_call = *START;
    processor_seconds().unwrap_or_else(|| first_call.elapsed().as_secs_f64())
}

fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
