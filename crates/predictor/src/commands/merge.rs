//! `predictor merge`: joins files that record the same rounds into one recording.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use importer::{Part, Source, SourceFile, merge, read_notes};

use crate::commands::UsageError;
use crate::commands::import::{ConfirmArgs, say};
use crate::commands::output::print;
use crate::commands::read_args::ReadArgs;
use crate::commands::recording::{RecordedFile, directory_of, read_files};
use crate::commands::terminal::Terminal;

/// Flags of `merge`.
#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// Files of rounds, and directories with `aviator_payouts_*.csv`. Where files hold the same rounds, the
    /// times of the first one are kept
    #[arg(value_name = "FILE|DIR", required = true)]
    pub paths: Vec<PathBuf>,
    /// Directory that the merged recording is written to; none of the files may be in it
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Whether to ask before writing.
    #[command(flatten)]
    pub confirm: ConfirmArgs,
    /// How rows are read.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Reads the files, shows what they share, asks, and writes one recording.
///
/// # Errors
/// A file is refused or cannot be read, fewer than two are given, they are of different origins or overlap in time
/// without shared rounds, or the recording cannot be written.
pub(crate) fn run(args: &MergeArgs, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut parts = Vec::new();
    let mut origins = Vec::new();
    let mut seen = BTreeSet::new();
    for path in &args.paths {
        let (files, origin) = read_files(path, args.read.settings())?;
        if is_same(directory_of(path), &args.out) {
            let path = path.display();
            bail!(UsageError(format!(
                "{path} is in the directory of --out: name another, or the rounds would be there twice"
            )));
        }
        if !origins.contains(&origin) {
            origins.push(origin);
        }
        for file in files {
            let at = if path.is_dir() { path.join(&file.name) } else { path.clone() };
            if seen.insert(at.canonicalize().unwrap_or_else(|_| at.clone())) {
                parts.push(part(&at, file)?);
            }
        }
    }
    if parts.len() < 2 {
        bail!(UsageError("a merge needs at least 2 files of rounds".to_owned()));
    }
    let [origin] = origins[..] else {
        let mut words: Vec<&str> = origins.iter().map(|origin| origin.word()).collect();
        words.sort_unstable();
        bail!(UsageError(format!("{} rounds must not be merged", words.join(" and "))));
    };
    let target = args.confirm.target(&args.out, now);
    let mut terminal = Terminal::default();
    say(merge(&parts, origin, &target, &command(args), &mut terminal))
}

/// Prints what is left out of a file, and returns its rounds.
fn part(path: &Path, file: RecordedFile) -> anyhow::Result<Part> {
    let shown = path.display();
    for rows in file.left_out() {
        print(&format!("{shown}: left out {rows}\n"))?;
    }
    let source = Source::file(path).with_context(|| format!("reading {shown}"))?;
    let sha256 = source.digest().with_context(|| format!("reading {shown}"))?;
    let source = SourceFile { name: shown.to_string(), sha256, rounds: file.rounds.len() as u64 };
    let events = read_notes(path).with_context(|| format!("reading the events of {shown}"))?;
    Ok(Part { source, rounds: file.rounds, events })
}

fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Returns the command that runs this merge without asking.
fn command(args: &MergeArgs) -> String {
    let word = |path: &PathBuf| rounds::shell_word(&path.display().to_string());
    let mut words = vec!["predictor merge".to_owned()];
    words.extend(args.paths.iter().map(word));
    words.push(format!("--out {}", word(&args.out)));
    words.extend(args.read.timezone.map(|zone| format!("--timezone {zone}")));
    words.extend(args.read.max_multiplier.map(|limit| format!("--max-multiplier {limit}")));
    words.push("--yes".to_owned());
    words.join(" ")
}
