//! Checks every round that a collector recorded with its seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rounds::provably_fair::Step;
use rounds::provably_fair::aviator::Claim;
use rounds::{Cursor, EventKind, EventLine, Multiplier};
use serde::Deserialize;

use crate::commands::UsageError;
use crate::commands::output;

const EVENTS: &str = ".events.jsonl";

/// Findings that are told one by one; the rest are counted.
const TOLD: usize = 20;

/// Checks one side file, or all of a directory.
pub(super) fn run(path: &Path) -> anyhow::Result<()> {
    let (side_files, tables) = listed(path)?;
    let mut check = Check::default();
    for side_file in &side_files {
        check.side_file(side_file).with_context(|| format!("reading {}", side_file.display()))?;
    }
    for table in tables {
        check.table(&table).with_context(|| format!("reading {}", table.display()))?;
    }
    check.rows_without_events();
    check.say()
}

/// The side files to check, and the CSV files that must be covered by them.
fn listed(path: &Path) -> anyhow::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let shown = path.display();
    let usage = |why: &str| {
        UsageError(format!(
            "--events {shown}: {why}; it takes an aviator_payouts_….events.jsonl or a directory with them"
        ))
    };
    let metadata = path.metadata().map_err(|error| usage(&error.to_string()))?;
    if !metadata.is_dir() {
        if !name(path).ends_with(EVENTS) {
            bail!(usage("not a file of events"));
        }
        return Ok((vec![path.to_owned()], vec![beside(path)]));
    }
    let mut side_files = Vec::new();
    let mut tables = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("reading {shown}"))? {
        let path = entry.with_context(|| format!("reading {shown}"))?.path();
        let name = name(&path);
        if name.starts_with("aviator_payouts_") && name.ends_with(EVENTS) {
            side_files.push(path);
        } else if name.starts_with("aviator_payouts_")
            && path.extension().is_some_and(|it| it == "csv")
        {
            tables.push(path);
        }
    }
    if side_files.is_empty() {
        bail!(
            "no aviator_payouts_*{EVENTS} in {shown}: its rounds were kept without seeds and cannot be verified"
        );
    }
    side_files.sort();
    tables.sort();
    Ok((side_files, tables))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The CSV of a side file.
fn beside(side_file: &Path) -> PathBuf {
    let stem = name(side_file);
    side_file.with_file_name(format!("{}.csv", stem.trim_end_matches(EVENTS)))
}

/// What was found so far.
#[derive(Debug, Default)]
struct Check {
    tables: BTreeMap<PathBuf, Table>,
    /// Rows that an event speaks of.
    spoken_of: BTreeSet<(PathBuf, u64)>,
    matching: u64,
    without_seeds: u64,
    findings: Vec<String>,
}

/// The rows of a CSV by their number.
#[derive(Debug, Default)]
struct Table(BTreeMap<u64, Multiplier>);

/// The seeds and hashes that the demo keeps of a round.
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
    fn side_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut announced = None;
        let mut lines = BufReader::new(File::open(path)?);
        let (mut text, mut number) = (String::new(), 0);
        while lines.read_line(&mut text)? > 0 {
            number += 1;
            if !text.ends_with('\n') {
                self.findings
                    .push(format!("{} line {number}: ends before its newline", name(path)));
                break;
            }
            match serde_json::from_str::<EventLine>(&text) {
                Ok(line) => self.line(path, &line, &mut announced)?,
                Err(error) => {
                    self.findings.push(format!("{} line {number}: {error}", name(path)));
                }
            }
            text.clear();
        }
        Ok(())
    }

    fn line(
        &mut self,
        path: &Path,
        line: &EventLine,
        announced: &mut Option<String>,
    ) -> anyhow::Result<()> {
        // A new run, or a hole, has another commitment.
        if matches!(line.event.kind, EventKind::Start | EventKind::Gap | EventKind::Reset) {
            *announced = None;
        }
        let (EventKind::Live | EventKind::Backfill | EventKind::Weak, Some(row)) =
            (line.event.kind, line.row)
        else {
            return Ok(());
        };
        let csv = line.file.as_ref().map_or_else(|| beside(path), |file| path.with_file_name(file));
        self.table(&csv)?;
        self.spoken_of.insert((csv.clone(), row));
        let place = place(&csv, row, line);
        let shown = self.tables.get(&csv).and_then(|table| table.0.get(&row).copied());
        let Some(multiplier) = shown else {
            self.findings.push(format!("{place}: there is no such row"));
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

    /// Computes a round anew. `announced` is what the round before committed to.
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
        if let (Some(said), Some(first)) = (before, steps.first()) {
            let (name, computed) = ("commitment announced a round before", first.computed.clone());
            steps.push(Step { name, said: Some(said), computed });
        }
        let mut wrong = steps.iter().filter(|step| step.matches() == Some(false)).peekable();
        if wrong.peek().is_none() {
            self.matching += 1;
        }
        for step in wrong {
            let said = step.said.as_deref().unwrap_or_default();
            self.findings.push(format!(
                "{place}: {} does not match: said {said}, computed {}",
                step.name, step.computed
            ));
        }
    }

    /// Reads a CSV, once.
    fn table(&mut self, path: &Path) -> anyhow::Result<()> {
        if !self.tables.contains_key(path) {
            let table = Table::read(path).with_context(|| format!("reading {}", path.display()))?;
            self.tables.insert(path.to_owned(), table);
        }
        Ok(())
    }

    fn rows_without_events(&mut self) {
        for (path, table) in &self.tables {
            let rows =
                table.0.keys().filter(|&&row| !self.spoken_of.contains(&(path.clone(), row)));
            let rows: Vec<u64> = rows.copied().collect();
            if let Some(first) = rows.first() {
                self.findings.push(format!(
                    "{}: {} rows have no event and cannot be verified, the first is row {first}",
                    name(path),
                    rows.len()
                ));
            }
        }
    }

    fn say(&self) -> anyhow::Result<()> {
        let mut lines: Vec<String> = self.findings.iter().take(TOLD).cloned().collect();
        if self.findings.len() > TOLD {
            lines.push(format!("… and {} more", self.findings.len() - TOLD));
        }
        lines.push(format!("{} rounds match in every step.\n", self.matching));
        output::say(&lines.join("\n"))?;
        match (self.findings.len(), self.without_seeds, self.matching) {
            (0, 0, 1..) => Ok(()),
            (0, 0, 0) => bail!("there is no round to verify"),
            (0, without, _) => {
                bail!("{without} rounds were kept without seeds and cannot be verified")
            }
            (findings, ..) => bail!("{findings} findings: not every round matches"),
        }
    }
}

fn place(csv: &Path, row: u64, line: &EventLine) -> String {
    let id = line.event.round_id.as_deref().map_or_else(String::new, |id| format!(" ({id})"));
    format!("{} row {row}{id}", name(csv))
}

impl Table {
    /// Rows are counted from 1, whether or not they are rounds; the first line is the header.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut cursor = Cursor::default();
        let piece = cursor.read(&mut file, length)?;
        let rejected: BTreeSet<u64> = piece.rejected.iter().map(|row| row.line).collect();
        if rejected.len() as u64 != piece.rejected_count {
            bail!("{} rows are no rounds", piece.rejected_count);
        }
        let rows = (2..=cursor.line()).filter(|line| !rejected.contains(line)).map(|line| line - 1);
        Ok(Self(rows.zip(piece.rounds.iter().map(|round| round.multiplier)).collect()))
    }
}
