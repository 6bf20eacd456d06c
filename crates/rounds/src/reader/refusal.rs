//! Why no row of a file is read.

use serde::{Deserialize, Serialize};

use crate::{counted, shell_word};

/// Why no row of a file is read, although its name is that of a recording.
///
/// The text says what the file seems to hold; [`Refusal::command`] is the command that reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not a CSV file.
    #[error("it is {0}, not comma-separated text in UTF-8")]
    OtherFormat(OtherFormat),
    /// The header names no column of multipliers.
    #[error("no column is recognized as multipliers; its columns are {}", list(.columns))]
    NoMultiplierColumn {
        /// The names of all columns.
        columns: Vec<String>,
    },
    /// The header names several columns that may hold multipliers, and they differ.
    #[error("each of {} could hold the multipliers", list(.columns))]
    SeveralMultiplierColumns {
        /// The names of these columns.
        columns: Vec<String>,
    },
    /// The header names no column of times.
    #[error("no column is recognized as times; its columns are {}", list(.columns))]
    NoTimeColumn {
        /// The names of all columns.
        columns: Vec<String>,
    },
    /// The header names several columns that may hold times.
    #[error("each of {} could hold the times", list(.columns))]
    SeveralTimeColumns {
        /// The names of these columns.
        columns: Vec<String>,
    },
    /// It holds only multipliers.
    #[error("it holds multipliers but no times")]
    NoTimes,
    /// No header, and the rows do not show which column is which.
    #[error(
        "it has no header, and the rows do not show which columns hold times and multipliers ({})",
        .seen.join("; ")
    )]
    UnknownColumns {
        /// What each column holds: `column 1: times`.
        seen: Vec<String>,
    },
    /// Its times have a form that only the import reads.
    #[error("its times are {form}, such as `{example}`")]
    TimeForm {
        /// The form.
        form: TimeForm,
        /// One of them.
        example: String,
    },
    /// No multiplier has a form that is read without an import.
    #[error("no number in `{column}` can be read, such as `{example}`")]
    NumberForm {
        /// The column's name, or `column 2`.
        column: String,
        /// The first of them.
        example: String,
    },
    /// No row has as many fields as the header has names.
    #[error("its header names {}, but its rows have {}", counted(*.columns as u64, "column"), counted(*.fields as u64, "field"))]
    FieldCount {
        /// Names in the header.
        columns: usize,
        /// Fields in the first row.
        fields: usize,
    },
    /// Day and month of its dates can be read in two orders, and no row settles which.
    #[error("`{example}` could be {day_first} or {month_first}, and no row settles which")]
    DateOrder {
        /// One of the dates.
        example: String,
        /// That date, read with the day first.
        day_first: String,
        /// That date, read with the month first.
        month_first: String,
    },
    /// Whole numbers of at least 100.
    #[error("every multiplier is a whole number of at least 100: perhaps hundredths")]
    Hundredths,
    /// The column of multipliers holds something else.
    #[error("`{column}` does not look like multipliers: {why}")]
    NotMultipliers {
        /// The column's name, or `column 2`.
        column: String,
        /// What is wrong.
        why: Implausible,
    },
    /// Several rows per round: each names the state of the round.
    #[error("it has several rows per round: `{column}` holds `{first}` and `{second}`")]
    SeveralStates {
        /// The name of the column.
        column: String,
        /// One value of it.
        first: String,
        /// Another one.
        second: String,
    },
    /// Several rows with one round id and different multipliers.
    #[error("it has several multipliers for one round: `{id}` has {first} and {second}")]
    SeveralMultipliers {
        /// The id.
        id: String,
        /// One multiplier.
        first: String,
        /// Another one.
        second: String,
    },
}

/// A kind of file that is not CSV text in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OtherFormat {
    /// UTF-16 text, as spreadsheets export it.
    Utf16,
    /// A zip archive, the container of spreadsheets.
    Zip,
    /// A gzip archive.
    Gzip,
    /// A JSON array or object.
    Json,
    /// A JSON value per line.
    JsonLines,
    /// An HTML page.
    Html,
    /// Lines that end with only a carriage return.
    CarriageReturns,
    /// Columns separated by spaces.
    Spaces,
    /// Columns separated by vertical bars.
    Bars,
    /// No text at all.
    Binary,
}

/// A form of times that only the import reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TimeForm {
    /// `11:00:24 AM`.
    TwelveHours,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// Microseconds or nanoseconds since 1970.
    EpochFine,
    /// `2026/03/01` or `01/03/2026`.
    Slashes,
    /// `01.03.2026`.
    Dots,
    /// `Sun Mar 01 2026 11:00:24 GMT+0200`, or another text with the name of a month.
    MonthName,
    /// `11:00:24`.
    TimeOfDay,
    /// `2026-03-01`.
    DateOnly,
    /// `2026-03-01 11:00`.
    Minutes,
    /// `46082.4586`: days since 1900, as spreadsheets store them.
    SpreadsheetDays,
    /// None of these.
    Other,
}

/// What shows that a column does not hold multipliers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Implausible {
    /// No value has decimals.
    #[error("all are whole numbers")]
    WholeNumbers,
    /// Each value is above the one before, or each is below it.
    #[error("they only rise or only fall")]
    Monotonic,
    /// Too many values below 1.
    #[error("many are below 1")]
    BelowOne,
    /// Half of all multipliers of a crash game lie below 2.
    #[error("their median is not between 1.2 and 20")]
    Median,
    /// Nine of ten multipliers of a crash game lie below 10.
    #[error("none of them is below 10 and has decimals")]
    NoneSmall,
    /// Their decimals are nearly always the same, as those of prices.
    #[error("most have the same decimals")]
    SameDecimals,
    /// Another law describes the values better than that of a crash game.
    #[error(
        "they are not distributed like those of a crash game, half of which lie below 2 and a tenth above 10"
    )]
    Spread,
}

impl Refusal {
    /// Returns the command that reads such a file, for a file of this name; for a page, the one that records it.
    pub fn command(&self, file: &str) -> String {
        if let Self::OtherFormat(OtherFormat::Html) = self {
            return "collector --source browser".to_owned();
        }
        let flags = match self {
            Self::NoMultiplierColumn { .. } | Self::NotMultipliers { .. } => {
                " --multiplier-column NAME".to_owned()
            }
            Self::SeveralMultiplierColumns { columns } => {
                format!(" --multiplier-column {}", first(columns))
            }
            Self::NoTimes => " --no-times".to_owned(),
            Self::UnknownColumns { .. } => " --time-column 1 --multiplier-column 2".to_owned(),
            Self::TimeForm { form: TimeForm::TimeOfDay, .. } => " --date YYYY-MM-DD".to_owned(),
            Self::DateOrder { .. } => " --date-order day-first".to_owned(),
            Self::Hundredths => " --scale 0.01".to_owned(),
            Self::SeveralStates { column, second, .. } => {
                format!(" --where {}", shell_word(&format!("{column}={second}")))
            }
            // It knows more names of columns, and times in two of them.
            Self::NoTimeColumn { .. }
            | Self::SeveralTimeColumns { .. }
            | Self::OtherFormat(_)
            | Self::TimeForm { .. }
            | Self::NumberForm { .. }
            | Self::FieldCount { .. }
            | Self::SeveralMultipliers { .. } => String::new(),
        };
        format!("predictor import {}{flags}", shell_word(file))
    }
}

/// The first column, as a word of a command.
fn first(columns: &[String]) -> String {
    shell_word(columns.first().map_or("NAME", String::as_str))
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf16 => "text in UTF-16",
            Self::Zip => "a spreadsheet or zip archive",
            Self::Gzip => "a gzip archive",
            Self::Json => "JSON",
            Self::JsonLines => "JSON with one value per line",
            Self::Html => "HTML",
            Self::CarriageReturns => "text whose lines end with only a carriage return",
            Self::Spaces => "text separated by spaces",
            Self::Bars => "text separated by vertical bars",
            Self::Binary => "binary data",
        })
    }
}

impl std::fmt::Display for TimeForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TwelveHours => "in the twelve-hour form",
            Self::EpochSeconds => "seconds since 1970",
            Self::EpochMilliseconds => "milliseconds since 1970",
            Self::EpochFine => "micro- or nanoseconds since 1970",
            Self::Slashes => "dates with slashes",
            Self::Dots => "dates with dots",
            Self::MonthName => "dates with the name of the month",
            Self::TimeOfDay => "times of day without a date",
            Self::DateOnly => "dates without a time of day",
            Self::Minutes => "times without seconds",
            Self::Other => "in a form that only the import may know",
            Self::SpreadsheetDays => "days since 1900, as spreadsheets keep them",
        })
    }
}
