//! What recording costs: a real Chromium shows the simulated game, the `collector` program reads it. First its share of a core at
//! the default poll and a real game's pace, then its memory over many rounds, as fast as the page can show them.
//!
//!     cargo build --release -p collector
//!     cargo run --release -p collector --example live_cost [SECONDS [ROUNDS]]
//!
//! Linux only: the figures are those of /proc.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the eye")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rounds::scan::Directory;
use tempfile::TempDir;
use tokio::time::sleep;

#[expect(dead_code, reason = "the tests ask more of it")]
#[path = "../tests/it/chromium/driver.rs"]
mod driver;
#[path = "../tests/it/chromium/process.rs"]
mod process;
#[expect(dead_code, reason = "the tests ask more of it")]
#[path = "../tests/it/simulator.rs"]
mod simulator;

use driver::Driver;
use process::Chromium;
use simulator::{Game, Shows};

/// Clock ticks of /proc/PID/stat in a second: the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;
/// Shorter than the game's own: the mean is 23 s.
const PACE: Duration = Duration::from_secs(10);
/// What the program does once.
const WARM_UP: Duration = Duration::from_secs(15);
/// Rounds that end at once, fewer than the list shows.
const BURST: usize = 20;
/// A round that is not there after so long will not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser that shows the game.
struct Stage {
    game: Game,
    chromium: Chromium,
    _player: Driver,
    _profile: TempDir,
}

impl Stage {
    async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut game = Game::open(Shows::Both, 11).await;
        let chromium = Chromium::start(profile.path());
        let mut player = Driver::connect(&chromium.socket).await;
        player.open(&game.url()).await;
        game.loaded_after(0).await;
        Self { game, chromium, _player: player, _profile: profile }
    }
}

/// The program, and where it writes.
struct Recorder {
    process: Child,
    data: TempDir,
}

impl Recorder {
    fn start(stage: &Stage, flags: &[&str]) -> Self {
        let examples = std::env::current_exe().unwrap();
        let program = examples.ancestors().nth(2).unwrap().join("collector");
        assert!(program.exists(), "{}: build it first", program.display());
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args(["--source", "browser", "--quiet", "--log", "error", "--cdp"]);
        command.arg(stage.chromium.http()).arg("--data-dir").arg(data.path()).args(flags);
        Self { process: command.stdin(Stdio::null()).spawn().unwrap(), data }
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }

    /// Seconds of a core so far.
    fn seconds(&self) -> f64 {
        let stat = self.proc("stat");
        // The name in brackets may hold spaces.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
        ticks / TICKS
    }

    /// Its memory in MiB.
    fn memory(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn measure_time(seconds: u64) {
    let stage = Stage::open().await;
    let recorder = Recorder::start(&stage, &[]);
    sleep(WARM_UP).await;
    let (began, before) = (Instant::now(), recorder.seconds());
    while began.elapsed() < Duration::from_secs(seconds) {
        stage.game.play(1);
        sleep(PACE).await;
    }
    let (took, used) = (began.elapsed().as_secs_f64(), recorder.seconds() - before);
    let rows = rows(&mut Directory::new(recorder.data.path()));
    println!(
        "processor: {used:.2} s of {took:.0} s = {:.3} % of a core; a round every {PACE:?}, {rows} written, {:.1} MiB",
        100.0 * used / took,
        recorder.memory()
    );
}

/// Rows that are new.
fn rows(directory: &mut Directory) -> usize {
    directory.scan().unwrap().iter().map(|change| change.rounds.len()).sum()
}

/// Waits for `wanted` rows; gives up where no more come.
async fn written(directory: &mut Directory, mut have: usize, wanted: usize) -> usize {
    let mut news = Instant::now();
    while have < wanted && news.elapsed() < PATIENCE {
        let more = rows(directory);
        have += more;
        if more > 0 {
            news = Instant::now();
        }
        sleep(Duration::from_millis(5)).await;
    }
    have
}

async fn measure_memory(count: usize) {
    let stage = Stage::open().await;
    let flags = ["--poll", "5ms", "--round-min", "1ms", "--fsync", "never", "--baseline", "all"];
    let recorder = Recorder::start(&stage, &flags);
    let mut directory = Directory::new(recorder.data.path());
    let first = written(&mut directory, 0, simulator::SHOWN).await;
    let (began, mut have, mut lost, mut played) = (Instant::now(), first, 0, 0);
    let mut told = vec![(0, recorder.memory())];
    while played < count {
        stage.game.play(BURST);
        played += BURST;
        have = written(&mut directory, have, first + played - lost).await;
        lost = first + played - have;
        if played % (count / 10).max(BURST) < BURST {
            told.push((played, recorder.memory()));
        }
    }
    let rate = played as f64 / began.elapsed().as_secs_f64();
    println!("memory over {played} rounds of the page, {rate:.0} a second, {lost} not written:");
    for (played, memory) in told {
        println!("  {played:>7} rounds {memory:7.2} MiB");
    }
}

fn main() {
    let mut told = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let seconds = told.next().unwrap_or(180);
    let count = usize::try_from(told.next().unwrap_or(100_000)).unwrap();
    assert!(Path::new("/proc/self/stat").exists(), "the figures are those of /proc");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        measure_time(seconds).await;
        measure_memory(count).await;
    });
}
