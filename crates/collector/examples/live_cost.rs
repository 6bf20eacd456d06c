//! Measures the cost of recording: a real Chromium shows the simulated game, and the `collector` program reads it. Measures
//! first its processor time at the default poll interval and a realistic pace, then its memory over many rounds at full speed.
//!
//!     cargo build --release -p collector
//!     cargo run --release -p collector --example live_cost [SECONDS [ROUNDS]]
//!
//! Linux only, because the figures come from /proc.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints its results")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rounds::scan::Directory;
use tempfile::TempDir;
use tokio::time::sleep;

#[expect(dead_code, reason = "only the tests use the rest of it")]
#[path = "../tests/it/chromium/driver.rs"]
mod driver;
#[path = "../tests/it/chromium/process.rs"]
mod process;
#[expect(dead_code, reason = "only the tests use the rest of it")]
#[path = "../tests/it/simulator.rs"]
mod simulator;

use driver::Driver;
use process::Chromium;
use simulator::{Channels, Game};

/// Clock ticks of /proc/PID/stat per second; the same on every Linux that Rust supports.
const TICKS: f64 = 100.0;
/// Time between rounds; shorter than the mean of the game, which is 23 s.
const PACE: Duration = Duration::from_secs(10);
/// Time for start-up work, which is not measured.
const WARM_UP: Duration = Duration::from_secs(15);
/// Rounds that end at the same time; fewer than the list shows.
const BURST: usize = 20;
/// A round that is not written after this time counts as lost.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// A browser that shows the game.
struct GamePage {
    game: Game,
    chromium: Chromium,
    _player: Driver,
    _profile: TempDir,
}

impl GamePage {
    async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut game = Game::open(Channels::Both, 11).await;
        let chromium = Chromium::start(profile.path());
        let mut player = Driver::connect(&chromium.socket).await;
        player.open(&game.url()).await;
        game.loaded_after(0).await;
        Self { game, chromium, _player: player, _profile: profile }
    }
}

/// The running program and its directory.
struct CollectorProcess {
    process: Child,
    data: TempDir,
}

impl CollectorProcess {
    fn start(page: &GamePage, flags: &[&str]) -> Self {
        let examples = std::env::current_exe().unwrap();
        let program = examples.ancestors().nth(2).unwrap().join("collector");
        assert!(program.exists(), "{} does not exist; build it first", program.display());
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args(["--source", "browser", "--quiet", "--log", "error", "--cdp"]);
        command.arg(page.chromium.http()).arg("--data-dir").arg(data.path()).args(flags);
        Self { process: command.stdin(Stdio::null()).spawn().unwrap(), data }
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }

    /// Returns the processor time used so far, in seconds.
    fn seconds(&self) -> f64 {
        let stat = self.proc("stat");
        // The name in parentheses may contain spaces.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
        ticks / TICKS
    }

    /// Returns the resident memory in MiB.
    fn memory(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for CollectorProcess {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn measure_time(seconds: u64) {
    let page = GamePage::open().await;
    let collector = CollectorProcess::start(&page, &[]);
    sleep(WARM_UP).await;
    let (began, before) = (Instant::now(), collector.seconds());
    while began.elapsed() < Duration::from_secs(seconds) {
        page.game.play(1);
        sleep(PACE).await;
    }
    let (took, used) = (began.elapsed().as_secs_f64(), collector.seconds() - before);
    let rows = new_rows(&mut Directory::new(collector.data.path()));
    println!(
        "processor: {used:.2} s of {took:.0} s = {:.3} % of a core; a round every {PACE:?}, {rows} written, {:.1} MiB",
        100.0 * used / took,
        collector.memory()
    );
}

/// Returns the number of new rows.
fn new_rows(directory: &mut Directory) -> usize {
    directory.scan().unwrap().iter().map(|change| change.rounds.len()).sum()
}

/// Waits until `wanted` rows are written, or no more arrive; returns the number of rows.
async fn wait_for_rows(directory: &mut Directory, mut have: usize, wanted: usize) -> usize {
    let mut last_change = Instant::now();
    while have < wanted && last_change.elapsed() < WRITE_TIMEOUT {
        let more = new_rows(directory);
        have += more;
        if more > 0 {
            last_change = Instant::now();
        }
        sleep(Duration::from_millis(5)).await;
    }
    have
}

async fn measure_memory(count: usize) {
    let page = GamePage::open().await;
    let flags = ["--poll", "5ms", "--round-min", "1ms", "--fsync", "never", "--baseline", "all"];
    let collector = CollectorProcess::start(&page, &flags);
    let mut directory = Directory::new(collector.data.path());
    let first = wait_for_rows(&mut directory, 0, simulator::SHOWN).await;
    let (began, mut have, mut lost, mut played) = (Instant::now(), first, 0, 0);
    let mut samples = vec![(0, collector.memory())];
    while played < count {
        page.game.play(BURST);
        played += BURST;
        have = wait_for_rows(&mut directory, have, first + played - lost).await;
        lost = first + played - have;
        if played % (count / 10).max(BURST) < BURST {
            samples.push((played, collector.memory()));
        }
    }
    let rate = played as f64 / began.elapsed().as_secs_f64();
    println!("memory over {played} rounds of the page, {rate:.0} a second, {lost} not written:");
    for (played, memory) in samples {
        println!("  {played:>7} rounds {memory:7.2} MiB");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let seconds = arguments.next().unwrap_or(180);
    let count = usize::try_from(arguments.next().unwrap_or(100_000)).unwrap();
    assert!(Path::new("/proc/self/stat").exists(), "the figures come from /proc");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        measure_time(seconds).await;
        measure_memory(count).await;
    });
}
