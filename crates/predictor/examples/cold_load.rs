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
use std::io::{BufWriter, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, TimeDelta};
use features::FeatureRow;
use forecasting::engine::{Effect, Engine};
use forecasting::forecast::{Forecaster, Means};
use forecasting::ledger::{Entry, Settled};
use forecasting::replay::{Fit, Refit, drive};
use predictor::Application;
use predictor::config::Config;
use rounds::scan::Directory;
use rounds::{Multiplier, Round};
use test_support::process_cost::{peak_megabytes, processor_seconds};
use test_support::simulate::Scenario;
use tokio::sync::oneshot;
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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

/// What serving would have written, had it observed every round as it ended.
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
    let told = Targets::new()
        .with_default(Level::WARN)
        .with_target("predictor::table::table_loop::catch_up", Level::INFO);
    let lines = tracing_subscriber::fmt::layer().without_time().with_ansi(false);
    tracing_subscriber::registry().with(lines.with_filter(told)).init();
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
        let address = application.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let wait = tokio::task::spawn_blocking(move || {
            let loaded = until_loaded(address, count);
            drop(stop);
            loaded
        });
        application
            .run_until(async {
                drop(stopped.await);
            })
            .await?;
        let loaded: Loaded = wait.await??;
        say(&format!(
            "  {:.2} s until all rounds are there ({:.2} s of processor time), {:.2} s to stop, peak {} MB",
            (loaded.at - begun).as_secs_f64(),
            loaded.processor_seconds,
            loaded.at.elapsed().as_secs_f64(),
            peak_megabytes().unwrap_or_default()
        ))
    })
}

struct Loaded {
    at: Instant,
    processor_seconds: f64,
}

/// Asks until the answer counts all rounds.
fn until_loaded(address: SocketAddr, count: u64) -> anyhow::Result<Loaded> {
    while asked(address)? != count {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(Loaded { at: Instant::now(), processor_seconds: processor_seconds().unwrap_or_default() })
}

/// How many rounds there are; 0 while there is no answer to that.
fn asked(address: SocketAddr) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /api/load_csv HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let count = answer.split_once("\"total_records\":").map(|(_, rest)| rest);
    let digits =
        count.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    Ok(digits.and_then(|digits| digits.parse().ok()).unwrap_or(0))
}

fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
