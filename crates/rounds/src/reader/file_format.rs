//! Detects from the first lines of a file what its columns hold, or why it is refused.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::Multiplier;
use crate::multiplier::{NumberForm, number_form};
use crate::reader::columns::{Columns, DELIMITERS, Header, header};
use crate::reader::fields::{Fields, fields};
use crate::reader::other_format::other_format;
use crate::reader::plausibility::{Doubt, Sample, doubt};
use crate::reader::{OtherFormat, Refusal, TimeForm, quick_row};
use crate::timestamp::{self, DateOrder, TimeError};

/// How the rows of one file are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FileFormat {
    pub(crate) columns: Columns,
    pub(crate) date_order: DateOrder,
    /// Whether a row has a decimal comma, so that `1.090` may be 1090.
    pub(crate) has_decimal_commas: bool,
    /// Whether a number such as `1.090` was read as 1.09.
    pub(crate) has_points_and_three: bool,
    /// The value of the state column in every row so far.
    pub(crate) state: Option<String>,
}

/// What the first lines of a file show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detected {
    /// How its rows are written, or why none is read.
    pub(crate) format: Result<FileFormat, Refusal>,
    /// Whether further lines cannot change it.
    pub(crate) is_final: bool,
}

/// Number of lines searched for a header, which titles and comments may precede.
const HEADER_LINES: usize = 10;

/// Number of rows that settle a file with an unambiguous header.
const ROWS_MIN: usize = 40;

/// Number of rows that settle a file whose multiplier column is guessed.
const GUESSED_ROWS_MIN: usize = 200;

/// Number of rows none of which is a round that is enough to refuse a file.
const UNREAD_MIN: usize = 5;

/// Maximum number of rows examined.
const ROWS_MAX: usize = 2000;

impl FileFormat {
    pub(crate) fn new(columns: Columns) -> Self {
        Self {
            columns,
            date_order: DateOrder::Open,
            has_decimal_commas: false,
            has_points_and_three: false,
            state: None,
        }
    }

    /// Returns the two readings of a line's ambiguous date.
    pub(crate) fn open_date_order(&self, line: &str) -> Option<Refusal> {
        let fields = fields(line.as_bytes(), self.columns.delimiter).ok()?;
        let date = fields.texts.get(self.columns.time)?.trim().get(..10)?.to_owned();
        let reading = |order: &str| {
            Some(NaiveDate::parse_from_str(&date, order).ok()?.format("%-d %B %Y").to_string())
        };
        let (day_first, month_first) = (reading("%d-%m-%Y")?, reading("%m-%d-%Y")?);
        Some(Refusal::DateOrder { example: date, day_first, month_first })
    }
}

/// Detects how the rows of a file are written.
///
/// `head` is the start of the file without a byte order mark, `is_cut` says that the file goes
/// on. Only whole lines count.
pub(crate) fn detect(head: &[u8], is_cut: bool) -> Detected {
    if let Some(other) = other_format(head) {
        return Detected { format: Err(Refusal::OtherFormat(other)), is_final: true };
    }
    let end = head.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let lines: Vec<&[u8]> = head[..end]
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty())
        .take(HEADER_LINES + ROWS_MAX)
        .collect();
    let found = lines.iter().take(HEADER_LINES).enumerate();
    let found = found.filter_map(|(at, line)| Some((at, header(line)?)));
    let mut lacking = None;
    for (at, header) in found {
        match header {
            Header::Known { columns, candidates } => {
                return below_header(columns, &candidates, &lines[at + 1..], is_cut);
            }
            Header::SeveralTimes { names } => {
                return refused(Refusal::SeveralTimeColumns { columns: names });
            }
            Header::Lacking { .. } => lacking = lacking.or(Some((at, header))),
        }
    }
    if let Some((at, Header::Lacking { names, has_time, has_multiplier })) = lacking {
        return refused(lacking_columns(names, has_time, has_multiplier, &lines[at + 1..]));
    }
    without_header(&lines, is_cut)
}

fn refused(refusal: Refusal) -> Detected {
    Detected { format: Err(refusal), is_final: true }
}

fn lacking_columns(
    names: Vec<String>,
    has_time: bool,
    has_multiplier: bool,
    rows: &[&[u8]],
) -> Refusal {
    if names.len() == 1 {
        // `time multiplier` is one field unless spaces separate.
        if has_multiplier && rows.iter().all(|row| !row.contains(&b' ')) {
            return Refusal::NoTimes;
        }
        return Refusal::OtherFormat(OtherFormat::Spaces);
    }
    if has_time {
        Refusal::NoMultiplierColumn { columns: names }
    } else {
        Refusal::NoTimeColumn { columns: names }
    }
}

/// The rows below a known header.
fn below_header(columns: Columns, candidates: &[usize], rows: &[&[u8]], is_cut: bool) -> Detected {
    let rows = Rows::new(rows, columns.delimiter);
    if columns.are_as_ours() && rows.lines.first().is_some_and(|line| is_our_row(line)) {
        return Detected { format: Ok(FileFormat::new(columns)), is_final: true };
    }
    if let [first, .., last] = candidates
        && candidates.iter().any(|&other| rows.differ(*first, other))
    {
        let names = [*first, *last].map(|at| columns.name(at)).to_vec();
        return refused(Refusal::SeveralMultiplierColumns { columns: names });
    }
    if let Some(refusal) = rows.other_count(&columns) {
        return refused(refusal);
    }
    let needed = if columns.is_certain { ROWS_MIN } else { GUESSED_ROWS_MIN };
    let is_final = is_cut || rows.fields.len() >= needed;
    Detected { format: judged(FileFormat::new(columns), &rows), is_final }
}

/// Returns whether a row has exactly the form in which a collector writes it: an instant in UTC with `T` and `Z`,
/// and a multiplier with decimals. A file that begins so is read without further checks.
fn is_our_row(line: &[u8]) -> bool {
    let is_instant = line.get(10) == Some(&b'T') && line.windows(2).any(|pair| pair == b"Z,");
    let has_decimals =
        line.rsplit(|&byte| byte == b',').next().is_some_and(|it| it.contains(&b'.'));
    is_instant && has_decimals && quick_row(&[line, &b"\n"[..]].concat()).is_some()
}

/// Looks at the values of a file whose columns are known.
fn judged(mut format: FileFormat, rows: &Rows<'_>) -> Result<FileFormat, Refusal> {
    let columns = &format.columns;
    format.date_order = rows.date_order(columns.time);
    if let Some(refusal) = rows.time_form(columns, format.date_order) {
        return Err(refusal);
    }
    if let Some(column) = columns.state {
        let mut states = rows.column(column).filter(|text| !text.is_empty());
        if let Some(first) = states.next() {
            if let Some(second) = states.find(|text| *text != first) {
                return Err(several_states(columns, first, second));
            }
            format.state = Some(first.to_owned());
        }
    }
    let texts: Vec<&str> = rows.column(columns.multiplier).collect();
    if let Some(refusal) = rows.several_multipliers(columns) {
        return Err(refusal);
    }
    let sample: Vec<Sample> = texts.iter().filter_map(|text| sample_of(text)).collect();
    match doubt(&sample, columns.prior()) {
        Some(Doubt::Hundredths) => return Err(Refusal::Hundredths),
        Some(Doubt::Implausible(why)) => {
            let column = columns.name(columns.multiplier);
            return Err(Refusal::NotMultipliers { column, why });
        }
        None => {}
    }
    let mut filled = texts.iter().filter(|text| !text.is_empty());
    if let Some(first) = filled.clone().next()
        && filled.clone().count() >= UNREAD_MIN
        && filled.all(|text| text.parse::<Multiplier>().is_err())
    {
        let column = columns.name(columns.multiplier);
        return Err(Refusal::NumberForm { column, example: first.chars().take(60).collect() });
    }
    format.has_decimal_commas =
        texts.iter().any(|text| number_form(text) == NumberForm::DecimalComma);
    Ok(format)
}

pub(crate) fn several_states(columns: &Columns, first: &str, second: &str) -> Refusal {
    Refusal::SeveralStates {
        column: columns.name(columns.state.unwrap_or_default()),
        first: first.to_owned(),
        second: second.to_owned(),
    }
}

/// Returns the number in a field, also one below 1, to judge the column.
fn sample_of(text: &str) -> Option<Sample> {
    let has_decimals = text.contains(['.', ',']);
    if let Ok(multiplier) = text.parse::<Multiplier>() {
        return Some(Sample { value: multiplier.as_f64(), has_decimals });
    }
    let value = text.trim().replace(',', ".").parse::<f64>().ok()?;
    value.is_finite().then_some(Sample { value, has_decimals })
}

/// A file without a known header.
fn without_header(lines: &[&[u8]], is_cut: bool) -> Detected {
    let enough = is_cut || lines.len() >= GUESSED_ROWS_MIN;
    let mut formats = Vec::new();
    let mut refusals = Vec::new();
    for delimiter in DELIMITERS {
        match shown_with(lines, delimiter) {
            Shown::Format(format) => formats.push(*format),
            Shown::Refusal(refusal) => refusals.push(refusal),
            Shown::Nothing => {}
        }
    }
    if formats.len() == 1 {
        return Detected { format: Ok(formats.remove(0)), is_final: enough };
    }
    let refusal = refusals.into_iter().next().unwrap_or_else(|| undelimited(lines));
    Detected { format: Err(refusal), is_final: enough }
}

/// Returns why a file is refused in which no delimiter separates columns.
fn undelimited(lines: &[&[u8]]) -> Refusal {
    let texts: Vec<&str> = lines.iter().filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let most = |is: &dyn Fn(&str) -> bool| {
        let count = texts.iter().filter(|text| is(text)).count();
        count > 0 && count * 2 >= texts.len()
    };
    let is_number = |text: &str| sample_of(text).is_some();
    if most(&|text| is_number(text)) {
        return Refusal::NoTimes;
    }
    if most(&|text| text.contains('|')) {
        return Refusal::OtherFormat(OtherFormat::Bars);
    }
    if most(&|text| text.split_whitespace().count() >= 2 && text.split_whitespace().any(is_number))
    {
        return Refusal::OtherFormat(OtherFormat::Spaces);
    }
    Refusal::UnknownColumns { seen: vec!["no column of numbers".to_owned()] }
}

/// What the rows show with one delimiter.
enum Shown {
    Format(Box<FileFormat>),
    Refusal(Refusal),
    Nothing,
}

fn shown_with(lines: &[&[u8]], delimiter: u8) -> Shown {
    let all = Rows::new(lines, delimiter);
    let count = all.usual_count();
    if count < 2 {
        return Shown::Nothing;
    }
    let rows = all.of_count(count);
    // A first line without any number or time is a header of unknown names.
    if let Some(first) = rows.fields.first()
        && rows.fields.len() > 1
        && first.texts.iter().all(|text| !text.trim().is_empty() && kind_of(text) == Kind::Text)
    {
        let columns: Vec<String> = first.texts.iter().map(|name| name.trim().to_owned()).collect();
        let has_times = (0..count).any(|column| rows.share(column, Kind::Time, 1) > 0.9);
        return Shown::Refusal(if has_times {
            Refusal::NoMultiplierColumn { columns }
        } else {
            Refusal::NoTimeColumn { columns }
        });
    }
    let columns_of = |kind: Kind| -> Vec<usize> {
        (0..count).filter(|&column| rows.share(column, kind, 0) > 0.5).collect()
    };
    let (times, numbers) = (columns_of(Kind::Time), columns_of(Kind::Number));
    let is_every_time = |column: usize| rows.share(column, Kind::Time, 0) >= 0.95;
    // Besides the multipliers only ids are allowed: columns with a whole number in every row of
    // many.
    let is_whole = |column: &usize| rows.column(*column).all(|text| !text.contains(['.', ',']));
    let fractions: Vec<usize> = numbers.iter().copied().filter(|at| !is_whole(at)).collect();
    let others_are_ids = numbers.len() == 1 || rows.fields.len() >= ROWS_MIN;
    if let (&[time], &[multiplier], true) = (&times[..], &fractions[..], others_are_ids)
        && is_every_time(time)
    {
        let columns = Columns {
            delimiter,
            time,
            multiplier,
            count,
            names: Vec::new(),
            is_certain: false,
            ..Columns::ours()
        };
        return match judged(FileFormat::new(columns), &rows) {
            Ok(format) => Shown::Format(Box::new(format)),
            Err(refusal) => Shown::Refusal(refusal),
        };
    }
    Shown::Refusal(Refusal::UnknownColumns { seen: rows.describe(count) })
}

/// What a field holds, judged on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Time,
    Number,
    Text,
}

fn kind_of(text: &str) -> Kind {
    if timestamp::general(text, DateOrder::Open) != Err(TimeError::NotATime) {
        Kind::Time
    } else if sample_of(text).is_some() {
        Kind::Number
    } else {
        Kind::Text
    }
}

/// The rows of the start of a file, split into fields.
struct Rows<'a> {
    lines: Vec<&'a [u8]>,
    fields: Vec<Fields>,
}

impl<'a> Rows<'a> {
    fn new(lines: &[&'a [u8]], delimiter: u8) -> Self {
        let split = lines.iter().filter_map(|line| Some((*line, fields(line, delimiter).ok()?)));
        let (lines, fields) = split.unzip();
        Self { lines, fields }
    }

    /// Returns the non-empty fields of a column.
    fn column(&self, column: usize) -> impl Iterator<Item = &str> {
        self.fields.iter().filter_map(move |row| Some(row.texts.get(column)?.trim()))
    }

    /// Returns the number of fields that most rows have.
    fn usual_count(&self) -> usize {
        let mut counts: Vec<usize> = self.fields.iter().map(|row| row.texts.len()).collect();
        counts.sort_unstable();
        counts.chunk_by(|a, b| a == b).max_by_key(|chunk| chunk.len()).map_or(0, |chunk| chunk[0])
    }

    fn of_count(self, count: usize) -> Self {
        let kept = self.lines.into_iter().zip(self.fields);
        let (lines, fields) = kept.filter(|(_, row)| row.texts.len() == count).unzip();
        Self { lines, fields }
    }

    /// Returns the share of rows after the first ones whose field in this column is of a kind.
    fn share(&self, column: usize, kind: Kind, left_out: usize) -> f64 {
        let rows = &self.fields[left_out.min(self.fields.len())..];
        let hits =
            rows.iter().filter(|row| row.texts.get(column).map(|it| kind_of(it)) == Some(kind));
        if rows.is_empty() { 0.0 } else { hits.count() as f64 / rows.len() as f64 }
    }

    /// Returns whether two columns of multipliers differ in a row.
    fn differ(&self, one: usize, other: usize) -> bool {
        self.fields.iter().any(|row| {
            let value = |column: usize| row.texts.get(column).and_then(|text| sample_of(text));
            value(one).map(|it| it.value) != value(other).map(|it| it.value)
        })
    }

    /// Returns the order of day and month in most of the unambiguous rows.
    fn date_order(&self, column: usize) -> DateOrder {
        let shown: Vec<DateOrder> =
            self.column(column).filter_map(timestamp::settled_order).collect();
        let day_first = shown.iter().filter(|&&order| order == DateOrder::DayFirst).count();
        if shown.is_empty() {
            DateOrder::Open
        } else if day_first * 2 >= shown.len() {
            DateOrder::DayFirst
        } else {
            DateOrder::MonthFirst
        }
    }

    /// Returns the form of the times, if none of them can be read here.
    fn time_form(&self, columns: &Columns, order: DateOrder) -> Option<Refusal> {
        let texts = || self.column(columns.time).filter(|text| !text.is_empty());
        if texts().any(|text| timestamp::general(text, order) != Err(TimeError::NotATime)) {
            return None;
        }
        let known = texts().find_map(|text| Some((time_form(text)?, text)));
        let other = || {
            let first = texts().next()?;
            (texts().count() >= UNREAD_MIN).then_some((TimeForm::Other, first))
        };
        let (form, text) = known.or_else(other)?;
        Some(Refusal::TimeForm { form, example: text.chars().take(60).collect() })
    }

    /// Returns that no row has as many fields as the header.
    fn other_count(&self, columns: &Columns) -> Option<Refusal> {
        let is_other =
            |row: &Fields| row.texts.len() > columns.count || row.written < columns.count;
        let is_refused = self.fields.len() >= UNREAD_MIN && self.fields.iter().all(is_other);
        is_refused.then(|| Refusal::FieldCount {
            columns: columns.count,
            fields: self.fields[0].written.max(self.fields[0].texts.len()),
        })
    }

    /// Returns two adjacent rows with the same round id and different multipliers.
    ///
    /// One such pair among many rows may be an error; in a recording of ticks they are the rule.
    fn several_multipliers(&self, columns: &Columns) -> Option<Refusal> {
        let id = columns.id?;
        let pairs: Vec<(&Fields, &Fields)> = self
            .fields
            .windows(2)
            .map(|pair| (&pair[0], &pair[1]))
            .filter(|(one, other)| {
                let at = |row: &'_ Fields, column: usize| {
                    row.texts.get(column).map(|it| it.trim().to_owned())
                };
                at(one, id).is_some_and(|it| !it.is_empty())
                    && at(one, id) == at(other, id)
                    && at(one, columns.multiplier) != at(other, columns.multiplier)
            })
            .collect();
        let (one, other) = pairs.first()?;
        (pairs.len() * 20 >= self.fields.len()).then(|| Refusal::SeveralMultipliers {
            id: one.texts[id].trim().to_owned(),
            first: one.texts[columns.multiplier].trim().to_owned(),
            second: other.texts[columns.multiplier].trim().to_owned(),
        })
    }

    /// Describes what each column holds.
    fn describe(&self, count: usize) -> Vec<String> {
        let describe = |column: usize| {
            let whole = |text: &str| !text.contains(['.', ',']);
            let holds = if self.share(column, Kind::Time, 0) > 0.5 {
                "times"
            } else if self.share(column, Kind::Number, 0) <= 0.5 {
                "text"
            } else if self.column(column).all(whole) {
                "whole numbers"
            } else {
                "numbers"
            };
            let example: String =
                self.column(column).next().unwrap_or_default().chars().take(30).collect();
            format!("column {}: {holds}, such as `{example}`", column + 1)
        };
        (0..count.min(12)).map(describe).collect()
    }
}

/// The names of the months in dates.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Returns the form of a time that only the import reads.
fn time_form(text: &str) -> Option<TimeForm> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let lower = text.to_ascii_lowercase();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    Some(match (digits, text.len()) {
        (true, 10) => TimeForm::EpochSeconds,
        (true, 13) => TimeForm::EpochMilliseconds,
        (true, 16 | 19) => TimeForm::EpochFine,
        _ if lower.ends_with("am")
            || lower.ends_with("pm")
            || lower.ends_with("a.m.")
            || lower.ends_with("p.m.") =>
        {
            TimeForm::TwelveHours
        }
        _ if MONTHS.iter().any(|month| lower.contains(month)) => TimeForm::MonthName,
        _ if shape.starts_with("0000/")
            || shape.starts_with("00/00/")
            || shape.starts_with("0/")
            || shape.starts_with("00/0/") =>
        {
            TimeForm::Slashes
        }
        _ if shape.starts_with("00.00.0")
            || shape.starts_with("0.0") && shape.contains(':')
            || shape.starts_with("0000.00.") =>
        {
            TimeForm::Dots
        }
        _ if shape.starts_with("00:00") || shape.starts_with("0:00") => TimeForm::TimeOfDay,
        _ if shape == "0000-00-00" || shape == "00-00-0000" => TimeForm::DateOnly,
        _ if matches!(
            shape.as_str(),
            "0000-00-00 00:00" | "0000-00-00T00:00" | "00-00-0000 00:00"
        ) =>
        {
            TimeForm::Minutes
        }
        _ if shape.starts_with("0000000000.") => TimeForm::EpochSeconds,
        _ if shape.starts_with("00000.") || shape.starts_with("00000,") => {
            TimeForm::SpreadsheetDays
        }
        _ => return None,
    })
}
