//! Recordings in workbooks of spreadsheet programs.

use std::io::Cursor;

use calamine::{Data, Range, Reader as _, open_workbook_auto_from_rs};
use chrono::Timelike as _;

use crate::options::Options;
use crate::record::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::rows;
use crate::source::Source;
use crate::table::Table;

/// Returns the table of a workbook: its only sheet that is a recording, or the one that `--path` names.
pub(crate) fn table(source: &Source, options: &Options) -> Result<Table, Refusal> {
    let damaged = |error: calamine::Error| {
        Refusal::new(RefusalKind::Container, format!("the workbook cannot be read: {error}"))
    };
    let bytes = Cursor::new(source.read_all()?);
    let mut book = open_workbook_auto_from_rs(bytes).map_err(damaged)?;
    let mut sheets: Vec<(String, Table)> = Vec::new();
    for (name, range) in book.worksheets() {
        let is_wanted = options.path.as_ref().is_none_or(|path| *path == name);
        let rows = records(&range);
        if is_wanted && !rows.is_empty() {
            let table = Table::held(None, rows, &format!("workbook, sheet `{name}`"));
            sheets.push((name, table));
        }
    }
    if sheets.is_empty() {
        let message = match &options.path {
            Some(path) => format!("the workbook has no sheet `{path}` with rows"),
            None => "the workbook has no rows".to_owned(),
        };
        return Err(Refusal::new(RefusalKind::Empty, message));
    }
    choose(sheets, options)
}

fn choose(mut sheets: Vec<(String, Table)>, options: &Options) -> Result<Table, Refusal> {
    if sheets.len() > 1 {
        let good: Vec<bool> =
            sheets.iter().map(|(_, table)| rows::columns(table, options).is_ok()).collect();
        let mut is_good = good.iter().copied();
        if good.iter().any(|good| *good) {
            sheets.retain(|_| is_good.next().unwrap_or(false));
        }
    }
    if let [(first, _), (second, _), ..] = sheets.as_slice()
        && options.path.is_none()
    {
        let message = format!(
            "the workbook has several sheets that may be recordings, such as `{first}` and `{second}`"
        );
        let mut refusal = Refusal::new(RefusalKind::SeveralTables, message);
        for (name, _) in sheets.iter().take(8) {
            refusal = refusal.remedy(format!("--path {}", rounds::shell_word(name)));
        }
        return Err(refusal);
    }
    Ok(sheets.swap_remove(0).1)
}

fn records(range: &Range<Data>) -> Vec<Record> {
    let first = range.start().map_or(0, |(row, _)| u64::from(row));
    let rows = (first + 1..).zip(range.rows());
    let records = rows.map(|(line, cells)| Record::of(cells.iter().map(text), line));
    records.filter(|record| record.filled() > 0).collect()
}

/// Returns a cell as a text file would have it.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::Float(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Error(error) => error.to_string(),
        Data::DateTime(serial) => match serial.as_datetime() {
            // A day is stored as a float: what is left below half a millisecond is noise.
            Some(time) => {
                let time = time + chrono::TimeDelta::microseconds(500);
                let form = if serial.as_f64() < 1.0 { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
                format!("{}.{:03}", time.format(form), time.nanosecond() / 1_000_000 % 1000)
            }
            None => serial.as_f64().to_string(),
        },
        #[expect(unreachable_patterns, reason = "the library may add kinds of cells")]
        other => other.to_string(),
    }
}
