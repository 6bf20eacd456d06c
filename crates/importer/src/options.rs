//! The user's settings for a recording; the rest is detected.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use rounds::{MAX_MULTIPLIER, TimeZoneOfRows, shell_word};

use crate::number_forms::{DecimalSign, Scale};
use crate::time_forms::DateOrder;

/// How to read a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The column of multipliers: its name, or its number from 1.
    pub multiplier_column: Option<String>,
    /// The column of times: its name, or its number from 1.
    pub time_column: Option<String>,
    /// The factor for the numbers.
    pub scale: Option<Scale>,
    /// The decimal sign, where `1.090` or `1,090` is ambiguous.
    pub decimal: Option<DecimalSign>,
    /// Whether the newest round is in the first row; otherwise the times or the ids decide.
    pub is_reversed: bool,
    /// The zone of times without an offset.
    pub zone: TimeZoneOfRows,
    /// Whether the day or the month comes first; without it the rows decide.
    pub date_order: Option<DateOrder>,
    /// The day of the oldest row, for times of day.
    pub date: Option<NaiveDate>,
    /// Whether to generate times at the game's usual pace, because the recording has none.
    pub without_times: bool,
    /// Only rows with this value in this column.
    pub filter: Option<Filter>,
    /// Which of several tables: the sheet of a workbook, the path of an array in JSON.
    pub path: Option<String>,
    /// Largest accepted multiplier; larger ones are rejected.
    pub multiplier_max: f64,
    /// The current time; later rounds are rejected.
    pub now: DateTime<Utc>,
    /// The directory that commands in messages write to, unless it is the usual one.
    pub data_dir: Option<PathBuf>,
}

/// Which rows are rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Name of the column, or its number from 1.
    pub column: String,
    /// The value of that column in rows of rounds, compared without case; `*` for any.
    pub value: String,
}

impl Filter {
    /// Returns whether a row with this cell in the column is taken.
    pub(crate) fn takes(&self, cell: &str) -> bool {
        self.value == "*" || cell == self.value || cell.to_lowercase() == self.value.to_lowercase()
    }
}

impl std::str::FromStr for Filter {
    type Err = String;

    /// Parses `COLUMN=VALUE`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((column, value)) if !column.trim().is_empty() => {
                Ok(Self { column: column.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => Err(format!("expected COLUMN=VALUE, such as state=CRASHED, found `{text}`")),
        }
    }
}

impl Options {
    /// Returns options that leave everything to detection.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            multiplier_column: None,
            time_column: None,
            scale: None,
            decimal: None,
            is_reversed: false,
            zone: TimeZoneOfRows::Machine,
            date_order: None,
            date: None,
            without_times: false,
            filter: None,
            path: None,
            multiplier_max: MAX_MULTIPLIER,
            now,
            data_dir: None,
        }
    }

    /// Returns the equivalent flags of the command line.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut flag = |name: &str, value: Option<String>| {
            flags.extend(value.map(|value| format!("{name} {}", shell_word(&value))));
        };
        flag("--multiplier-column", self.multiplier_column.clone());
        flag("--time-column", self.time_column.clone());
        flag("--scale", self.scale.map(|scale| scale.as_f64().to_string()));
        flag("--decimal", self.decimal.map(|sign| sign.word().to_owned()));
        flag("--timezone", (self.zone != TimeZoneOfRows::Machine).then(|| self.zone.to_string()));
        flag("--date-order", self.date_order.map(|order| order.word().to_owned()));
        flag("--date", self.date.map(|date| date.to_string()));
        flag("--where", self.filter.as_ref().map(|it| format!("{}={}", it.column, it.value)));
        flag("--path", self.path.clone());
        flag("--data-dir", self.data_dir.as_ref().map(|dir| dir.display().to_string()));
        let limit = self.multiplier_max;
        flag("--max-multiplier", (limit != MAX_MULTIPLIER).then(|| limit.to_string()));
        let switches = [("--reverse", self.is_reversed), ("--no-times", self.without_times)];
        flags.extend(switches.into_iter().filter(|it| it.1).map(|it| it.0.to_owned()));
        flags
    }
}

impl DateOrder {
    /// Returns its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::DayFirst => "day-first",
            Self::MonthFirst => "month-first",
        }
    }
}

impl std::str::FromStr for DateOrder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::DayFirst, Self::MonthFirst];
        let found = known.into_iter().find(|order| order.word() == text);
        found.ok_or_else(|| format!("expected day-first or month-first, found `{text}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_say_what_was_given() {
        let mut options = Options::new(DateTime::UNIX_EPOCH);
        assert_eq!(options.flags(), Vec::<String>::new());
        options.multiplier_column = Some("final odds".to_owned());
        options.scale = Some(Scale::new(0.01).unwrap());
        options.filter = Some("state=CRASHED".parse().unwrap());
        options.without_times = true;
        let expected = [
            "--multiplier-column 'final odds'",
            "--scale 0.01",
            "--where state=CRASHED",
            "--no-times",
        ];
        assert_eq!(options.flags(), expected);
    }
}
