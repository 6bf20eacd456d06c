//! Reads recorded rounds once, from a directory or from one file of any name.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use evaluation::GameParameters;
use importer::past_imports;
use rounds::scan::{ChangeKind, Directory};
use rounds::{
    Cursor, FileRounds, Origin, ReadOptions, ReadSettings, Refusal, Rejections, RejectionsOfReason,
    Round,
};
use serde::Serialize;

use crate::commands::UsageError;
use crate::commands::data_place::{DATA_DIR, DataPlace};
use crate::commands::output::rejected_rows;
use crate::commands::read_args::{ReadArgs, TimeArg};
use crate::config::GameSettings;
use crate::config::game_settings::limit;
use crate::input::round_series::overlap_texts;

/// Flags that select recorded rounds.
#[derive(Debug, Clone, Args)]
pub struct RecordingArgs {
    /// Directory with `aviator_payouts_*.csv`. Without it the command looks for rounds in `data`, its sub-directories
    /// and the working directory [default: data]
    #[arg(long, value_name = "DIR", env = "AVIATOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// One CSV file of any name, instead of a directory
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only rounds from this time on: `2025-12-10`, `2025-12-10T18:30:00` (in the time zone of
    /// --timezone), or with an offset
    #[arg(long, value_name = "TIME")]
    pub from: Option<TimeArg>,
    /// Only rounds before this time; a date includes that day
    #[arg(long, value_name = "TIME")]
    pub to: Option<TimeArg>,
    /// How rows are read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Which game's rounds are read.
    #[command(flatten)]
    pub game: GameSettings,
}

impl RecordingArgs {
    /// Returns the parameters of the game.
    ///
    /// # Errors
    /// No game can have them.
    pub(crate) fn game(&self) -> Result<GameParameters, UsageError> {
        self.game.parameters().map_err(|error| UsageError(format!("--game-…: {error}")))
    }

    /// Returns how rows are read: up to the cap of the game, unless another limit is given.
    fn settings(&self, game: &GameParameters) -> ReadSettings {
        let max_multiplier = self.read.max_multiplier.or(Some(limit(game)));
        ReadArgs { max_multiplier, ..self.read }.settings()
    }

    /// The file or directory to read.
    fn path(&self) -> anyhow::Result<PathBuf> {
        if let Some(named) = self.file.as_ref().or(self.data_dir.as_ref()) {
            return Ok(named.clone());
        }
        match DataPlace::find(Path::new(".")) {
            DataPlace::Found(place) => Ok(place),
            DataPlace::Several(places) => {
                bail!(UsageError(format!("rounds are in {places}; choose one with --data-dir")))
            }
            DataPlace::Nowhere => Ok(PathBuf::from(DATA_DIR)),
        }
    }
}

/// The rounds that were read.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// In the order of time.
    pub(crate) rounds: Vec<Round>,
    pub(crate) about: About,
}

/// The source of the rounds, and what was left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct About {
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
    pub(crate) simulated: bool,
    /// Rounds used: those between `--from` and `--to`.
    pub(crate) rounds: u64,
    /// When the first of them ended.
    pub(crate) first: Option<DateTime<Utc>>,
    /// When the last of them ended.
    pub(crate) last: Option<DateTime<Utc>>,
    pub(crate) files: u64,
    /// Rows that are not rounds.
    pub(crate) rejected_rows: u64,
    /// The same by reason, each with the first row rejected for it.
    pub(crate) rejected: Vec<String>,
    /// Rows left out because another file holds the same round.
    pub(crate) repeated_rows: u64,
    /// Notices about files that overlap in time.
    pub(crate) overlaps: Vec<String>,
    /// Bytes of incomplete rows after the last newline of files.
    pub(crate) torn_bytes: u64,
}

/// A file that was read.
pub(crate) struct RecordedFile {
    pub(crate) name: String,
    pub(crate) rounds: Vec<Round>,
    rejections: Rejections,
    refused: Option<Refusal>,
    torn_bytes: u64,
}

impl Recording {
    /// Reads the rounds that the flags select.
    ///
    /// # Errors
    /// [`UsageError`] if there is no such file or directory; another error if it cannot be read or has
    /// fewer rounds than `needed`.
    pub(crate) fn read(args: &RecordingArgs, needed: usize) -> anyhow::Result<Self> {
        let path = &args.path()?;
        let (files, origin) = read_files(path, args.settings(&args.game()?))?;
        let recording = Self::of(path, origin, &files, args);
        recording.check(needed, files.iter().map(|file| file.rounds.len()).sum())?;
        Ok(recording)
    }

    fn of(path: &Path, origin: Origin, files: &[RecordedFile], args: &RecordingArgs) -> Self {
        let named: Vec<FileRounds<'_>> =
            files.iter().map(|it| FileRounds { file: &it.name, rounds: &it.rounds }).collect();
        let merged = rounds::merge(&named);
        let (repeated_rows, overlaps) = (merged.left_out(), overlap_texts(&merged));
        let mut rounds = merged.rounds;
        let zone = args.read.settings().time_zone;
        let from = args.from.and_then(|from| from.start(zone));
        let to = args.to.and_then(|to| to.end(zone));
        rounds.retain(|round| {
            from.is_none_or(|from| round.time >= from) && to.is_none_or(|to| round.time < to)
        });
        let rejected = files.iter().flat_map(RecordedFile::left_out);
        let about = About {
            path: path.to_owned(),
            origin,
            simulated: origin == Origin::Simulated,
            rounds: rounds.len() as u64,
            first: rounds.first().map(|round| round.time),
            last: rounds.last().map(|round| round.time),
            files: files.len() as u64,
            rejected_rows: files.iter().map(|file| file.rejections.total()).sum(),
            rejected: rejected.collect(),
            repeated_rows,
            overlaps,
            torn_bytes: files.iter().map(|file| file.torn_bytes).sum(),
        };
        Self { rounds, about }
    }

    fn check(&self, needed: usize, read: usize) -> anyhow::Result<()> {
        let (have, about) = (self.rounds.len(), &self.about);
        if have >= needed {
            return Ok(());
        }
        let cut = if have < read.saturating_sub(usize::try_from(about.repeated_rows)?) {
            " between --from and --to"
        } else {
            ""
        };
        let rejected = match &about.rejected[..] {
            [] => String::new(),
            reasons => format!("; left out {}", reasons.join(", ")),
        };
        let shown = about.path.display();
        let remedy = if read == 0 && about.path.is_file() {
            let file = rounds::shell_word(&shown.to_string());
            format!("to see what it holds and how to read it: predictor import {file} --dry-run")
        } else {
            "record more, or choose another recording with --data-dir or --file".to_owned()
        };
        bail!("too few rounds{cut} in {shown}: {have} of at least {needed}{rejected}; {remedy}")
    }
}

impl About {
    /// Returns a summary of a few lines.
    pub(crate) fn text(&self) -> String {
        let time = |time: Option<DateTime<Utc>>| {
            time.map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M UTC").to_string())
        };
        let mut lines = vec![format!(
            "{} {} rounds of {}, {} to {}",
            self.rounds,
            self.origin,
            self.path.display(),
            time(self.first),
            time(self.last)
        )];
        lines.extend(self.rejected.iter().map(|rows| format!("Left out: {rows}")));
        if self.repeated_rows > 0 {
            lines.push(format!(
                "Left out: {} rows whose rounds another row or file holds",
                self.repeated_rows
            ));
        }
        lines.extend(self.overlaps.iter().cloned());
        if self.torn_bytes > 0 {
            lines.push(format!("Left out: {} bytes of unfinished rows", self.torn_bytes));
        }
        lines.join("\n") + "\n"
    }
}

impl RecordedFile {
    /// Returns its rows that are not rounds, by reason, each with the first one.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let reasons = self.rejections.reasons().iter();
        let of_reason = |it: &RejectionsOfReason| {
            let (rows, example) = (rejected_rows(it.count), &it.example);
            format!("{rows} ({} line {}: {})", self.name, example.line, example.reason)
        };
        reasons.map(of_reason).collect()
    }
}

/// Reads a file of any name or the files of a directory; returns them with the origin of their rounds.
///
/// # Errors
/// [`UsageError`] if there is no such file or directory; another error if it cannot be read, is refused, or holds no
/// files.
pub(crate) fn read_files(
    path: &Path,
    settings: ReadSettings,
) -> anyhow::Result<(Vec<RecordedFile>, Origin)> {
    let shown = path.display();
    let mut files = match path.metadata() {
        Ok(metadata) if metadata.is_dir() => directory(path, settings),
        Ok(_) => file(path, settings),
        Err(error) => bail!(UsageError(format!("{shown}: {error}; {FLAGS}"))),
    }
    .with_context(|| format!("reading {shown}"))?;
    if path.is_dir() {
        // Its rounds are in another file of the directory.
        files.retain(|file| {
            let found = || past_imports::find_file(path, &path.join(&file.name));
            file.refused.is_none() || !matches!(found(), Ok(Some(_)))
        });
    }
    if files.is_empty() {
        bail!("no aviator_payouts_*.csv in {shown}; {FLAGS}");
    }
    if let Some((file, refusal)) =
        files.iter().find_map(|file| Some((file, file.refused.as_ref()?)))
    {
        let file = if path.is_dir() { path.join(&file.name) } else { path.to_owned() };
        let file = file.display();
        bail!("{file} is not read: {refusal}; to read it: {}", refusal.command(&file.to_string()));
    }
    let origin = origin(path).with_context(|| format!("reading {shown}"))?;
    Ok((files, origin))
}

const FLAGS: &str = "--data-dir takes a directory with aviator_payouts_*.csv, --file one CSV";

fn file(path: &Path, settings: ReadSettings) -> anyhow::Result<Vec<RecordedFile>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let chunk = Cursor::default().read_with(&mut file, length, &ReadOptions::from(settings))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(vec![RecordedFile {
        name,
        rounds: chunk.rounds,
        rejections: chunk.rejections,
        refused: chunk.refused,
        torn_bytes: chunk.torn_bytes,
    }])
}

fn directory(path: &Path, settings: ReadSettings) -> anyhow::Result<Vec<RecordedFile>> {
    let changes = Directory::with_settings(path, settings).scan()?;
    if let Some(bad) = changes.iter().find(|change| change.kind == ChangeKind::Unreadable) {
        bail!("{}: {}", bad.file, bad.error.as_deref().unwrap_or("cannot be read"));
    }
    let file = |change: rounds::scan::Change| RecordedFile {
        name: change.file,
        rounds: change.rounds,
        rejections: change.rejections,
        refused: change.refused,
        torn_bytes: change.torn_bytes,
    };
    let (misnamed, changes): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.kind == ChangeKind::Misnamed);
    for change in misnamed {
        let error = change.error.unwrap_or_default();
        let file = path.join(change.file);
        tracing::warn!(file = %file.display(), error, "A file is not read because of its name.");
    }
    Ok(changes.into_iter().map(file).collect())
}

/// Returns the origin of a directory, or of the directory of a file.
fn origin(path: &Path) -> std::io::Result<Origin> {
    Ok(Origin::of(directory_of(path))?.unwrap_or(Origin::Recorded))
}

/// Returns the directory of a file, or the directory itself.
pub(crate) fn directory_of(path: &Path) -> &Path {
    if path.is_dir() {
        return path;
    }
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
