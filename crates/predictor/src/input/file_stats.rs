//! Logs and counts the changes that a scan found, and passes them on to the series.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use importer::past_imports;
use rounds::scan::{Change, ChangeKind};
use rounds::{LINE_BYTES_MAX, RejectReason, Rejections, RejectionsOfReason};

use crate::input::round_series::FileChange;
use serde::Serialize;

/// Rejected rows listed individually.
pub(crate) const REJECTED_MAX: usize = 20;

/// The files that were read, and the rejected rows.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Data {
    pub(crate) files: Vec<DataFile>,
    /// Files of which no row is read, and which have not been imported.
    pub(crate) refused: Vec<RefusedFile>,
    pub(crate) rejected_rows: u64,
    pub(crate) rejected_by_reason: Vec<RejectedForReason>,
    pub(crate) rejected_recent: Vec<RejectedRow>,
    pub(crate) torn_bytes: u64,
    pub(crate) duplicates_removed: u64,
    /// Notices about files that overlap in time.
    pub(crate) overlaps: Vec<String>,
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

/// A file of which no row is read.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RefusedFile {
    pub(crate) name: String,
    pub(crate) reason: String,
    /// The command that reads it.
    pub(crate) command: String,
}

/// The rows rejected for one reason, with an example.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RejectedForReason {
    /// One of [`RejectReason::WORDS`].
    pub(crate) reason: &'static str,
    pub(crate) count: u64,
    pub(crate) example: RejectedRow,
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
    torn_bytes: u64,
    rejections: Rejections,
    refused: Option<RefusedRows>,
}

/// Why no row of a file is read.
#[derive(Debug, Clone)]
struct RefusedRows {
    reason: String,
    /// The command that reads them.
    command: String,
    /// The CSV that holds its rounds.
    imported_as: Option<String>,
    is_logged: bool,
}

/// Returns whether an unfinished line is too long to be a row that is still being written.
pub(crate) fn is_endless(torn_bytes: u64) -> bool {
    torn_bytes > LINE_BYTES_MAX as u64
}

impl FileStats {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), files: BTreeMap::new(), rejected_recent: VecDeque::new() }
    }

    /// Counts and logs the changes, and returns them as changes of the series.
    pub(crate) fn record(&mut self, changes: Vec<Change>) -> Vec<(String, FileChange)> {
        use ChangeKind::{New, Removed, Replaced};
        let may_be_imported = changes.iter().any(|change| {
            matches!(change.kind, New | Replaced | Removed) || change.refused.is_some()
        });
        let changes = changes.into_iter().filter_map(|change| self.record_one(change)).collect();
        if may_be_imported {
            self.find_imports();
        }
        changes
    }

    /// Finds refused files whose rounds another file of the directory holds, and logs what is new.
    fn find_imports(&mut self) {
        for (file, counts) in &mut self.files {
            let Some(refused) = &mut counts.refused else { continue };
            let path = self.dir.join(file);
            // A file that cannot be read now is examined again when another file appears.
            let csv = past_imports::find_file(&self.dir, &path).unwrap_or_default();
            if refused.imported_as == csv && refused.is_logged {
                continue;
            }
            let path = path.display();
            if let Some(csv) = &csv {
                tracing::info!(file = %path, csv, "A file that is not read was imported.");
            } else {
                let RefusedRows { reason, command, .. } = refused;
                tracing::warn!(
                    file = %path, reason, command,
                    "A CSV file is not read; to read it, run the command."
                );
            }
            (refused.imported_as, refused.is_logged) = (csv, true);
        }
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
        if matches!(change.kind, ChangeKind::Removed | ChangeKind::Misnamed) {
            self.files.remove(&change.file);
            return;
        }
        let refused = change.refused.as_ref().map(|refusal| (refusal.to_string(), refusal));
        let before = self.files.get(&change.file).and_then(|counts| counts.refused.as_ref());
        let counts = FileCounts {
            records: change.total,
            torn_bytes: change.torn_bytes,
            rejections: change.rejections.clone(),
            refused: refused.map(|(reason, refusal)| RefusedRows {
                is_logged: before.is_some_and(|it| {
                    it.is_logged && it.imported_as.is_none() && it.reason == reason
                }),
                command: self.command(change, refusal),
                imported_as: None,
                reason,
            }),
        };
        self.files.insert(change.file.clone(), counts);
    }

    /// Returns the command that reads a refused file.
    fn command(&self, change: &Change, refusal: &rounds::Refusal) -> String {
        refusal.command(&self.dir.join(&change.file).display().to_string())
    }

    /// Returns the rejected rows of all files by reason.
    fn by_reason(&self) -> Vec<RejectedForReason> {
        RejectReason::WORDS.into_iter().filter_map(|word| self.rejected_for(word)).collect()
    }

    /// Returns the rows of all files that were rejected for one reason; `None` if there are none.
    fn rejected_for(&self, reason: &'static str) -> Option<RejectedForReason> {
        let mut found = self.files.iter().flat_map(|(file, counts)| {
            let reasons = counts.rejections.reasons().iter();
            reasons.filter(|it| it.example.reason.word() == reason).map(move |it| (file, it))
        });
        let (file, RejectionsOfReason { count, example }) = found.next()?;
        let (file, line) = (file.clone(), example.line);
        let example = RejectedRow { file, line, reason: example.reason.to_string() };
        let count = count + found.map(|(_, it)| it.count).sum::<u64>();
        Some(RejectedForReason { reason, count, example })
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
                tracing::warn!(file = %path.display(), records = total, "📝 CSV file replaced");
            }
            ChangeKind::Removed => {
                tracing::warn!(file = %path.display(), "📝 CSV file removed");
            }
            ChangeKind::Misnamed => {
                let error = change.error.as_deref().unwrap_or_default();
                tracing::warn!(file = %path.display(), error, "A file is not read because of its name.");
            }
            ChangeKind::Unreadable => {
                let error = change.error.as_deref().unwrap_or("unknown error");
                tracing::warn!(file = %path.display(), error, "📝 CSV file cannot be read");
            }
            _ => tracing::debug!("📝 CSV file updated: {}", path.display()),
        }
        let had_endless = self.files.get(file).is_some_and(|it| is_endless(it.torn_bytes));
        if is_endless(change.torn_bytes) && !had_endless {
            tracing::warn!(
                file = %path.display(), bytes = change.torn_bytes,
                "The last line of a file is too long for a row and never ends; it is not read."
            );
        }
        // A refused file is logged elsewhere, once it is known whether it was imported.
        if change.refused.is_none() && change.rejected_count > 0 {
            let first = change.rejected.first();
            tracing::warn!(
                file = %path.display(),
                rejected = change.rejected_count,
                rows = change.rounds.len() as u64 + change.rejected_count,
                first_line = first.map(|it| it.line),
                reason = first.map(|it| it.reason.to_string()),
                "Some rows are not rounds and are left out."
            );
        }
    }

    /// Returns the counts as the API shows them; the snapshot builder fills in the other fields.
    pub(crate) fn view(&self) -> Data {
        let file = |(name, counts): (&String, &FileCounts)| DataFile {
            name: name.clone(),
            records: counts.records,
            rejected: counts.rejections.total(),
        };
        let refused = |(name, counts): (&String, &FileCounts)| {
            let refused = counts.refused.clone().filter(|it| it.imported_as.is_none())?;
            let RefusedRows { reason, command, .. } = refused;
            Some(RefusedFile { name: name.clone(), reason, command })
        };
        Data {
            files: self.files.iter().map(file).collect(),
            refused: self.files.iter().filter_map(refused).collect(),
            rejected_rows: self.files.values().map(|counts| counts.rejections.total()).sum(),
            rejected_by_reason: self.by_reason(),
            rejected_recent: self.rejected_recent.iter().cloned().collect(),
            torn_bytes: self.files.values().map(|counts| counts.torn_bytes).sum(),
            ..Data::default()
        }
    }
}
