//! What a round costs, and how long a restart takes, after a million of them:
//!
//! ```text
//! cargo run --release -p predictor --example throughput -- [ROUNDS]
//! ```
//!
//! One round: settle and score twelve forecasters, three lights, features, dataset, next forecast.
//! The model is a formula, so that its own cost is left out.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use chrono::DateTime;
use evaluation::simulate::Scenario;
use features::FeatureRow;
use predictor::backtest::{Fit, Refit, drive};
use predictor::engine::{Effect, Engine, Settings};
use predictor::forecast::{Forecaster, Means};
use predictor::ledger::{Entry, Ledger, Settled};
use rounds::{Multiplier, Round};

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
    let mut writing = std::time::Duration::ZERO;
    let mut keep = |_: &Engine, effects: &[Effect]| {
        let start = Instant::now();
        for entry in effects.iter().filter_map(entry) {
            serde_json::to_writer(&mut lines, &entry).expect("entries are plain numbers and times");
            lines.push(b'\n');
        }
        writing += start.elapsed();
    };
    let start = Instant::now();
    let engine = drive(&rounds, Refit::Rounds(u64::MAX / 2), fit, &mut keep)?;
    let took = start.elapsed().saturating_sub(writing);
    say(&format!(
        "{count} rounds: {:.2} microseconds a round, and {:.2} to write its two lines ({} MB)",
        1e6 * took.as_secs_f64() / count as f64,
        1e6 * writing.as_secs_f64() / count as f64,
        lines.len() / 1_000_000
    ))?;

    let start = Instant::now();
    let text = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let entries: Result<Vec<Entry>, _> = text.map(serde_json::from_slice).collect();
    let mut ledger = Ledger::from_entries(entries?);
    let parsed = start.elapsed();
    let mut again = Engine::new(Settings { auto_train: false, can_be_late: false });
    for (number, round) in rounds.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| rounds[before]);
        let kept = before.and_then(|before| ledger.take(&before, round).ok().flatten());
        again.remember(*round, kept.map(|kept| kept.forecast));
    }
    let replayed = start.elapsed().saturating_sub(parsed);
    anyhow::ensure!(again.scorecard().scored() == engine.scorecard().scored(), "all are scored");
    say(&format!(
        "restart: {:.2} s to read the ledger, {:.2} s to take all rounds again",
        parsed.as_secs_f64(),
        replayed.as_secs_f64()
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

fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
