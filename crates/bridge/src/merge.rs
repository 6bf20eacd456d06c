//! The recordings of several machines of one table as one series, where the feed has no ids.
//!
//! Each recording is laid on what is in the directory already ([`rounds::align`]), and what that lacks is written. So the
//! directory itself is all that is remembered: a round that is there is found there, after a crash and after a restart too.

mod recording;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rounds::align::{AlignedRound, Limits, RecordedRound, align};
use rounds::{Event, EventKind, LogError, Origin, Round, RoundLog, TableName};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::disk::SparingDisk;
use crate::outage;

use recording::{Entry, Recording};

/// How often the recordings are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two syncs of a file: what a loss of power takes is merged again.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// A recording and the machine it comes from: `NAME=DIR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From {
    /// The machine.
    pub site: TableName,
    /// Its files.
    pub dir: PathBuf,
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (site, dir) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=DIR"))?;
        let site = site.parse().map_err(|error: rounds::TableNameError| error.to_string())?;
        Ok(Self { site, dir: dir.into() })
    }
}

/// What to merge.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The recordings; the clock of the first one is the one that counts.
    pub from: Vec<From>,
    /// Where the one series is written.
    pub dir: PathBuf,
    /// Go on with new rounds.
    pub follow: bool,
}

/// Why recordings cannot be merged.
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
        /// What the system said.
        problem: String,
    },
    /// They do not belong together.
    #[error("{0}")]
    Strangers(String),
}

/// Merges once, or until it is asked to stop.
///
/// # Errors
/// A recording cannot be read, or the series not be written.
pub fn run(merge: &Merge, shutdown: &CancellationToken) -> Result<Tally, MergeError> {
    let origin = origin(merge)?;
    let sparing = Box::new(SparingDisk { every: SYNC_EVERY });
    let log = RoundLog::open_on(sparing, &merge.dir, origin, clock::wall())?;
    let mut whole = Recording::new(&merge.dir);
    whole.look()?;
    let told = whole.conflicts()?;
    let mut desk = Desk { log, told, tally: Tally::default() };
    desk.log.note(clock::wall(), &Event::new(EventKind::Start, "merge"))?;
    let mut parts: Vec<_> =
        merge.from.iter().map(|from| (from, Recording::new(&from.dir))).collect();
    loop {
        for (from, part) in &mut parts {
            if part.look()? || whole.is_changed() {
                desk.add(&from.site, part, &mut whole)?;
            }
        }
        whole.settle();
        if !merge.follow {
            break;
        }
        crate::hub::run(async {
            outage::pause(LOOK_EVERY, shutdown).await;
            Ok(())
        })
        .map_err(|error| MergeError::Strangers(error.to_string()))?;
        if shutdown.is_cancelled() {
            break;
        }
    }
    desk.log.note(clock::wall(), &Event::new(EventKind::Stop, "merge"))?;
    Ok(desk.tally)
}

/// The one origin of all recordings.
fn origin(merge: &Merge) -> Result<Origin, MergeError> {
    let mut origins = Vec::new();
    for From { dir, .. } in &merge.from {
        if *dir == merge.dir {
            let problem =
                format!("{} cannot be both a recording and the series of all", dir.display());
            return Err(MergeError::Strangers(problem));
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
        [] => Err(MergeError::Strangers("none of the recordings holds a round yet".to_owned())),
        _ => Err(MergeError::Strangers(
            "the recordings are of different origins, which must not mix".to_owned(),
        )),
    }
}

/// What became of the rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rounds written.
    pub written: u64,
    /// Rounds that recorders tell differently.
    pub conflicts: u64,
    /// Rounds left out because there is no time for them.
    pub no_room: u64,
    /// Rounds whose place cannot be told yet.
    pub unplaced: u64,
}

/// Writes what is missing and tells what does not fit.
struct Desk {
    log: RoundLog,
    /// Rounds of which it was told already that they do not fit.
    told: BTreeSet<Told>,
    tally: Tally,
}

/// A round of a site, by its own clock.
type Told = (String, i64, u64);

impl Desk {
    fn add(
        &mut self,
        site: &TableName,
        part: &Recording,
        whole: &mut Recording,
    ) -> Result<(), MergeError> {
        let (ours, theirs) = (whole.heard(), part.heard());
        let joined = align(&ours, &theirs, &Limits::default());
        let mut fresh: Vec<(DateTime<Utc>, usize)> = Vec::new();
        let mut unplaced = 0;
        for joined in joined {
            match joined {
                AlignedRound::Same { .. } => {}
                AlignedRound::Missing { second, time } => fresh.push((time, second)),
                AlignedRound::Unplaced { .. } => unplaced += 1,
                AlignedRound::Conflict { first, second } => {
                    self.tell(site, &theirs[second], Some(&ours[first]))?;
                }
                AlignedRound::NoRoom { second } => self.tell(site, &theirs[second], None)?,
            }
        }
        self.tally.unplaced = unplaced;
        for (time, index) in fresh {
            let entry = part.entry(index);
            let round = Round { time, ..entry.heard.round };
            let event = event(site, entry);
            self.log.append(&round, &event)?;
            self.tally.written += 1;
            whole.insert(RecordedRound { round, ..entry.heard });
        }
        Ok(())
    }

    /// Notes a round that does not fit, once.
    fn tell(
        &mut self,
        site: &TableName,
        theirs: &RecordedRound,
        ours: Option<&RecordedRound>,
    ) -> Result<(), MergeError> {
        let Round { time, multiplier } = theirs.round;
        let told = (site.to_string(), time.timestamp_millis(), multiplier.cents());
        if !self.told.insert(told) {
            return Ok(());
        }
        let mut event = Event::new(EventKind::Conflict, "merge");
        let mut detail =
            json!({ "site": site.as_str(), "time": time, "now_cents": multiplier.cents() });
        if let Some(ours) = ours {
            self.tally.conflicts += 1;
            detail["first_cents"] = json!(ours.round.multiplier.cents());
        } else {
            self.tally.no_room += 1;
            detail["reason"] = json!("no time between its neighbours");
        }
        tracing::warn!(%site, %time, %multiplier, %detail, "A round does not fit; what was there first stands.");
        event.detail = Some(detail);
        self.log.note(time, &event)?;
        Ok(())
    }
}

/// The event of a round, with where it comes from and what its time was there.
fn event(site: &TableName, entry: &Entry) -> Event {
    let mut event = entry.event.clone().unwrap_or_else(|| Event::new(EventKind::Live, "file"));
    let mut fields = match event.detail.take() {
        Some(Value::Object(fields)) => fields,
        Some(other) => serde_json::Map::from_iter([("detail".to_owned(), other)]),
        None => serde_json::Map::new(),
    };
    fields.insert(
        "merged".to_owned(),
        json!({ "site": site.as_str(), "time": entry.heard.round.time }),
    );
    event.detail = Some(Value::Object(fields));
    event
}

#[cfg(test)]
mod tests;
