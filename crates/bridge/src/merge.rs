//! Merges several machines' recordings of one table into one series when the feed has no round ids.
//!
//! Each recording is aligned with the rounds already in the directory ([`rounds::align`]), and the rounds missing there
//! are written. The directory is the only state, so a crash or a restart adds no round twice.

mod recording;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rounds::align::{AlignedRound, Limits, RecordedRound, align};
use rounds::disk::{SparingDisk, SyncPolicy};
use rounds::{Event, EventKind, LogError, Origin, ReadSettings, Round, RoundLog, TableName};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::retry;

use recording::{Entry, Recording};

/// Interval between two scans of the recordings.
const SCAN_INTERVAL: Duration = Duration::from_secs(1);
/// Interval between two syncs of a file: rows lost in a power failure are merged again.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// A recording and the machine it comes from: `NAME=DIR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeSource {
    /// Name of the machine.
    pub site: TableName,
    /// Directory of its files.
    pub dir: PathBuf,
}

impl FromStr for MergeSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (site, dir) =
            text.split_once('=').ok_or_else(|| format!("expected NAME=DIR, found `{text}`"))?;
        let site = site.parse().map_err(|error: rounds::TableNameError| error.to_string())?;
        Ok(Self { site, dir: dir.into() })
    }
}

/// The options of a merge.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The recordings; all times are converted to the clock of the first one.
    pub from: Vec<MergeSource>,
    /// Directory into which the merged series is written.
    pub dir: PathBuf,
    /// Whether to keep running and merge new rounds.
    pub follow: bool,
    /// How rows of the recordings are read.
    pub read: ReadSettings,
}

/// An error of a merge.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// The directory cannot be written to.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A recording cannot be read.
    #[error("cannot read {}: {problem}", dir.display())]
    Unreadable {
        /// Its directory.
        dir: PathBuf,
        /// The system's error.
        problem: String,
    },
    /// The recordings cannot be merged with each other.
    #[error("{0}")]
    Mismatch(String),
}

/// Merges once, or with `follow` until `shutdown` is cancelled.
///
/// # Errors
/// A recording cannot be read, or the series cannot be written.
pub fn run(merge: &Merge, shutdown: &CancellationToken) -> Result<MergeCounts, MergeError> {
    let origin = origin(merge)?;
    let disk =
        Box::new(SparingDisk::new(SyncPolicy::Interval(SYNC_INTERVAL), crate::report_close_error));
    let log = RoundLog::open_on(disk, &merge.dir, origin, clock::wall())?;
    let mut whole = Recording::new(&merge.dir, merge.read, false);
    whole.scan()?;
    let reported = whole.conflicts()?;
    let mut writer =
        SeriesWriter { log, reported, counts: MergeCounts::default(), unplaced: UnplacedOf::new() };
    writer.log.note(clock::wall(), &Event::new(EventKind::Start, "merge"))?;
    let mut parts: Vec<_> = merge
        .from
        .iter()
        .map(|from| (from, Recording::new(&from.dir, merge.read, merge.follow)))
        .collect();
    loop {
        for (from, part) in &mut parts {
            if part.scan()? || whole.is_changed() {
                writer.add(from, part, &mut whole)?;
            }
        }
        whole.mark_processed();
        if !merge.follow {
            break;
        }
        retry::wait_blocking(SCAN_INTERVAL, shutdown)
            .map_err(|error| MergeError::Mismatch(error.to_string()))?;
        if shutdown.is_cancelled() {
            break;
        }
    }
    writer.log.note(clock::wall(), &Event::new(EventKind::Stop, "merge"))?;
    Ok(writer.counts)
}

/// Returns the common origin of all recordings.
fn origin(merge: &Merge) -> Result<Origin, MergeError> {
    let mut origins = Vec::new();
    for MergeSource { dir, .. } in &merge.from {
        if *dir == merge.dir {
            let problem =
                format!("{} cannot be both a recording and the merged series", dir.display());
            return Err(MergeError::Mismatch(problem));
        }
        let found = Origin::of(dir).map_err(|error| MergeError::Unreadable {
            dir: dir.clone(),
            problem: error.to_string(),
        })?;
        origins.extend(found);
    }
    origins.dedup();
    match origins.as_slice() {
        [origin] => Ok(*origin),
        [] => Err(MergeError::Mismatch("none of the recordings holds a round yet".to_owned())),
        _ => Err(MergeError::Mismatch(
            "the recordings have different origins, which must not be mixed".to_owned(),
        )),
    }
}

/// Counts of a merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeCounts {
    /// Rounds written.
    pub written: u64,
    /// Rounds on which two recordings disagree.
    pub conflicts: u64,
    /// Rounds left out because there is no time for them between their neighbours.
    pub no_room: u64,
    /// Rounds whose position in the series is not known yet.
    pub unplaced: u64,
}

/// The rounds of each recording whose position is not known yet; a site may have several recordings.
type UnplacedOf = BTreeMap<PathBuf, u64>;

/// Writes missing rounds and reports those that do not fit.
struct SeriesWriter {
    log: RoundLog,
    /// Rounds that do not fit and have already been reported.
    reported: BTreeSet<ReportedConflict>,
    counts: MergeCounts,
    unplaced: UnplacedOf,
}

/// A round that does not fit: its site, its time on the clock of that site (Unix ms), its multiplier in cents.
type ReportedConflict = (String, i64, u64);

impl SeriesWriter {
    fn add(
        &mut self,
        from: &MergeSource,
        part: &Recording,
        whole: &mut Recording,
    ) -> Result<(), MergeError> {
        let (ours, theirs) = (whole.recorded(), part.recorded());
        let aligned = align(&ours, &theirs, &Limits::default());
        let mut missing: Vec<(DateTime<Utc>, usize)> = Vec::new();
        let mut unplaced = 0;
        for aligned in aligned {
            match aligned {
                AlignedRound::Same { .. } => {}
                AlignedRound::Missing { second, time } => missing.push((time, second)),
                AlignedRound::Unplaced { .. } => unplaced += 1,
                AlignedRound::Conflict { first, second } => {
                    self.report(&from.site, &theirs[second], Some(&ours[first]))?;
                }
                AlignedRound::NoRoom { second } => {
                    self.report(&from.site, &theirs[second], None)?;
                }
            }
        }
        self.unplaced.insert(from.dir.clone(), unplaced);
        self.counts.unplaced = self.unplaced.values().sum();
        for (time, index) in missing {
            let entry = part.entry(index);
            let round = Round { time, ..entry.recorded.round };
            let event = event(&from.site, entry);
            self.log.append(&round, &event)?;
            self.counts.written += 1;
            whole.insert(RecordedRound { round, ..entry.recorded });
        }
        Ok(())
    }

    /// Reports a round that does not fit, once.
    fn report(
        &mut self,
        site: &TableName,
        theirs: &RecordedRound,
        ours: Option<&RecordedRound>,
    ) -> Result<(), MergeError> {
        let Round { time, multiplier } = theirs.round;
        let reported = (site.to_string(), time.timestamp_millis(), multiplier.cents());
        if !self.reported.insert(reported) {
            return Ok(());
        }
        let mut event = Event::new(EventKind::Conflict, "merge");
        let mut detail =
            json!({ "site": site.as_str(), "time": time, "now_cents": multiplier.cents() });
        if let Some(ours) = ours {
            self.counts.conflicts += 1;
            detail["first_cents"] = json!(ours.round.multiplier.cents());
        } else {
            self.counts.no_room += 1;
            detail["reason"] = json!("no time between its neighbours");
        }
        tracing::warn!(%site, %time, %multiplier, %detail, "Left out a round that does not fit; the earlier record is kept.");
        event.detail = Some(detail);
        self.log.note(time, &event)?;
        Ok(())
    }
}

/// Returns the event of a round, extended by its site and its time on the clock of that site.
fn event(site: &TableName, entry: &Entry) -> Event {
    let mut event = entry.event.clone().unwrap_or_else(|| Event::new(EventKind::Live, "file"));
    let mut fields = match event.detail.take() {
        Some(Value::Object(fields)) => fields,
        Some(other) => serde_json::Map::from_iter([("detail".to_owned(), other)]),
        None => serde_json::Map::new(),
    };
    fields.insert(
        "merged".to_owned(),
        json!({ "site": site.as_str(), "time": entry.recorded.round.time }),
    );
    event.detail = Some(Value::Object(fields));
    event
}

#[cfg(test)]
mod tests;
