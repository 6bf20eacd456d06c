//! The result as one page that needs nothing beside it.

use std::fmt::Write as _;

use super::plot::{Axis, Mark, plot};
use super::report::{Point, Report};
use crate::scorecard::Row;

const STYLE: &str = include_str!("report.css");
/// Beyond 20 and 100 a light says no more.
const EVIDENCE_TICKS: [f64; 5] = [0.1, 1.0, 20.0, 100.0, 1000.0];

pub(super) fn of(report: &Report) -> String {
    let mut page = String::new();
    write(&mut page, report).expect("a string takes all text");
    page
}

fn write(page: &mut String, report: &Report) -> std::fmt::Result {
    let data = escaped(&report.data);
    writeln!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Backtest of {data}</title><style>{STYLE}</style><main>\
         <h1>Backtest of {data}</h1>"
    )?;
    for sentence in &report.verdict {
        writeln!(page, "<p class=\"verdict\">{}</p>", escaped(sentence))?;
    }
    writeln!(
        page,
        "<p>{} {} rounds, {} to {}; {} forecasts, each made before its round was looked at; \
         {} models, refitted {}. Trust in the model at the end (kappa): {:.3}.</p>",
        report.rounds,
        report.origin,
        report.from.format("%Y-%m-%d"),
        report.to.format("%Y-%m-%d"),
        report.scorecard.rounds,
        report.fits,
        report.refit,
        report.kappa
    )?;
    let rounds = Axis::count("round", report.rounds);
    writeln!(page, "<h2>Skill against the constant table</h2>{}", skill(report, &rounds))?;
    writeln!(page, "<p>Percent by the Brier score, with 95 % ends. Above 0 is better.</p>")?;
    writeln!(page, "<h2>Evidence over time</h2>{}", evidence(report, &rounds))?;
    writeln!(
        page,
        "<p><i class=\"order\"></i> order &nbsp; <i class=\"law\"></i> law &nbsp; \
         <i class=\"forecast\"></i> forecast. On a fair game each reaches 20 once in 20 games, ever.</p>"
    )?;
    writeln!(page, "<h2>Did rounds come as often as was said?</h2>{}", calibration(report))?;
    writeln!(page, "<h2>Share of the last 500 rounds inside the 80 % interval</h2>")?;
    writeln!(page, "{}", coverage(report, &rounds))?;
    writeln!(page, "<h2>Everyone’s scores on the same rounds</h2>{}", scores(report)?)?;
    writeln!(page, "<h2>One unit on every round</h2>{}", stakes(report)?)?;
    writeln!(page, "</main></html>")
}

fn line(report: &Report, class: &'static str, value: impl Fn(&Point) -> Option<f64>) -> Mark {
    let points = report.curve.iter().filter_map(|it| Some((it.round as f64, value(it)?)));
    Mark::Line { class, points: points.collect() }
}

fn skill(report: &Report, rounds: &Axis) -> String {
    let known: Vec<_> =
        report.curve.iter().filter_map(|it| Some((it.round as f64, it.skill?))).collect();
    let late = known.iter().skip(known.len() / 20);
    let values = late.flat_map(|(_, skill)| [skill.lo, skill.hi]).chain([0.0]);
    let axis = Axis::linear("skill, %", values);
    let band = known.iter().map(|(round, skill)| (*round, skill.lo, skill.hi)).collect();
    let marks = [
        Mark::Band { points: band },
        Mark::Reference { y: 0.0 },
        line(report, "ours", |it| it.skill.map(|skill| skill.value)),
    ];
    plot(rounds, &axis, &marks, "Skill over time with its confidence band around zero")
}

fn evidence(report: &Report, rounds: &Axis) -> String {
    let ticks = EVIDENCE_TICKS.map(|e| (e.ln(), format!("{e}"))).to_vec();
    let axis = Axis { from: 0.01f64.ln(), to: 1000f64.ln(), label: "evidence", ticks };
    let marks = [
        Mark::Reference { y: 20f64.ln() },
        line(report, "order", |it| Some(it.ln_e[0])),
        line(report, "law", |it| Some(it.ln_e[1])),
        line(report, "forecast", |it| Some(it.ln_e[2])),
    ];
    plot(rounds, &axis, &marks, "Evidence of the three lights over time")
}

fn calibration(report: &Report) -> String {
    let points = report.scorecard.reliability.iter();
    let dots =
        points.map(|row| (row.said, row.came.value, row.came.lo.max(0.0), row.came.hi.min(1.0)));
    let unit = |label| Axis::linear(label, [0.0, 1.0].into_iter());
    let marks = [
        Mark::Line { class: "reference", points: vec![(0.0, 0.0), (1.0, 1.0)] },
        Mark::Dots { points: dots.collect() },
    ];
    plot(&unit("probability that was said"), &unit("share that came"), &marks, "Calibration")
}

fn coverage(report: &Report, rounds: &Axis) -> String {
    let values = report.curve.iter().filter_map(|it| it.coverage);
    let axis = Axis::linear("coverage", values.chain([0.7, 0.9]));
    let marks = [Mark::Reference { y: 0.8 }, line(report, "ours", |it| it.coverage)];
    plot(rounds, &axis, &marks, "Coverage of the 80 percent interval over time")
}

fn scores(report: &Report) -> Result<String, std::fmt::Error> {
    let mut table = String::from(
        "<div class=\"wide\"><table><tr><th><th>log-MAE<th>MAE@10<th>log-CRPS<th>log loss<th>Brier\
         <th>coverage<th>MAE<th>RMSE",
    );
    for row in &report.scorecard.rows {
        write!(table, "<tr><th>{}", escaped(&row.name.replace('_', " ")))?;
        for (value, digits) in figures(row) {
            match value {
                Some(value) => write!(table, "<td>{value:.digits$}")?,
                None => write!(table, "<td>–")?,
            }
        }
    }
    table.push_str("</table></div>");
    Ok(table)
}

fn figures(row: &Row) -> [(Option<f64>, usize); 8] {
    [
        (row.log_mae, 4),
        (row.mae10, 4),
        (row.log_crps, 5),
        (row.log_loss, 4),
        (row.brier, 5),
        (row.coverage, 3),
        (row.mae, 3),
        (row.rmse, 2),
    ]
}

fn stakes(report: &Report) -> Result<String, std::fmt::Error> {
    let mut table = String::from(
        "<div class=\"wide\"><table><tr><th>cash out at<th>bets<th>won<th>net<th>expected at a fair house\
         <th>chosen bets<th>won<th>net",
    );
    for it in &report.stakes {
        write!(
            table,
            "<tr><th>{}×<td>{}<td>{}<td>{:+.1}<td>{:+.1}<td>{}<td>{}<td>{:+.1}",
            it.target,
            it.always.count,
            it.always.won,
            it.always.net,
            it.expected_per_bet * it.always.count as f64,
            it.chosen.count,
            it.chosen.won,
            it.chosen.net
        )?;
    }
    table.push_str(
        "</table></div><p>Chosen: only rounds for which the served chance was above break-even. \
         The house keeps 3 % of every stake on average, whatever the target.</p>",
    );
    Ok(table)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
