//! A page with a history list that misbehaves. Every round can be told from every other by decimals
//! beyond the hundredths, which the deduplicator does not compare.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive numbers of a simulation"
)]

use std::time::Duration;

use collector::observation::HistoryEntry;
use rand_chacha::ChaCha8Rng;
use rounds::{Multiplier, usual_gap};

use super::uniform;

/// Number of rounds that the page shows.
pub(crate) const SHOWN: usize = 25;
/// Number of rounds that a table has played before it is opened.
const PAST: usize = 40;

/// A round: the number of its table, and its index there.
pub(crate) type Position = (usize, usize);

#[derive(Clone, Copy, Debug)]
struct Round {
    cents: u64,
    ended: f64,
    /// How long it is drawn, and how: 0 as 1.00x, 1 counting up, 2 as an entry that cannot be read.
    drawn_for: f64,
    drawing: u32,
    is_readable: bool,
}

struct Table {
    rounds: Vec<Round>,
    next_end: f64,
}

pub(crate) struct Page {
    tables: Vec<Table>,
    open: usize,
    pub(crate) frozen_until: f64,
    /// The number of rounds that a page shows that stands still because its network is away.
    frozen: Option<usize>,
    /// How many entries a page that is filling shows, and whether they are the newest.
    filling: Option<(usize, bool)>,
    late: f64,
    unreadable: f64,
    is_over: bool,
    /// Rounds of a table that ended while it was open, or shown when it was.
    pub(crate) watched: Vec<Position>,
}

impl Page {
    pub(crate) fn new(random: &mut ChaCha8Rng, late: f64, unreadable: f64) -> Self {
        let mut page = Self {
            tables: Vec::new(),
            open: 0,
            frozen_until: 0.0,
            frozen: None,
            filling: None,
            late,
            unreadable,
            is_over: false,
            watched: Vec::new(),
        };
        page.open_table(random, 0.0);
        page
    }

    fn open_table(&mut self, random: &mut ChaCha8Rng, now: f64) {
        let mut rounds = Vec::new();
        for index in 0..PAST {
            let ended = now - 23.0 * (PAST - index) as f64;
            rounds.push(Round { drawn_for: 0.0, is_readable: true, ..self.draw(random, ended) });
        }
        self.tables.push(Table { rounds, next_end: now + 12.0 });
    }

    fn draw(&self, random: &mut ChaCha8Rng, ended: f64) -> Round {
        let cents = ((97.0 / (1.0 - uniform(random))) as u64).clamp(100, 10_000_000);
        let is_late = uniform(random) < self.late;
        Round {
            cents,
            ended,
            drawn_for: if is_late { 0.06 + 3.94 * uniform(random) } else { 0.0 },
            drawing: (3.0 * uniform(random)) as u32,
            is_readable: uniform(random) >= self.unreadable,
        }
    }

    /// Plays all tables up to `now`.
    pub(crate) fn play(&mut self, random: &mut ChaCha8Rng, now: f64) {
        for number in 0..self.tables.len() {
            while !self.is_over && now >= self.tables[number].next_end {
                let ended = self.tables[number].next_end;
                let round = self.draw(random, ended);
                let table = &mut self.tables[number];
                table.rounds.push(round);
                let gap = usual_gap(Multiplier::from_cents(round.cents).unwrap());
                table.next_end += gap.min(Duration::from_secs(200)).as_secs_f64();
                let is_watched = number == self.open;
                self.watched.extend(is_watched.then(|| (number, table.rounds.len() - 1)));
            }
        }
    }

    pub(crate) fn stop_playing(&mut self) {
        self.is_over = true;
    }

    /// Returns the number of rounds that ended while their table was open.
    pub(crate) fn played(&self) -> usize {
        self.watched.len()
    }

    /// Returns the number of rounds that the open table has played.
    pub(crate) fn ended(&self) -> usize {
        self.tables[self.open].rounds.len()
    }

    pub(crate) fn is_readable(&self, (table, index): Position) -> bool {
        self.tables[table].rounds[index].is_readable
    }

    pub(crate) fn freeze_until(&mut self, until: f64) {
        self.frozen_until = until;
    }

    pub(crate) fn reload(&mut self, random: &mut ChaCha8Rng) {
        let first = (uniform(random) * SHOWN as f64) as usize;
        self.filling = Some((first, uniform(random) < 0.6));
        self.frozen_until = 0.0;
    }

    /// Returns whether the newest round of the open table ended lately and is shown.
    pub(crate) fn is_live(&self, now: f64) -> bool {
        let newest = self.tables[self.open].rounds.last();
        now > self.frozen_until && newest.is_some_and(|newest| now - newest.ended > 5.0)
    }

    /// Opens a new table, or goes back to the first one.
    pub(crate) fn change_table(&mut self, random: &mut ChaCha8Rng, now: f64) {
        if self.open == 0 {
            self.open_table(random, now);
            self.open = self.tables.len() - 1;
        } else {
            self.open = 0;
        }
        self.frozen_until = 0.0;
        if uniform(random) < 0.5 {
            self.reload(random);
        }
    }

    /// Returns what the page shows, and which rounds these are.
    pub(crate) fn read(
        &mut self,
        random: &mut ChaCha8Rng,
        now: f64,
    ) -> (Vec<HistoryEntry>, Vec<Position>) {
        let ended = self.ended();
        if now >= self.frozen_until {
            self.frozen = None;
        } else if self.frozen.is_none() {
            self.frozen = Some(ended);
        }
        let (mut list, mut shown) = self.shown(self.frozen.unwrap_or(ended), now);
        if let Some((count, is_newest)) = self.filling {
            let range = if is_newest { 0..count } else { SHOWN - count..SHOWN };
            (list, shown) = (list[range.clone()].to_vec(), shown[range].to_vec());
            let more = count + (uniform(random) * 9.0) as usize;
            self.filling = (more < SHOWN).then_some((more, is_newest));
        }
        (list, shown)
    }

    fn shown(&self, ended: usize, now: f64) -> (Vec<HistoryEntry>, Vec<Position>) {
        let rounds = &self.tables[self.open].rounds[..ended];
        let indices = (0..rounds.len()).rev().take(SHOWN);
        let shown: Vec<Position> = indices.map(|index| (self.open, index)).collect();
        let entry = |&(table, index): &Position| {
            let round = rounds[index];
            let age = now - round.ended;
            let is_drawn = index + 1 == rounds.len() && age < round.drawn_for;
            match round.drawing {
                0 if is_drawn => placeholder(100),
                1 if is_drawn => placeholder(100 + (age * 20.0) as u64),
                _ if is_drawn || !round.is_readable => HistoryEntry::Unreadable("1.23Q".to_owned()),
                _ => HistoryEntry::Round(named((table, index), round.cents)),
            }
        };
        (shown.iter().map(entry).collect(), shown)
    }
}

/// Returns a multiplier that shows which round it is.
fn named((table, index): Position, cents: u64) -> Multiplier {
    let name = 0.01 + 0.02 * table as f64 + index as f64 * 1e-5;
    Multiplier::new((cents as f64 + name) / 100.0).unwrap()
}

/// Returns a value that is no round's.
fn placeholder(cents: u64) -> HistoryEntry {
    HistoryEntry::Round(Multiplier::new((cents as f64 + 0.9) / 100.0).unwrap())
}

/// Returns the round that a multiplier belongs to, `None` for a placeholder.
pub(crate) fn position_of(multiplier: Multiplier) -> Option<Position> {
    let name = multiplier.as_f64() * 100.0 - multiplier.cents() as f64 - 0.01;
    let table = (name / 0.02) as usize;
    let index = ((name - 0.02 * table as f64) / 1e-5).round() as usize;
    (name < 0.8).then_some((table, index))
}
