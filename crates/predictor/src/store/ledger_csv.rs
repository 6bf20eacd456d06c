//! The forecasts of the ledger as CSV, a chunk of rows at a time.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use forecasting::ledger::{Entry, ForecastPairing, LedgerForecast};
use rounds::open_regular;

/// Rows in a chunk.
const CHUNK_ROWS: usize = 512;
/// The header line.
pub(crate) const HEADER: &str = "round,predicted_at,after,model_version,predicted_multiplier,\
    calibrated_multiplier,kappa,scale,lo,hi,lo90,hi90,p_1_5,p_2,p_3,p_5,p_10,late,\
    timestamp,multiplier,inside,settled_at\n";

/// Selects the forecasts whose round ended at `from` or later and before `to`, and of these the newest
/// `limit`. The open forecast is selected unless there is a `to`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CsvFilter {
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) limit: usize,
}

/// Reads the selected forecasts of a ledger as rows of CSV.
#[derive(Debug)]
pub(crate) struct LedgerCsv {
    entries: Entries,
    filter: CsvFilter,
    /// Number of selected forecasts before the newest `limit`, still to be skipped.
    skip: usize,
}

impl LedgerCsv {
    /// Opens the file; with a limit it is read once to count.
    pub(crate) fn open(path: &Path, filter: CsvFilter) -> io::Result<Self> {
        let mut count = 0;
        if filter.limit < usize::MAX {
            let mut entries = Entries::open(path)?;
            while let Some(row) = entries.next()? {
                count += usize::from(filter.includes(&row));
            }
        }
        let skip = count.saturating_sub(filter.limit);
        Ok(Self { entries: Entries::open(path)?, filter, skip })
    }

    /// Returns the next rows as text; `None` after the last.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<String>> {
        let mut text = String::new();
        let mut rows = 0;
        while rows < CHUNK_ROWS {
            let Some(row) = self.entries.next()? else { break };
            if !self.filter.includes(&row) {
                continue;
            }
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            write_row(&mut text, &row);
            rows += 1;
        }
        Ok((rows > 0).then_some(text))
    }
}

impl CsvFilter {
    fn includes(&self, row: &LedgerForecast) -> bool {
        match row.settled {
            Some(settled) => {
                self.from.is_none_or(|from| settled.time >= from)
                    && self.to.is_none_or(|to| settled.time < to)
            }
            None => self.to.is_none(),
        }
    }
}

/// Reads the forecasts of the file in order, each with its settlement if it has one.
#[derive(Debug)]
struct Entries {
    lines: BufReader<File>,
    line: Vec<u8>,
    pairing: ForecastPairing,
    is_over: bool,
}

impl Entries {
    fn open(path: &Path) -> io::Result<Self> {
        let lines = BufReader::new(open_regular(path)?);
        Ok(Self { lines, line: Vec::new(), pairing: ForecastPairing::default(), is_over: false })
    }

    fn next(&mut self) -> io::Result<Option<LedgerForecast>> {
        while !self.is_over {
            self.line.clear();
            self.lines.read_until(b'\n', &mut self.line)?;
            if self.line.last() != Some(&b'\n') {
                // A last line without its newline is still being written.
                self.is_over = true;
                return Ok(self.pairing.take_open());
            }
            let found = Entry::read(&self.line).and_then(|entry| self.pairing.push(entry));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

fn write_row(text: &mut String, row: &LedgerForecast) {
    let LedgerForecast { forecast, settled } = row;
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let [p1, p2, p3, p5, p10] = forecast.probabilities;
    write!(
        text,
        "{},{},{},{},{},{},{},{},{},{},{},{},{p1},{p2},{p3},{p5},{p10},{},",
        forecast.round,
        time(forecast.issued_at),
        time(forecast.after),
        forecast.model_version,
        forecast.point(),
        forecast.median(),
        forecast.served_kappa(),
        forecast.law().map_or_else(String::new, |law| law.scale().to_string()),
        forecast.interval80.0,
        forecast.interval80.1,
        forecast.interval90.0,
        forecast.interval90.1,
        forecast.late,
    )
    .expect("writing to a string cannot fail");
    let end = settled.map_or_else(
        || ",,,".to_owned(),
        |it| {
            let (ended, settled) = (time(it.time), time(it.settled_at));
            format!("{ended},{},{},{settled}", it.actual, forecast.holds(it.actual))
        },
    );
    text.push_str(&end);
    text.push('\n');
}
