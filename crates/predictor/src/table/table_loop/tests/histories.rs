//! Whatever happens to the files, no scored forecast is from a model that had seen its round, and none was
//! made after its round had been read behind the same rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use evaluation::pit::SplitMix64;
use forecasting::engine::Settlement;
use forecasting::forecast::MEMBERS;
use forecasting::history::{HistoryChain, HistoryHash};

use super::*;

const FILES: [&str; 3] = [
    "aviator_payouts_20260101_000000.csv",
    "aviator_payouts_20260101_010000.csv",
    "aviator_payouts_20260101_020000.csv",
];
/// Steps of a schedule.
const STEPS: i64 = 16;
/// Schedules; the environment variable `SCHEDULES` may set another number, such as 2000.
const SCHEDULES: u64 = 200;

/// A model whose forecast is its own version.
#[derive(Debug)]
struct Signed(f64);

impl Forecaster for Signed {
    fn means(&self, _: &FeatureRow) -> Means {
        Means { members: [self.0; MEMBERS.len()], mean: self.0 }
    }
}

/// A row of a file: number and cents of its round.
type Row = (u64, u64);

/// A directory whose files change at random, and what a bystander knows of it.
struct Schedule {
    bench: Bench,
    random: SplitMix64,
    step: i64,
    /// The rows that each file ought to have, and whether it is in the directory and how much of it.
    files: [Vec<Row>; 3],
    is_there: [bool; 3],
    kept: [usize; 3],
    next_round: u64,
    next_cents: u64,
    /// The rounds, by their cents, on which each version was trained.
    seen: BTreeMap<u64, BTreeSet<u64>>,
    /// A model that is being trained.
    in_training: Option<Installed>,
    /// The step at which each history was first read to its end.
    read_at: BTreeMap<HistoryHash, i64>,
    scored: u64,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let (dir, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let bench = Bench {
            dir,
            disk,
            cents: Vec::new(),
            written: 0,
            off: 0,
            game: GameParameters::default(),
            table_loop: None,
        };
        let mut schedule = Self {
            bench,
            random: SplitMix64::new(seed),
            step: 0,
            files: Default::default(),
            is_there: [true; 3],
            kept: [0; 3],
            next_round: 0,
            next_cents: 0,
            seen: BTreeMap::new(),
            in_training: None,
            read_at: BTreeMap::new(),
            scored: 0,
        };
        for file in 0..FILES.len() {
            let rows = 2 + schedule.below(6);
            schedule.grow(file, rows);
        }
        schedule
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    fn a_file(&mut self) -> usize {
        usize::try_from(self.below(FILES.len() as u64)).unwrap()
    }

    /// No two rounds have the same cents.
    fn new_cents(&mut self) -> u64 {
        self.next_cents += 1;
        100 + self.next_cents * 379 % 10_007
    }

    /// Adds rows at the end of a file, as a collector does.
    fn grow(&mut self, file: usize, rows: u64) {
        for _ in 0..rows {
            let row = (self.next_round, self.new_cents());
            self.next_round += 1;
            self.files[file].push(row);
        }
        self.kept[file] = self.files[file].len();
    }

    /// Makes the directory hold what it ought to.
    fn write(&self) {
        for (file, name) in FILES.iter().enumerate() {
            let path = self.bench.dir.path().join(name);
            if !self.is_there[file] {
                drop(fs::remove_file(path));
                continue;
            }
            let mut text = "timestamp,multiplier\n".to_owned();
            for (number, cents) in &self.files[file][..self.kept[file]] {
                let time = START + TimeDelta::seconds(20 * i64::try_from(*number).unwrap());
                let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
                writeln!(text, "{time},{}.{:02}", cents / 100, cents % 100).unwrap();
            }
            if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                fs::write(path, text).unwrap();
            }
        }
    }

    fn change(&mut self) {
        let file = self.a_file();
        match self.below(10) {
            0..=3 => {
                let rows = 1 + self.below(3);
                self.grow(FILES.len() - 1, rows);
                self.is_there[FILES.len() - 1] = true;
            }
            4 | 5 => self.is_there[file] = !self.is_there[file],
            6 => {
                let left = self.below(self.files[file].len() as u64 + 1);
                self.kept[file] = usize::try_from(left).unwrap();
            }
            7 => {
                self.is_there = [true; 3];
                self.kept = std::array::from_fn(|file| self.files[file].len());
            }
            8 => {
                let row = self.below(self.files[file].len() as u64);
                let cents = self.new_cents();
                self.files[file][usize::try_from(row).unwrap()].1 = cents;
            }
            _ => {
                // Half of the programs are killed.
                if self.below(2) == 0 {
                    self.bench.table_loop().end();
                }
                self.bench.start_without_model();
                self.in_training = None;
            }
        }
    }

    /// Starts the training of a model, or installs the one that is being trained.
    fn train(&mut self) {
        let table_loop = self.bench.table_loop.as_mut().unwrap();
        if let Some(installed) = self.in_training.take() {
            if let Some(forecast) = table_loop.engine.install(installed, NOW.get()) {
                table_loop.record_forecast(&forecast);
                table_loop.sync();
            }
            return;
        }
        let version = self.seen.len() as u64 + 1;
        let engine = &table_loop.engine;
        let (trained_on, history) = (engine.rounds(), engine.history());
        let rounds = table_loop.series.rounds().range(0..usize::try_from(trained_on).unwrap());
        self.seen.insert(version, rounds.map(|round| round.multiplier.cents()).collect());
        let model = Arc::new(Signed(0.001 * version as f64));
        self.in_training = Some(Installed { model, version, trained_on, history });
    }

    fn run(&mut self) {
        self.write();
        self.bench.start_without_model();
        for step in 0..STEPS {
            self.step = step;
            NOW.set(START + TimeDelta::days(step));
            self.change();
            self.write();
            let table_loop = self.bench.table_loop();
            table_loop.scan();
            while !table_loop.waiting.is_empty() {
                table_loop.catch_up();
            }
            let mut chain = HistoryChain::default();
            for round in self.bench.table_loop.as_ref().unwrap().series.rounds().iter() {
                chain.push(&round);
                self.read_at.entry(chain.head()).or_insert(step);
            }
            if self.below(3) > 0 {
                self.train();
            }
            self.check();
        }
        // A restart is compared where there is something to compare.
        self.is_there = [true; 3];
        self.kept = std::array::from_fn(|file| self.files[file].len());
        self.write();
        let table_loop = self.bench.table_loop();
        table_loop.scan();
        while !table_loop.waiting.is_empty() {
            table_loop.catch_up();
        }
        let counted = self.bench.settled().0;
        self.bench.assert_restarts_to_the_same();
        self.scored = counted;
    }

    #[track_caller]
    fn check(&mut self) {
        let table_loop = self.bench.table_loop.as_ref().unwrap();
        let settlements = &table_loop.builder.settlements;
        assert_eq!(settlements.len() as u64, table_loop.engine.counts().settled);
        for Settlement { forecast, round } in settlements {
            let cents = round.multiplier.cents();
            let version = forecast.model_version;
            assert_eq!(forecast.means.mean.to_bits(), (0.001 * version as f64).to_bits());
            assert!(!self.seen[&version].contains(&cents), "model {version} had seen {cents}");
            let issued = (forecast.issued_at - START).num_days();
            let history = forecast.history.followed_by(round.multiplier.as_f64());
            let read = self.read_at[&history];
            assert!(issued <= read, "{cents} was read at {read}, forecast at {issued}");
        }
    }
}

#[test]
fn no_scored_forecast_had_seen_its_round_whatever_happens_to_the_files() {
    let schedules = std::env::var("SCHEDULES").ok().and_then(|it| it.parse().ok());
    let mut scored = 0;
    for seed in 0..schedules.unwrap_or(SCHEDULES) {
        let mut schedule = Schedule::new(seed);
        schedule.run();
        scored += schedule.scored;
    }
    assert!(scored > schedules.unwrap_or(SCHEDULES), "only {scored} forecasts were scored");
}
