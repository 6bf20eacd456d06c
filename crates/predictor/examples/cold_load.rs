//! How long a start takes on a long history: a directory of 200 CSV files and a ledger with a
//! forecast for every round, made in a temporary directory.
//!
//! ```text
//! cargo run --release -p predictor --example cold_load -- [ROUNDS]
//! ```
//!
//! Each start is a process of its own, so that its peak memory is its own; the files are in the
//! system's cache. What it says of the checkpoint is printed as well.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, TimeDelta};
use evaluation::simulate::Scenario;
use features::FeatureRow;
use predictor::Application;
use predictor::backtest::{Fit, Refit, drive};
use predictor::config::Config;
use predictor::engine::{Effect, Engine};
use predictor::forecast::{Forecaster, Means};
use predictor::ledger::{Entry, Settled};
use rounds::scan::Directory;
use rounds::{Multiplier, Round};
use tokio::sync::oneshot;

const FILES: usize = 200;

#[derive(Debug)]
struct Formula;

impl Forecaster for Formula {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = 0.9 + 0.1 * row[5];
        Means { members: [mean, row[4], row[6]], mean }
    }
}

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [command, dir, count] = words.as_slice()
        && command == "start"
    {
        return start(Path::new(dir), count.parse()?);
    }
    let count = words.first().map_or(Ok(1_000_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let rounds = rounds(count)?;
    write_csv(dir.path(), &rounds)?;
    write_ledger(&dir.path().join(".predictor"), &rounds)?;
    drop(rounds);
    read_alone(dir.path())?;
    for what in ["from the ledger alone", "from the checkpoint", "from the checkpoint"] {
        say(&format!("start {what}:"))?;
        let program = std::env::current_exe()?;
        let status =
            Command::new(program).arg("start").arg(dir.path()).arg(count.to_string()).status()?;
        anyhow::ensure!(status.success(), "the start failed");
    }
    Ok(())
}

fn rounds(count: usize) -> anyhow::Result<Vec<Round>> {
    let first = DateTime::from_timestamp(1_735_689_600, 0).context("a time")?;
    let round = |(number, cents): (usize, u64)| -> anyhow::Result<Round> {
        let time = first + TimeDelta::milliseconds(20_123 * i64::try_from(number)?);
        Ok(Round { time, multiplier: Multiplier::from_cents(cents)? })
    };
    Scenario::Fair.rounds(count, 1).into_iter().enumerate().map(round).collect()
}

fn write_csv(dir: &Path, rounds: &[Round]) -> anyhow::Result<()> {
    for rows in rounds.chunks(rounds.len().div_ceil(FILES).max(1)) {
        let name = rows[0].time.format("aviator_payouts_%Y%m%d_%H%M%S.csv").to_string();
        let mut file = BufWriter::new(File::create(dir.join(name))?);
        writeln!(file, "timestamp,multiplier")?;
        for row in rows {
            let time = row.time.to_rfc3339_opts(SecondsFormat::Millis, true);
            writeln!(file, "{time},{}", row.multiplier)?;
        }
        file.flush()?;
    }
    Ok(())
}

/// What serving would have written, had it heard every round as it ended.
fn write_ledger(dir: &Path, rounds: &[Round]) -> anyhow::Result<()> {
    fs::create_dir(dir)?;
    let mut file = BufWriter::new(File::create(dir.join("forecasts.jsonl"))?);
    let mut written = Ok(());
    let mut keep = |_: &Engine, effects: &[Effect]| {
        for entry in effects.iter().filter_map(entry) {
            let line = serde_json::to_writer(&mut file, &entry).map_err(anyhow::Error::from);
            let line = line.and_then(|()| Ok(file.write_all(b"\n")?));
            written = std::mem::replace(&mut written, Ok(())).and(line);
        }
    };
    let fit: Fit<'_> = &|_| Ok(Arc::new(Formula));
    drive(rounds, Refit::Rounds(u64::MAX / 2), fit, &mut keep)?;
    written?;
    file.flush()?;
    say(&format!(
        "{} rounds, a ledger of {} MB",
        rounds.len(),
        file.get_ref().metadata()?.len() >> 20
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

fn read_alone(dir: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    let changes = Directory::new(dir).scan()?;
    let took = start.elapsed().as_secs_f64();
    let bytes: u64 =
        changes.iter().map(|it| fs::metadata(dir.join(&it.file)).map_or(0, |it| it.len())).sum();
    let rows: usize = changes.iter().map(|change| change.rounds.len()).sum();
    let megabytes = bytes as f64 / 1e6;
    say(&format!(
        "reading alone: {rows} rows, {megabytes:.0} MB in {} files, {took:.2} s, {:.0} MB/s",
        changes.len(),
        megabytes / took
    ))
}

/// A predictor from its start until its API shows every round, and until it has stopped.
fn start(dir: &Path, count: u64) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).without_time().init();
    let config = Config {
        data_dir: dir.to_owned(),
        listen: "127.0.0.1:0".parse()?,
        auto_train_enabled: false,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let begun = Instant::now();
        let application = Application::build(&config)?;
        let url = format!("http://{}/api/load_csv", application.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let wait = tokio::task::spawn_blocking(move || {
            let loaded = until_loaded(&url, count);
            drop(stop);
            loaded
        });
        application
            .run_until(async {
                drop(stopped.await);
            })
            .await?;
        let loaded: Instant = wait.await??;
        let seconds = |from: Instant| from.elapsed().as_secs_f64();
        say(&format!(
            "  {:.2} s until all rounds are there, {:.2} s to stop, peak {} MB",
            (loaded - begun).as_secs_f64(),
            seconds(loaded),
            peak_megabytes()
        ))
    })
}

/// Asks until the answer counts all rounds.
fn until_loaded(url: &str, count: u64) -> anyhow::Result<Instant> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::new();
        while asked(&client, url).await? != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Instant::now())
    })
}

/// How many rounds there are; 0 while there is no answer to that.
async fn asked(client: &reqwest::Client, url: &str) -> anyhow::Result<u64> {
    let answer = client.get(url).timeout(Duration::from_mins(10)).send().await?;
    let answer: serde_json::Value = answer.json().await?;
    Ok(answer["total_records"].as_u64().unwrap_or(0))
}

/// The most memory this process has held so far, where the system tells.
fn peak_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
