//! Simulates a game on a page that fails in every way a page can, and records it with the real deduplicator and writer on
//! simulated clocks. Every written row is traced to the round that it came from.

// With a path, because an example includes this file too.
#[path = "game/truth_check.rs"]
mod truth_check;

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use collector::dedup::{Baseline, DedupSettings, Deduplicator, Outcome};
use collector::observation::{HistoryEntry, Observation, Report, SourceKind};
use collector::output::console::Console;
use collector::output::sync_policy::SyncPolicyArg;
use collector::output::writer::{Entry, Writer};
use collector::session::resume;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rounds::disk::SyncPolicy;
use rounds::{Event, Multiplier, Origin, RoundLog, last_rounds, usual_gap};

pub(crate) use truth_check::Counts;
use truth_check::TruthCheck;

/// Number of rounds that the page shows.
const SHOWN: usize = 25;
const POLL: f64 = 1.0;

/// The number of rounds, and the probability of each fault per poll of one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultPlan {
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    /// The page reloads and fills again, newest or oldest rounds first.
    pub(crate) reload: f64,
    /// The page cannot be read for 1 to 40 rounds.
    pub(crate) outage: f64,
    /// The collector stops and starts again up to 40 rounds later.
    pub(crate) restart: f64,
    /// The player switches to another table.
    pub(crate) switch: f64,
    /// A drop-down opens and shows the list twice for a few seconds.
    pub(crate) double: f64,
    /// Frames with ids also report the rounds (late, twice or not at all), and a history with ids follows each reload.
    pub(crate) has_frames: bool,
}

/// A played round: the table, and its index there.
type Position = (usize, usize);

/// A table; its rounds in hundredths, oldest first.
struct Table {
    rounds: Vec<u64>,
    pending: u64,
    ends: f64,
}

/// The progress of a page that is filling.
struct Filling {
    shown: usize,
    is_newest_first: bool,
}

struct Page {
    table: usize,
    filling: Option<Filling>,
    doubled_until: f64,
    /// Frames under way: the time of arrival and the round.
    frames: VecDeque<(f64, Position)>,
    init_at: Option<f64>,
}

pub(crate) fn run(plan: &FaultPlan, dir: &Path) -> Counts {
    let mut sim = Simulation::new(*plan, dir);
    while sim.check.counts.played < plan.rounds {
        sim.play();
        sim.step();
    }
    sim.settle();
    sim.finish()
}

struct Simulation<'a> {
    plan: FaultPlan,
    dir: &'a Path,
    rng: ChaCha20Rng,
    origin: Instant,
    now: f64,
    tables: Vec<Table>,
    page: Page,
    away_until: f64,
    restart_at: Option<f64>,
    deduplicator: Deduplicator,
    writer: Option<Writer>,
    check: TruthCheck,
    shown_before: Vec<Position>,
}

impl<'a> Simulation<'a> {
    fn new(plan: FaultPlan, dir: &'a Path) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
        let table = Table::new(&mut rng, 0.0);
        let page = Page {
            table: 0,
            filling: None,
            doubled_until: 0.0,
            frames: VecDeque::new(),
            init_at: None,
        };
        let mut sim = Self {
            plan,
            dir,
            rng,
            origin: Instant::now(),
            now: 0.0,
            tables: vec![table],
            page,
            away_until: 0.0,
            restart_at: None,
            deduplicator: Deduplicator::new(settings()),
            writer: None,
            check: TruthCheck::default(),
            shown_before: Vec::new(),
        };
        sim.open();
        sim
    }

    /// Starts the collector where its files end.
    fn open(&mut self) {
        let disk = Box::new(SyncPolicyArg(SyncPolicy::Never).disk());
        let log = RoundLog::open_on(disk, self.dir, Origin::Recorded, wall(self.now)).unwrap();
        self.deduplicator = Deduplicator::resuming(
            settings(),
            &resume::read(self.dir, rounds::ReadSettings::default()).unwrap(),
        );
        self.writer = Some(Writer::start(log, Console::silent()).unwrap());
    }

    fn close(&mut self) {
        self.observe(Report::End, &[]);
        let writer = self.writer.take().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (unwritten, _) = runtime.block_on(writer.stop(Duration::from_secs(5))).unwrap();
        assert_eq!(unwritten, 0);
    }

    fn mono(&self) -> Instant {
        self.origin + Duration::from_secs_f64(self.now)
    }

    fn happens(&mut self, chance: f64) -> bool {
        uniform(&mut self.rng) < chance
    }

    fn step(&mut self) {
        self.now += POLL;
        if self.restart_at.is_some_and(|at| self.now >= at) {
            self.restart_at = None;
            self.open();
        }
        if self.writer.is_none() || self.now < self.away_until {
            self.page.frames.clear();
            return;
        }
        if self.away_until > 0.0 {
            self.away_until = 0.0;
            self.reload();
        }
        self.break_something();
        if self.writer.is_none() || self.away_until > 0.0 {
            return;
        }
        self.observe_frames();
        self.poll();
    }

    fn play(&mut self) {
        let watched = self.page.table;
        let before = self.tables[watched].rounds.len();
        let now = self.now;
        self.tables[watched].play(&mut self.rng, now);
        for index in before..self.tables[watched].rounds.len() {
            self.check.counts.played += 1;
            if self.plan.has_frames && !self.happens(0.01) {
                let late = uniform(&mut self.rng) * 3.0;
                self.page.frames.push_back((self.now + late, (watched, index)));
            }
            if self.plan.has_frames && self.happens(0.02) {
                let late = uniform(&mut self.rng) * 40.0;
                self.page.frames.push_back((self.now + late, (watched, index)));
            }
        }
    }

    /// Returns the time of 1 to 40 rounds, in seconds.
    fn some_rounds(&mut self) -> f64 {
        (1.0 + uniform(&mut self.rng) * 39.0) * 23.0
    }

    fn break_something(&mut self) {
        if self.happens(self.plan.outage) {
            self.check.counts.outages += 1;
            self.away_until = self.now + self.some_rounds();
            self.deduplicator.interrupted();
        }
        if self.happens(self.plan.reload) {
            self.check.counts.reloads += 1;
            self.reload();
        }
        if self.happens(self.plan.double) {
            self.check.counts.doubles += 1;
            self.page.doubled_until = self.now + 15.0;
        }
        if self.happens(self.plan.switch) {
            self.check.counts.switches += 1;
            self.tables.push(Table::new(&mut self.rng, self.now));
            self.page.table = self.tables.len() - 1;
            self.reload();
            let name = format!("table-{}", self.page.table);
            let is_reported = self.plan.has_frames && self.happens(0.5);
            if is_reported {
                self.observe(Report::OtherInstance(name), &[]);
            }
        }
        if self.happens(self.plan.restart) {
            self.check.counts.restarts += 1;
            self.close();
            self.restart_at = Some(self.now + self.some_rounds());
        }
    }

    fn reload(&mut self) {
        let is_newest_first = self.happens(0.7);
        let first = [0, 1, 2, 5, 12, SHOWN][self.rng.next_u32() as usize % 6];
        self.page.filling = Some(Filling { shown: first, is_newest_first });
        self.page.frames.clear();
        self.page.init_at = self.plan.has_frames.then_some(self.now + 2.0);
    }

    fn observe_frames(&mut self) {
        if self.page.init_at.is_some_and(|at| self.now >= at) {
            self.page.init_at = None;
            let shown = self.shown();
            let named =
                shown.iter().map(|&position| (id(position), self.multiplier(position))).collect();
            self.observe(Report::Ids(named), &shown);
        }
        let due: Vec<Position> = self
            .page
            .frames
            .iter()
            .filter(|(at, _)| *at <= self.now)
            .map(|(_, position)| *position)
            .collect();
        self.page.frames.retain(|(at, _)| *at > self.now);
        for position in due {
            let report = Report::Round {
                id: Some(id(position)),
                multiplier: self.multiplier(position),
                ended_at: None,
                backfill: false,
                detail: None,
            };
            self.observe(report, &[]);
        }
    }

    /// Returns the newest rounds of the table, newest first.
    fn shown(&self) -> Vec<Position> {
        let table = self.page.table;
        let count = self.tables[table].rounds.len();
        (count - SHOWN..count).rev().map(|index| (table, index)).collect()
    }

    fn multiplier(&self, (table, index): Position) -> Multiplier {
        Multiplier::from_cents(self.tables[table].rounds[index]).unwrap()
    }

    fn poll(&mut self) {
        let mut shown = self.shown();
        let mut is_filled = false;
        if let Some(filling) = &mut self.page.filling {
            let count = filling.shown.min(SHOWN);
            shown = if filling.is_newest_first {
                shown[..count].to_vec()
            } else {
                shown[SHOWN - count..].to_vec()
            };
            filling.shown += [0, 1, 4, 9][self.rng.next_u32() as usize % 4];
            is_filled = filling.shown >= SHOWN;
        }
        if is_filled {
            self.page.filling = None;
        }
        // A list of one or two rounds is too short to be aligned.
        if shown.len() > 2 {
            let is_read_again = shown == self.shown_before;
            let rounds = self.tables[self.page.table].rounds.len();
            self.check.on_list(&shown, is_read_again, rounds);
        }
        self.shown_before.clone_from(&shown);
        if let Some(&newest) = shown.first() {
            let cents = self.tables[newest.0].rounds[newest.1];
            self.check.naive(newest, cents);
        }
        let mut list: Vec<HistoryEntry> =
            shown.iter().map(|&position| self.multiplier(position).into()).collect();
        if self.now < self.page.doubled_until {
            list.extend(list.clone());
        }
        self.observe(Report::List(list), &shown);
    }

    fn observe(&mut self, report: Report, shown: &[Position]) {
        let observation = Observation { mono: self.mono(), wall: wall(self.now), report };
        self.write(&observation, shown);
    }

    fn write(&mut self, observation: &Observation, shown: &[Position]) {
        let outcomes = self.deduplicator.observe(observation);
        let mut traced = self.trace(&outcomes, shown).into_iter();
        for outcome in outcomes {
            let entry = match outcome {
                Outcome::Note { kind, detail } => {
                    self.check.on_event(kind, &detail, shown);
                    let event = Event { detail: Some(detail), ..Event::new(kind, "game") };
                    Entry::Note(observation.wall, event)
                }
                Outcome::Accept { round, id, kind, detail } => {
                    let named = id.as_deref().map(position_of);
                    let position = named.or_else(|| traced.next().flatten());
                    let truth = position.map(|(table, index)| self.tables[table].rounds[index]);
                    self.check.on_row(position, truth, round.multiplier.cents());
                    Entry::Row(round, Event { round_id: id, detail, ..Event::new(kind, "game") })
                }
            };
            self.put(entry);
        }
    }

    /// Returns the rounds that rows without an id stand for, stretch by stretch between the notes.
    fn trace(&self, outcomes: &[Outcome], shown: &[Position]) -> Vec<Option<Position>> {
        let is_note = |outcome: &Outcome| matches!(outcome, Outcome::Note { .. });
        let value_without_id = |outcome: &Outcome| match outcome {
            Outcome::Accept { round, id: None, .. } => Some(round.multiplier.cents()),
            _ => None,
        };
        let mut traced = Vec::new();
        for stretch in outcomes.split(is_note) {
            let cents: Vec<u64> = stretch.iter().filter_map(value_without_id).collect();
            let position =
                self.newest_shown(&cents, shown).or_else(|| self.check.deferred(&cents, self));
            let rows = 0..cents.len();
            traced.extend(rows.map(|row| position.map(|(table, index)| (table, index + row))));
        }
        traced
    }

    /// Returns the position of `cents` if they are the newest rounds of the list; after a gap, some may have scrolled off.
    fn newest_shown(&self, cents: &[u64], shown: &[Position]) -> Option<Position> {
        let &(table, newest) = shown.first()?;
        let first = (table, (newest + 1).checked_sub(cents.len())?);
        self.is_truth(cents, first).then_some(first)
    }

    fn is_truth(&self, cents: &[u64], (table, index): Position) -> bool {
        self.tables[table].rounds.get(index..index + cents.len()) == Some(cents)
    }

    fn put(&self, entry: Entry) {
        let writer = self.writer.as_ref().unwrap();
        if let Err(refused) = writer.try_put(entry) {
            writer.sender().blocking_send(*refused).unwrap();
        }
    }

    /// Runs without further faults until the collector has seen the last round.
    fn settle(&mut self) {
        let plan = self.plan;
        self.plan =
            FaultPlan { reload: 0.0, outage: 0.0, restart: 0.0, switch: 0.0, double: 0.0, ..plan };
        let mut quiet = 0;
        while quiet < 60 {
            self.step();
            let is_connected = self.writer.is_some() && self.now >= self.away_until;
            let is_quiet = is_connected && self.page.filling.is_none();
            quiet = if is_quiet { quiet + 1 } else { 0 };
        }
    }

    fn finish(mut self) -> Counts {
        if self.writer.is_some() {
            self.close();
        }
        let files = last_rounds(self.dir, usize::MAX).unwrap();
        let accepted = &self.check.accepted;
        let differing =
            files.iter().zip(accepted).filter(|(row, cents)| row.multiplier.cents() != **cents);
        let mut counts = self.check.counts.clone();
        counts.file_differences = differing.count() + files.len().abs_diff(accepted.len());
        counts.unmarked += self.check.holes;
        let missing = |seen: &BTreeSet<Position>| seen.difference(&self.check.written).count();
        counts.seen_twice_but_missing = missing(&self.check.seen_twice);
        counts.seen_once_but_missing = missing(&self.check.seen_once);
        let lookalikes = self.check.seen_twice.intersection(&self.check.lookalikes);
        counts.lookalikes =
            lookalikes.filter(|position| !self.check.written.contains(position)).count();
        let others = self.check.seen_twice.difference(&self.check.lookalikes);
        let in_pieces = |position: &&Position| {
            !self.check.written.contains(position)
                && !self.check.seen_in_whole_list.contains(position)
        };
        counts.in_pieces = others.filter(in_pieces).count();
        let seen: usize = self.check.naive_seen.values().sum();
        counts.naive_missing = counts.played.saturating_sub(seen);
        counts
    }
}

impl Table {
    fn new(rng: &mut ChaCha20Rng, now: f64) -> Self {
        let rounds = (0..SHOWN + 10).map(|_| draw(rng)).collect();
        let pending = draw(rng);
        Self { rounds, pending, ends: now + duration(pending) }
    }

    fn play(&mut self, rng: &mut ChaCha20Rng, now: f64) {
        while now >= self.ends {
            self.rounds.push(self.pending);
            self.pending = draw(rng);
            self.ends += duration(self.pending);
        }
    }
}

fn settings() -> DedupSettings {
    DedupSettings {
        kind: SourceKind::Browser,
        baseline: Baseline::None,
        round_min: Duration::from_secs(6),
        // Its page never changes an entry.
        settling: Duration::ZERO,
    }
}

/// Returns an id like the game's: ids grow but are not consecutive.
fn id((table, index): Position) -> String {
    format!("{table}-{}", index * 3)
}

fn position_of(id: &str) -> Position {
    let (table, index) = id.split_once('-').unwrap();
    (table.parse().unwrap(), index.parse::<usize>().unwrap() / 3)
}

fn uniform(rng: &mut ChaCha20Rng) -> f64 {
    f64::from(rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

/// Draws a multiplier in hundredths with P(M >= x) = 0.97 / x.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at least 100, at most 97 * 2^32"
)]
fn draw(rng: &mut ChaCha20Rng) -> u64 {
    ((97.0 / (1.0 - uniform(rng))) as u64).max(100)
}

fn duration(cents: u64) -> f64 {
    usual_gap(Multiplier::from_cents(cents).unwrap()).as_secs_f64()
}

fn wall(second: f64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    start + TimeDelta::from_std(Duration::from_secs_f64(second)).unwrap()
}
