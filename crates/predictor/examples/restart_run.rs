//! Kills the `predictor` program again and again while rounds come, says how long each start takes until it is ready, and
//! counts the forecasts that are left.
//!
//!     cargo build --release -p predictor
//!     cargo run --release -p predictor --example restart_run [CYCLES [ROWS]]
//!
//! `PREDICTOR` may name another program. Every fifth start is killed before it is ready.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the eye")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use evaluation::pit::SplitMix64;
use rounds::{Event, EventKind, Multiplier, Origin, Round, RoundLog};
use serde_json::Value;
use test_support::simulate::Scenario;

/// Between two rows.
const PACE: Duration = Duration::from_millis(50);

struct Run {
    child: Child,
    address: String,
    begun: Instant,
}

impl Run {
    fn start(program: &Path, dir: &Path) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split(['/', ' ', '"']).next().unwrap().to_owned();
            }
        };
        // Somebody has to read on, or the pipe fills.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address, begun }
    }

    /// The status and the body of an answer.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let status = text.split_whitespace().nth(1).unwrap().parse().unwrap();
        (status, text.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// Waits for a model, and says how long after its start there was one.
    fn ready(&self) -> Duration {
        while self.get("/readyz").0 != 200 {
            thread::sleep(Duration::from_millis(5));
        }
        self.begun.elapsed()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Ends the writer however the rest ends.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Appends rows until told to stop; gives how many there are then.
fn write(dir: &Path, rows: usize, stop: &AtomicBool) -> usize {
    let begin = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let mut log = RoundLog::open(dir, Origin::Recorded, begin).unwrap();
    let event = Event::new(EventKind::Live, "restart_run");
    let all = Scenario::Fair.rounds(rows + 100_000, 1);
    for (number, cents) in (0..).zip(all) {
        let time = begin + TimeDelta::seconds(20 * i64::from(number));
        let round = Round { time, multiplier: Multiplier::from_cents(cents).unwrap() };
        log.append(&round, &event).unwrap();
        if log.rounds_written() >= rows as u64 {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            thread::sleep(PACE);
        }
    }
    usize::try_from(log.rounds_written()).unwrap()
}

/// Rounds that lines of this kind in the ledger are about.
fn rounds_of(ledger: &str, kind: &str) -> Vec<u64> {
    let lines = ledger.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ours = lines.filter(|line| line["kind"] == kind);
    ours.map(|line| line["round"].as_u64().unwrap()).collect()
}

fn main() {
    let mut told = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let (cycles, rows) = (told.next().unwrap_or(50), told.next().unwrap_or(16_000));
    let examples = std::env::current_exe().unwrap();
    let beside = || examples.ancestors().nth(2).unwrap().join("predictor");
    let program = std::env::var_os("PREDICTOR").map_or_else(beside, PathBuf::from);
    assert!(program.exists(), "{}: build it first", program.display());
    let dir = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(dir.path(), rows, &stop));
        let stop = Stop(&stop);
        let file = "aviator_payouts_20260101_000000.csv";
        while rounds::last_rounds(dir.path(), usize::MAX).map_or(0, |rounds| rounds.len()) < rows {
            thread::sleep(Duration::from_secs(1));
        }
        assert!(dir.path().join(file).exists());
        // The first start scores everything and makes the checkpoint that later ones begin from.
        let first = Run::start(&program, dir.path());
        println!("first start: ready after {} ms", first.ready().as_millis());
        first.kill();
        let times = kill(&program, dir.path(), cycles);
        drop(stop);
        let written = writer.join().unwrap();
        say(&times);
        count(&program, dir.path(), written);
    });
}

fn kill(program: &Path, dir: &Path, cycles: usize) -> Vec<Duration> {
    let mut random = SplitMix64::new(7);
    let mut times = Vec::new();
    for cycle in 0..cycles {
        let run = Run::start(program, dir);
        if cycle % 5 == 4 {
            thread::sleep(Duration::from_secs_f64(random.uniform()));
        } else {
            times.push(run.ready());
            thread::sleep(Duration::from_secs_f64(0.5 * random.uniform()));
        }
        run.kill();
    }
    times
}

fn say(times: &[Duration]) {
    let mut ms: Vec<u128> = times.iter().map(Duration::as_millis).collect();
    ms.sort_unstable();
    let at = |percent: usize| ms[((ms.len() - 1) * percent).div_ceil(100)];
    let (median, p99, max) = (at(50), at(99), at(100));
    println!(
        "ready again after: median {median} ms, p99 {p99} ms, longest {max} ms ({} starts)",
        ms.len()
    );
}

fn count(program: &Path, dir: &Path, written: usize) {
    let run = Run::start(program, dir);
    run.ready();
    run.get("/api/load_csv");
    let status: Value = serde_json::from_str(&run.get("/api/status").1).unwrap();
    run.kill();
    let ledger = std::fs::read_to_string(dir.join(".predictor/forecasts.jsonl")).unwrap();
    let forecasts: BTreeSet<u64> = rounds_of(&ledger, "forecast").into_iter().collect();
    let met = forecasts.iter().filter(|round| **round <= written as u64).count();
    let settled = rounds_of(&ledger, "settled");
    let distinct: BTreeSet<&u64> = settled.iter().collect();
    assert_eq!(distinct.len(), settled.len(), "a forecast is settled twice");
    assert_eq!(status["csv_records"], written);
    assert_eq!(status["forecasts"]["settled"], met, "each forecast counts once");
    println!("{written} rounds, {met} of them with a forecast before them; each counted once");
}
