//! Writes rounds as one CSV, atomically.
//!
//! `RoundLog` waits for the disk after every row, as recording requires; an import can be repeated, so it waits once.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rounds::disk::{Disk, OpenMode};
use rounds::{Event, EventKind, EventLine, HEADER, LogError, SUFFIX_MAX, event_file_of, file_stem};

use crate::content::Content;
use crate::discontinuities::Discontinuity;
use crate::past_imports;

const BUFFER_BYTES: usize = 1 << 20;

/// Writes rounds into a directory and returns the path of the CSV.
///
/// The file is named after its first round, so that it sorts where its rounds belong. An existing file is never
/// touched: the name is taken by creating an empty file, which the finished one replaces.
///
/// # Errors
/// The directory holds rounds of another origin, or the file system returns an error. No partial file is left
/// behind.
pub fn write(
    content: Content<'_>,
    dir: &Path,
    now: DateTime<Utc>,
    disk: &dyn Disk,
) -> Result<PathBuf, LogError> {
    std::fs::create_dir_all(dir).map_err(LogError::io("create the directory", dir))?;
    content.origin.mark(dir)?;
    let start = content.rounds.first().map_or(now, |round| round.time);
    let csv = reserve(dir, start, disk)?;
    let events = event_file_of(&csv);
    let parts = [
        (csv.with_extension("csv.part"), csv.clone()),
        (events.with_extension("jsonl.part"), events),
    ];
    let written = write_parts(content, &parts, now, disk).and_then(|()| publish(&parts, dir, disk));
    if written.is_err() {
        for path in parts.iter().flat_map(|(part, whole)| [part, whole]) {
            // It may not exist; the first error is the one to report.
            drop(disk.remove(path));
        }
    }
    written.map(|()| csv)
}

fn reserve(dir: &Path, start: DateTime<Utc>, disk: &dyn Disk) -> Result<PathBuf, LogError> {
    for suffix in 0..SUFFIX_MAX {
        let path = dir.join(format!("{}.csv", file_stem(start, suffix)));
        if event_file_of(&path).exists() {
            continue;
        }
        match disk.open(&path, OpenMode::New) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LogError::io("create", &path)(error)),
        }
    }
    Err(LogError::Names { dir: dir.to_owned() })
}

fn write_parts(
    content: Content<'_>,
    parts: &[(PathBuf, PathBuf); 2],
    now: DateTime<Utc>,
    disk: &dyn Disk,
) -> Result<(), LogError> {
    let [(csv, _), (events, _)] = parts;
    write_part(csv, disk, |file| {
        file.write_all(HEADER.as_bytes())?;
        content.rounds.iter().try_for_each(|round| file.write_all(round.to_row().as_bytes()))
    })?;
    write_part(events, disk, |file| write_events(content, now, file))
}

fn write_part(
    path: &Path,
    disk: &dyn Disk,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), LogError> {
    let file = disk.open(path, OpenMode::Empty).map_err(LogError::io("create", path))?;
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
    let written =
        write(&mut file).and_then(|()| file.flush()).and_then(|()| file.get_mut().sync_data());
    written.map_err(LogError::io("write to", path))
}

/// The digests stand in the first line, where a later import looks for it. Estimated times are marked row by row, as
/// the collector marks those of rounds from a history list.
fn write_events(content: Content<'_>, now: DateTime<Utc>, file: &mut dyn Write) -> io::Result<()> {
    let mut seq = 0;
    let mut line = |unix_ms: i64, event: Event, row: Option<u64>| {
        seq += 1;
        let line = EventLine { seq, unix_ms, event, row, file: None };
        serde_json::to_writer(&mut *file, &line)?;
        file.write_all(b"\n")
    };
    line(now.timestamp_millis(), past_imports::event(content), None)?;
    if content.is_estimated {
        for (row, round) in (1..).zip(content.rounds) {
            let event = Event::new(EventKind::Backfill, content.by);
            line(round.time.timestamp_millis(), event, Some(row))?;
        }
    }
    // A note stands at the time of the round after it: rounds without events of their own have no other place.
    for Discontinuity { before, event } in content.discontinuities {
        let time = content.rounds.get(*before).map_or(now, |round| round.time);
        line(time.timestamp_millis(), event.clone(), None)?;
    }
    line(now.timestamp_millis(), Event::new(EventKind::Stop, content.by), None)
}

/// Gives the finished files their names, the events first: a CSV without its digest would be imported twice.
fn publish(parts: &[(PathBuf, PathBuf); 2], dir: &Path, disk: &dyn Disk) -> Result<(), LogError> {
    for (part, whole) in parts.iter().rev() {
        disk.rename(part, whole).map_err(LogError::io("rename", part))?;
    }
    disk.sync_dir(dir).map_err(LogError::io("sync the directory", dir))
}
