//! Logs and counts the changes that a scan found, and passes them on to the series.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use rounds::RejectReason;
use rounds::scan::{Change, ChangeKind};

use crate::input::round_series::FileChange;
use serde::Serialize;

/// Rejected rows listed individually.
pub(crate) const REJECTED_MAX: usize = 20;

/// The files that were read, and the rejected rows.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Data {
    pub(crate) files: Vec<DataFile>,
    pub(crate) rejected_rows: u64,
    /// For `/metrics`.
    #[serde(skip)]
    pub(crate) rejected_by_reason: Vec<(&'static str, u64)>,
    pub(crate) rejected_recent: Vec<RejectedRow>,
    pub(crate) torn_bytes: u64,
    pub(crate) duplicates_removed: u64,
    pub(crate) watch: &'static str,
    pub(crate) rebuilds: u64,
    pub(crate) last_error: Option<String>,
}

/// One CSV file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DataFile {
    pub(crate) name: String,
    pub(crate) records: u64,
    pub(crate) rejected: u64,
}

/// A rejected row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RejectedRow {
    pub(crate) file: String,
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// Row counts of each file, and the latest rejected rows.
#[derive(Debug)]
pub(crate) struct FileStats {
    dir: PathBuf,
    files: BTreeMap<String, FileCounts>,
    rejected_recent: VecDeque<RejectedRow>,
}

#[derive(Debug, Clone, Default)]
struct FileCounts {
    records: u64,
    rejected: u64,
    torn_bytes: u64,
    /// Rejected rows by reason, as far as the scan reported reasons.
    by_reason: BTreeMap<&'static str, u64>,
}

/// Reason given for the remaining rejected rows: a scan reports only a limited number of reasons.
const UNREPORTED: &str = "unreported";

impl FileStats {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), files: BTreeMap::new(), rejected_recent: VecDeque::new() }
    }

    /// Counts and logs the changes, and returns them as changes of the series.
    pub(crate) fn record(&mut self, changes: Vec<Change>) -> Vec<(String, FileChange)> {
        changes.into_iter().filter_map(|change| self.record_one(change)).collect()
    }

    fn record_one(&mut self, mut change: Change) -> Option<(String, FileChange)> {
        self.log(&change);
        self.count(&change);
        for rejected in std::mem::take(&mut change.rejected) {
            let reason = rejected.reason.to_string();
            let row = RejectedRow { file: change.file.clone(), line: rejected.line, reason };
            self.rejected_recent.push_front(row);
        }
        self.rejected_recent.truncate(REJECTED_MAX);
        let change_of_series = match change.kind {
            ChangeKind::Appended if change.rounds.is_empty() => return None,
            ChangeKind::New | ChangeKind::Appended => FileChange::Appended(change.rounds),
            ChangeKind::Replaced => FileChange::Replaced(change.rounds),
            ChangeKind::Removed => FileChange::Removed,
            // The earlier rows still count.
            _ => return None,
        };
        Some((change.file, change_of_series))
    }

    fn count(&mut self, change: &Change) {
        if change.kind == ChangeKind::Removed {
            self.files.remove(&change.file);
            return;
        }
        let counts = self.files.entry(change.file.clone()).or_default();
        counts.records = change.total;
        counts.rejected = change.rejected_total;
        counts.torn_bytes = change.torn_bytes;
        if matches!(change.kind, ChangeKind::New | ChangeKind::Replaced) {
            counts.by_reason.clear();
        }
        for rejected in &change.rejected {
            *counts.by_reason.entry(rejected.reason.word()).or_default() += 1;
        }
    }

    /// Returns the number of rejected rows for each reason.
    fn by_reason(&self) -> Vec<(&'static str, u64)> {
        let of = |word: &'static str| {
            let counts = self.files.values().filter_map(|counts| counts.by_reason.get(word));
            (word, counts.sum())
        };
        let mut all: Vec<(&'static str, u64)> = RejectReason::WORDS.map(of).to_vec();
        let reported: u64 = all.iter().map(|(_, count)| count).sum();
        let rejected: u64 = self.files.values().map(|counts| counts.rejected).sum();
        all.push((UNREPORTED, rejected.saturating_sub(reported)));
        all
    }

    fn log(&self, change: &Change) {
        let (file, total) = (&change.file, change.total);
        let path = self.dir.join(file);
        match change.kind {
            ChangeKind::New => tracing::info!("🔄 New data detected in {file} ({total} records)"),
            ChangeKind::Appended => {
                tracing::info!("📝 CSV file updated: {}", path.display());
                if !change.rounds.is_empty() {
                    tracing::info!("🔄 New data detected in {file} ({total} records)");
                }
            }
            ChangeKind::Replaced => {
                tracing::warn!("📝 CSV file replaced: {} ({total} records)", path.display());
            }
            ChangeKind::Removed => tracing::warn!("📝 CSV file removed: {}", path.display()),
            ChangeKind::Unreadable => {
                let error = change.error.as_deref().unwrap_or("unknown error");
                tracing::warn!("📝 CSV file cannot be read: {}: {error}", path.display());
            }
            _ => tracing::debug!("📝 CSV file updated: {}", path.display()),
        }
        if change.rejected_count > 0 {
            let first = change.rejected.first();
            tracing::warn!(
                "{} of {} rows of {} are not rounds and are left out{}",
                change.rejected_count,
                change.rounds.len() as u64 + change.rejected_count,
                path.display(),
                first.map_or_else(String::new, |it| format!(
                    "; the first is line {}: {}",
                    it.line, it.reason
                )),
            );
        }
    }

    /// Returns the counts as the API shows them; the snapshot builder fills in the other fields.
    pub(crate) fn view(&self) -> Data {
        let file = |(name, counts): (&String, &FileCounts)| DataFile {
            name: name.clone(),
            records: counts.records,
            rejected: counts.rejected,
        };
        Data {
            files: self.files.iter().map(file).collect(),
            rejected_rows: self.files.values().map(|counts| counts.rejected).sum(),
            rejected_by_reason: self.by_reason(),
            rejected_recent: self.rejected_recent.iter().cloned().collect(),
            torn_bytes: self.files.values().map(|counts| counts.torn_bytes).sum(),
            ..Data::default()
        }
    }
}
