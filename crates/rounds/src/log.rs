//! Writes rounds and events to a directory; a round counts as written once its row is synced.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::appender::{Appender, FileState};
use crate::disk::{Disk, OpenMode, RealDisk};
use crate::event::{Event, EventLine};
use crate::event_file::event_file_of;
use crate::file_name;
use crate::lock::{LOCK_FILE, LockFailure, WriterLock};
use crate::log_error::LogError;
use crate::origin::Origin;
use crate::reader::{HEADER, quick_row};
use crate::repair::{self, Repair};
use crate::round::Round;

/// The writer of a directory: one file of rounds for each run, and its event file.
///
/// When [`RoundLog::append`] returns `Ok`, the round is on the disk. After an `Err`, the round is
/// in no file or will be removed before anything else is written, so the caller should pass the
/// same round again.
#[derive(Debug)]
pub struct RoundLog {
    disk: Box<dyn Disk>,
    dir: PathBuf,
    started: DateTime<Utc>,
    /// The suffix to try first for the next file.
    suffix: u32,
    rows: Appender,
    /// Number of rounds in the current file.
    rows_in_file: u64,
    is_dir_synced: bool,
    events: Option<Appender>,
    /// Events of written rounds that are not in the event file yet, oldest first.
    waiting: VecDeque<EventLine>,
    events_dropped: u64,
    event_error: Option<String>,
    event_files_reopened: u64,
    seq: u64,
    rounds_written: u64,
    repairs: Vec<Repair>,
    _lock: WriterLock,
}

/// Maximum number of events of written rounds kept in memory while the event file cannot be
/// written.
const WAITING_MAX: usize = 10_000;

impl RoundLog {
    /// Makes this process the writer of a directory and creates the file of this run.
    ///
    /// Creates the directory, takes its lock, checks its origin, cuts torn tails (copies stay
    /// beside the files, see [`RoundLog::repairs`]), and creates
    /// `aviator_payouts_YYYYMMDD_HHMMSS.csv` of `now` with its event file.
    ///
    /// # Errors
    /// Another process writes there, the directory holds rounds of another origin, or the file
    /// system returns an error other than that there is no space for the first lines.
    pub fn open(dir: &Path, origin: Origin, now: DateTime<Utc>) -> Result<Self, LogError> {
        Self::open_on(Box::new(RealDisk), dir, origin, now)
    }

    /// Opens the log as [`RoundLog::open`] does, but writes the files of the run through `disk`.
    ///
    /// # Errors
    /// As [`RoundLog::open`].
    pub fn open_on(
        disk: Box<dyn Disk>,
        dir: &Path,
        origin: Origin,
        now: DateTime<Utc>,
    ) -> Result<Self, LogError> {
        fs::create_dir_all(dir).map_err(LogError::io("create the directory", dir))?;
        let lock_path = dir.join(LOCK_FILE);
        let lock = WriterLock::take(&lock_path, now).map_err(|failure| match failure {
            LockFailure::Held(holder) => {
                LogError::Locked { dir: dir.to_owned(), pid: holder.pid, since: holder.since }
            }
            LockFailure::Io(source) => LogError::io("lock", &lock_path)(source),
        })?;
        origin.mark(dir)?;
        let repairs = repair::repair(dir).map_err(LogError::io("repair the files of", dir))?;
        let (rows, suffix) = create(disk.as_ref(), dir, now, 0)?;
        let mut log = Self {
            disk,
            dir: dir.to_owned(),
            started: now,
            suffix,
            rows,
            rows_in_file: 0,
            is_dir_synced: false,
            events: None,
            waiting: VecDeque::new(),
            events_dropped: 0,
            event_error: None,
            event_files_reopened: 0,
            seq: 0,
            rounds_written: 0,
            repairs,
            _lock: lock,
        };
        // A program that starts on a full disk has to wait for space as one that already runs does: the next write makes up
        // for what is missing here.
        match log.ready_events().map(drop).and_then(|()| log.ready_rows()) {
            Err(error) if !error.is_full_disk() => Err(error),
            Ok(()) | Err(_) => Ok(log),
        }
    }

    /// Writes a round's row and then its event.
    ///
    /// The row alone decides. If the row is written and the event is not, the round counts as
    /// written; the event is kept and written with the next one (see [`RoundLog::events_waiting`]).
    ///
    /// # Errors
    /// The round is not written: pass it again. After a failed sync it then goes to a new file.
    /// Only when [`LogError::is_permanent`] is true would every further attempt fail as well.
    pub fn append(&mut self, round: &Round, event: &Event) -> Result<(), LogError> {
        let row = round.to_row();
        if quick_row(row.as_bytes()).is_none() {
            return Err(LogError::Time { time: round.time });
        }
        self.ready_rows()?;
        self.rows
            .append(row.as_bytes())
            .map_err(|source| LogError::io("write to", self.rows.path())(source))?;
        self.rows_in_file += 1;
        self.rounds_written += 1;
        let row = Some((self.rows_in_file, file_name(self.rows.path())));
        let line = self.line(round.time, event, row);
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
            self.events_dropped += 1;
        }
        self.waiting.push_back(line);
        self.event_error = self.write_waiting().err().map(|error| error.to_string());
        Ok(())
    }

    /// Writes an event that belongs to no row: a start, stop, gap, reset, reconnect or conflict.
    ///
    /// # Errors
    /// The event is not written, and it is not kept for later.
    pub fn note(&mut self, now: DateTime<Utc>, event: &Event) -> Result<(), LogError> {
        self.write_waiting()?;
        let line = self.line(now, event, None);
        self.write_event(&line)
    }

    /// Returns the path of the CSV file to which rounds are being written.
    pub fn path(&self) -> &Path {
        self.rows.path()
    }

    /// Returns the number of rounds written by this log, over all its files.
    pub fn rounds_written(&self) -> u64 {
        self.rounds_written
    }

    /// Returns the torn tails that were cut off when the log was opened.
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    /// Returns the number of events of written rounds that are still to be written.
    pub fn events_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the number of events dropped because too many were waiting.
    pub fn events_dropped(&self) -> u64 {
        self.events_dropped
    }

    /// Returns why the last event could not be written; `None` once an event is written again.
    pub fn event_error(&self) -> Option<&str> {
        self.event_error.as_deref()
    }

    /// Returns how often the event file was opened again because another program had moved, replaced or deleted it.
    pub fn event_files_reopened(&self) -> u64 {
        self.event_files_reopened
    }

    /// Ensures that the current file can be appended to, or creates a new one.
    fn ready_rows(&mut self) -> Result<(), LogError> {
        let path = self.rows.path().to_owned();
        let settled = self.rows.settle().map_err(LogError::io("put right", &path))?;
        match settled {
            FileState::Good => {}
            // The file holds at most the header: reuse it instead of leaving an empty file behind.
            FileState::CutBack if self.rows_in_file == 0 => {
                self.rows.restart().map_err(LogError::io("put right", &path))?;
            }
            FileState::CutBack | FileState::Foreign | FileState::Away => {
                let next = self.suffix + 1;
                let (rows, suffix) = create(self.disk.as_ref(), &self.dir, self.started, next)?;
                (self.rows, self.suffix) = (rows, suffix);
                (self.rows_in_file, self.is_dir_synced) = (0, false);
            }
        }
        if self.rows.is_empty() {
            let path = self.rows.path().to_owned();
            self.rows.append(HEADER.as_bytes()).map_err(LogError::io("write to", &path))?;
        }
        if !self.is_dir_synced {
            self.disk.sync_dir(&self.dir).map_err(LogError::io("sync the directory", &self.dir))?;
            self.is_dir_synced = true;
        }
        Ok(())
    }

    /// Ensures that there is an event file that can be appended to.
    fn ready_events(&mut self) -> Result<&mut Appender, LogError> {
        if let Some(events) = &mut self.events {
            let error = LogError::io("put right", events.path());
            match events.settle().map_err(&error)? {
                FileState::Good => {}
                // Events matter less than rows, so they continue in the same file.
                FileState::CutBack => events.accept().map_err(error)?,
                // Another program may have written a line without its newline.
                FileState::Foreign => {
                    events.accept().and_then(|()| events.append(b"\n")).map_err(error)?;
                }
                FileState::Away => self.reopen_events()?,
            }
        }
        // Move on from the event file of an earlier CSV file only once it is settled: an event that
        // failed there must not end up in both files.
        let path = event_file_of(self.rows.path());
        if self.events.as_ref().is_none_or(|events| events.path() != path) {
            let file =
                self.disk.open(&path, OpenMode::New).map_err(LogError::io("create", &path))?;
            self.events = Some(Appender::new(file, path));
            self.is_dir_synced = false;
        }
        Ok(self.events.as_mut().expect("made above if it was not there"))
    }

    /// Continues in the file that now has the name of the event file, if there is one.
    fn reopen_events(&mut self) -> Result<(), LogError> {
        let Some(events) = self.events.take() else { return Ok(()) };
        let path = events.path().to_owned();
        self.event_files_reopened += 1;
        if path.exists() {
            let error = LogError::io("open", &path);
            let file = self.disk.open(&path, OpenMode::Append).map_err(&error)?;
            let mut events = Appender::new(file, path);
            // It may be a copy that ends in the middle of a line.
            events.accept().and_then(|()| events.append(b"\n")).map_err(error)?;
            self.events = Some(events);
        }
        Ok(())
    }

    fn write_waiting(&mut self) -> Result<(), LogError> {
        while let Some(line) = self.waiting.front().cloned() {
            self.write_event(&line)?;
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn write_event(&mut self, line: &EventLine) -> Result<(), LogError> {
        let here = file_name(self.rows.path());
        let mut line = line.clone();
        line.file = line.file.filter(|file| *file != here);
        let mut text = serde_json::to_vec(&line).expect("an event is plain data");
        text.push(b'\n');
        let events = self.ready_events()?;
        let path = events.path().to_owned();
        events.append(&text).map_err(LogError::io("write to", &path))
    }

    fn line(
        &mut self,
        time: DateTime<Utc>,
        event: &Event,
        row: Option<(u64, String)>,
    ) -> EventLine {
        self.seq += 1;
        let (row, file) = row.unzip();
        EventLine {
            seq: self.seq,
            unix_ms: time.timestamp_millis(),
            event: event.clone(),
            row,
            file,
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Creates a CSV file with the first suffix for which neither it nor its event file exists.
fn create(
    disk: &dyn Disk,
    dir: &Path,
    started: DateTime<Utc>,
    first: u32,
) -> Result<(Appender, u32), LogError> {
    for suffix in first..file_name::SUFFIX_MAX {
        let path = dir.join(format!("{}.csv", file_name::file_stem(started, suffix)));
        if event_file_of(&path).exists() {
            continue;
        }
        match disk.open(&path, OpenMode::New) {
            Ok(file) => return Ok((Appender::new(file, path), suffix)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LogError::io("create", &path)(error)),
        }
    }
    Err(LogError::Names { dir: dir.to_owned() })
}
