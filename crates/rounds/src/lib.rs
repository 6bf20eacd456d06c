//! Rounds of a crash game and the files they are kept in.
//!
//! A row is committed by its newline: no reader here looks past the last one, and the writer writes
//! each row with one call and syncs it. Start reading at [`Round`], then [`RoundLog`] for writing and
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
//! Nothing here knows a runtime or a network, and time comes in with the rounds.

pub mod align;
mod appender;
mod cursor;
pub mod disk;
mod event;
mod latest;
mod lock;
mod log;
mod log_error;
mod merge;
mod multiplier;
mod name;
mod origin;
pub mod provably_fair;
mod repair;
mod round;
mod row;
pub mod scan;
mod table;
mod timestamp;

pub use cursor::{Cursor, Piece, REJECTED_MAX, REJECTED_TEXT_MAX, Rejected};
pub use event::{Event, EventKind, EventLine};
pub use latest::{LastRoundsError, last_rounds};
pub use lock::LOCK_FILE;
pub use log::RoundLog;
pub use log_error::LogError;
pub use merge::{FileCopy, FileRounds, Merged, merge};
pub use multiplier::{Multiplier, MultiplierError};
pub use name::{csv_names, ours as run_of};
pub use origin::{ORIGIN_FILE, Origin};
pub use repair::Repair;
pub use round::Round;
pub use row::RejectReason;
pub use table::{Name, NameError};
