//! `predictor import`: turns a recording of any form into a CSV of rounds.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::bail;
use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use importer::{
    DateOrder, DecimalSign, Dialogue, Filter, ImportError, Options, Outcome, Scale, Source, Target,
    import,
};
use indicatif::{ProgressBar, ProgressStyle};
use rounds::disk::RealDisk;
use rounds::{MAX_MULTIPLIER, TimeZoneOfRows};

use crate::commands::UsageError;
use crate::commands::output::print;

/// Flags of `import`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct ImportArgs {
    /// Recordings: CSV or other text, JSON, JSON lines, xlsx or HAR; also zipped
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Directory that the rounds are written to
    #[arg(long, value_name = "DIR", default_value = "data", env = "AVIATOR_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Write without asking
    #[arg(long)]
    pub yes: bool,
    /// Show what was understood and write nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
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
    #[arg(long, value_name = "ZONE", default_value = "local", allow_hyphen_values = true)]
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
        }
    }
}

/// Imports the files one after the other.
///
/// # Errors
/// A file is refused, cannot be read, or its rounds cannot be written. The other files are imported all the same.
pub(crate) fn run(args: &ImportArgs, now: DateTime<Utc>) -> anyhow::Result<()> {
    let options = args.options(now);
    let mut failures = Vec::new();
    for file in &args.files {
        if let Err(error) = run_file(file, args, &options) {
            failures.push(error);
        }
    }
    match (failures.len(), args.files.len()) {
        (0, _) => Ok(()),
        (1, 1) => Err(failures.remove(0)),
        (failed, all) => {
            for failure in &failures {
                tracing::error!(error = format!("{failure:#}"), "A file was not imported.");
            }
            bail!("{failed} of {all} files were not imported")
        }
    }
}

fn run_file(file: &Path, args: &ImportArgs, options: &Options) -> anyhow::Result<()> {
    let source =
        Source::file(file).map_err(|error| UsageError(format!("{}: {error}", file.display())))?;
    let target = Target {
        dir: &args.data_dir,
        disk: &RealDisk,
        is_dry_run: args.dry_run,
        is_agreed: args.yes,
    };
    let mut terminal = Terminal::default();
    let outcome = import(&source, options, &target, &mut terminal);
    terminal.finish();
    let shown = file.display();
    match outcome {
        Ok(Outcome::Written(csv)) => print(&format!("Written to {}\n", csv.display())),
        Ok(Outcome::Known(csv)) => {
            print(&format!("{shown}: imported before, into {csv}; nothing was written\n"))
        }
        Ok(Outcome::Shown) => print("Dry run: nothing was written\n"),
        Ok(Outcome::Declined) => print("Nothing was written\n"),
        Err(error @ ImportError::NotAsked { .. }) => Err(UsageError(error.to_string()).into()),
        Err(error) => Err(error.into()),
    }
}

/// Files shorter than this are read before a bar could be seen.
const BAR_BYTES_MIN: u64 = 8 << 20;

/// Shows, asks and draws the progress bar.
#[derive(Debug, Default)]
struct Terminal {
    bar: Option<ProgressBar>,
}

impl Terminal {
    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Dialogue for Terminal {
    fn show(&mut self, text: &str) -> io::Result<()> {
        self.finish();
        print(text).map_err(io::Error::other)
    }

    fn agrees(&mut self, question: &str) -> io::Result<Option<bool>> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let mut stdout = io::stdout().lock();
        write!(stdout, "{question} [y/N] ")?;
        stdout.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
    }

    fn progress(&mut self, read: u64, length: u64) {
        if length < BAR_BYTES_MIN || !io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style =
                ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
            ProgressBar::new(length).with_style(style.expect("a constant template is valid"))
        });
        bar.set_position(read.min(length));
    }
}
