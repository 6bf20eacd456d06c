//! Recordings in workbooks of spreadsheet programs.

use std::fmt::{self, Write as _};
use std::io::Cursor;

use calamine::{Data, Range, Reader as _, open_workbook_auto_from_rs};
use chrono::{Datelike as _, Timelike as _};

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
    let mut row = Record::default();
    let mut text = String::new();
    let record = |(line, cells): (u64, &[Data])| {
        row.clear();
        row.line = line;
        for cell in cells {
            text.clear();
            write_text(cell, &mut text).expect("writing to a string cannot fail");
            row.push(&text);
        }
        (row.filled() > 0).then(|| row.clone())
    };
    rows.filter_map(record).collect()
}

/// Writes a cell as a text file would have it.
fn write_text(cell: &Data, text: &mut String) -> fmt::Result {
    match cell {
        Data::Empty => Ok(()),
        Data::Float(value) => write!(text, "{value}"),
        Data::Int(value) => write!(text, "{value}"),
        Data::Bool(value) => write!(text, "{value}"),
        Data::String(value) | Data::DateTimeIso(value) | Data::DurationIso(value) => {
            text.write_str(value)
        }
        Data::Error(error) => write!(text, "{error}"),
        Data::DateTime(serial) => match serial.as_datetime() {
            // A day is stored as a float: what is left below half a millisecond is noise.
            Some(time) => {
                let time = time + chrono::TimeDelta::microseconds(500);
                if serial.as_f64() >= 1.0 {
                    let (year, month, day) = (time.year(), time.month(), time.day());
                    write!(text, "{year:04}-{month:02}-{day:02} ")?;
                }
                let (hour, minute, second) = (time.hour(), time.minute(), time.second());
                let millis = time.nanosecond() / 1_000_000 % 1000;
                write!(text, "{hour:02}:{minute:02}:{second:02}.{millis:03}")
            }
            None => write!(text, "{}", serial.as_f64()),
        },
        #[expect(unreachable_patterns, reason = "the library may add kinds of cells")]
        other => write!(text, "{other}"),
    }
}
