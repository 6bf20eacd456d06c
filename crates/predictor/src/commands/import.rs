//! `predictor import`: turns a recording of any form into a CSV of rounds.

use std::path::{Path, PathBuf};

use anyhow::bail;
use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use importer::{
    DateOrder, DecimalSign, Filter, ImportError, Options, Outcome, Scale, Source, Target,
    import_all,
};
use rounds::disk::RealDisk;
use rounds::{MAX_MULTIPLIER, TimeZoneOfRows};

use crate::commands::UsageError;
use crate::commands::data_place::DATA_DIR;
use crate::commands::output::print;
use crate::commands::terminal::Terminal;

/// Flags that say whether to ask before writing.
#[derive(Debug, Clone, Copy, Args)]
pub struct ConfirmArgs {
    /// Write without asking
    #[arg(long)]
    pub yes: bool,
    /// Show what would be written and write nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

impl ConfirmArgs {
    pub(crate) fn target(self, dir: &Path, now: DateTime<Utc>) -> Target<'_> {
        Target { dir, disk: &RealDisk, is_dry_run: self.dry_run, is_agreed: self.yes, now }
    }
}

/// Flags of `import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// Recordings: CSV or other text, JSON, JSON lines, xlsx or HAR; also zipped. Several become one
    /// recording in which each round counts once
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Directory that the rounds are written to
    #[arg(long, value_name = "DIR", default_value = DATA_DIR, env = "AVIATOR_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Whether to ask before writing.
    #[command(flatten)]
    pub confirm: ConfirmArgs,
    /// Column of the multipliers: its name, or its number from 1
    #[arg(long, value_name = "COLUMN")]
    pub multiplier_column: Option<String>,
    /// Column of the times: its name, or its number from 1
    #[arg(long, value_name = "COLUMN")]
    pub time_column: Option<String>,
    /// Multiply the numbers by this factor, such as 0.01 for hundredths
    #[arg(long, value_name = "FACTOR", value_parser = scale)]
    pub scale: Option<Scale>,
    /// Decimal separator where `1.090` or `1,090` is ambiguous: point or comma
    #[arg(long, value_name = "SIGN")]
    pub decimal: Option<DecimalSign>,
    /// Reject larger multipliers
    #[arg(long, value_name = "MULTIPLIER", default_value_t = MAX_MULTIPLIER)]
    pub max_multiplier: f64,
    /// Time zone of times without an offset: `America/Sao_Paulo`, `-03:00` or `local`
    #[arg(
        long,
        value_name = "ZONE",
        env = "AVIATOR_TIMEZONE",
        default_value = "local",
        allow_hyphen_values = true
    )]
    pub timezone: TimeZoneOfRows,
    /// Whether the day or the month comes first in dates: day-first or month-first
    #[arg(long, value_name = "ORDER")]
    pub date_order: Option<DateOrder>,
    /// Day of the oldest round, for a recording with times of day only
    #[arg(long, value_name = "DATE")]
    pub date: Option<NaiveDate>,
    /// Generate times at the game's usual pace for a recording without any; they are marked as estimates
    #[arg(long, conflicts_with = "time_column")]
    pub no_times: bool,
    /// The newest round is in the first row
    #[arg(long)]
    pub reverse: bool,
    /// Take only rows with this value in this column, such as state=CRASHED
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub filter: Option<Filter>,
    /// Which of several tables: the sheet of a workbook, the path of a list in JSON
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
}

fn scale(text: &str) -> Result<Scale, String> {
    Scale::new(text.parse().map_err(|_| format!("`{text}` is not a number"))?)
}

impl ImportArgs {
    fn options(&self, now: DateTime<Utc>) -> Options {
        Options {
            multiplier_column: self.multiplier_column.clone(),
            time_column: self.time_column.clone(),
            scale: self.scale,
            decimal: self.decimal,
            is_reversed: self.reverse,
            zone: self.timezone,
            date_order: self.date_order,
            date: self.date,
            without_times: self.no_times,
            filter: self.filter.clone(),
            path: self.path.clone(),
            multiplier_max: self.max_multiplier,
            now,
            data_dir: (self.data_dir != Path::new(DATA_DIR)).then(|| self.data_dir.clone()),
        }
    }
}

/// Imports the files as one recording.
///
/// # Errors
/// A file is refused, cannot be read, or the rounds cannot be written. The other files are imported all the same.
pub(crate) fn run(args: &ImportArgs, now: DateTime<Utc>) -> anyhow::Result<()> {
    let options = args.options(now);
    let source = |file: &PathBuf| -> anyhow::Result<Source> {
        Source::file(file)
            .map_err(|error| UsageError(format!("{}: {error}", file.display())).into())
    };
    let (sources, missing): (Vec<_>, Vec<_>) =
        args.files.iter().map(source).partition(Result::is_ok);
    let sources: Vec<Source> = sources.into_iter().flatten().collect();
    let target = args.confirm.target(&args.data_dir, now);
    let mut terminal = Terminal::default();
    let imported = import_all(&sources, &options, &target, &mut terminal);
    terminal.finish();
    for (file, csv) in &imported.known {
        print(&format!("{file}: imported before, into {csv}; nothing was written\n"))?;
    }
    let mut failures: Vec<anyhow::Error> = missing.into_iter().filter_map(Result::err).collect();
    failures.extend(imported.refused.into_iter().map(anyhow::Error::from));
    let written = imported.outcome.map_or(Ok(()), say);
    match (failures.len(), args.files.len()) {
        (0, _) => written,
        (1, 1) => Err(failures.remove(0)),
        (failed, all) => {
            for failure in &failures {
                tracing::error!(error = format!("{failure:#}"), "A file was not imported.");
            }
            written?;
            bail!("{failed} of {all} files were not imported")
        }
    }
}

/// Prints how an import or a merge ended.
pub(crate) fn say(outcome: Result<Outcome, ImportError>) -> anyhow::Result<()> {
    match outcome {
        Ok(Outcome::Written(csv)) => print(&format!("Written to {}\n", csv.display())),
        Ok(Outcome::Known(csv)) => {
            print(&format!("These rounds were written before, to {csv}; nothing was written\n"))
        }
        Ok(Outcome::Shown) => print("Dry run: nothing was written\n"),
        Ok(Outcome::Declined) => print("Nothing was written\n"),
        Err(error @ (ImportError::NotAsked { .. } | ImportError::WithoutTimes)) => {
            Err(UsageError(error.to_string()).into())
        }
        Err(error) => Err(error.into()),
    }
}
