//! A simulated game on a simulated page that breaks in every way a page can, and a recorder of it: the real deduplicator and the
//! real writer, on simulated clocks. Every written row is traced to the very round it came from.

// Named, because an example takes this file too.
#[path = "game/judge.rs"]
mod judge;

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use collector::dedup::{Baseline, DedupSettings, Deduplicator, Outcome};
use collector::observation::{Observation, Report, SourceKind};
use collector::output::console::Console;
use collector::output::sync_policy::SyncPolicyArg;
use collector::output::writer::{Entry, Writer};
use collector::session::resume;
use collector::sources::pacing::real_gap;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rounds::disk::SyncPolicy;
use rounds::{Event, EventKind, Multiplier, Origin, RoundLog, last_rounds};
use serde_json::json;

pub(crate) use judge::Counts;
use judge::Judge;

/// What the page shows of the past.
const SHOWN: usize = 25;
const POLL: f64 = 1.0;

/// How long to play and how often something breaks, each as a chance per poll of one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    /// The page fills again, newest or oldest rounds first.
    pub(crate) reload: f64,
    /// Nobody can read the page for 1 to 40 rounds.
    pub(crate) outage: f64,
    /// The collector ends and starts again up to 40 rounds later.
    pub(crate) restart: f64,
    /// The player goes to another table.
    pub(crate) switch: f64,
    /// A drop-down opens: the list stands there twice for a few seconds.
    pub(crate) double: f64,
    /// Rounds are also told by frames with ids, late, twice or not at all, and by a history with ids after a reload.
    pub(crate) has_frames: bool,
}

/// A round of the truth: which table, and which one there.
type Place = (usize, usize);

/// The rounds of one table, oldest first, in hundredths.
struct Table {
    rounds: Vec<u64>,
    pending: u64,
    ends: f64,
}

/// How much of the list a page that is filling shows.
struct Filling {
    shown: usize,
    is_newest_first: bool,
}

struct Page {
    table: usize,
    filling: Option<Filling>,
    doubled_until: f64,
    /// Frames on their way: when, and which round.
    frames: VecDeque<(f64, Place)>,
    init_at: Option<f64>,
}

pub(crate) fn run(plan: &Plan, dir: &Path) -> Counts {
    let mut sim = Simulation::new(*plan, dir);
    while sim.judge.counts.played < plan.rounds {
        sim.play();
        sim.step();
    }
    sim.settle();
    sim.finish()
}

struct Simulation<'a> {
    plan: Plan,
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
    judge: Judge,
    shown_before: Vec<Place>,
}

impl<'a> Simulation<'a> {
    fn new(plan: Plan, dir: &'a Path) -> Self {
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
            judge: Judge::default(),
            shown_before: Vec::new(),
        };
        sim.open();
        sim
    }

    /// The collector starts where its files end.
    fn open(&mut self) {
        let disk = Box::new(SyncPolicyArg(SyncPolicy::Never).disk());
        let log = RoundLog::open_on(disk, self.dir, Origin::Recorded, wall(self.now)).unwrap();
        self.deduplicator = Deduplicator::resuming(settings(), &resume::read(self.dir).unwrap());
        self.writer = Some(Writer::start(log, Console::silent()).unwrap());
    }

    fn close(&mut self) {
        self.hear(Report::End, &[]);
        if let Some(waiting) = self.deduplicator.unplaced() {
            let detail = Some(json!({ "waiting": waiting }));
            let event = Event { detail, ..Event::new(EventKind::Stop, "game") };
            self.put(Entry::Note(wall(self.now), event));
        }
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
        self.hear_frames();
        self.poll();
    }

    fn play(&mut self) {
        let watched = self.page.table;
        let before = self.tables[watched].rounds.len();
        let now = self.now;
        self.tables[watched].play(&mut self.rng, now);
        for index in before..self.tables[watched].rounds.len() {
            self.judge.counts.played += 1;
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

    /// One to forty rounds of the game.
    fn some_rounds(&mut self) -> f64 {
        (1.0 + uniform(&mut self.rng) * 39.0) * 23.0
    }

    fn break_something(&mut self) {
        if self.happens(self.plan.outage) {
            self.judge.counts.outages += 1;
            self.away_until = self.now + self.some_rounds();
            self.deduplicator.interrupted();
        }
        if self.happens(self.plan.reload) {
            self.judge.counts.reloads += 1;
            self.reload();
        }
        if self.happens(self.plan.double) {
            self.judge.counts.doubles += 1;
            self.page.doubled_until = self.now + 15.0;
        }
        if self.happens(self.plan.switch) {
            self.judge.counts.switches += 1;
            self.tables.push(Table::new(&mut self.rng, self.now));
            self.page.table = self.tables.len() - 1;
            self.reload();
            let name = format!("table-{}", self.page.table);
            let is_said = self.plan.has_frames && self.happens(0.5);
            if is_said {
                self.hear(Report::OtherInstance(name), &[]);
            }
        }
        if self.happens(self.plan.restart) {
            self.judge.counts.restarts += 1;
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

    fn hear_frames(&mut self) {
        if self.page.init_at.is_some_and(|at| self.now >= at) {
            self.page.init_at = None;
            let shown = self.places();
            let named = shown.iter().map(|&place| (id(place), self.multiplier(place))).collect();
            self.hear(Report::Ids(named), &shown);
        }
        let due: Vec<Place> = self
            .page
            .frames
            .iter()
            .filter(|(at, _)| *at <= self.now)
            .map(|(_, place)| *place)
            .collect();
        self.page.frames.retain(|(at, _)| *at > self.now);
        for place in due {
            let report = Report::Round {
                id: Some(id(place)),
                multiplier: self.multiplier(place),
                ended_at: None,
                backfill: false,
                detail: None,
            };
            self.hear(report, &[]);
        }
    }

    /// The newest rounds of the table, newest first.
    fn places(&self) -> Vec<Place> {
        let table = self.page.table;
        let count = self.tables[table].rounds.len();
        (count - SHOWN..count).rev().map(|index| (table, index)).collect()
    }

    fn multiplier(&self, (table, index): Place) -> Multiplier {
        Multiplier::from_cents(self.tables[table].rounds[index]).unwrap()
    }

    fn poll(&mut self) {
        let mut shown = self.places();
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
        // A list of one or two says nothing to anyone.
        if shown.len() > 2 {
            let is_read_again = shown == self.shown_before;
            let rounds = self.tables[self.page.table].rounds.len();
            self.judge.look(&shown, is_read_again, rounds);
        }
        self.shown_before.clone_from(&shown);
        if let Some(&newest) = shown.first() {
            let cents = self.tables[newest.0].rounds[newest.1];
            self.judge.naive(newest, cents);
        }
        let mut list: Vec<Multiplier> = shown.iter().map(|&place| self.multiplier(place)).collect();
        if self.now < self.page.doubled_until {
            list.extend(list.clone());
        }
        self.hear(Report::List(list), &shown);
    }

    fn hear(&mut self, report: Report, shown: &[Place]) {
        let observation = Observation { mono: self.mono(), wall: wall(self.now), report };
        self.write(&observation, shown);
    }

    fn write(&mut self, observation: &Observation, shown: &[Place]) {
        let outcomes = self.deduplicator.observe(observation);
        let mut traced = self.trace(&outcomes, shown).into_iter();
        for outcome in outcomes {
            let entry = match outcome {
                Outcome::Note { kind, detail } => {
                    self.judge.mark(kind, &detail, shown);
                    let event = Event { detail: Some(detail), ..Event::new(kind, "game") };
                    Entry::Note(observation.wall, event)
                }
                Outcome::Accept { round, id, kind, detail } => {
                    let named = id.as_deref().map(place_of);
                    let place = named.or_else(|| traced.next().flatten());
                    let truth = place.map(|(table, index)| self.tables[table].rounds[index]);
                    self.judge.row(place, truth, round.multiplier.cents());
                    Entry::Row(round, Event { round_id: id, detail, ..Event::new(kind, "game") })
                }
            };
            self.put(entry);
        }
    }

    /// Which rounds the rows without an id are, stretch by stretch between the marks.
    fn trace(&self, outcomes: &[Outcome], shown: &[Place]) -> Vec<Option<Place>> {
        let is_mark = |outcome: &Outcome| matches!(outcome, Outcome::Note { .. });
        let nameless = |outcome: &Outcome| match outcome {
            Outcome::Accept { round, id: None, .. } => Some(round.multiplier.cents()),
            _ => None,
        };
        let mut traced = Vec::new();
        for stretch in outcomes.split(is_mark) {
            let cents: Vec<u64> = stretch.iter().filter_map(nameless).collect();
            let place =
                self.newest_shown(&cents, shown).or_else(|| self.judge.waited(&cents, self));
            let rows = 0..cents.len();
            traced.extend(rows.map(|row| place.map(|(table, index)| (table, index + row))));
        }
        traced
    }

    /// Where `cents` begin, if they are the newest rounds of the list; behind a gap there may be some that have just scrolled off.
    fn newest_shown(&self, cents: &[u64], shown: &[Place]) -> Option<Place> {
        let &(table, newest) = shown.first()?;
        let first = (table, (newest + 1).checked_sub(cents.len())?);
        self.is_truth(cents, first).then_some(first)
    }

    fn is_truth(&self, cents: &[u64], (table, index): Place) -> bool {
        self.tables[table].rounds.get(index..index + cents.len()) == Some(cents)
    }

    fn put(&self, entry: Entry) {
        let writer = self.writer.as_ref().unwrap();
        if let Err(refused) = writer.try_put(entry) {
            writer.sender().blocking_send(*refused).unwrap();
        }
    }

    /// The game stops, and the collector gets the time to see the last round.
    fn settle(&mut self) {
        let plan = self.plan;
        self.plan =
            Plan { reload: 0.0, outage: 0.0, restart: 0.0, switch: 0.0, double: 0.0, ..plan };
        let mut quiet = 0;
        while quiet < 60 {
            self.step();
            let is_there = self.writer.is_some() && self.now >= self.away_until;
            let is_quiet = is_there && self.page.filling.is_none();
            quiet = if is_quiet { quiet + 1 } else { 0 };
        }
    }

    fn finish(mut self) -> Counts {
        if self.writer.is_some() {
            self.close();
        }
        let files = last_rounds(self.dir, usize::MAX).unwrap();
        let accepted = &self.judge.accepted;
        let differing =
            files.iter().zip(accepted).filter(|(row, cents)| row.multiplier.cents() != **cents);
        let mut counts = self.judge.counts.clone();
        counts.file_differences = differing.count() + files.len().abs_diff(accepted.len());
        counts.unmarked += self.judge.holes;
        let missing = |seen: &BTreeSet<Place>| seen.difference(&self.judge.written).count();
        counts.seen_but_missing = missing(&self.judge.seen);
        counts.glimpsed_but_missing = missing(&self.judge.glimpsed);
        let lookalikes = self.judge.seen.intersection(&self.judge.lookalikes);
        counts.lookalikes = lookalikes.filter(|place| !self.judge.written.contains(place)).count();
        let others = self.judge.seen.difference(&self.judge.lookalikes);
        let in_pieces = |place: &&Place| {
            !self.judge.written.contains(place) && !self.judge.seen_whole.contains(place)
        };
        counts.in_pieces = others.filter(in_pieces).count();
        let seen: usize = self.judge.naive_seen.values().sum();
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
    }
}

/// Like the game's own ids: they rise, but not one by one.
fn id((table, index): Place) -> String {
    format!("{table}-{}", index * 3)
}

fn place_of(id: &str) -> Place {
    let (table, index) = id.split_once('-').unwrap();
    (table.parse().unwrap(), index.parse::<usize>().unwrap() / 3)
}

fn uniform(rng: &mut ChaCha20Rng) -> f64 {
    f64::from(rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

/// In hundredths: P(M >= x) = 0.97 / x.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at least 100, at most 97 * 2^32"
)]
fn draw(rng: &mut ChaCha20Rng) -> u64 {
    ((97.0 / (1.0 - uniform(rng))) as u64).max(100)
}

fn duration(cents: u64) -> f64 {
    real_gap(Multiplier::from_cents(cents).unwrap()).as_secs_f64()
}

fn wall(second: f64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    start + TimeDelta::from_std(Duration::from_secs_f64(second)).unwrap()
}
