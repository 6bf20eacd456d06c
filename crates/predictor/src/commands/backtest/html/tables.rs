//! The tables of the HTML report.

use std::fmt::{Result, Write as _};

use forecasting::scorecard::Row;
use rounds::grouped;

use super::escaped;
use crate::commands::backtest::report::Report;
use crate::commands::backtest::text::{COLUMNS, figure, returned};

pub(super) fn write(page: &mut String, report: &Report) -> Result {
    scores(page, &report.scorecard.rows)?;
    stakes(page, report)
}

/// Returns whether the lowest value of the column is marked as the best. Coverage is best at its
/// nominal share, and raw errors depend on a few single rounds.
fn is_score(name: &str) -> bool {
    !matches!(name, "in 80 %" | "in 90 %" | "MAE" | "RMSE")
}

fn scores(page: &mut String, rows: &[Row]) -> Result {
    writeln!(
        page,
        "<section><h2>Every model and every baseline</h2><p>On the same rounds; lower is better, and \
         the best of each score is marked. MAE and RMSE are dominated by the few highest rounds: read \
         them only beside those of the house’s constant.</p><div class=\"scroll\"><table><thead><tr><th>forecaster</th>"
    )?;
    for (name, ..) in COLUMNS {
        write!(page, "<th>{name}</th>")?;
    }
    writeln!(page, "</tr></thead><tbody>")?;
    let best = COLUMNS.map(|(name, value, digits)| {
        let lowest = rows.iter().filter_map(value).filter(|_| is_score(name)).reduce(f64::min);
        lowest.map(|lowest| figure(Some(lowest), digits))
    });
    for row in rows {
        write!(page, "<tr><th>{}</th>", escaped(&display_name(&row.name)))?;
        for ((_, value, digits), best) in COLUMNS.into_iter().zip(&best) {
            let shown = figure(value(row), digits);
            let class = if best.as_ref() == Some(&shown) { " class=\"best\"" } else { "" };
            write!(page, "<td{class}>{shown}</td>")?;
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</tbody></table></div></section>")
}

/// Returns the name of a forecaster for readers.
fn display_name(name: &str) -> String {
    match name {
        "candidate" => "models, weighted by trust".to_owned(),
        "ensemble" => "ensemble, raw".to_owned(),
        other => other.replace('_', " "),
    }
}

fn stakes(page: &mut String, report: &Report) -> Result {
    writeln!(
        page,
        "<section><h2>One unit a round</h2><p>Staked on a fixed cash-out target; a range contains the \
         true return with 95 % confidence.</p><div class=\"scroll\"><table><thead><tr>\
         <th>target</th><th>bet</th><th>bets</th><th>won</th><th>net</th><th>per unit staked</th>\
         </tr></thead><tbody>"
    )?;
    for stakes in &report.flat_stakes {
        for (when, bets) in stakes.rules() {
            writeln!(
                page,
                "<tr><th>{}×</th><td class=\"words\">{when}</td><td>{}</td><td>{}</td><td>{:+.1}</td><td>{}</td></tr>",
                stakes.target,
                grouped(bets.count),
                grouped(bets.won),
                bets.net,
                returned(bets)
            )?;
        }
    }
    writeln!(page, "</tbody></table></div>")?;
    for stakes in &report.flat_stakes {
        writeln!(
            page,
            "<p class=\"quiet\">At {}× a bet pays above a chance of {:.2} %; a fair house gives \
             {:.2} % and keeps {:.2} % of each unit staked.</p>",
            stakes.target,
            100.0 * stakes.break_even,
            100.0 * stakes.house_chance,
            stakes.house_edge_percent
        )?;
    }
    writeln!(page, "</section>")
}
