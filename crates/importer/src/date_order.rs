//! Whether a file puts the day or the month first: one answer for the whole file, decided by the rows that have only one reading.

use chrono::NaiveDate;

use crate::column_profile::is_empty;
use crate::record::{Record, excerpt};
use crate::refusal::{Refusal, RefusalKind};
use crate::table::{Step, Table};
use crate::time_forms::{self, DateOrder, DateText};

/// Which readings the dates of a file allow.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// The first ambiguous date.
    first: Option<(u32, u32, i32, String)>,
    /// The first date that can only be read with the day first, and the number of such dates.
    day_first: Option<String>,
    month_first: Option<String>,
    counts: [u64; 2],
}

/// Returns the order of a column of dates; `None` if no date needs one.
pub(crate) fn settle(table: &Table, column: usize) -> Result<Option<DateOrder>, Refusal> {
    let mut seen = Seen::default();
    let mut cursor = table.open()?;
    let mut record = Record::default();
    loop {
        match cursor.next(&mut record)? {
            Step::Row => seen.add(record.get(column).unwrap_or_default()),
            Step::OpenQuote => {}
            Step::End => return seen.order(),
        }
    }
}

impl Seen {
    fn add(&mut self, cell: &str) {
        if is_empty(cell) {
            return;
        }
        let Ok(parts) = time_forms::read(cell) else { return };
        let DateText::Either(a, b, year) = parts.date else { return };
        let (day, month) = (valid(year, b, a), valid(year, a, b));
        if self.first.is_none() && day && month {
            self.first = Some((a, b, year, excerpt(cell, 40)));
        }
        match (day, month) {
            (true, false) => {
                self.counts[0] += 1;
                self.day_first.get_or_insert_with(|| excerpt(cell, 40));
            }
            (false, true) => {
                self.counts[1] += 1;
                self.month_first.get_or_insert_with(|| excerpt(cell, 40));
            }
            _ => {}
        }
    }

    fn order(self) -> Result<Option<DateOrder>, Refusal> {
        let refuse = |message: String| {
            let refusal = Refusal::new(RefusalKind::DateOrder, message);
            Err(refusal.remedy("--date-order day-first").remedy("--date-order month-first"))
        };
        match (self.day_first, self.month_first, self.first) {
            (Some(day), Some(month), _) => refuse(format!(
                "the dates have no common order: {} rows such as `{day}` put the day first, {} rows such as `{month}` \
                 the month",
                self.counts[0], self.counts[1]
            )),
            (Some(_), None, _) => Ok(Some(DateOrder::DayFirst)),
            (None, Some(_), _) => Ok(Some(DateOrder::MonthFirst)),
            (None, None, None) => Ok(None),
            // 05/05/2026 is one day in both readings, but another row may not be.
            (None, None, Some((a, b, year, text))) => {
                let shown = |month, day| {
                    NaiveDate::from_ymd_opt(year, month, day)
                        .map_or_else(String::new, |date| date.format("%-d %B %Y").to_string())
                };
                refuse(format!(
                    "`{text}` is {} with the day first and {} with the month first, and no row settles it",
                    shown(b, a),
                    shown(a, b)
                ))
            }
        }
    }
}

fn valid(year: i32, month: u32, day: u32) -> bool {
    NaiveDate::from_ymd_opt(year, month, day).is_some()
}
