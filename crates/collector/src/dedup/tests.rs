use super::*;

mod edges;
mod ids;
mod lists;
mod pages;
mod pieces;
mod restarts;
mod unplaced;

/// A deduplicator, its clocks, and a game that plays rounds.
struct Table {
    deduplicator: Deduplicator,
    origin: Instant,
    /// Seconds since the origin, on both clocks.
    now: f64,
    /// Offset of the wall clock from the monotonic one, in seconds.
    wall_offset: f64,
    /// The game's rounds in hundredths, newest first.
    history: Vec<u64>,
    draws: u64,
}

fn wall(second: f64) -> DateTime<Utc> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a test")]
    let millis = (second * 1000.0) as i64;
    DateTime::from_timestamp_millis(1_767_225_600_000 + millis).unwrap()
}

/// The settings for a page that has shown that it never changes an entry.
pub(super) fn settings() -> DedupSettings {
    DedupSettings {
        kind: SourceKind::Browser,
        baseline: Baseline::None,
        round_min: Duration::from_secs(6),
        settling: Duration::ZERO,
    }
}

/// Returns the entries of a list; 0 is one that cannot be read.
fn entries(cents: &[u64]) -> Vec<HistoryEntry> {
    let entry = |&cents: &u64| match Multiplier::from_cents(cents) {
        Ok(multiplier) => HistoryEntry::Round(multiplier),
        Err(_) => HistoryEntry::Unreadable("1.23Q".to_owned()),
    };
    cents.iter().map(entry).collect()
}

fn round_report(id: Option<&str>, cents: u64) -> Report {
    Report::Round {
        id: id.map(str::to_owned),
        multiplier: Multiplier::from_cents(cents).unwrap(),
        ended_at: None,
        backfill: false,
        detail: None,
    }
}

fn ids_report(entries: &[(&str, u64)]) -> Report {
    let named =
        |&(id, cents): &(&str, u64)| (id.to_owned(), Multiplier::from_cents(cents).unwrap());
    Report::Ids(entries.iter().map(named).collect())
}

impl Table {
    fn new(deduplicator: Deduplicator) -> Self {
        let mut table = Self {
            deduplicator,
            origin: Instant::now(),
            now: 0.0,
            wall_offset: 0.0,
            history: vec![],
            draws: 0,
        };
        for _ in 0..25 {
            table.play_any();
        }
        table
    }

    /// A table whose list has been seen: rounds are recorded from here on.
    fn started() -> Self {
        let mut table = Self::new(Deduplicator::new(settings()));
        assert_eq!(table.poll_history(), [""; 0]);
        table
    }

    /// Plays rounds without a poll.
    fn play(&mut self, cents: &[u64]) {
        for &cents in cents {
            self.history.insert(0, cents);
        }
    }

    /// Plays a round with the next value of a fixed sequence, and returns the value.
    fn play_any(&mut self) -> u64 {
        self.draws += 1;
        let mixed = self.draws.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let uniform = 1 + (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) % 9_999;
        let cents = (97 * 10_000 / uniform).max(100);
        self.play(&[cents]);
        cents
    }

    fn shown(&self) -> Vec<u64> {
        self.history[..25].to_vec()
    }

    fn observe(&mut self, report: Report) -> Vec<Outcome> {
        let mono = self.origin + Duration::from_secs_f64(self.now);
        self.deduplicator.observe(&Observation {
            mono,
            wall: wall(self.now + self.wall_offset),
            report,
        })
    }

    /// Observes a report and returns what is written for it, as [`short`] texts.
    fn written_for(&mut self, report: Report) -> Vec<String> {
        self.observe(report).iter().filter(|outcome| !is_start(outcome)).map(short).collect()
    }

    /// Checks that the window holds the newest `count` rounds of the game.
    #[track_caller]
    fn check_known(&self, count: usize) {
        let window = self.deduplicator.window.iter();
        let known: Vec<u64> = window.filter_map(|known| known.cents).collect();
        assert_eq!(known, self.history[..count]);
    }

    /// Polls a list twice, half a second apart.
    fn poll_twice(&mut self, cents: &[u64]) -> Vec<String> {
        let mut out = self.poll(cents);
        out.extend(self.poll(cents));
        out
    }

    fn poll(&mut self, cents: &[u64]) -> Vec<String> {
        self.now += 0.5;
        self.written_for(Report::List(entries(cents)))
    }

    fn poll_history(&mut self) -> Vec<String> {
        let shown = self.shown();
        self.poll_twice(&shown)
    }

    /// Polls until the deduplicator gives up waiting for a list to fill.
    fn poll_until_accepted(&mut self, cents: &[u64]) -> Vec<String> {
        (0..7).flat_map(|_| self.poll(cents)).collect()
    }
}

/// Returns whether the outcome only records the list that recording starts from.
fn is_start(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Note { kind: EventKind::Start, .. })
}

/// Returns `+231` for a live round, `~231` for a backfilled one, else the kind of the event.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accept { round, kind: EventKind::Live, .. } => {
            format!("+{}", round.multiplier.cents())
        }
        Outcome::Accept { round, kind: EventKind::Backfill, .. } => {
            format!("~{}", round.multiplier.cents())
        }
        Outcome::Accept { kind, .. } | Outcome::Note { kind, .. } => format!("{kind:?}"),
    }
}
