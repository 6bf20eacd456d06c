//! The result for a terminal.

use std::fmt::Write as _;

use super::report::{Bets, Report};
use crate::scorecard::Row;

pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    write(&mut text, report).expect("a string takes all text");
    text
}

fn write(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        text,
        "{} rounds of {} ({}), {} to {}; {} rows left out",
        report.rounds,
        report.data,
        report.origin,
        report.from.format("%Y-%m-%d %H:%M"),
        report.to.format("%Y-%m-%d %H:%M UTC"),
        report.rejected_rows
    )?;
    writeln!(
        text,
        "{} forecasts scored, each made before its round; {} models, refitted {}\n",
        report.scorecard.rounds, report.fits, report.refit
    )?;
    for sentence in &report.verdict {
        writeln!(text, "{sentence}")?;
    }
    writeln!(text, "\nEvidence (1 = none, 20 = amber, 100 = red)        now   highest")?;
    for (name, e, e_max) in report.lights.figures() {
        writeln!(text, "  {name:<44} {:>8} {:>9}", evidence(e), evidence(e_max))?;
    }
    writeln!(text, "\nTrust in the model (kappa): {:.3}", report.kappa)?;
    scores(text, &report.scorecard.rows)?;
    for (name, skill) in [
        ("house law", &report.scorecard.skill.house),
        ("climatology", &report.scorecard.skill.climatology),
    ] {
        if let Some(shown) = skill.shown {
            writeln!(
                text,
                "Skill against {name}: {:+.3} % [{:+.3}, {:+.3}]",
                shown.value, shown.lo, shown.hi
            )?;
        }
    }
    stakes(text, report)
}

fn scores(text: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(
        text,
        "\n{:<24}{:>9}{:>9}{:>10}{:>10}{:>9}{:>10}{:>11}{:>12}",
        "", "log-MAE", "MAE@10", "log-CRPS", "log loss", "Brier", "coverage", "MAE", "RMSE"
    )?;
    for row in rows {
        let figure = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        writeln!(
            text,
            "{:<24}{:>9}{:>9}{:>10}{:>10}{:>9}{:>10}{:>11}{:>12}",
            row.name,
            figure(row.log_mae, 4),
            figure(row.mae10, 4),
            figure(row.log_crps, 5),
            figure(row.log_loss, 4),
            figure(row.brier, 5),
            figure(row.coverage, 3),
            figure(row.mae, 3),
            figure(row.rmse, 2),
        )?;
    }
    writeln!(text)
}

fn stakes(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(text, "\nOne unit on every round, and only where our chance was above break-even")?;
    writeln!(
        text,
        "{:>8}{:>9}{:>9}{:>11}{:>14}{:>10}{:>9}{:>11}",
        "target", "bets", "won", "net", "house edge", "chosen", "won", "net"
    )?;
    for it in &report.stakes {
        let per = |bets: &Bets| format!("{:+.1}", bets.net);
        writeln!(
            text,
            "{:>7}x{:>9}{:>9}{:>11}{:>12.1} %{:>10}{:>9}{:>11}",
            it.target,
            it.always.count,
            it.always.won,
            per(&it.always),
            -100.0 * it.expected_per_bet,
            it.chosen.count,
            it.chosen.won,
            per(&it.chosen)
        )?;
    }
    Ok(())
}

/// Evidence with the digits it deserves.
fn evidence(e: f64) -> String {
    match e {
        e if e >= 1e6 => format!("{e:.1e}"),
        e if e >= 100.0 => format!("{e:.0}"),
        _ => format!("{e:.2}"),
    }
}
