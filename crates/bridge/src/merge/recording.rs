//! One recording: its rounds in order of time, each with its event.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::Path;

use rounds::align::RecordedRound;
use rounds::scan::{ChangeKind, Directory};
use rounds::{
    Event, EventKind, EventLine, FileRounds, ReadSettings, Round, merge, parse_file_name,
    read_events,
};

use super::{MergeError, ReportedConflict};
use crate::row_event::{EventFile, LaterFiles, RowEvent};

/// The rounds of a directory in order of time, each with its event.
#[derive(Debug)]
pub(super) struct Recording {
    dir: Directory,
    files: BTreeMap<String, RecordedFile>,
    /// Whether a row waits for its event, which the collector writes after it. A row without its event would be taken for
    /// one observed as it ended, and its estimated time for an exact one.
    waits_for_events: bool,
    entries: Vec<Entry>,
    /// Whether rounds were inserted since the last [`Recording::mark_processed`].
    is_changed: bool,
}

/// The rows of a file.
#[derive(Debug)]
struct RecordedFile {
    entries: Vec<Entry>,
    /// Rows after those of `entries`, of which the first waits for its event.
    waiting: VecDeque<Round>,
    events: EventFile,
}

impl RecordedFile {
    /// Attaches events to the rows that wait for them; returns whether any row received its event.
    fn settle(&mut self, later: &LaterFiles, waits: bool) -> io::Result<bool> {
        let before = self.entries.len();
        while let Some(round) = self.waiting.front().copied() {
            let event = match self.events.row(self.entries.len() as u64 + 1, later)? {
                RowEvent::Final { event, .. } => event,
                RowEvent::Pending if waits => break,
                RowEvent::Pending => None,
            };
            self.entries.push(Entry::new(round, event));
            self.waiting.pop_front();
        }
        Ok(self.entries.len() > before)
    }
}

/// A round and its event, if there is one.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) recorded: RecordedRound,
    pub(super) event: Option<Event>,
}

impl Entry {
    fn new(round: Round, event: Option<Event>) -> Self {
        let is_estimate = event.as_ref().is_some_and(|event| event.kind == EventKind::Backfill);
        Self { recorded: RecordedRound { round, is_estimate }, event }
    }
}

impl Recording {
    pub(super) fn new(dir: &Path, read: ReadSettings, waits_for_events: bool) -> Self {
        Self {
            dir: Directory::with_settings(dir, read),
            files: BTreeMap::new(),
            waits_for_events,
            entries: Vec::new(),
            is_changed: false,
        }
    }

    /// Reads new rounds; returns whether there are any.
    pub(super) fn scan(&mut self) -> Result<bool, MergeError> {
        let changes = self.dir.scan().map_err(|error| self.unreadable(&error))?;
        let mut is_changed = !changes.is_empty();
        for change in changes {
            match change.kind {
                ChangeKind::Appended => self.add(&change.file, change.rounds),
                ChangeKind::New | ChangeKind::Replaced => {
                    self.files.remove(&change.file);
                    self.add(&change.file, change.rounds);
                }
                ChangeKind::Removed => drop(self.files.remove(&change.file)),
                ChangeKind::Unreadable => {
                    return Err(self.unreadable(&change.error.unwrap_or_default()));
                }
                _ => {}
            }
        }
        is_changed |= self.settle().map_err(|error| self.unreadable(&error))?;
        if is_changed {
            self.sort();
        }
        Ok(is_changed)
    }

    /// Adds rows to a file.
    fn add(&mut self, file: &str, rounds: Vec<Round>) {
        let dir = self.dir.path();
        let recorded = self.files.entry(file.to_owned()).or_insert_with(|| RecordedFile {
            entries: Vec::new(),
            waiting: VecDeque::new(),
            events: EventFile::of(dir, file),
        });
        recorded.waiting.extend(rounds);
    }

    /// Attaches events to the waiting rows of all files; returns whether any row received its
    /// event.
    fn settle(&mut self) -> io::Result<bool> {
        let mut names: Vec<String> = self.files.keys().cloned().collect();
        names.sort_by(|a, b| parse_file_name(a).cmp(&parse_file_name(b)).then_with(|| a.cmp(b)));
        let mut is_changed = false;
        for (index, name) in names.iter().enumerate() {
            let Some(file) = self.files.get_mut(name) else { continue };
            if !file.waiting.is_empty() {
                let later = LaterFiles::of(name, &names[index + 1..]);
                is_changed |= file.settle(&later, self.waits_for_events)?;
            }
        }
        Ok(is_changed)
    }

    /// Sorts the rounds of all files by time, leaving out files that are copies of others.
    fn sort(&mut self) {
        let rounds: Vec<(&String, Vec<Round>)> = self
            .files
            .iter()
            .map(|(file, recorded)| {
                (file, recorded.entries.iter().map(|entry| entry.recorded.round).collect())
            })
            .collect();
        let files: Vec<_> =
            rounds.iter().map(|(file, rounds)| FileRounds { file, rounds }).collect();
        let copies: BTreeSet<String> =
            merge(&files).copies.into_iter().map(|copy| copy.file).collect();
        let originals = self.files.iter().filter(|(file, _)| !copies.contains(*file));
        self.entries = originals.flat_map(|(_, file)| file.entries.iter().cloned()).collect();
        self.entries.sort_by_key(|entry| entry.recorded.round.time);
    }

    fn lines(&self, file: &str) -> io::Result<Vec<EventLine>> {
        read_events(&self.dir.path().join(file))
    }

    fn unreadable(&self, problem: &dyn std::fmt::Display) -> MergeError {
        MergeError::Unreadable { dir: self.dir.path().to_owned(), problem: problem.to_string() }
    }

    /// Returns the rounds that the event files report as conflicts.
    pub(super) fn conflicts(&self) -> Result<BTreeSet<ReportedConflict>, MergeError> {
        let mut reported = BTreeSet::new();
        for file in self.files.keys() {
            let lines = self.lines(file).map_err(|error| self.unreadable(&error))?;
            reported.extend(lines.iter().filter_map(|line| {
                let detail = line.event.detail.as_ref()?;
                let site = detail["site"].as_str()?.to_owned();
                let is_conflict = line.event.kind == EventKind::Conflict;
                is_conflict.then_some((site, line.unix_ms, detail["now_cents"].as_u64()?))
            }));
        }
        Ok(reported)
    }

    pub(super) fn recorded(&self) -> Vec<RecordedRound> {
        self.entries.iter().map(|entry| entry.recorded).collect()
    }

    pub(super) fn entry(&self, index: usize) -> &Entry {
        &self.entries[index]
    }

    /// Inserts a round that this process has written to the directory.
    pub(super) fn insert(&mut self, recorded: RecordedRound) {
        let at =
            self.entries.partition_point(|entry| entry.recorded.round.time <= recorded.round.time);
        self.entries.insert(at, Entry { recorded, event: None });
        self.is_changed = true;
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(super) fn mark_processed(&mut self) {
        self.is_changed = false;
    }
}
