//! `predictor doctor`: checks the installation and prints each finding with its remedy.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use forecasting::training_schedule::FIRST_AT;
use importer::past_imports;
use notify::{RecursiveMode, Watcher as _};
use rounds::disk::{Disk, RealDisk};
use rounds::scan::{Change, ChangeKind, Directory};
use rounds::{FileRounds, Origin, ReadSettings, RejectionsOfReason, counted};

use crate::commands::data_place::DataPlace;
use crate::commands::output;
use crate::commands::serve::ServeArgs;
use crate::config::{Config, Token, UNNAMED, is_exposed};
use crate::input::file_stats::is_endless;
use crate::input::round_series::overlap_texts;
use crate::store::ledger_file::LedgerFile;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fine,
    Attention,
    Problem,
}

struct Finding {
    outcome: Outcome,
    text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.outcome {
            Outcome::Fine => "ok     ",
            Outcome::Attention => "check  ",
            Outcome::Problem => "PROBLEM",
        };
        writeln!(f, "{mark}  {}", self.text)
    }
}

fn fine(text: String) -> Finding {
    Finding { outcome: Outcome::Fine, text }
}

fn attention(text: String) -> Finding {
    Finding { outcome: Outcome::Attention, text }
}

fn problem(text: String) -> Finding {
    Finding { outcome: Outcome::Problem, text }
}

/// Runs all checks and prints the findings.
///
/// # Errors
/// A check found a problem.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let mut config = args.config()?;
    let mut findings = Vec::new();
    if args.may_search()? {
        findings.extend(place(DataPlace::find(Path::new(".")), &mut config.data_dir));
    }
    let config = &config;
    findings.extend(data(&config.data_dir, config.read_settings()));
    findings.extend(unnamed_tables(config));
    findings.push(origin(&config.data_dir));
    findings.push(notifications(&config.data_dir));
    findings.push(state(config));
    findings.extend(token(config));
    findings.push(port(config));
    findings.push(messages(config));
    let text: String = findings.iter().map(ToString::to_string).collect();
    std::io::stdout().write_all(text.as_bytes()).context("writing the result")?;
    match findings.iter().filter(|it| it.outcome == Outcome::Problem).count() {
        0 => Ok(()),
        1 => anyhow::bail!("1 problem keeps the predictor from working"),
        count => anyhow::bail!("{count} problems keep the predictor from working"),
    }
}

/// Where the rounds are, if nobody has named a directory; sets the directory.
fn place(found: DataPlace, dir: &mut PathBuf) -> Option<Finding> {
    match found {
        DataPlace::Found(place) if place == *dir => None,
        DataPlace::Found(place) => {
            let text =
                format!("{} holds no rounds; those of {} are read", dir.display(), place.display());
            *dir = place;
            Some(fine(text))
        }
        DataPlace::Several(places) => Some(problem(places.message("predictor"))),
        DataPlace::Nowhere => Some(attention(format!(
            "no rounds in {0}, in its sub-directories or in the working directory; the predictor reads the first directory in which rounds appear",
            dir.display()
        ))),
    }
}

/// Directories with rounds that `--all-tables` leaves out.
fn unnamed_tables(config: &Config) -> Vec<Finding> {
    if !config.all_tables {
        return Vec::new();
    }
    let text = |dir: PathBuf| format!("{} holds rounds and is not read: {UNNAMED}", dir.display());
    let dirs = config.unnamed_tables().unwrap_or_default();
    dirs.into_iter().map(text).map(attention).collect()
}

fn data(dir: &Path, settings: ReadSettings) -> Vec<Finding> {
    let shown = dir.display();
    if !dir.exists() {
        return vec![attention(format!("{shown} does not exist yet; the collector creates it"))];
    }
    let changes = match Directory::with_settings(dir, settings).scan() {
        Ok(changes) => changes,
        Err(error) => return vec![problem(format!("{error}; check its permissions"))],
    };
    let mut findings = Vec::new();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Unreadable) {
        let error = change.error.as_deref().unwrap_or("cannot be read");
        let remedy = if error.contains("ermission") { "; check its permissions" } else { "" };
        findings.push(problem(format!("{}: {error}{remedy}", change.file)));
    }
    let (misnamed, changes): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.kind == ChangeKind::Misnamed);
    for change in misnamed {
        let error = change.error.unwrap_or_default();
        findings.push(attention(format!("{} is not read: {error}", change.file)));
    }
    for change in &changes {
        findings.extend(rows_left_out(dir, change));
    }
    let files = changes.iter().map(|it| FileRounds { file: &it.file, rounds: &it.rounds });
    let merged = rounds::merge(&files.collect::<Vec<_>>());
    findings.extend(overlap_texts(&merged).into_iter().map(attention));
    let rounds = merged.rounds.len() as u64;
    let files = counted(changes.len() as u64, "CSV file");
    let text = format!("{shown}: {files}, {}", counted(rounds, "round"));
    findings.push(if rounds >= FIRST_AT {
        fine(text)
    } else {
        attention(format!("{text}; a model needs {FIRST_AT}"))
    });
    findings
}

/// Rows of a file that are not read, by reason.
fn rows_left_out(dir: &Path, change: &Change) -> Vec<Finding> {
    let file = &change.file;
    if let Some(refusal) = &change.refused {
        if let Ok(Some(csv)) = past_imports::find_file(dir, &dir.join(file)) {
            return vec![fine(format!("{file} was imported as {csv}"))];
        }
        let command = refusal.command(&dir.join(file).display().to_string());
        return vec![problem(format!("{file} is not read: {refusal}; to read it: {command}"))];
    }
    let of_reason = |it: &RejectionsOfReason| {
        let rows = output::rejected_rows(it.count);
        attention(format!(
            "{file}: {rows}; the first is line {}: {}",
            it.example.line, it.example.reason
        ))
    };
    let mut findings: Vec<Finding> = change.rejections.reasons().iter().map(of_reason).collect();
    if is_endless(change.torn_bytes) {
        let bytes = change.torn_bytes;
        findings.push(attention(format!(
            "{file} ends with {bytes} bytes without a line end; they are not read"
        )));
    }
    findings
}

fn origin(dir: &Path) -> Finding {
    match Origin::of(dir) {
        Ok(Some(origin)) => fine(format!("the rounds are {origin}")),
        Ok(None) => fine("the rounds have no origin yet".to_owned()),
        Err(_) if !dir.exists() => fine("the rounds have no origin yet".to_owned()),
        Err(error) => attention(format!("assuming that the rounds are recorded: {error}")),
    }
}

fn notifications(dir: &Path) -> Finding {
    let watch = |dir| -> notify::Result<()> {
        let mut watcher = notify::recommended_watcher(|_| {})?;
        watcher.watch(dir, RecursiveMode::NonRecursive)
    };
    match watch(dir) {
        Ok(()) => fine("the file system sends notifications".to_owned()),
        Err(_) if !dir.exists() => {
            fine("notifications are checked once the directory exists".to_owned())
        }
        Err(error) => attention(format!("no notifications ({error}); rows are seen within 2 s")),
    }
}

fn state(config: &Config) -> Finding {
    let dir = config.state_dir();
    let shown = dir.display();
    if !dir.exists() {
        return match dir.parent() {
            Some(parent) if fs::metadata(parent).is_ok_and(|it| it.permissions().readonly()) => {
                attention(format!(
                    "{shown} cannot be created, so forecasts would be lost at each stop; use --state-dir"
                ))
            }
            _ => fine(format!("forecasts will be stored in {shown}")),
        };
    }
    match lines_of(&dir) {
        Ok((path, entries, unreadable)) => {
            let unreadable = counted(unreadable, "unreadable line");
            fine(format!("{}: {}, {unreadable}", path.display(), counted(entries, "readable line")))
        }
        Err(error) => attention(format!("forecasts would be lost at each stop: {error}")),
    }
}

fn messages(config: &Config) -> Finding {
    match crate::alerts::service_names(&config.notify) {
        Ok(Some(names)) => fine(format!("alerts go to {names}")),
        Ok(None) => fine("no alerts are configured (predictor notify --help)".to_owned()),
        Err(error) => problem(format!("alerts cannot be sent: {error}")),
    }
}

/// Returns the path of the ledger, and the number of its entries and of its unreadable lines.
fn lines_of(dir: &Path) -> anyhow::Result<(PathBuf, u64, u64)> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let (mut ledger_file, _) = LedgerFile::open(dir, &disk)?;
    let mut entries = 0;
    let unreadable = ledger_file.read(0..u64::MAX, |_| entries += 1)?;
    Ok((ledger_file.path().to_owned(), entries, unreadable.count))
}

fn token(config: &Config) -> Option<Finding> {
    let path = config.token_file.as_deref()?;
    let shown = path.display();
    Some(match Token::read(path) {
        Err(error) => problem(error.to_string()),
        Ok(_) if is_exposed(path) => {
            attention(format!("other users can read the token in {shown}: chmod 600 {shown}"))
        }
        Ok(_) => fine(format!("the token in {shown} can be read by its owner only")),
    })
}

fn port(config: &Config) -> Finding {
    match TcpListener::bind(config.listen) {
        Ok(_) => fine(format!("{} is free", config.listen)),
        Err(error) => problem(format!("cannot listen on {}: {error}; use --listen", config.listen)),
    }
}
