//! Rounds of a crash game and the files they are kept in.
//!
//! A row is committed by its newline: no reader reads past the last one, and the writer writes each
//! row with one call and syncs it. Start reading at [`Round`], then [`RoundLog`] for writing and
//! [`scan::Directory`] for reading; `docs/reference/csv-format.md` describes the files.
//!
//! ```
//! use rounds::scan::Directory;
//! use rounds::{Event, EventKind, Multiplier, Origin, Round, RoundLog};
//!
//! let dir = tempfile::tempdir()?;
//! let mut log = RoundLog::open(dir.path(), Origin::Simulated, "2025-12-10T19:32:35Z".parse()?)?;
//! let round = Round {
//!     time: "2025-12-10T19:32:58.123Z".parse()?,
//!     multiplier: Multiplier::from_cents(1206)?,
//! };
//! log.append(&round, &Event::new(EventKind::Live, "demo"))?;
//!
//! let changes = Directory::new(dir.path()).scan()?;
//! assert_eq!(changes[0].file, "aviator_payouts_20251210_193235.csv");
//! assert_eq!(changes[0].rounds, [round]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate uses no async runtime and no network, and reads no clock: times are passed in. Without
//! its feature `files` it does not use the file system either.

pub mod align;
#[cfg(feature = "files")]
mod appender;
mod counted;
#[cfg(feature = "files")]
mod csv_files;
#[cfg(feature = "files")]
mod cursor;
#[cfg(feature = "files")]
pub mod disk;
mod event;
#[cfg(feature = "files")]
mod event_file;
mod file_name;
#[cfg(feature = "files")]
mod last_rounds;
#[cfg(feature = "files")]
mod lock;
#[cfg(feature = "files")]
mod log;
#[cfg(feature = "files")]
mod log_error;
mod merge;
mod multiplier;
mod origin;
#[cfg(feature = "files")]
mod origin_file;
mod pace;
pub mod provably_fair;
#[cfg(feature = "files")]
mod reader;
mod reconciler;
#[cfg(feature = "files")]
mod referenced_text;
#[cfg(feature = "files")]
mod regular_file;
#[cfg(feature = "files")]
mod repair;
mod round;
#[cfg(feature = "files")]
pub mod scan;
mod shell_word;
mod table_name;
#[cfg(feature = "files")]
mod timestamp;

pub use counted::{counted, grouped};
#[cfg(feature = "files")]
pub use csv_files::csv_names;
#[cfg(feature = "files")]
pub use cursor::{Chunk, Cursor};
pub use event::{Event, EventKind, EventLine};
#[cfg(feature = "files")]
pub use event_file::{
    EVENT_BYTES_MAX, EVENT_FILE_SUFFIX, EventLineError, EventPosition, EventReader, csv_file_of,
    event_file_of, read_events,
};
pub use file_name::parse_file_name;
#[cfg(feature = "files")]
pub use file_name::{SUFFIX_MAX, file_stem};
#[cfg(feature = "files")]
pub use last_rounds::{LastRoundsError, last_rounds, last_rounds_with};
#[cfg(feature = "files")]
pub use lock::LOCK_FILE;
#[cfg(feature = "files")]
pub use log::RoundLog;
#[cfg(feature = "files")]
pub use log_error::LogError;
pub use merge::{
    CONFLICT_EXAMPLES_MAX, ClockOffset, Conflict, FileClock, FileCopy, FileRepeats, FileRounds,
    Merged, Overlap, OverlapEvidence, UnresolvedOverlap, in_time_order, merge,
};
pub use multiplier::{Multiplier, MultiplierError};
pub use origin::Origin;
#[cfg(feature = "files")]
pub use origin_file::ORIGIN_FILE;
pub use pace::{USUAL_RETURN, usual_gap};
#[cfg(feature = "files")]
pub use reader::{
    ClockReading, ColumnName, EARLIEST, HEADER, Implausible, LINE_BYTES_MAX, MAX_MULTIPLIER,
    MULTIPLIER_NAMES, OtherFormat, PERHAPS_MULTIPLIER_NAMES, REJECTED_MAX, REJECTED_TEXT_MAX,
    ReadOptions, ReadSettings, Refusal, RejectReason, Rejected, Rejections, RejectionsOfReason,
    TIME_NAMES, TimeForm, TimeZoneError, TimeZoneOfRows, utc_offset,
};
pub use reconciler::{Intake, Reconciler};
#[cfg(feature = "files")]
pub use referenced_text::referenced_text;
#[cfg(feature = "files")]
pub use regular_file::{
    file_identity, grants, open_regular, read_limited, read_regular, read_regular_text,
};
#[cfg(feature = "files")]
pub use repair::Repair;
pub use round::Round;
pub use shell_word::shell_word;
pub use table_name::{TableName, TableNameError};
