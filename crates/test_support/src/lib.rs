//! Code shared by the tests of several crates; a dependency of tests only.

mod capture_logs;
mod corpus;
mod faulty_disk;
pub mod options_page;
pub mod process_cost;
pub mod simulate;

pub use self::capture_logs::capture_logs;
pub use self::corpus::files_in;
pub use self::faulty_disk::{Fault, FaultyDisk};
