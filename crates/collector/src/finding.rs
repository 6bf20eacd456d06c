//! One result of `collector doctor`.

pub use daemon::finding::{Finding, FindingState};
