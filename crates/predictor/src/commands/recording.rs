//! Reads recorded rounds once, from a directory or from one file of any name.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Days, Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use clap::Args;
use rounds::scan::{ChangeKind, Directory};
use rounds::{Cursor, FileRounds, Origin, Refusal, Rejections, RejectionsOfReason, Round};
use serde::Serialize;

use crate::commands::UsageError;
use crate::commands::output::rejected_rows;
use crate::input::round_series::overlap_texts;

/// Flags that select recorded rounds.
#[derive(Debug, Clone, Args)]
pub struct RecordingArgs {
    /// Directory with `aviator_payouts_*.csv`
    #[arg(long, value_name = "DIR", default_value = "data", env = "AVIATOR_DATA_DIR")]
    pub data_dir: PathBuf,
    /// One CSV file of any name, instead of a directory
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only rounds from this time on: `2025-12-10`, `2025-12-10T18:30:00` (local time), or with an
    /// offset
    #[arg(long, value_name = "TIME", value_parser = from_time)]
    pub from: Option<DateTime<Utc>>,
    /// Only rounds before this time; a date includes that day
    #[arg(long, value_name = "TIME", value_parser = to_time)]
    pub to: Option<DateTime<Utc>>,
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
    /// What is to be said of files that hold the same rounds.
    pub(crate) overlaps: Vec<String>,
    /// Bytes of incomplete rows after the last newline of files.
    pub(crate) torn_bytes: u64,
}

/// A file that was read.
struct RecordedFile {
    name: String,
    rounds: Vec<Round>,
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
        let path = args.file.as_ref().unwrap_or(&args.data_dir);
        let shown = path.display();
        let files = match path.metadata() {
            Ok(metadata) if metadata.is_dir() => directory(path),
            Ok(_) => file(path),
            Err(error) => bail!(UsageError(format!("{shown}: {error}; {FLAGS}"))),
        }
        .with_context(|| format!("reading {shown}"))?;
        if files.is_empty() {
            bail!("no aviator_payouts_*.csv in {shown}; {FLAGS}");
        }
        if let Some((file, refusal)) =
            files.iter().find_map(|file| Some((file, file.refused.as_ref()?)))
        {
            let file = if path.is_dir() { path.join(&file.name) } else { path.clone() };
            let file = file.display();
            bail!(
                "{file} is not read: {refusal}; to read it: {}",
                refusal.command(&file.to_string())
            );
        }
        let origin = origin(path).with_context(|| format!("reading {shown}"))?;
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
        rounds.retain(|round| {
            args.from.is_none_or(|from| round.time >= from)
                && args.to.is_none_or(|to| round.time < to)
        });
        let rejected = files.iter().flat_map(|file| {
            file.rejections.reasons().iter().map(|it| {
                let RejectionsOfReason { count, example } = it;
                let rows = rejected_rows(*count);
                format!("{rows} ({} line {}: {})", file.name, example.line, example.reason)
            })
        });
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
        bail!(
            "too few rounds{cut} in {}: {have} of at least {needed}{rejected}; {FLAGS}",
            about.path.display()
        )
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
                "Left out: {} rows whose rounds another file holds",
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

const FLAGS: &str = "--data-dir takes a directory with aviator_payouts_*.csv, --file one CSV";

fn file(path: &Path) -> anyhow::Result<Vec<RecordedFile>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let chunk = Cursor::default().read(&mut file, length)?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(vec![RecordedFile {
        name,
        rounds: chunk.rounds,
        rejections: chunk.rejections,
        refused: chunk.refused,
        torn_bytes: chunk.torn_bytes,
    }])
}

fn directory(path: &Path) -> anyhow::Result<Vec<RecordedFile>> {
    let changes = Directory::new(path).scan()?;
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
    Ok(changes.into_iter().map(file).collect())
}

/// Returns the origin of a directory, or of the directory of a file.
fn origin(path: &Path) -> std::io::Result<Origin> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let dir = if path.is_dir() { path } else { parent.unwrap_or(Path::new(".")) };
    Ok(Origin::of(dir)?.unwrap_or(Origin::Recorded))
}

fn from_time(text: &str) -> Result<DateTime<Utc>, String> {
    time(text, 0)
}

fn to_time(text: &str) -> Result<DateTime<Utc>, String> {
    time(text, 1)
}

/// Parses a time. A date means its midnight plus `days_later` days. Without an offset it is local time, as
/// in the files.
fn time(text: &str, days_later: u64) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let date =
        text.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(Days::new(days_later)));
    let forms =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let moment = || forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    date.map(|day| day.and_time(NaiveTime::MIN))
        .or_else(moment)
        .and_then(|naive| naive.and_local_timezone(Local).earliest())
        .map(|time| time.to_utc())
        .ok_or_else(|| {
            "expected a time such as 2025-12-10, 2025-12-10T18:30:00 or 2025-12-10T18:30:00Z"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_ends_a_range_includes_its_day() {
        let (from, to) = (from_time("2025-12-10").unwrap(), to_time("2025-12-10").unwrap());
        assert_eq!((to - from).num_hours(), 24);
        let exact = "2025-12-10T18:30:00Z";
        assert_eq!(from_time(exact), to_time(exact));
        assert_eq!(
            from_time("2025-12-10T18:30").unwrap(),
            from_time("2025-12-10 18:30:00").unwrap()
        );
        assert!(from_time("yesterday").is_err());
    }
}
