//! How the rows of a table are laid out: title lines, a header or none, and the number of columns.

use crate::column_profile::{ColumnProfile, is_empty};
use crate::columns;
use crate::delimiter::Delimiter;
use crate::header_names::{Role, normalised, role};
use crate::number_forms::Convention;
use crate::options::Options;
use crate::record::Record;
use crate::refusal::RefusalKind;
use crate::time_forms;

/// Number of lines that are searched for a header.
const HEADER_LINES: usize = 20;
/// Maximum length of a column's name.
const NAME_BYTES_MAX: usize = 80;
/// Names that R and pandas give to a column of row names without a header.
const UNNAMED: &str = "";

/// How the rows of a table are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The names of the columns, if a header names them.
    pub(crate) names: Option<Vec<String>>,
    pub(crate) width: usize,
    /// Rows before the first one of data: titles and the header.
    pub(crate) skip: usize,
}

impl Layout {
    /// Finds the header and the width of a table.
    pub(crate) fn of(rows: &[Record]) -> Self {
        let usual = usual_width(rows);
        let first = &rows[..rows.len().min(HEADER_LINES)];
        let known = first.iter().position(|row| has_known_name(row, usual));
        let header = known.or_else(|| first.iter().position(|row| is_header(row, rows, usual)));
        let Some(at) = header else {
            let skip = rows.iter().position(|row| row.len() == usual).unwrap_or(0);
            return Self { names: None, width: usual, skip };
        };
        let mut names: Vec<String> = rows[at].cells().map(str::to_owned).collect();
        while names.len() > 1 && names.len() > usual && names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        if has_row_names(&names, &rows[at + 1..], usual) {
            names.insert(0, UNNAMED.to_owned());
        }
        Self { width: names.len(), names: Some(names), skip: at + 1 }
    }

    /// Returns the rows of data.
    pub(crate) fn data<'a>(&self, rows: &'a [Record]) -> &'a [Record] {
        before_new_header(&rows[self.skip.min(rows.len())..])
    }
}

/// Returns the rows up to the next header, after which the columns may differ.
pub(crate) fn before_new_header(rows: &[Record]) -> &[Record] {
    let end = rows.iter().skip(1).position(|row| new_header(row).is_some());
    &rows[..end.map_or(rows.len(), |at| at + 1)]
}

fn usual_width(rows: &[Record]) -> usize {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for row in rows {
        match counts.iter_mut().find(|(width, _)| *width == row.len()) {
            Some((_, count)) => *count += 1,
            None => counts.push((row.len(), 1)),
        }
    }
    counts.into_iter().max_by_key(|(width, count)| (*count, *width)).map_or(0, |(width, _)| width)
}

/// Returns whether a row is a header with at least one known name.
fn has_known_name(row: &Record, usual: usize) -> bool {
    let is_title = || usual > 1 && row.len() < 2 && !is_known_name(row);
    !row.cells().any(is_value) && !is_title() && row.cells().any(|cell| role(cell) != Role::Unknown)
}

/// Returns whether a row may be a header of unknown names: texts only, above columns of values.
fn is_header(row: &Record, rows: &[Record], usual: usize) -> bool {
    let is_title = usual > 1 && row.len() < 2 || usual.abs_diff(row.len()) > 1;
    if is_title || row.filled() == 0 || row.cells().any(is_value) || row.cells().all(is_empty) {
        return false;
    }
    let mut below = rows.iter().skip_while(|other| other.line <= row.line).take(HEADER_LINES);
    below.any(|other| other.cells().any(is_value))
}

fn is_known_name(row: &Record) -> bool {
    row.cells().any(|cell| matches!(role(cell), Role::Multiplier | Role::MaybeMultiplier))
}

/// Returns whether a cell is a value and not a name: no name begins with a digit or is as long as a line.
fn is_value(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit())
        || cell.len() > NAME_BYTES_MAX
        || cell.contains(|c: char| c.is_ascii_digit())
            && (Convention::default().read(cell).is_ok()
                || time_forms::read(cell).is_ok()
                || cell.parse::<f64>().is_ok())
}

/// R writes one name fewer than there are columns, because the column of row names has none.
fn has_row_names(names: &[String], rows: &[Record], usual: usize) -> bool {
    if usual != names.len() + 1 {
        return false;
    }
    let longer: Vec<&Record> = rows.iter().filter(|row| row.len() == usual).collect();
    // In a file with unquoted decimal commas every row has one field too many as well, but below the names as they
    // stand its times are times.
    let time = names.iter().position(|name| role(name) == Role::Time);
    let are_times = |column: usize| {
        longer.iter().filter(|row| row.get(column).is_some_and(is_date)).count() * 2 > longer.len()
    };
    longer.len() * 10 > rows.len() * 9
        && time.is_none_or(|column| !are_times(column) || are_times(column + 1))
}

fn is_date(cell: &str) -> bool {
    time_forms::read(cell).is_ok()
}

/// A delimiter, and the table it makes of the sample.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    pub(crate) delimiter: Delimiter,
    pub(crate) layout: Layout,
}

/// Chooses the delimiter that yields a recording, or else the most regular table.
pub(crate) fn choose_delimiter(
    lines: &[String],
    named: Option<Delimiter>,
    options: &Options,
) -> Split {
    let candidates: Vec<Delimiter> = match named {
        Some(delimiter) => vec![delimiter],
        None => Delimiter::ALL.into_iter().filter(|it| occurs(*it, lines)).collect(),
    };
    let splits = candidates.into_iter().map(|delimiter| {
        let rows = rows(lines, delimiter);
        let layout = Layout::of(&rows);
        (score(&rows, &layout, options), Split { delimiter, layout })
    });
    let best = splits.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.expect("a table of one column is always a candidate").1
}

fn occurs(delimiter: Delimiter, lines: &[String]) -> bool {
    let within =
        |is: &dyn Fn(&str) -> bool| lines.iter().filter(|line| is(line)).count() * 2 >= lines.len();
    match delimiter {
        Delimiter::Char(char) => within(&|line| line.contains(char)),
        Delimiter::Spaces => within(&|line| line.trim().contains([' ', '\t'])),
        Delimiter::None => true,
    }
}

fn rows(lines: &[String], delimiter: Delimiter) -> Vec<Record> {
    let row = |(at, line): (u64, &String)| {
        let mut record = Record::at(at);
        delimiter.split(line, &mut record);
        record
    };
    (1..).zip(lines).map(row).collect()
}

fn score(rows: &[Record], layout: &Layout, options: &Options) -> u32 {
    let data = layout.data(rows);
    let profiles = ColumnProfile::all(layout.names.as_deref(), data, layout.width);
    let is_named = layout.names.iter().flatten().any(|name| role(name) == Role::Multiplier);
    let fitting = data.iter().filter(|row| row.fits(layout.width)).count();
    let even = fitting * 5 >= data.len() * 4;
    if is_named && layout.width > 1 && fitting * 10 < data.len() {
        return 50;
    }
    let base = match columns::choose(&profiles, options) {
        Ok(_) => 90,
        Err(refusal) => match refusal.kind {
            RefusalKind::NoMultiplierColumn | RefusalKind::NoSuchColumn => {
                return if even { 10 + u32::try_from(layout.width.min(9)).unwrap_or(9) } else { 5 };
            }
            RefusalKind::NotMultipliers => 40,
            _ => 60,
        },
    };
    base + if is_named { 6 } else { 0 } + if even { 3 } else { 0 }
}

/// Returns whether a row repeats the header.
pub(crate) fn repeats(names: &[String], row: &Record) -> bool {
    let same = |(name, cell): (&String, &str)| {
        name.as_str() == cell || normalised(name) == normalised(cell)
    };
    row.len() <= names.len() && row.filled() > 0 && names.iter().zip(row.cells()).all(same)
}

/// Returns the names of a row that is another header: it names a multiplier, and none of its cells is a value.
pub(crate) fn new_header(row: &Record) -> Option<Vec<String>> {
    let is_header = !row.cells().any(is_value) && is_known_name(row);
    is_header.then(|| row.cells().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(lines: &[&str]) -> (Delimiter, Layout) {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let split = choose_delimiter(&lines, None, &Options::new(chrono::DateTime::UNIX_EPOCH));
        (split.delimiter, split.layout)
    }

    #[test]
    fn a_header_is_found_below_titles() {
        let (delimiter, found) = layout(&[
            "My rounds of March",
            "Time;Crash",
            "2026-03-01 11:00:24;1,14",
            "2026-03-01 11:00:59;1,04",
        ]);
        assert_eq!(delimiter, Delimiter::Char(';'));
        assert_eq!(
            found,
            Layout { names: Some(vec!["Time".to_owned(), "Crash".to_owned()]), width: 2, skip: 2 }
        );
    }

    #[test]
    fn row_names_of_r_have_no_name() {
        let lines =
            ["timestamp,multiplier", "1,2026-03-01 11:00:24,1.14", "2,2026-03-01 11:00:59,1.04"];
        let names = layout(&lines).1.names.unwrap();
        assert_eq!(names, ["", "timestamp", "multiplier"]);
        // Unquoted decimal commas: the names stay in their places.
        let lines =
            ["timestamp,multiplier", "2026-03-01 11:00:24,1,14", "2026-03-01 11:00:59,1,04"];
        assert_eq!(layout(&lines).1.width, 2);
    }

    #[test]
    fn a_table_may_have_no_header() {
        let (_, found) = layout(&["2026-03-01 11:00:24,1.14x", "2026-03-01 11:00:59,1.04x"]);
        assert_eq!(found, Layout { names: None, width: 2, skip: 0 });
    }
}
