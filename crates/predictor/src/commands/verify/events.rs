//! Checks every round that a collector recorded with its seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rounds::provably_fair::Step;
use rounds::provably_fair::aviator::Claim;
use rounds::{
    Cursor, EVENT_FILE_SUFFIX, EventKind, EventLine, EventPosition, EventReader, Multiplier,
    counted, csv_file_of,
};
use serde::Deserialize;

use crate::commands::UsageError;
use crate::commands::output;

/// Findings listed one by one; the rest are counted.
const LISTED: usize = 20;

/// Checks one event file, or all of a directory.
pub(super) fn run(path: &Path) -> anyhow::Result<()> {
    let (event_files, tables) = files(path)?;
    let mut check = Check::default();
    for (event_file, csv) in &event_files {
        let reading = || format!("reading {}", event_file.display());
        check.event_file(event_file, csv).with_context(reading)?;
    }
    for table in tables {
        check.table(&table).with_context(|| format!("reading {}", table.display()))?;
    }
    check.rows_without_events();
    check.finish()
}

/// An event file with the CSV file that it belongs to.
type EventFile = (PathBuf, PathBuf);

/// Returns the event files to check and the CSV files whose rows they must cover.
fn files(path: &Path) -> anyhow::Result<(Vec<EventFile>, Vec<PathBuf>)> {
    let shown = path.display();
    let usage = |why: &str| {
        UsageError(format!(
            "--events {shown}: {why}; expected an aviator_payouts_….events.jsonl or a directory with them"
        ))
    };
    let metadata = path.metadata().map_err(|error| usage(&error.to_string()))?;
    if !metadata.is_dir() {
        let Some(csv) = csv_file_of(path) else { bail!(usage("not an event file")) };
        return Ok((vec![(path.to_owned(), csv.clone())], vec![csv]));
    }
    let mut event_files = Vec::new();
    let mut tables = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("reading {shown}"))? {
        let path = entry.with_context(|| format!("reading {shown}"))?.path();
        if !name(&path).starts_with("aviator_payouts_") {
            continue;
        }
        if let Some(csv) = csv_file_of(&path) {
            event_files.push((path, csv));
        } else if path.extension().is_some_and(|it| it == "csv") {
            tables.push(path);
        }
    }
    if event_files.is_empty() {
        bail!(
            "no aviator_payouts_*{EVENT_FILE_SUFFIX} in {shown}: its rounds were recorded without seeds and cannot be verified"
        );
    }
    event_files.sort();
    tables.sort();
    Ok((event_files, tables))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The findings so far.
#[derive(Debug, Default)]
struct Check {
    tables: BTreeMap<PathBuf, CsvRows>,
    /// Rows with an event.
    covered: BTreeSet<(PathBuf, u64)>,
    matching: u64,
    without_seeds: u64,
    findings: Vec<String>,
}

/// The rows of a CSV by their number.
#[derive(Debug, Default)]
struct CsvRows(BTreeMap<u64, Multiplier>);

/// The seeds and hashes of a round, as the collector's demo records them.
#[derive(Debug, Deserialize)]
struct Seeds {
    #[serde(rename = "server_seed")]
    server: String,
    #[serde(rename = "client_seeds")]
    clients: Vec<String>,
    #[serde(rename = "server_seed_sha256")]
    commitment: Option<String>,
    #[serde(rename = "combined_sha512")]
    digest: Option<String>,
    #[serde(rename = "next_server_seed_sha256")]
    next_commitment: Option<String>,
}

impl Check {
    fn event_file(&mut self, path: &Path, csv: &Path) -> anyhow::Result<()> {
        let mut announced = None;
        let mut lines = EventReader::open(path, EventPosition::default())?;
        while let Some(line) = lines.next().transpose()? {
            match line {
                Ok(line) => self.line(csv, &line, &mut announced)?,
                Err(error) => {
                    self.findings.push(format!("{} line {}: {error}", name(path), lines.line()));
                }
            }
        }
        if lines.torn_bytes() > 0 {
            let number = lines.line() + 1;
            self.findings.push(format!("{} line {number}: ends before its newline", name(path)));
        }
        Ok(())
    }

    /// Checks the round of an event, if it has one. `csv` is the file beside the event file.
    fn line(
        &mut self,
        csv: &Path,
        line: &EventLine,
        announced: &mut Option<String>,
    ) -> anyhow::Result<()> {
        // After a new run, a gap or a reset, the commitment announced before it no longer applies.
        if matches!(line.event.kind, EventKind::Start | EventKind::Gap | EventKind::Reset) {
            *announced = None;
        }
        let (EventKind::Live | EventKind::Backfill | EventKind::Weak, Some(row)) =
            (line.event.kind, line.row)
        else {
            return Ok(());
        };
        let csv = line.file.as_ref().map_or_else(|| csv.to_owned(), |it| csv.with_file_name(it));
        self.table(&csv)?;
        self.covered.insert((csv.clone(), row));
        let place = place(&csv, row, line);
        let shown = self.tables.get(&csv).and_then(|table| table.0.get(&row).copied());
        let Some(multiplier) = shown else {
            self.findings.push(format!("{place}: no such row"));
            return Ok(());
        };
        let seeds = line.event.detail.clone().and_then(|it| serde_json::from_value(it).ok());
        let Some(seeds) = seeds else {
            self.without_seeds += 1;
            *announced = None;
            return Ok(());
        };
        self.round(&place, seeds, multiplier, announced);
        Ok(())
    }

    /// Recomputes a round. `announced` is the commitment that the round before published.
    fn round(
        &mut self,
        place: &str,
        seeds: Seeds,
        multiplier: Multiplier,
        announced: &mut Option<String>,
    ) {
        let before = std::mem::replace(announced, seeds.next_commitment);
        let claim = Claim {
            server_seed: seeds.server,
            client_seeds: seeds.clients,
            commitment: seeds.commitment,
            digest: seeds.digest,
            decimal: None,
            multiplier: Some(multiplier),
        };
        let mut steps = claim.steps();
        if let (Some(published), Some(first)) = (before, steps.first()) {
            let (name, computed) = ("commitment announced a round before", first.computed.clone());
            steps.push(Step { name, said: Some(published), computed });
        }
        let mut wrong = steps.iter().filter(|step| step.matches() == Some(false)).peekable();
        if wrong.peek().is_none() {
            self.matching += 1;
        }
        for step in wrong {
            let published = step.said.as_deref().unwrap_or_default();
            self.findings.push(format!(
                "{place}: {} does not match: published {published}, computed {}",
                step.name, step.computed
            ));
        }
    }

    /// Reads a CSV file unless it has been read.
    fn table(&mut self, path: &Path) -> anyhow::Result<()> {
        if !self.tables.contains_key(path) {
            let table =
                CsvRows::read(path).with_context(|| format!("reading {}", path.display()))?;
            self.tables.insert(path.to_owned(), table);
        }
        Ok(())
    }

    fn rows_without_events(&mut self) {
        for (path, table) in &self.tables {
            let rows = table.0.keys().filter(|&&row| !self.covered.contains(&(path.clone(), row)));
            let rows: Vec<u64> = rows.copied().collect();
            if let Some(first) = rows.first() {
                self.findings.push(format!(
                    "{}: {} without an event, which cannot be verified; the first is row {first}",
                    name(path),
                    counted(rows.len() as u64, "row")
                ));
            }
        }
    }

    fn finish(&self) -> anyhow::Result<()> {
        let mut lines: Vec<String> = self.findings.iter().take(LISTED).cloned().collect();
        if self.findings.len() > LISTED {
            lines.push(format!("… and {} more", self.findings.len() - LISTED));
        }
        let matches = if self.matching == 1 { "matches" } else { "match" };
        lines.push(format!("{} {matches} in every step.\n", counted(self.matching, "round")));
        output::print(&lines.join("\n"))?;
        match (self.findings.len(), self.without_seeds, self.matching) {
            (0, 0, 1..) => Ok(()),
            (0, 0, 0) => bail!("no round to verify"),
            (0, without, _) => {
                bail!("cannot verify {} recorded without seeds", counted(without, "round"))
            }
            (findings, ..) => {
                bail!("not every round matches: {}", counted(findings as u64, "finding"))
            }
        }
    }
}

fn place(csv: &Path, row: u64, line: &EventLine) -> String {
    let id = line.event.round_id.as_deref().map_or_else(String::new, |id| format!(" ({id})"));
    format!("{} row {row}{id}", name(csv))
}

impl CsvRows {
    /// Reads a CSV file. Rows count from 1, rejected ones included; the first line is the header.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut cursor = Cursor::default();
        let chunk = cursor.read(&mut file, length)?;
        let rejected: BTreeSet<u64> = chunk.rejected.iter().map(|row| row.line).collect();
        if rejected.len() as u64 != chunk.rejected_count {
            bail!("has {}", output::rejected_rows(chunk.rejected_count));
        }
        let rows = (2..=cursor.line()).filter(|line| !rejected.contains(line)).map(|line| line - 1);
        Ok(Self(rows.zip(chunk.rounds.iter().map(|round| round.multiplier)).collect()))
    }
}
