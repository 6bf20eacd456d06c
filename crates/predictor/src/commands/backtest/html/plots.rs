//! The plots of the HTML report.

use std::f64::consts::LN_10;
use std::fmt::{Result, Write as _};

use evaluation::confidence_sequence::Estimate;

use crate::commands::backtest::plot::{Axis, Dot, Mark, Plot, draw};
use crate::commands::backtest::report::{Report, ScorePoint};

pub(super) fn write(page: &mut String, report: &Report) -> Result {
    writeln!(page, "<div class=\"plots\">")?;
    figure(page, "Skill over time", SKILL, &skill(report))?;
    figure(page, "Evidence over time", EVIDENCE, &evidence(report))?;
    figure(page, "Did rounds come as often as forecast?", CALIBRATION, &calibration(report))?;
    figure(page, "Rounds inside the intervals", COVERAGE, &coverage(report))?;
    writeln!(page, "</div>")
}

const SKILL: &str = "<span class=\"key ours\">served</span> <span class=\"key law\">raw \
    ensemble</span> Against fixed odds, in percent of its Brier score, with 95 % bands that \
    hold however often one looks. Above 0 is better. The first rounds, where the bands are widest, are cut.";
const EVIDENCE: &str = "<span class=\"key order\">order</span> <span class=\"key law\">law</span> \
    <span class=\"key forecast\">forecast</span> What each euro has become, on a logarithmic scale. \
    An upright line: the game may have changed; the tests go on.";
const CALIBRATION: &str = "Forecast probability and observed share, in ten bins for each target, \
    with 95 % ends. Dots on the diagonal are calibrated; small dots rest on few rounds.";
const COVERAGE: &str = "<span class=\"key ours\">80 %</span> <span class=\"key law\">90 %</span> \
    Share of the last 500 rounds inside the served interval. It varies by about 2 points by chance \
    alone.";

fn figure(page: &mut String, title: &str, caption: &str, plot: &Plot<'_>) -> Result {
    writeln!(page, "<figure><h2>{title}</h2>")?;
    draw(page, plot)?;
    writeln!(page, "<figcaption>{caption}</figcaption></figure>")
}

fn line(report: &Report, class: &'static str, value: impl Fn(&ScorePoint) -> Option<f64>) -> Mark {
    let points = report.curve.iter().filter_map(|it| Some((it.round as f64, value(it)?)));
    Mark::Line { class, points: points.collect() }
}

/// The rounds at which a skill is known, each with its value.
type Known = Vec<(f64, Estimate)>;

/// Returns the values of a skill without the first tenth: the bands there are so wide that they
/// would flatten the rest.
fn known(report: &Report, skill: impl Fn(&ScorePoint) -> Option<Estimate>) -> Known {
    let known: Known =
        report.curve.iter().filter_map(|it| Some((it.round as f64, skill(it)?))).collect();
    known[known.len() / 10..].to_vec()
}

fn band(known: &Known, class: &'static str) -> Mark {
    Mark::Band { class, points: known.iter().map(|(x, it)| (*x, it.lo, it.hi)).collect() }
}

fn middle(known: &Known, class: &'static str) -> Mark {
    Mark::Line { class, points: known.iter().map(|(x, it)| (*x, it.value)).collect() }
}

fn skill(report: &Report) -> Plot<'static> {
    let served = known(report, |it| it.skill);
    let raw = known(report, |it| it.ensemble_skill);
    let values = served.iter().chain(&raw).flat_map(|(_, skill)| [skill.lo, skill.hi]);
    // Forecasts that equal the house's odds to the last digit have a band of no width, so the axis
    // always spans ±0.1.
    let y = Axis::linear("skill, %", values.chain([-0.1, 0.1]));
    Plot {
        caption: "Skill over time with its confidence band around zero",
        x: Axis::rounds(report.data.rounds),
        y,
        marks: vec![
            band(&raw, "band raw"),
            band(&served, "band"),
            Mark::Reference { y: 0.0, name: "no better than fixed odds" },
            middle(&raw, "law"),
            middle(&served, "ours"),
        ],
    }
}

fn evidence(report: &Report) -> Plot<'static> {
    let highest = report.curve.iter().flat_map(|it| it.ln_e).fold(0.0, f64::max) / LN_10;
    let threshold = |e: f64| move |_: &ScorePoint| Some(e.log10());
    let mut marks = vec![
        line(report, "threshold", threshold(20.0)),
        line(report, "threshold", threshold(100.0)),
    ];
    marks.extend(report.epochs.iter().map(|it| Mark::Moment { x: it.noticed_at as f64 }));
    for (test, class) in ["order", "law", "forecast"].into_iter().enumerate() {
        marks.push(line(report, class, |it| Some(it.ln_e[test] / LN_10)));
    }
    Plot {
        caption: "Evidence of the three tests over time, with lines at 20 and 100",
        x: Axis::rounds(report.data.rounds),
        y: Axis::evidence(highest),
        marks,
    }
}

fn calibration(report: &Report) -> Plot<'static> {
    let rows = &report.scorecard.reliability;
    let most = |target: f64| {
        let of_target = rows.iter().filter(|row| row.target.total_cmp(&target).is_eq());
        of_target.map(|row| row.rounds).max().unwrap_or(0)
    };
    let dots = rows.iter().map(|row| Dot {
        x: row.forecast,
        y: row.observed.value,
        low: row.observed.lo.max(0.0),
        high: row.observed.hi.min(1.0),
        name: (row.rounds == most(row.target)).then(|| format!("{}×", row.target)),
        weight: row.rounds as f64 / report.scorecard.rounds.max(1) as f64,
    });
    let unit = |label| Axis::linear(label, [0.0, 1.0].into_iter());
    Plot {
        caption: "Calibration: observed share against forecast probability",
        x: unit("forecast probability"),
        y: unit("observed share"),
        marks: vec![
            Mark::Line { class: "diagonal", points: vec![(0.0, 0.0), (1.0, 1.0)] },
            Mark::Dots { points: dots.collect() },
        ],
    }
}

fn coverage(report: &Report) -> Plot<'static> {
    let values = report.curve.iter().flat_map(|it| [it.coverage80, it.coverage90]).flatten();
    let y = Axis::linear("share inside", values.chain([0.7, 1.0]));
    Plot {
        caption: "Share of the last 500 rounds inside the 80 and the 90 percent interval, over time",
        x: Axis::rounds(report.data.rounds),
        y,
        marks: vec![
            Mark::Reference { y: 0.8, name: "" },
            Mark::Reference { y: 0.9, name: "" },
            line(report, "ours", |it| it.coverage80),
            line(report, "law", |it| it.coverage90),
        ],
    }
}
