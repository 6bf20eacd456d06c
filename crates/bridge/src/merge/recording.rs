//! One recording: its rounds in order of time, each with its event.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

use rounds::align::RecordedRound;
use rounds::scan::{ChangeKind, Directory};
use rounds::{Event, EventKind, EventLine, FileRounds, Round, merge, read_events};

use super::{MergeError, ReportedConflict};

/// The rounds of a directory in order of time, each with its event.
#[derive(Debug)]
pub(super) struct Recording {
    dir: Directory,
    files: BTreeMap<String, Vec<Entry>>,
    entries: Vec<Entry>,
    /// Whether rounds were inserted since the last [`Recording::mark_processed`].
    is_changed: bool,
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
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: Directory::new(dir),
            files: BTreeMap::new(),
            entries: Vec::new(),
            is_changed: false,
        }
    }

    /// Reads new rounds; returns whether there are any.
    pub(super) fn scan(&mut self) -> Result<bool, MergeError> {
        let changes = self.dir.scan().map_err(|error| self.unreadable(&error))?;
        let is_changed = !changes.is_empty();
        for change in changes {
            match change.kind {
                ChangeKind::Appended => self.read(&change.file, change.rounds)?,
                ChangeKind::New | ChangeKind::Replaced => {
                    self.files.remove(&change.file);
                    self.read(&change.file, change.rounds)?;
                }
                ChangeKind::Removed => drop(self.files.remove(&change.file)),
                ChangeKind::Unreadable => {
                    return Err(self.unreadable(&change.error.unwrap_or_default()));
                }
                _ => {}
            }
        }
        if is_changed {
            self.sort();
        }
        Ok(is_changed)
    }

    /// Adds rounds to a file, with their events.
    fn read(&mut self, file: &str, rounds: Vec<Round>) -> Result<(), MergeError> {
        let lines = self.lines(file).map_err(|error| self.unreadable(&error))?;
        let mut events: HashMap<u64, Event> = lines
            .into_iter()
            .filter(|line| line.file.is_none())
            .filter_map(|line| Some((line.row?, line.event)))
            .collect();
        let entries = self.files.entry(file.to_owned()).or_default();
        let first = entries.len() as u64 + 1;
        let new_rounds = rounds.into_iter().zip(first..);
        entries.extend(new_rounds.map(|(round, row)| Entry::new(round, events.remove(&row))));
        Ok(())
    }

    /// Sorts the rounds of all files by time, leaving out files that are copies of others.
    fn sort(&mut self) {
        let rounds: Vec<(&String, Vec<Round>)> = self
            .files
            .iter()
            .map(|(file, entries)| {
                (file, entries.iter().map(|entry| entry.recorded.round).collect())
            })
            .collect();
        let files: Vec<_> =
            rounds.iter().map(|(file, rounds)| FileRounds { file, rounds }).collect();
        let copies: BTreeSet<String> =
            merge(&files).copies.into_iter().map(|copy| copy.file).collect();
        let originals = self.files.iter().filter(|(file, _)| !copies.contains(*file));
        self.entries = originals.flat_map(|(_, entries)| entries.iter().cloned()).collect();
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
