//! Input while serving: the rounds of a directory's CSV files and the collector's events.

pub(crate) mod collector_events;
pub(crate) mod compact_rounds;
pub(crate) mod directory_tail;
pub(crate) mod file_stats;
pub(crate) mod fs_watcher;
pub(crate) mod recording_quality;
pub(crate) mod round_series;
