//! The result as text for a terminal.

use std::fmt::{Result, Write as _};

use evaluation::confidence_sequence::Estimate;
use evaluation::sequential::{Level, TestEvidence};
use forecasting::scorecard::{Row, SkillAgainst};

use super::report::Report;
use super::stakes::Bets;
use crate::input::recording_quality::NOT_WHOLE;

pub(super) fn of(report: &Report) -> String {
    let mut text = report.data.text();
    write(&mut text, report).expect("writing to a string cannot fail");
    text
}

fn write(text: &mut String, report: &Report) -> Result {
    writeln!(
        text,
        "{} forecasts, each made from earlier rounds only; {} models, refitted {}\n",
        report.scorecard.rounds, report.models, report.refit
    )?;
    let verdict = &report.verdict;
    for sentence in std::iter::once(&verdict.sentence).chain(&verdict.notes) {
        writeln!(text, "{sentence}")?;
    }
    if verdict.suspect {
        writeln!(text, "\n{NOT_WHOLE}")?;
    }
    writeln!(text, "\nEvidence (1 = none, amber from 20, red from 100)")?;
    for test in &report.evidence {
        writeln!(text, "  {:<9} {}", test.name, level(test))?;
    }
    writeln!(text, "\nTrust in the model at the end (kappa): {:.3}", report.kappa)?;
    let skill = &report.scorecard.skill;
    for (name, against) in [("house law", &skill.house), ("climatology", &skill.climatology)] {
        writeln!(text, "Skill against {name}: {}", skill_text(against))?;
    }
    scores(text, &report.scorecard.rows)?;
    stakes(text, report)
}

/// The level of a test, and its highest evidence.
pub(super) fn level(test: &TestEvidence) -> String {
    let highest = format!("highest {}", evidence(test.ln_e_max));
    match (test.level, test.alarm_round) {
        (Level::Quiet, None) => format!("quiet, {highest}"),
        (level, round) => {
            let since = round.map_or_else(String::new, |round| format!(" since round {round}"));
            let level = if level == Level::Red { "red" } else { "amber" };
            format!("{level}{since}, {highest}")
        }
    }
}

/// Formats evidence, given as ln e.
pub(super) fn evidence(ln_e: f64) -> String {
    match ln_e.exp() {
        _ if ln_e > 14.0 => format!("10^{:.1}", ln_e / std::f64::consts::LN_10),
        e if e >= 100.0 => format!("{e:.0}"),
        e => format!("{e:.2}"),
    }
}

fn skill_text(against: &SkillAgainst) -> String {
    let percent =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:+.3} %"));
    let ends = against.shown.map_or_else(String::new, |it| format!(" {}", ends(it, 3)));
    format!(
        "Brier {}{ends}, log-CRPS {}, log-MAE {}",
        percent(against.scores.brier_mean),
        percent(against.scores.log_crps),
        percent(against.scores.log_mae)
    )
}

/// Formats the ends of an interval: `[-0.123, +0.456]`.
pub(super) fn ends(estimate: Estimate, digits: usize) -> String {
    format!("[{:+.digits$}, {:+.digits$}]", estimate.lo, estimate.hi)
}

/// Formats a score, or a dash where there is none.
pub(super) fn figure(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

/// A column of the table of scores: name, value and digits.
type Column = (&'static str, fn(&Row) -> Option<f64>, usize);

pub(super) const COLUMNS: [Column; 10] = [
    ("log-MAE", |row| row.log_mae, 4),
    ("MAE@10", |row| row.mae10, 4),
    ("log-CRPS", |row| row.log_crps, 5),
    ("log loss", |row| row.log_loss, 4),
    ("Brier", |row| row.brier, 5),
    ("int. score", |row| row.interval_score, 3),
    ("in 80 %", |row| row.coverage, 3),
    ("in 90 %", |row| row.coverage90, 3),
    ("MAE", |row| row.mae, 3),
    ("RMSE", |row| row.rmse, 2),
];

fn scores(text: &mut String, rows: &[Row]) -> Result {
    write!(text, "\n{:<20}", "(lower is better)")?;
    for (name, ..) in COLUMNS {
        write!(text, " {name:>10}")?;
    }
    for row in rows {
        write!(text, "\n{:<20}", row.name)?;
        for (_, value, digits) in COLUMNS {
            write!(text, " {:>10}", figure(value(row), digits))?;
        }
    }
    writeln!(text)
}

fn stakes(text: &mut String, report: &Report) -> Result {
    writeln!(text, "\nOne unit a round, cashed out at a fixed target")?;
    writeln!(text, "{:>8}  {:<32}{:>8}{:>8}{:>11}  per unit staked", "", "", "bets", "won", "net")?;
    for stakes in &report.flat_stakes {
        for (when, bets) in stakes.rules() {
            writeln!(
                text,
                "{:>7}x  {when:<32}{:>8}{:>8}{:>+11.1}  {}",
                stakes.target,
                bets.count,
                bets.won,
                bets.net,
                returned(bets)
            )?;
        }
        writeln!(
            text,
            "{:>8}  a fair house keeps {:.2} % of each unit; a bet pays above a chance of {:.2} %, the house gives {:.2} %",
            "",
            stakes.house_edge_percent,
            100.0 * stakes.break_even,
            100.0 * stakes.house_chance
        )?;
    }
    Ok(())
}

/// Formats the return of bets: `-2.9 % [-7.8, +2.0]`.
pub(super) fn returned(bets: &Bets) -> String {
    bets.return_percent
        .map_or_else(|| "–".to_owned(), |it| format!("{:+.1} % {}", it.value, ends(it, 1)))
}
