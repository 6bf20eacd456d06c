//! The loop on a failing disk, and after crashes.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use chrono::{SecondsFormat, TimeDelta};
use evaluation::GameParameters;
use features::FeatureRow;
use forecasting::dataset::DatasetSnapshot;
use forecasting::engine::Installed;
use forecasting::forecast::{Forecaster, Means};
use forecasting::learner::{Learned, Learner};
use forecasting::models::{FitError, Progress};
use tempfile::TempDir;
use test_support::simulate::Scenario;
use test_support::{Fault, FaultyDisk};

use super::*;
use crate::config::Watch;

const CSV: &str = "aviator_payouts_20260101_000000.csv";

#[derive(Debug)]
struct Idle;

impl Learner for Idle {
    fn learn(&self, _: &DatasetSnapshot, _: Progress<'_>) -> Result<Learned, FitError> {
        Err(FitError::Cancelled)
    }
}

/// A model whose forecasts depend on the last round.
#[derive(Debug)]
struct LastRoundModel;

impl Forecaster for LastRoundModel {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = 0.6 + 0.4 * row[0].min(2.0);
        Means { members: [mean; 3], mean }
    }
}

/// When the first round is played.
const START: DateTime<Utc> = DateTime::from_timestamp(1_577_836_800, 0).unwrap();

thread_local! {
    /// The clock of the loop on this thread.
    static NOW: Cell<DateTime<Utc>> = const { Cell::new(START) };
}

/// A directory with rounds, a loop that tests drive step by step, and a disk with injected faults.
struct Bench {
    dir: TempDir,
    disk: FaultyDisk,
    cents: Vec<u64>,
    written: usize,
    /// Offset of the collector's clock, in seconds.
    off: i64,
    game: GameParameters,
    table_loop: Option<TableLoop>,
}

impl Bench {
    /// Forty rounds, and a model.
    fn new() -> Self {
        Self::with_rounds(40)
    }

    fn with_rounds(count: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(CSV), "timestamp,multiplier\n").unwrap();
        let (disk, cents) = (FaultyDisk::default(), Scenario::Fair.rounds(2000, 4));
        let mut bench = Self {
            dir,
            disk,
            cents,
            written: 0,
            off: 0,
            game: GameParameters::default(),
            table_loop: None,
        };
        bench.write(count);
        bench.start();
        bench
    }

    fn write(&mut self, count: usize) {
        let path = self.dir.path().join(CSV);
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        for number in self.written..self.written + count {
            let second = i64::try_from(20 * number).unwrap() + self.off;
            let time = START + TimeDelta::seconds(second);
            let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            let cents = self.cents[number];
            writeln!(file, "{time},{}.{:02}", cents / 100, cents % 100).unwrap();
        }
        self.written += count;
    }

    /// Writes `count` rounds, which one scan finds.
    fn play(&mut self, count: usize) {
        self.write(count);
        let table_loop = self.table_loop();
        table_loop.scan();
        while !table_loop.waiting.is_empty() {
            table_loop.catch_up();
        }
    }

    fn table_loop(&mut self) -> &mut TableLoop {
        self.table_loop.as_mut().unwrap()
    }

    /// Starts the loop and installs the model.
    fn start(&mut self) {
        self.start_without_model();
        let installed = self.model(1);
        let table_loop = self.table_loop();
        if let Some(forecast) = table_loop.engine.install(installed, (table_loop.now)()) {
            table_loop.record_forecast(&forecast);
            table_loop.sync();
        }
    }

    /// Returns a model that has been trained on all rounds.
    fn model(&mut self, version: u64) -> Installed {
        let engine = &self.table_loop().engine;
        let (trained_on, history) = (engine.rounds(), engine.history());
        Installed { model: Arc::new(LastRoundModel), version, trained_on, history }
    }

    fn start_without_model(&mut self) {
        // Drop the old loop first: it holds the lock.
        self.table_loop = None;
        let config = Config {
            data_dir: self.dir.path().to_owned(),
            watch: Watch::Scan,
            auto_train_enabled: false,
            game: self.game,
            ..Config::default()
        };
        let stop = CancellationToken::new();
        let deps = LoopDeps {
            table: TableName::default(),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            events: Events::new(stop.clone()),
            trainer: Trainer::start(Box::new(Idle), stop.clone()).unwrap(),
            watcher: FsWatcher::default(),
            now: || NOW.get(),
            disk: Arc::new(self.disk.clone()),
            stop,
        };
        let (inbox, _) = sync_channel(INBOX);
        let mut table_loop = TableLoop::new(&config, deps, &inbox);
        table_loop.scan();
        table_loop.catch_up();
        self.table_loop = Some(table_loop);
    }

    fn settled(&mut self) -> (u64, u64) {
        let tally = self.table_loop().engine.counts();
        (tally.settled, tally.missed)
    }

    /// Returns everything that has been learnt, to the bit, and the forecast for the next round if
    /// it will count.
    fn knows(&mut self) -> String {
        let table_loop = self.table_loop();
        let learned = serde_json::to_string(table_loop.engine.learned()).unwrap();
        format!("{learned} {:?} {}", table_loop.engine.frozen(), table_loop.absent.count)
    }

    fn state(&self, file: &str) -> PathBuf {
        self.dir.path().join(".predictor").join(file)
    }

    /// Checks that a restart restores the current state, with and without the checkpoint.
    #[track_caller]
    fn assert_restarts_to_the_same(&mut self) {
        let known = self.knows();
        self.table_loop().end();
        assert!(self.state("checkpoint").exists());
        self.start_without_model();
        assert_eq!(self.knows(), known, "from the checkpoint");
        fs::remove_file(self.state("checkpoint")).unwrap();
        self.start_without_model();
        assert_eq!(self.knows(), known, "from the ledger alone");
        self.start();
    }

    /// Returns the number of forecasts and outcomes in the ledger.
    fn lines(&self) -> usize {
        let text = fs::read_to_string(self.state("forecasts.jsonl")).unwrap();
        text.lines().filter(|line| !line.contains("\"kind\":\"read\"")).count()
    }
}

#[test]
fn a_forecast_that_the_full_disk_did_not_take_does_not_count() {
    for fault in [Fault::Full, Fault::Short] {
        let mut bench = Bench::new();
        bench.play(1);
        assert_eq!(bench.settled(), (1, 0));
        bench.disk.fail(fault, 1, u64::MAX);
        bench.play(1);
        assert_eq!(bench.settled(), (2, 0), "its forecast had been written before");
        assert!(bench.table_loop().engine.open().is_some(), "the next is shown");
        assert_eq!(bench.table_loop().engine.frozen(), None, "but does not count");
        bench.play(1);
        assert_eq!(bench.settled(), (2, 1));
        bench.disk.heal();
        bench.play(2);
        assert_eq!(bench.settled(), (3, 2), "the one after the disk had room again counts");
        // Forecast and settlement of 41, 42 and 45, and the open one.
        assert_eq!(bench.lines(), 7);
        bench.assert_restarts_to_the_same();
    }
}

#[test]
fn a_forecast_that_could_not_be_synced_does_not_count() {
    let mut bench = Bench::new();
    bench.play(1);
    bench.disk.fail(Fault::Unsynced, 1, u64::MAX);
    bench.play(1);
    assert_eq!(bench.settled(), (2, 0), "its forecast was on the disk");
    assert_eq!(bench.table_loop().engine.frozen(), None);
    bench.play(1);
    assert_eq!(bench.settled(), (2, 1));
    bench.disk.heal();
    bench.play(2);
    assert_eq!(bench.settled(), (3, 2));
    bench.assert_restarts_to_the_same();
}

#[test]
fn of_many_rounds_at_once_none_counts_whose_forecast_could_not_be_synced() {
    let mut bench = Bench::new();
    bench.play(70);
    assert_eq!(bench.settled(), (70, 0));
    bench.disk.fail(Fault::Unsynced, 1, u64::MAX);
    bench.play(10);
    assert_eq!(bench.settled().0, 71, "the first had been forecast before");
    bench.disk.heal();
    bench.play(10);
    assert_eq!(bench.settled().0, 80, "all but the first");
    bench.assert_restarts_to_the_same();
}

#[test]
fn a_model_whose_forecast_is_not_kept_leaves_the_earlier_one_in_force() {
    let mut bench = Bench::new();
    let before = *bench.table_loop().engine.frozen().unwrap();
    bench.disk.fail(Fault::Short, 1, u64::MAX);
    let installed = bench.model(2);
    let table_loop = bench.table_loop();
    let forecast = table_loop.engine.install(installed, START).unwrap();
    assert_eq!(forecast.model_version, 2);
    table_loop.record_forecast(&forecast);
    assert_eq!(table_loop.engine.frozen(), Some(&before));
    bench.disk.heal();
    bench.play(3);
    assert_eq!(bench.settled(), (3, 0));
    bench.assert_restarts_to_the_same();
}

#[test]
fn killed_at_any_line_after_a_checkpoint_it_goes_on_as_without_one() {
    let mut bench = Bench::new();
    bench.play(60);
    let checkpoint = bench.table_loop().checkpoint().unwrap();
    bench.table_loop().ledger_store.write(checkpoint);
    bench.table_loop().ledger_store.finish();
    let saved = fs::read(bench.state("checkpoint")).unwrap();
    let at_checkpoint = fs::metadata(bench.state("forecasts.jsonl")).unwrap().len();
    for _ in 0..4 {
        bench.play(1);
    }
    bench.table_loop = None;
    let ledger = fs::read(bench.state("forecasts.jsonl")).unwrap();
    let cuts = (usize::try_from(at_checkpoint).unwrap()..=ledger.len()).step_by(97);
    for cut in cuts.chain([ledger.len()]) {
        let mut known = Vec::new();
        for with_checkpoint in [true, false] {
            fs::write(bench.state("forecasts.jsonl"), &ledger[..cut]).unwrap();
            if with_checkpoint {
                fs::write(bench.state("checkpoint"), &saved).unwrap();
            } else {
                fs::remove_file(bench.state("checkpoint")).unwrap();
            }
            bench.start_without_model();
            known.push(bench.knows());
            bench.table_loop = None;
        }
        assert_eq!(known[0], known[1], "cut at {cut}");
    }
    // A ledger that ends before the position that the checkpoint covers.
    for cut in [0, 500, at_checkpoint - 1] {
        fs::write(bench.state("checkpoint"), &saved).unwrap();
        fs::write(bench.state("forecasts.jsonl"), &ledger[..usize::try_from(cut).unwrap()])
            .unwrap();
        bench.start_without_model();
        let known = bench.knows();
        fs::remove_file(bench.state("checkpoint")).unwrap();
        bench.start_without_model();
        assert_eq!(bench.knows(), known, "ledger of {cut} bytes");
        bench.table_loop = None;
    }
}

#[test]
fn rounds_that_vanish_and_come_back_count_as_if_they_had_never_gone() {
    let mut bench = Bench::new();
    bench.play(50);
    let all = fs::read_to_string(bench.dir.path().join(CSV)).unwrap();
    let known = bench.knows();
    bench.table_loop().end();
    let fewer: Vec<&str> = all.lines().take(71).collect();
    fs::write(bench.dir.path().join(CSV), fewer.join("\n") + "\n").unwrap();
    bench.start_without_model();
    assert_eq!(bench.settled().0, 30);
    assert_eq!(bench.table_loop().absent.count, 20);
    bench.table_loop().end();
    bench.start_without_model();
    assert_eq!(
        (bench.settled().0, bench.table_loop().absent.count),
        (30, 20),
        "from the checkpoint"
    );
    bench.table_loop().end();
    fs::write(bench.dir.path().join(CSV), &all).unwrap();
    bench.start_without_model();
    assert_eq!(bench.knows(), known);
}

#[test]
fn a_checkpoint_is_written_by_itself_now_and_then() {
    let mut bench = Bench::new();
    bench.play(459);
    bench.table_loop().ledger_store.finish();
    assert!(!bench.state("checkpoint").exists(), "499 rounds");
    bench.play(1);
    bench.table_loop().ledger_store.finish();
    assert!(bench.state("checkpoint").exists());
    bench.play(700);
    let known = bench.knows();
    bench.start_without_model();
    assert_eq!(bench.knows(), known, "killed after 1200 rounds");
}

#[test]
fn a_checkpoint_that_cannot_be_written_costs_nothing_but_time() {
    let mut bench = Bench::new();
    fs::create_dir(bench.state("checkpoint.new")).unwrap();
    bench.play(600);
    let known = bench.knows();
    bench.table_loop().end();
    assert!(!bench.state("checkpoint").exists());
    bench.start_without_model();
    assert_eq!(bench.knows(), known);
}

#[test]
fn a_damaged_checkpoint_is_put_aside_and_the_engine_is_rebuilt_without_it() {
    let mut bench = Bench::new();
    bench.play(60);
    let known = bench.knows();
    bench.table_loop().end();
    let whole = fs::read(bench.state("checkpoint")).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 20) {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        for damaged in [damaged, whole[..at].to_vec()] {
            fs::write(bench.state("checkpoint"), &damaged).unwrap();
            bench.start_without_model();
            assert_eq!(bench.knows(), known, "byte {at}");
            assert_eq!(fs::read(bench.state("checkpoint.bad")).unwrap(), damaged);
            assert!(!bench.state("checkpoint").exists());
        }
    }
}

mod clock;
mod faults;
mod games;
mod histories;
mod log_messages;
