//! `predictor audit`: tests recorded rounds against the house's law and for order.

mod fit;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use evaluation::GameParameters;
use evaluation::audit::{self, AuditOptions, AuditReport, ROUNDS_MIN, SNAPSHOTS};
use evaluation::quality::{RecordedRound, State};
use forecasting::calibration::SALT;
use rounds::Round;
use serde::Serialize;

use crate::commands::UsageError;
use crate::commands::output;
use crate::commands::recording::{About, Recording, RecordingArgs};
use crate::input::recording_quality::{NOT_WHOLE, counts, recorded};

/// Flags of `audit`.
#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    /// Which rounds
    #[command(flatten)]
    pub recording: RecordingArgs,
    /// Use the first N rounds only, N being one of the announced numbers 1000, 2000, 5000, …; each
    /// later look has half the error probability of the one before
    #[arg(long, value_name = "N")]
    pub snapshot: Option<u64>,
    /// Print the parameters of the game that fit the rounds, for the `[game]` section of the configuration,
    /// instead of the audit
    #[arg(long, conflicts_with = "snapshot")]
    pub fit: bool,
    /// Write the full result to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Number of gaps listed individually.
const GAPS_SHOWN: usize = 5;

/// The result, as `--json` writes it.
#[derive(Debug, Serialize)]
struct Audit {
    program: &'static str,
    data: About,
    /// The announced number of rounds, if one was chosen.
    snapshot: Option<u64>,
    #[serde(flatten)]
    report: AuditReport,
}

/// The options of an audit of this game's rounds, without `--snapshot`.
pub(crate) fn options(game: &GameParameters) -> AuditOptions {
    let (house, pace) = (*game.law(), game.pace());
    AuditOptions { house, pace, salt: SALT, ..AuditOptions::default() }
}

/// Runs the command.
pub(crate) fn run(args: &AuditArgs) -> anyhow::Result<()> {
    if args.fit {
        return fit::run(args);
    }
    let (needed, options) = plan(args.snapshot, options(&args.recording.game()?))?;
    let mut recording = Recording::read(&args.recording, needed)?;
    output::check_writable(args.json.as_deref(), "--json")?;
    if args.snapshot.is_some() {
        recording.rounds.truncate(needed);
    }
    let rounds: Vec<RecordedRound> = recording.rounds.iter().map(recorded).collect();
    let mut report = audit::run(&rounds, &options).context("auditing")?;
    report.recording.keep_faults(|fault| counts(fault, recording.about.origin));
    let audit = Audit {
        program: concat!("predictor ", env!("CARGO_PKG_VERSION")),
        data: recording.about,
        snapshot: args.snapshot,
        report,
    };
    output::print(&audit.text(&recording.rounds))?;
    args.json.as_ref().map_or(Ok(()), |path| output::write_json(path, &audit))
}

/// Returns the number of rounds needed, and the options with the error probability that this look
/// may spend.
fn plan(snapshot: Option<u64>, options: AuditOptions) -> Result<(usize, AuditOptions), UsageError> {
    let Some(snapshot) = snapshot else { return Ok((ROUNDS_MIN, options)) };
    let looks = (0..).zip(SNAPSHOTS).find(|&(_, at)| at == snapshot);
    let (number, at) = looks.ok_or_else(|| {
        let all = SNAPSHOTS.map(|at| at.to_string()).join(", ");
        UsageError(format!("--snapshot {snapshot}: the number of rounds must be one of {all}"))
    })?;
    let needed = usize::try_from(at).unwrap_or(usize::MAX);
    Ok((needed, options.at_snapshot(number)))
}

impl Audit {
    fn text(&self, rounds: &[Round]) -> String {
        let mut lines = vec![self.data.text()];
        if self.report.recording.state == State::Suspect {
            lines.push(format!("{NOT_WHOLE}\n"));
        }
        lines.push(self.report.to_text().trim_end().to_owned());
        for gap in self.report.recording.longest_gaps.iter().take(GAPS_SHOWN) {
            // `before_round` counts from 1.
            let time = rounds.get(gap.before_round - 1).map(|round| round.time);
            lines.push(format!(
                "  gap before round {} ({}): {:.0} s too long, room for about {:.0} rounds",
                gap.before_round,
                time.unwrap_or_default().format("%Y-%m-%d %H:%M:%S UTC"),
                gap.excess_seconds,
                gap.rounds_missing
            ));
        }
        lines.push(match self.snapshot {
            Some(_) => "\nThis number of rounds was fixed in advance; each later look may spend half the error probability of the one before.\n",
            None => {
                "\nThe battery is valid for one look. To look again as rounds come in, use --snapshot; \
                 the sequential tests may be read at any time.\n"
            }
        }.to_owned());
        lines.join("\n")
    }
}
