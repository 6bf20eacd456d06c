//! `predictor doctor`: checks the installation and prints each finding with its remedy.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use daemon::finding::{Finding, as_json, as_text};
use daemon::output::print;
use evaluation::quality::{Fault, State};
use forecasting::training_schedule::FIRST_AT;
use importer::past_imports;
use notify::{RecursiveMode, Watcher as _};
use rounds::disk::{Disk, RealDisk};
use rounds::scan::{Change, ChangeKind, Directory};
use rounds::{FileRounds, Origin, RejectionsOfReason, Round, counted};

use crate::commands::data_place::DataPlace;
use crate::commands::output::rejected_rows;
use crate::commands::serve::ServeArgs;
use crate::config::{Config, Token, UNNAMED, is_exposed};
use crate::input::file_stats::is_endless;
use crate::input::recording_quality::RecordingQuality;
use crate::input::round_series::overlap_texts;
use crate::store::ledger_file::LedgerFile;

/// Flags of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// The configuration to check
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs all checks and prints the findings.
///
/// # Errors
/// A check failed, the configuration cannot be used, or the findings cannot be printed.
pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let mut config = args.serve.config()?;
    let mut findings = Vec::new();
    if args.serve.may_search()? {
        findings.extend(place(DataPlace::find(Path::new(".")), &mut config.data_dir));
    }
    let config = &config;
    findings.extend(data(config));
    findings.extend(unnamed_tables(config));
    findings.push(origin(&config.data_dir));
    findings.push(notifications(&config.data_dir));
    findings.push(state(config));
    findings.extend(token(config));
    findings.push(port(config));
    findings.push(messages(config));
    let text = if args.json { as_json(&findings) } else { as_text(&findings) };
    print(text.as_bytes())?;
    match findings.iter().filter(|finding| finding.is_failed()).count() {
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
            Some(Finding::ok("directory", text))
        }
        DataPlace::Several(places) => {
            let text = format!("rounds are in {places}");
            Some(Finding::failed("directory", text, places.commands("predictor")))
        }
        DataPlace::Nowhere => Some(Finding::warning(
            "directory",
            format!("no rounds in {}, one level below it, or here", dir.display()),
            "start the collector; the first rounds that appear are read",
        )),
    }
}

/// Directories with rounds that `--all-tables` leaves out.
fn unnamed_tables(config: &Config) -> Vec<Finding> {
    if !config.all_tables {
        return Vec::new();
    }
    let text = |dir: PathBuf| format!("{} holds rounds and is not read", dir.display());
    let dirs = config.unnamed_tables().unwrap_or_default();
    dirs.into_iter().map(|dir| Finding::warning("tables", text(dir), UNNAMED)).collect()
}

fn data(config: &Config) -> Vec<Finding> {
    let (dir, settings) = (&config.data_dir, config.read_settings());
    let shown = dir.display();
    if !dir.exists() {
        let text = format!("{shown} does not exist yet");
        return vec![Finding::warning("rounds", text, "the collector creates it")];
    }
    let changes = match Directory::with_settings(dir, settings).scan() {
        Ok(changes) => changes,
        Err(error) => {
            return vec![Finding::failed("rounds", error.to_string(), "check its permissions")];
        }
    };
    let mut findings = Vec::new();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Unreadable) {
        let error = change.error.as_deref().unwrap_or("cannot be read");
        let advice = if error.contains("ermission") {
            "check its permissions"
        } else {
            "move it out of the directory, or replace it by a copy that can be read"
        };
        findings.push(Finding::failed("rounds", format!("{}: {error}", change.file), advice));
    }
    let (misnamed, changes): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.kind == ChangeKind::Misnamed);
    for change in misnamed {
        let error = change.error.unwrap_or_default();
        let text = format!("{} is not read", change.file);
        findings.push(Finding::warning("rounds", text, error));
    }
    for change in &changes {
        findings.extend(rows_left_out(dir, change));
    }
    let files = changes.iter().map(|it| FileRounds { file: &it.file, rounds: &it.rounds });
    let merged = rounds::merge(&files.collect::<Vec<_>>());
    let advice = "predictor merge writes them as one recording";
    let overlaps = overlap_texts(&merged).into_iter();
    findings.extend(overlaps.map(|text| Finding::warning("rounds", text, advice)));
    let rounds = merged.rounds.len() as u64;
    let files = counted(changes.len() as u64, "CSV file");
    let text = format!("{shown}: {files}, {}", counted(rounds, "round"));
    findings.push(if rounds >= FIRST_AT {
        Finding::ok("rounds", text)
    } else {
        let advice = format!("a model needs {FIRST_AT}; wait, or import a recording");
        Finding::warning("rounds", text, advice)
    });
    findings.extend(faults(&merged.rounds, config));
    findings
}

/// What is wrong with the recording, as the dashboard judges it.
fn faults(rounds: &[Round], config: &Config) -> Vec<Finding> {
    let quality = RecordingQuality::of(rounds, config.game.pace());
    let origin = Origin::of(&config.data_dir).ok().flatten().unwrap_or(Origin::Recorded);
    let faults = quality.faults(origin);
    let finding = |fault: &Fault| {
        let text = match fault.state() {
            State::Suspect => format!("the rounds are not what was played: {fault}"),
            State::Incomplete | State::Sound => format!("the recording is incomplete: {fault}"),
        };
        Finding::warning("quality", text, fault.remedy())
    };
    faults.map(finding).collect()
}

/// Rows of a file that are not read, by reason.
fn rows_left_out(dir: &Path, change: &Change) -> Vec<Finding> {
    let file = &change.file;
    if let Some(refusal) = &change.refused {
        if let Ok(Some(csv)) = past_imports::find_file(dir, &dir.join(file)) {
            return vec![Finding::ok("rounds", format!("{file} was imported as {csv}"))];
        }
        let command = refusal.command(&dir.join(file).display().to_string());
        let text = format!("{file} is not read: {refusal}");
        return vec![Finding::failed("rounds", text, format!("to read it: {command}"))];
    }
    let of_reason = |it: &RejectionsOfReason| {
        let rows = rejected_rows(it.count);
        let text =
            format!("{file}: {rows}; the first is line {}: {}", it.example.line, it.example.reason);
        Finding::warning("rounds", text, "they are left out; correct them, or leave them")
    };
    let mut findings: Vec<Finding> = change.rejections.reasons().iter().map(of_reason).collect();
    if is_endless(change.torn_bytes) {
        let bytes = change.torn_bytes;
        let text = format!("{file} ends with {bytes} bytes without a line end; they are not read");
        findings.push(Finding::warning("rounds", text, "move the file out of the directory"));
    }
    findings
}

fn origin(dir: &Path) -> Finding {
    match Origin::of(dir) {
        Ok(Some(origin)) => Finding::ok("origin", format!("the rounds are {origin}")),
        Ok(None) => Finding::ok("origin", "the rounds have no origin yet"),
        Err(_) if !dir.exists() => Finding::ok("origin", "the rounds have no origin yet"),
        Err(error) => {
            let advice = "the rounds are taken for recorded ones";
            Finding::warning("origin", error.to_string(), advice)
        }
    }
}

fn notifications(dir: &Path) -> Finding {
    let watch = |dir| -> notify::Result<()> {
        let mut watcher = notify::recommended_watcher(|_| {})?;
        watcher.watch(dir, RecursiveMode::NonRecursive)
    };
    match watch(dir) {
        Ok(()) => Finding::ok("notifications", "the file system sends them"),
        Err(_) if !dir.exists() => {
            Finding::ok("notifications", "they are checked once the directory exists")
        }
        Err(error) => {
            let text = format!("the file system sends none ({error})");
            Finding::warning("notifications", text, "nothing to do: rows are seen within 2 s")
        }
    }
}

fn state(config: &Config) -> Finding {
    let dir = config.state_dir();
    let shown = dir.display();
    if !dir.exists() {
        return match dir.parent() {
            Some(parent) if fs::metadata(parent).is_ok_and(|it| it.permissions().readonly()) => {
                let text = format!("{shown} cannot be created, so they would be lost at each stop");
                Finding::warning("forecasts", text, "use --state-dir")
            }
            _ => Finding::ok("forecasts", format!("they will be stored in {shown}")),
        };
    }
    match lines_of(&dir) {
        Ok((path, entries, unreadable)) => {
            let unreadable = counted(unreadable, "unreadable line");
            let entries = counted(entries, "readable line");
            Finding::ok("forecasts", format!("{}: {entries}, {unreadable}", path.display()))
        }
        Err(error) => {
            let text = format!("they would be lost at each stop: {error}");
            Finding::warning("forecasts", text, "make it writable, or use --state-dir")
        }
    }
}

fn messages(config: &Config) -> Finding {
    match crate::alerts::service_names(&config.notify) {
        Ok(Some(names)) => Finding::ok("alerts", format!("they go to {names}")),
        Ok(None) => Finding::ok("alerts", "none are configured (predictor notify --help)"),
        Err(error) => {
            let text = format!("they cannot be sent: {error}");
            Finding::failed("alerts", text, "see predictor notify --help")
        }
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
        Err(error) => Finding::failed("token", error.to_string(), "see predictor --help"),
        Ok(_) if is_exposed(path) => {
            let text = format!("other users can read {shown}");
            Finding::warning("token", text, format!("chmod 600 {shown}"))
        }
        Ok(_) => Finding::ok("token", format!("{shown} can be read by its owner only")),
    })
}

fn port(config: &Config) -> Finding {
    match TcpListener::bind(config.listen) {
        Ok(_) => Finding::ok("address", format!("{} is free", config.listen)),
        Err(error) => {
            let text = format!("cannot listen on {}: {error}", config.listen);
            Finding::failed("address", text, "choose another with --listen")
        }
    }
}
