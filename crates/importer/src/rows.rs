//! Reads the rows of a table, each as a time and a multiplier or as the reason why it is not a round.

use std::collections::HashSet;

use crate::column_profile::{ColumnProfile, is_empty};
use crate::columns::{self, Columns, TimeSource};
use crate::header_names::{Role, ends_round};
use crate::layout;
use crate::number_forms::{self, Scale};
use crate::options::Options;
use crate::record::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::rejects::{Reason, Rejects};
use crate::table::{Step, Table};
use crate::time_forms::{self, DateOrder, Stamp};

/// A row that is a round, before its time zone is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// Absent where the recording has no times.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) multiplier: rounds::Multiplier,
    pub(crate) line: u64,
}

/// All rows of a table.
#[derive(Debug, Default)]
pub(crate) struct AllRows {
    pub(crate) rows: Vec<Row>,
    pub(crate) rejects: Rejects,
    /// Rows read, without repeated headers.
    pub(crate) read: u64,
    pub(crate) repeated_headers: u64,
    /// Rows that repeat the round of an earlier row.
    pub(crate) repeated_rounds: u64,
    /// Rows that the filter left out.
    pub(crate) filtered: u64,
    /// Numbers of upward and downward steps of the counter column.
    pub(crate) counter_steps: [u64; 2],
}

/// Rows between two reports of progress.
const PROGRESS_ROWS: u64 = 4096;
/// Number of distinct values of a state column that are kept.
const STATES_MAX: usize = 12;

/// Reads a table. `progress` is called with the bytes read so far.
pub(crate) fn read(
    table: &Table,
    columns: Columns,
    order: Option<DateOrder>,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<AllRows, Refusal> {
    let mut reader = Reader::new(table, columns, order, options);
    let mut cursor = table.open()?;
    let mut record = Record::default();
    loop {
        match cursor.next(&mut record)? {
            Step::Row => reader.row(&record),
            Step::OpenQuote => reader.all.rejects.add(Reason::Quote, &record),
            Step::End => break,
        }
        if reader.all.read.is_multiple_of(PROGRESS_ROWS) {
            progress(cursor.bytes());
        }
    }
    reader.finish()
}

struct Reader<'a> {
    table: &'a Table,
    columns: Columns,
    order: Option<DateOrder>,
    options: &'a Options,
    all: AllRows,
    /// The id of the round in the last row, if there is a column of ids.
    last_id: String,
    last_counter: f64,
    /// Rows with the same id as the row before and another multiplier.
    conflicts: u64,
    /// Values of the state column and how often they occur.
    states: Vec<(String, u64)>,
    /// Rounds of a recording in which the same round may be repeated anywhere.
    known: HashSet<String>,
}

impl<'a> Reader<'a> {
    fn new(
        table: &'a Table,
        columns: Columns,
        order: Option<DateOrder>,
        options: &'a Options,
    ) -> Self {
        Self {
            table,
            columns,
            order,
            options,
            all: AllRows::default(),
            last_id: String::new(),
            last_counter: f64::NAN,
            conflicts: 0,
            states: Vec::new(),
            known: HashSet::new(),
        }
    }

    fn row(&mut self, record: &Record) {
        if record.filled() == 0 {
            return;
        }
        if self.is_header(record) {
            self.all.repeated_headers += 1;
            return;
        }
        self.all.read += 1;
        if !record.fits(self.table.layout.width) {
            return self.all.rejects.add(Reason::FieldCount, record);
        }
        if !self.passes_filter(record) {
            self.all.filtered += 1;
            return;
        }
        match self.round(record) {
            Ok(row) => self.take(row, record),
            Err(reason) => self.all.rejects.add(reason, record),
        }
    }

    /// Returns whether the row is a header: the same one, or another that rearranges the columns.
    fn is_header(&mut self, record: &Record) -> bool {
        let Some(names) = &self.table.layout.names else { return false };
        let multiplier = record.get(self.columns.multiplier).unwrap_or_default();
        if self.columns.convention.read(multiplier).is_ok() {
            return false;
        }
        if layout::repeats(names, record) {
            return true;
        }
        let Some(names) =
            layout::new_header(record).filter(|names| names.len() == self.table.layout.width)
        else {
            return false;
        };
        let old = self.table.layout.names.iter().flatten();
        let moved = |column: usize| {
            let name = old.clone().nth(column)?;
            names.iter().position(|new| new.trim().eq_ignore_ascii_case(name.trim()))
        };
        let Some(multiplier) = moved(self.columns.multiplier) else { return false };
        let time = match self.columns.time {
            TimeSource::None => Some(TimeSource::None),
            TimeSource::Text(at) => moved(at).map(TimeSource::Text),
            TimeSource::Numbers(at, unit) => moved(at).map(|at| TimeSource::Numbers(at, unit)),
            TimeSource::DateAndClock(date, clock) => moved(date)
                .zip(moved(clock))
                .map(|(date, clock)| TimeSource::DateAndClock(date, clock)),
        };
        let Some(time) = time else { return false };
        self.columns.round_id = self.columns.round_id.and_then(moved);
        self.columns.counter = self.columns.counter.and_then(moved);
        self.columns.state = self.columns.state.and_then(moved);
        (self.columns.multiplier, self.columns.time) = (multiplier, time);
        true
    }

    fn passes_filter(&mut self, record: &Record) -> bool {
        if let (Some(filter), Some(column)) = (&self.options.filter, self.columns.filter) {
            return filter.takes(record.get(column).unwrap_or_default());
        }
        let Some(cell) = self.columns.state.and_then(|column| record.get(column)) else {
            return true;
        };
        count_state(&mut self.states, cell);
        true
    }

    fn round(&self, record: &Record) -> Result<Row, Reason> {
        let cell = record.get(self.columns.multiplier).unwrap_or_default();
        if is_empty(cell) {
            return Err(Reason::EmptyMultiplier);
        }
        let number = self.columns.convention.read(cell)?;
        if number.is_percentage && self.options.scale.is_none() {
            return Err(Reason::Multiplier);
        }
        let value = self.options.scale.unwrap_or(Scale::ONE).apply(number.value);
        if value > self.options.multiplier_max {
            return Err(Reason::TooLarge);
        }
        let multiplier = number_forms::multiplier(value).ok_or(Reason::BelowOne)?;
        Ok(Row { stamp: self.stamp(record)?, multiplier, line: record.line })
    }

    fn stamp(&self, record: &Record) -> Result<Option<Stamp>, Reason> {
        let cell = |column: usize| match record.get(column).unwrap_or_default() {
            cell if is_empty(cell) => Err(Reason::EmptyTime),
            cell => Ok(cell),
        };
        let stamp = match self.columns.time {
            TimeSource::None => return Ok(None),
            TimeSource::Text(column) => {
                let stamp = time_forms::read(cell(column)?)?.stamp(self.order)?;
                // Between dates, a time of day is a damaged row.
                if matches!(stamp, Stamp::TimeOfDay(_)) && self.options.date.is_none() {
                    return Err(Reason::Time);
                }
                stamp
            }
            TimeSource::Numbers(column, unit) => unit.stamp(cell(column)?)?,
            TimeSource::DateAndClock(date, clock) => {
                let text = format!("{} {}", cell(date)?, cell(clock)?);
                time_forms::read(&text)?.stamp(self.order)?
            }
        };
        Ok(Some(stamp))
    }

    fn take(&mut self, row: Row, record: &Record) {
        self.count_steps(record);
        let id =
            self.columns.round_id.and_then(|column| record.get(column)).filter(|id| !is_empty(id));
        if self.table.may_repeat && !self.known.insert(identity(id, row)) {
            self.all.repeated_rounds += 1;
            return;
        }
        let is_same_id = id.is_some_and(|id| id == self.last_id);
        if let Some(last) = self.all.rows.last().filter(|_| is_same_id) {
            if last.multiplier == row.multiplier {
                self.all.repeated_rounds += 1;
            } else {
                self.conflicts += 1;
                self.all.rejects.add(Reason::Conflict, record);
            }
            return;
        }
        self.last_id.clear();
        self.last_id.push_str(id.unwrap_or_default());
        self.all.rows.push(row);
    }

    fn count_steps(&mut self, record: &Record) {
        let cell = self.columns.counter.and_then(|column| record.get(column));
        let Some(value) = cell.and_then(|cell| cell.parse::<f64>().ok()) else { return };
        self.all.counter_steps[0] += u64::from(value > self.last_counter);
        self.all.counter_steps[1] += u64::from(value < self.last_counter);
        self.last_counter = value;
    }

    fn finish(mut self) -> Result<AllRows, Refusal> {
        if self.states.len() > 1 && self.options.filter.is_none() {
            let column = self.columns.state.unwrap_or_default();
            return Err(several_states(self.table, column, &self.states));
        }
        if self.conflicts > 2 && self.conflicts * 5 > self.all.rows.len() as u64 {
            let message = "the same round occurs in several rows with different multipliers, as in a recording of every \
                           tick; if a column marks the end of a round, name it and its value";
            return Err(Refusal::new(RefusalKind::SeveralRowsPerRound, message)
                .remedy("--where COLUMN=VALUE"));
        }
        if self.columns.round_id.is_none() && !self.table.may_repeat {
            self.drop_repeated_rows();
        }
        Ok(self.all)
    }

    /// Drops the repetitions of adjacent rows with the same time and multiplier, which are bets on one round: no game
    /// ends two rounds within a second. Where different multipliers share a time, it is the time at which a list was
    /// read, and proves nothing.
    fn drop_repeated_rows(&mut self) {
        let rows = &mut self.all.rows;
        let pairs = || {
            rows.windows(2).filter(|pair| pair[0].stamp.is_some() && pair[0].stamp == pair[1].stamp)
        };
        let same = pairs().filter(|pair| pair[0].multiplier == pair[1].multiplier).count();
        let different = pairs().count() - same;
        if different * 20 > same {
            return;
        }
        let before = rows.len();
        rows.dedup_by(|b, a| {
            a.stamp.is_some() && a.stamp == b.stamp && a.multiplier == b.multiplier
        });
        self.all.repeated_rounds += (before - rows.len()) as u64;
    }
}

fn identity(id: Option<&str>, row: Row) -> String {
    match (id, row.stamp) {
        (Some(id), _) => id.to_owned(),
        (None, Some(stamp)) => format!("{} {}", stamp.micros(), row.multiplier),
        // Without id and time, two rounds cannot be told from one.
        (None, None) => format!("line {}", row.line),
    }
}

/// Chooses the columns of a table by a sample of its rows.
pub(crate) fn columns(
    table: &Table,
    options: &Options,
) -> Result<(Columns, Vec<ColumnProfile>), Refusal> {
    let sample = table.sample()?;
    let width = table.layout.width;
    let fitting = sample.iter().filter(|row| row.fits(width)).count();
    if let Some(other) =
        sample.iter().find(|row| !row.fits(width)).filter(|_| fitting * 10 < sample.len())
    {
        let message = format!(
            "the header names {width} columns but line {} has {} fields ({}): unquoted decimal commas? \
             Save the file with semicolons between the columns",
            other.line,
            other.len(),
            other.excerpt(60)
        );
        return Err(Refusal::new(RefusalKind::FieldCount, message));
    }
    let names = table.layout.names.as_deref();
    let all = ColumnProfile::all(names, &sample, width);
    let Some(filter) = &options.filter else {
        return columns::choose(&all, options)
            .map(|columns| (columns, all.clone()))
            .map_err(|refusal| tick_by_tick(table, &all, &sample).unwrap_or(refusal));
    };
    let column = columns::find(&all, &filter.column, "--where")?;
    let rows: Vec<Record> = sample
        .into_iter()
        .filter(|row| filter.takes(row.get(column).unwrap_or_default()))
        .collect();
    let profiles = ColumnProfile::all(names, &rows, width);
    columns::choose(&profiles, options).map(|columns| (columns, profiles))
}

/// A column of states or of repeated ids explains why the multipliers are implausible.
fn tick_by_tick(table: &Table, profiles: &[ColumnProfile], sample: &[Record]) -> Option<Refusal> {
    let multiplier = profiles.iter().find(|it| it.role == Role::Multiplier)?.index;
    let Some(state) = profiles.iter().find(|it| it.is_state() && it.distinct.len() > 1) else {
        let id = profiles.iter().find(|it| columns::is_round_id(it))?.index;
        let is_tick = |pair: &&[Record]| {
            pair[0].get(id) == pair[1].get(id) && pair[0].get(multiplier) != pair[1].get(multiplier)
        };
        let ticks = sample.windows(2).filter(is_tick).count();
        return (ticks * 3 > sample.len()).then(several_rows);
    };
    let mut states: Vec<(String, u64)> = Vec::new();
    let cells = sample.iter().filter_map(|row| row.get(state.index));
    cells.for_each(|cell| count_state(&mut states, cell));
    let seen = || profiles.iter().map(ColumnProfile::describe).collect();
    Some(several_states(table, state.index, &states).with_columns(seen))
}

fn several_rows() -> Refusal {
    let message = "the same round occurs in several rows with different multipliers, as in a recording of every tick; if \
                   a column marks the end of a round, name it and its value";
    Refusal::new(RefusalKind::SeveralRowsPerRound, message).remedy("--where COLUMN=VALUE")
}

fn count_state(states: &mut Vec<(String, u64)>, cell: &str) {
    if let Some((_, count)) = states.iter_mut().find(|(known, _)| known == cell) {
        *count += 1;
    } else if states.len() < STATES_MAX && !is_empty(cell) {
        states.push((cell.to_owned(), 1));
    }
}

fn several_states(table: &Table, column: usize, states: &[(String, u64)]) -> Refusal {
    let names = table.layout.names.as_ref();
    let name = names.and_then(|names| names.get(column)).filter(|name| !name.is_empty());
    let name = name.cloned().unwrap_or_else(|| (column + 1).to_string());
    let counts: Vec<String> =
        states.iter().map(|(value, count)| format!("{value} in {count}")).collect();
    let message = format!(
        "the column `{name}` gives the state of a round, and not every row is the end of one ({} rows)",
        counts.join(", ")
    );
    let ends = states.iter().filter(|(value, _)| ends_round(value) == Some(true));
    let flag = |(value, _): &(String, u64)| {
        format!("--where {}", rounds::shell_word(&format!("{name}={value}")))
    };
    let mut refusal = Refusal::new(RefusalKind::SeveralRowsPerRound, message);
    refusal.remedies = ends.map(flag).collect();
    if refusal.remedies.is_empty() {
        refusal.remedies = states.iter().map(flag).collect();
        refusal = refusal.remedy(format!("--where {}", rounds::shell_word(&format!("{name}=*"))));
    }
    refusal
}
