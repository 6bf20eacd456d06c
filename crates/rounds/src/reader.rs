//! Reads rounds out of the lines of a CSV file.
//!
//! The reader is strict: it takes the columns that a known header names, or those of a file without a header whose
//! columns are unmistakable. Any other file is refused with a [`Refusal`], which names the command that reads it,
//! because a wrong row is worse than a missing one: it can lead to a false verdict.

mod column_names;
mod columns;
mod fields;
mod file_format;
mod options;
mod other_format;
mod plausibility;
mod quick_row;
mod refusal;
mod reject_reason;
mod rejections;
mod row;
mod time_zone;

pub use column_names::{ColumnName, MULTIPLIER_NAMES, PERHAPS_MULTIPLIER_NAMES, TIME_NAMES};
pub(crate) use columns::columns_named;
pub(crate) use file_format::{Detected, FileFormat, detect};
pub use options::{EARLIEST, MAX_MULTIPLIER, ReadOptions, ReadSettings};
pub(crate) use quick_row::quick_row;
pub use refusal::{Implausible, OtherFormat, Refusal, TimeForm};
pub use reject_reason::RejectReason;
pub use rejections::{REJECTED_MAX, REJECTED_TEXT_MAX, Rejected, Rejections, RejectionsOfReason};
pub(crate) use row::{Row, RowError, instant, read_row, within};
pub(crate) use time_zone::Neighbour;
pub use time_zone::{ClockReading, TimeZoneError, TimeZoneOfRows, utc_offset};

/// The header line of the files we write, with its newline.
pub const HEADER: &str = "timestamp,multiplier\n";

/// A longer line is rejected without being kept in memory.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
