//! `predictor audit`: recorded rounds held against the published law, once.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use anyhow::Context as _;
use evaluation::audit::{self, AuditOptions, AuditRound};

use crate::cli::AuditArgs;
use crate::forecast::SALT;
use crate::recording::Recording;

/// Reads, audits and prints.
pub(crate) fn run(args: &AuditArgs) -> anyhow::Result<()> {
    let recording = Recording::read(&args.data_dir)?;
    let round = |round: &rounds::Round| AuditRound {
        cents: round.multiplier.cents(),
        unix_seconds: Some(round.time.timestamp_millis() as f64 / 1e3),
    };
    let rounds: Vec<AuditRound> = recording.rounds.iter().map(round).collect();
    let options = AuditOptions { salt: SALT, ..AuditOptions::default() };
    let report = audit::run(&rounds, &options).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut text = report.to_text();
    if recording.rejected > 0 {
        writeln!(text, "{} rows are no rounds and were left out.", recording.rejected)?;
    }
    std::io::stdout().write_all(text.as_bytes()).context("writing the result")?;
    if let Some(path) = &args.json {
        let json = serde_json::to_vec_pretty(&report).context("writing the result as JSON")?;
        fs::write(path, json).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
