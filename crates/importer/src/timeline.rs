//! Sorts rows by time and gives each an instant.

use chrono::{DateTime, TimeDelta, Utc};
use rounds::{ClockReading, EARLIEST, Round, TimeZoneOfRows, usual_gap};

use crate::options::Options;
use crate::rejects::{Reason, Rejects};
use crate::rows::Row;
use crate::time_forms::Stamp;

const DAY: i64 = 86_400_000_000;

/// The order in which a file has its rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    OldestFirst,
    /// Newest first; they have been reversed.
    NewestFirst,
    /// Neither; they have been sorted by their times.
    Mixed {
        /// Rows with an earlier time than the row before.
        backward: u64,
    },
}

/// Returns whether the newest row comes first.
pub(crate) fn order(rows: &[Row], counter_steps: [u64; 2], options: &Options) -> Order {
    if options.is_reversed {
        return Order::NewestFirst;
    }
    let (mut forward, mut backward) = (0_u64, 0_u64);
    for pair in rows.windows(2) {
        let (Some(a), Some(b)) = (pair[0].stamp, pair[1].stamp) else { continue };
        let step = match (a, b) {
            // Midnight lies between them, in either order.
            (Stamp::TimeOfDay(a), Stamp::TimeOfDay(b)) => {
                (b - a + DAY / 2).rem_euclid(DAY) - DAY / 2
            }
            (a, b) => b.micros() - a.micros(),
        };
        forward += u64::from(step > 0);
        backward += u64::from(step < 0);
    }
    if forward + backward == 0 {
        [forward, backward] = counter_steps;
    }
    match (forward, backward) {
        (_, 0) => Order::OldestFirst,
        _ if backward > forward * 9 => Order::NewestFirst,
        _ if rows.first().is_some_and(|row| row.stamp.is_none()) => Order::OldestFirst,
        _ => Order::Mixed { backward },
    }
}

/// Turns rows into rounds, oldest first, and counts those that a later stretch of the file repeats. Rows with an
/// impossible time are rejected.
pub(crate) fn place(
    mut rows: Vec<Row>,
    order: Order,
    options: &Options,
    rejects: &mut Rejects,
) -> (Vec<Round>, u64) {
    if order == Order::NewestFirst {
        rows.reverse();
    }
    if rows.iter().any(|row| row.stamp.is_none()) {
        return (at_usual_pace(&rows, options), 0);
    }
    let latest = options.now + TimeDelta::days(1);
    let mut clock =
        Clock { zone: options.zone, last: None, last_of_day: 0, day: first_day(options) };
    let mut rounds = Vec::with_capacity(rows.len());
    for row in rows {
        let reject = |reason, rejects: &mut Rejects| {
            rejects.add_with(reason, row.line, || example(row));
        };
        match row.stamp.and_then(|stamp| clock.instant(stamp)) {
            None => reject(Reason::SkippedTime, rejects),
            Some(time) if time < EARLIEST || time > latest => reject(Reason::Year, rejects),
            Some(time) => {
                clock.last = Some(time);
                rounds.push(Round { time, multiplier: row.multiplier });
            }
        }
    }
    if rounds.is_sorted_by_key(|round| round.time) {
        return (rounds, 0);
    }
    let (sorted, repeats) = rounds::in_time_order(&rounds);
    (sorted.into_owned(), repeats)
}

fn example(row: Row) -> String {
    let time = row.stamp.and_then(|stamp| DateTime::from_timestamp_micros(stamp.micros()));
    let time = time.map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M:%S").to_string());
    format!("{time} | {}", row.multiplier)
}

fn first_day(options: &Options) -> i64 {
    let date = options.date.unwrap_or_default();
    date.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days() * DAY
}

/// Converts the times of consecutive rows into instants.
struct Clock {
    zone: TimeZoneOfRows,
    last: Option<DateTime<Utc>>,
    /// The last time of day.
    last_of_day: i64,
    /// The day to which times of day belong.
    day: i64,
}

impl Clock {
    fn instant(&mut self, stamp: Stamp) -> Option<DateTime<Utc>> {
        let wall = match stamp {
            Stamp::Instant(micros) => return DateTime::from_timestamp_micros(micros),
            Stamp::WallClock(micros) => micros,
            Stamp::TimeOfDay(micros) => {
                // A step back by half a day or more is midnight; a smaller one is a row out of place.
                if micros < self.last_of_day - DAY / 2 {
                    self.day += DAY;
                }
                self.last_of_day = micros;
                self.day + micros
            }
        };
        match readings(self.zone, wall) {
            ClockReading::Once(time) => Some(time),
            ClockReading::Never => None,
            // The second pass begins where the rows would go backwards otherwise.
            ClockReading::Twice { first, second } => {
                let is_second = self
                    .last
                    .is_some_and(|last| first < last && last - first < TimeDelta::hours(3));
                Some(if is_second { second } else { first })
            }
        }
    }
}

/// Returns the instants at which a wall clock showed this many microseconds since 1970.
fn readings(zone: TimeZoneOfRows, wall_micros: i64) -> ClockReading {
    DateTime::from_timestamp_micros(wall_micros)
        .map_or(ClockReading::Never, |reading| zone.instants(&reading.naive_utc()))
}

/// Generates times for rounds that have none: from midnight of `--date` on, or up to now.
fn at_usual_pace(rows: &[Row], options: &Options) -> Vec<Round> {
    let pace = |row: &Row| {
        let millis = usual_gap(row.multiplier).as_millis();
        TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(i64::MAX))
    };
    let total = rows.iter().map(pace).fold(TimeDelta::zero(), |sum, step| sum + step);
    let start = options.date.and_then(|_| match readings(options.zone, first_day(options)) {
        ClockReading::Once(time) | ClockReading::Twice { first: time, .. } => Some(time),
        ClockReading::Never => None,
    });
    let mut time = start.unwrap_or(options.now - total);
    let round = |row: &Row| {
        time += pace(row);
        Round { time, multiplier: row.multiplier }
    };
    rows.iter().map(round).collect()
}
