//! Random schedules of what a page does: it stands still, shows several rounds at once, reloads, is
//! away, draws its newest entry late, shows entries that cannot be read, and changes the table.

// With a path, because an example includes this file too.
#[path = "schedules/page.rs"]
mod page;

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use collector::dedup::{Baseline, DedupSettings, Deduplicator, Outcome, SETTLING_TIME};
use collector::observation::{Observation, Report, SourceKind};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rounds::{EventKind, Multiplier};

use page::{Page, Position, position_of};

/// Interval of the readings in seconds, as by default.
const POLL: f64 = 0.5;

/// What became of the rounds of all schedules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Matrix {
    pub(crate) schedules: usize,
    pub(crate) played: usize,
    pub(crate) written: usize,
    pub(crate) missing_with_mark: usize,
    pub(crate) missing_without_mark: usize,
    pub(crate) false_rows: usize,
    pub(crate) twice: usize,
    pub(crate) out_of_order: usize,
}

impl Matrix {
    /// Returns the counts that must be 0.
    fn faults(&self) -> [usize; 4] {
        [self.missing_without_mark, self.false_rows, self.twice, self.out_of_order]
    }

    fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.played += other.played;
        self.written += other.written;
        self.missing_with_mark += other.missing_with_mark;
        self.missing_without_mark += other.missing_without_mark;
        self.false_rows += other.false_rows;
        self.twice += other.twice;
        self.out_of_order += other.out_of_order;
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, played, written, missing_with_mark, missing_without_mark, .. } = self;
        let Self { false_rows, twice, out_of_order, .. } = self;
        write!(
            f,
            "{schedules} schedules: played {played}, written {written}, missing with mark {missing_with_mark}, \
             without {missing_without_mark}, false {false_rows}, twice {twice}, out of order {out_of_order}"
        )
    }
}

/// How a page behaves in one schedule; the faults are probabilities per reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) rounds: usize,
    /// The page stands still for up to ten rounds.
    pub(crate) pause: f64,
    /// It reloads and fills again, from either end.
    pub(crate) reload: f64,
    /// It cannot be read for up to 40 rounds.
    pub(crate) outage: f64,
    /// The player changes the table, or back.
    pub(crate) change: f64,
    /// Share of the rounds that are drawn late, and share that can never be read.
    pub(crate) late: f64,
    pub(crate) unreadable: f64,
}

/// Runs one schedule and adds its counts to `matrix`.
pub(crate) fn run(plan: &Plan, matrix: &mut Matrix) {
    let mut schedule = Schedule::new(*plan);
    while schedule.page.played() < plan.rounds {
        schedule.step();
    }
    schedule.finish(matrix);
}

struct Schedule {
    plan: Plan,
    random: ChaCha8Rng,
    origin: Instant,
    now: f64,
    page: Page,
    away_until: f64,
    live_from: f64,
    deduplicator: Deduplicator,
    check: Check,
}

impl Schedule {
    fn new(plan: Plan) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
        let page = Page::new(&mut random, plan.late, plan.unreadable);
        let settings = DedupSettings {
            kind: SourceKind::Browser,
            baseline: Baseline::None,
            round_min: Duration::from_secs(6),
            settling: SETTLING_TIME,
        };
        let deduplicator = Deduplicator::new(settings);
        let (now, away_until, live_from) = (0.0, 0.0, 0.0);
        let origin = Instant::now();
        let check = Check::default();
        Self { plan, random, origin, now, page, away_until, live_from, deduplicator, check }
    }

    fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && uniform(&mut self.random) < chance
    }

    fn step(&mut self) {
        self.now += POLL;
        self.page.play(&mut self.random, self.now);
        if self.now < self.away_until {
            return;
        }
        if self.away_until > 0.0 {
            self.away_until = 0.0;
            self.live_from = self.now;
            self.page.reload(&mut self.random);
        }
        let has_opened = self.now > self.live_from + 60.0;
        if has_opened && self.happens(self.plan.outage) {
            self.away_until = self.now + 23.0 * (1.0 + 39.0 * uniform(&mut self.random));
            self.deduplicator.interrupted();
            return;
        }
        if self.happens(self.plan.pause) {
            let span = 1.0 + 229.0 * uniform(&mut self.random).powi(2);
            self.page.freeze_until(self.now + span);
        }
        if self.happens(self.plan.reload) {
            self.page.reload(&mut self.random);
        }
        // Without ids, a table that is opened while the page cannot be read cannot be told from the
        // same table after a long time; nor can one that is lost before its list is accepted.
        let is_live = has_opened && self.page.is_live(self.now);
        if is_live && self.happens(self.plan.change) {
            self.live_from = self.now;
            self.page.change_table(&mut self.random, self.now);
        }
        let (list, shown) = self.page.read(&mut self.random, self.now);
        self.check.on_list(&shown, self.page.ended());
        self.observe(Report::List(list));
    }

    fn observe(&mut self, report: Report) {
        let mono = self.origin + Duration::from_secs_f64(self.now);
        let observation = Observation { mono, wall: wall(self.now), report };
        let outcomes = self.deduplicator.observe(&observation);
        for outcome in outcomes {
            self.check.on_outcome(&outcome);
        }
    }

    /// Runs without further faults until the newest round has been settled and stops.
    fn finish(mut self, matrix: &mut Matrix) {
        let plan = self.plan;
        self.plan = Plan { pause: 0.0, reload: 0.0, outage: 0.0, change: 0.0, ..plan };
        self.page.stop_playing();
        let until = self.now.max(self.away_until).max(self.page.frozen_until) + 40.0;
        while self.now < until {
            self.step();
        }
        self.observe(Report::End);
        self.check.finish(&self.page, matrix);
        matrix.schedules += 1;
    }
}

/// Compares the rows with the rounds that were played.
#[derive(Default)]
struct Check {
    /// For each table, the index of the first round that is due and when the table was opened.
    due: Vec<(usize, usize)>,
    rows: Vec<Position>,
    is_marked: bool,
    counts: Matrix,
    last: Option<Position>,
    last_list: Vec<Position>,
}

impl Check {
    fn on_list(&mut self, shown: &[Position], ended: usize) {
        let Some(&(table, _)) = shown.first() else { return };
        if shown.len() == page::SHOWN && !self.due.iter().any(|(known, _)| *known == table) {
            self.due.push((table, ended));
        }
        self.last_list = shown.to_vec();
    }

    fn on_outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accept { round, .. } => self.on_row(round.multiplier),
            Outcome::Note { kind: EventKind::Gap | EventKind::Weak | EventKind::Reset, .. } => {
                self.is_marked = true;
            }
            Outcome::Note { .. } => {}
        }
    }

    fn on_row(&mut self, multiplier: Multiplier) {
        self.counts.written += 1;
        let Some(position) = position_of(multiplier) else {
            self.counts.false_rows += 1;
            return;
        };
        let due = self.due.iter().find(|(table, _)| *table == position.0);
        if due.is_none_or(|(_, first)| position.1 < *first) {
            self.counts.false_rows += 1;
        }
        if self.rows.contains(&position) {
            self.counts.twice += 1;
        }
        let before = self
            .last
            .map_or_else(|| due.map(|&(table, first)| (table, first.wrapping_sub(1))), Some);
        if let Some(before) = before {
            let is_next = before.0 == position.0 && before.1.wrapping_add(1) == position.1;
            if before.0 == position.0 && position.1 < before.1 && before.1 != usize::MAX {
                self.counts.out_of_order += 1;
            }
            if !is_next && !self.is_marked {
                self.counts.missing_without_mark += missing_between(before, position);
            }
        }
        self.rows.push(position);
        self.last = Some(position);
        self.is_marked = false;
    }

    fn finish(mut self, page: &Page, matrix: &mut Matrix) {
        // At the end every readable round that the page shows is written, or a mark follows.
        let newest = self.last_list.iter().find(|position| page.is_readable(**position));
        if let Some(&(table, index)) = newest {
            let first = self.due.iter().find(|(due, _)| *due == table).map_or(0, |due| due.1);
            let is_written = self.rows.contains(&(table, index));
            if index >= first && !is_written && !self.is_marked {
                self.counts.missing_without_mark += 1;
            }
        }
        let due = |position: &&Position| {
            self.due.iter().any(|(table, first)| *table == position.0 && position.1 >= *first)
        };
        let played = page.watched.iter().filter(due).count();
        let written = self.rows.iter().filter(due).count();
        let missing = played.saturating_sub(written);
        matrix.played += played;
        matrix.written += self.counts.written;
        matrix.missing_without_mark += self.counts.missing_without_mark;
        matrix.missing_with_mark += missing.saturating_sub(self.counts.missing_without_mark);
        matrix.false_rows += self.counts.false_rows;
        matrix.twice += self.counts.twice;
        matrix.out_of_order += self.counts.out_of_order;
        self.rows.clear();
    }
}

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    f64::from(random.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

fn wall(second: f64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    start + TimeDelta::from_std(Duration::from_secs_f64(second)).unwrap()
}

/// Returns the plan of a schedule: some faults of each kind, or none.
pub(crate) fn plan(seed: u64) -> Plan {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x5CED);
    let mut some = |chance: f64| {
        if uniform(&mut random) < 0.5 { chance * 2.0 * uniform(&mut random) } else { 0.0 }
    };
    Plan {
        seed,
        rounds: 30,
        pause: some(0.005),
        reload: some(0.005),
        outage: some(0.001),
        change: some(0.002),
        late: some(0.5),
        unreadable: some(0.03),
    }
}

/// Returns how many rounds are missing between two rows; another table must be marked even if none is.
fn missing_between(before: Position, row: Position) -> usize {
    if before.0 != row.0 {
        return 1;
    }
    row.1.wrapping_sub(before.1.wrapping_add(1)).clamp(1, 99)
}

#[test]
fn no_round_is_false_twice_out_of_order_or_missing_without_a_mark() {
    let schedules = std::env::var("SCHEDULES").map_or(200, |count| count.parse().unwrap());
    let first = std::env::var("FIRST").map_or(0, |seed| seed.parse().unwrap());
    let (mut matrix, mut faulty) = (Matrix::default(), Vec::new());
    for seed in first..first + schedules {
        let mut one = Matrix::default();
        run(&plan(seed), &mut one);
        if one.faults() != [0; 4] {
            faulty.push(format!("{:?}\n  {one}", plan(seed)));
        }
        matrix.add(&one);
    }
    assert_eq!(matrix.faults(), [0; 4], "{matrix}\n{}", faulty.join("\n"));
    assert!(matrix.written > matrix.played / 2, "{matrix}");
}
