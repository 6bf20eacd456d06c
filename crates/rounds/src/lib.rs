//! Rounds of a crash game and the files they are kept in.
//!
//! A row is committed by its newline: no reader here looks past the last one, and the writer writes
//! each row with one call and syncs it. Start reading at [`Round`], then [`RoundLog`] for writing and
//! [`scan::Directory`] for reading; `docs/csv-format.md` describes the files.
//!
//! Nothing here knows a runtime or a network, and time comes in with the rounds.

mod appender;
mod cursor;
pub mod disk;
mod event;
mod latest;
mod lock;
mod log;
mod merge;
mod multiplier;
mod name;
mod origin;
pub mod provably_fair;
mod repair;
mod round;
mod row;
pub mod scan;
mod timestamp;

pub use cursor::{Cursor, Piece, REJECTED_MAX, REJECTED_TEXT_MAX, Rejected};
pub use event::{Event, EventKind, EventLine};
pub use latest::{LastRoundsError, last_rounds};
pub use lock::LOCK_FILE;
pub use log::{LogError, RoundLog};
pub use merge::{FileCopy, FileRounds, Merged, merge};
pub use multiplier::{Multiplier, MultiplierError};
pub use origin::{ORIGIN_FILE, Origin};
pub use repair::Repair;
pub use round::Round;
pub use row::RejectReason;
