//! A recording that has been read: its rounds, and how they were read.

use chrono::{DateTime, TimeDelta, Utc};
use rounds::{Round, TimeZoneOfRows};

use crate::column_profile::ColumnProfile;
use crate::columns::{Columns, TimeSource};
use crate::container;
use crate::date_order;
use crate::number_forms::Scale;
use crate::options::Options;
use crate::plausibility::{self, Implausible, Numbers};
use crate::refusal::{Refusal, RefusalKind};
use crate::rejects::{Reason, Rejected};
use crate::rows::{self, AllRows};
use crate::source::Source;
use crate::table::Table;
use crate::time_forms::{DateOrder, Stamp};
use crate::timeline::{self, Order};

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Name of the file.
    pub name: String,
    /// What kind of file it is: `text, comma`.
    pub kind: String,
    /// Where the times are: the name of the column and its first value.
    pub time_column: String,
    /// Where the multipliers are.
    pub multiplier_column: String,
    /// Columns that were not read.
    pub other_columns: Vec<String>,
    /// Day or month first, if the dates are ambiguous.
    pub date_order: Option<DateOrder>,
    /// The zone of the times, if they have no offset.
    pub zone: Option<TimeZoneOfRows>,
    /// The order of the file.
    pub order: Order,
    /// Oldest first.
    pub rounds: Vec<Round>,
    /// Whether their times were generated at the game's usual pace.
    pub is_estimated: bool,
    /// Rows of data.
    pub rows: u64,
    /// Rows that are not rounds, by reason.
    pub rejected: Vec<Rejected>,
    /// Rows that repeat the round of another row.
    pub repeated_rounds: u64,
    /// Rows that repeat the header.
    pub repeated_headers: u64,
    /// Rows that `--where` left out.
    pub filtered: u64,
}

/// Figures of a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Median of the multipliers.
    pub median: f64,
    /// Share of the rounds that ended below 2x.
    pub below_two: f64,
    /// The longest time between the ends of two rounds, and when it ended.
    pub longest_gap: Option<(TimeDelta, DateTime<Utc>)>,
}

impl Recording {
    /// Reads a recording. `progress` is called with the bytes read so far.
    ///
    /// # Errors
    /// What was seen, why it is not read, and the commands that would read it.
    pub fn read(
        source: &Source,
        options: &Options,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, Refusal> {
        read(source, options, progress).map_err(|refusal| refusal.of(&source.name, options))
    }

    /// Returns its figures.
    pub fn figures(&self) -> Figures {
        let values: Vec<f64> = self.rounds.iter().map(|round| round.multiplier.as_f64()).collect();
        let below = self.rounds.iter().filter(|round| round.multiplier.cents() < 200).count();
        let gaps = self.rounds.windows(2).map(|pair| (pair[1].time - pair[0].time, pair[1].time));
        Figures {
            median: plausibility::median(&values),
            below_two: below as f64 / values.len().max(1) as f64,
            longest_gap: gaps.max_by_key(|(gap, _)| *gap),
        }
    }
}

fn read(
    source: &Source,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Recording, Refusal> {
    let table = container::table(source.clone(), options)?;
    let (columns, profiles) = rows::columns(&table, options)?;
    let seen = || profiles.iter().map(ColumnProfile::describe).collect::<Vec<_>>();
    read_table(&table, &columns, &profiles, options, progress)
        .map(|recording| Recording { name: source.name.clone(), ..recording })
        .map_err(|refusal| refusal.with_columns(seen))
}

fn read_table(
    table: &Table,
    columns: &Columns,
    profiles: &[ColumnProfile],
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Recording, Refusal> {
    let dates = match columns.time {
        TimeSource::Text(column) | TimeSource::DateAndClock(column, _) => Some(column),
        TimeSource::None | TimeSource::Numbers(..) => None,
    };
    let date_order = match (options.date_order, dates) {
        (None, Some(column)) => date_order::settle(table, column)?,
        (order, _) => order,
    };
    let mut all = rows::read(table, columns.clone(), date_order, options, progress)?;
    let rows = std::mem::take(&mut all.rows);
    let is_estimated = columns.time == TimeSource::None;
    if is_estimated && !table.is_ordered {
        let message = "the rounds have neither times nor an order: the fields of a JSON object are in none, and their \
                       keys are not numbers. Write the rounds as an array, oldest first";
        return Err(Refusal::new(RefusalKind::NoTimes, message));
    }
    let is_offset_missing =
        rows.iter().any(|row| matches!(row.stamp, Some(Stamp::WallClock(_) | Stamp::TimeOfDay(_))));
    let order = timeline::order(&rows, all.counter_steps, options);
    let (rounds, repeats) = timeline::place(rows, order, options, &mut all.rejects);
    all.repeated_rounds += repeats;
    check(&rounds, &all, options, &profiles[columns.multiplier])?;
    let used = used(columns);
    let others = profiles.iter().filter(|it| !used.contains(&it.index));
    Ok(Recording {
        name: String::new(),
        kind: table.kind.clone(),
        time_column: time_column(columns.time, profiles),
        multiplier_column: profiles[columns.multiplier].describe(),
        other_columns: others.map(ColumnProfile::label).collect(),
        date_order: date_order.filter(|_| dates.is_some()),
        zone: is_offset_missing.then_some(options.zone),
        order,
        rounds,
        is_estimated,
        rows: all.read,
        rejected: all.rejects.into_list(),
        repeated_rounds: all.repeated_rounds,
        repeated_headers: all.repeated_headers,
        filtered: all.filtered,
    })
}

fn used(columns: &Columns) -> Vec<usize> {
    let times = match columns.time {
        TimeSource::None => vec![],
        TimeSource::Text(at) | TimeSource::Numbers(at, _) => vec![at],
        TimeSource::DateAndClock(date, clock) => vec![date, clock],
    };
    let others = [columns.round_id, columns.state, columns.filter].into_iter().flatten();
    times.into_iter().chain([columns.multiplier]).chain(others).collect()
}

fn time_column(time: TimeSource, profiles: &[ColumnProfile]) -> String {
    match time {
        TimeSource::None => "none: generated at the game's usual pace".to_owned(),
        TimeSource::Text(at) | TimeSource::Numbers(at, _) => profiles[at].describe(),
        TimeSource::DateAndClock(date, clock) => {
            format!("{}; {}", profiles[date].describe(), profiles[clock].describe())
        }
    }
}

/// Share of ambiguous numbers above which a file is refused.
const AMBIGUOUS_SHARE: f64 = 0.01;

/// Runs the checks that need all rows.
fn check(
    rounds: &[Round],
    all: &AllRows,
    options: &Options,
    column: &ColumnProfile,
) -> Result<(), Refusal> {
    let rejected = all.rejects.clone().into_list();
    let ambiguous = rejected.iter().find(|rejected| rejected.reason == Reason::AmbiguousNumber);
    if let Some(ambiguous) =
        ambiguous.filter(|it| it.count as f64 > AMBIGUOUS_SHARE * all.read as f64)
    {
        let message = format!(
            "{} numbers may have three decimals or a thousands separator, the first in line {}: {}",
            ambiguous.count, ambiguous.line, ambiguous.example
        );
        let refusal = Refusal::new(RefusalKind::AmbiguousNumbers, message);
        return Err(refusal.remedy("--decimal point").remedy("--decimal comma"));
    }
    if rounds.is_empty() {
        let reasons: Vec<String> = rejected.iter().map(ToString::to_string).collect();
        let message = match reasons.as_slice() {
            [] => "no row is a round".to_owned(),
            reasons => format!("no row is a round: {}", reasons.join("; ")),
        };
        return Err(Refusal::new(RefusalKind::NoRounds, message));
    }
    if options.multiplier_column.is_some() || options.scale.is_some_and(|scale| scale != Scale::ONE)
    {
        return Ok(());
    }
    let values: Vec<f64> = rounds.iter().map(|round| round.multiplier.as_f64()).collect();
    let whole = values.iter().filter(|value| value.fract() == 0.0).count();
    match plausibility::check(Numbers { values: &values, whole }) {
        Ok(()) => Ok(()),
        Err(Implausible::Hundredths) => {
            let message = "no round is below 100x and all are whole numbers: hundredths?";
            Err(Refusal::new(RefusalKind::Hundredths, message).remedy("--scale 0.01"))
        }
        Err(why) => {
            let name = column.label();
            let message =
                format!("column `{name}` does not look like multipliers: it {}", why.text());
            let flag = format!("--multiplier-column {}", rounds::shell_word(&name));
            Err(Refusal::new(RefusalKind::NotMultipliers, message).remedy(flag))
        }
    }
}
