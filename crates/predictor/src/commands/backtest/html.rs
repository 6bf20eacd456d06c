//! The result as one self-contained HTML page: no script, no font, no network.

mod plots;
mod tables;

use std::fmt::{Result, Write as _};

use evaluation::sequential::{Level, TestEvidence};
use rounds::grouped;

use super::report::Report;
use super::text;
use crate::input::recording_quality::NOT_WHOLE;

const STYLE: &str = include_str!("report.css");

pub(super) fn of(report: &Report) -> String {
    let mut page = String::new();
    write(&mut page, report).expect("a string takes all text");
    page
}

fn write(page: &mut String, report: &Report) -> Result {
    let data = escaped(&report.data.path.display().to_string());
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Backtest of {data}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>"
    )?;
    head(page, report, &data)?;
    if report.verdict.suspect {
        writeln!(page, "<p class=\"warning\">{NOT_WHOLE}</p><div class=\"suspect\">")?;
    }
    figures(page, report)?;
    evidence(page, report)?;
    plots::write(page, report)?;
    tables::write(page, report)?;
    if report.verdict.suspect {
        writeln!(page, "</div>")?;
    }
    writeln!(
        page,
        "<footer><p>Every forecast was made from earlier rounds only; no figure here was measured on \
         rounds a model had seen. A good figure is no reason to bet: a target c pays only where its \
         chance exceeds 1/c.</p><p>{}</p></footer>\n</main>\n</body>\n</html>",
        escaped(report.program)
    )
}

fn head(page: &mut String, report: &Report, data: &str) -> Result {
    let about = &report.data;
    let badge =
        if about.simulated { "<strong class=\"badge\">Simulated rounds</strong>" } else { "" };
    let day = |time: Option<chrono::DateTime<chrono::Utc>>| {
        time.map_or_else(String::new, |time| time.format("%-d %b %Y").to_string())
    };
    writeln!(
        page,
        "<header><p class=\"over\">Backtest {badge}</p><h1>{}</h1>",
        escaped(&report.verdict.sentence)
    )?;
    for sentence in &report.verdict.notes {
        writeln!(page, "<p class=\"note\">{}</p>", escaped(sentence))?;
    }
    let rejected = match &about.rejected[..] {
        [] => String::new(),
        reasons => format!(" Left out: {}.", escaped(&reasons.join(", "))),
    };
    writeln!(
        page,
        "<p class=\"quiet\"><span class=\"path\">{data}</span>: {} {} rounds, {} to {}. Each model \
         forecast only rounds after those it had learnt from; refitted {}.{rejected}</p></header>",
        grouped(about.rounds),
        about.origin,
        day(about.first),
        day(about.last),
        escaped(&report.refit)
    )
}

fn figures(page: &mut String, report: &Report) -> Result {
    let skill = &report.scorecard.skill.house;
    let skill_value = skill.scores.brier_mean.map(|it| format!("{it:+.2} %")).unwrap_or_default();
    let ends = skill.shown.map_or_else(
        || "needs 100 forecasts".to_owned(),
        |it| format!("95 % within {}", text::ends(it, 2)),
    );
    let served = report.scorecard.rows.first();
    let coverage = served.and_then(|row| row.coverage);
    let coverage = coverage.map(|it| format!("{:.1} %", 100.0 * it)).unwrap_or_default();
    let forecasts = grouped(report.scorecard.rounds);
    writeln!(page, "<dl class=\"figures\">")?;
    for (name, value, note) in [
        ("Forecasts", forecasts, format!("{} models", grouped(report.models))),
        ("Skill against fixed odds", skill_value, ends),
        (
            "Trust in the model",
            format!("{:.0} %", 100.0 * report.kappa),
            "kappa at the end".to_owned(),
        ),
        ("Inside the 80 % interval", coverage, "of all forecasts".to_owned()),
    ] {
        writeln!(page, "<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>")?;
    }
    writeln!(page, "</dl>")
}

fn evidence(page: &mut String, report: &Report) -> Result {
    writeln!(
        page,
        "<section class=\"evidence\"><h2>Evidence</h2><p>One imaginary euro is bet against each \
         claim, round by round. If the claim is true, the chance of ever reaching 20 euros is below \
         1 in 20.</p><ul>"
    )?;
    let law =
        format!("“Rounds are independent and reach x with chance {}/x.”", report.game.returns);
    let claims = [
        "“Shuffling the rounds would change nothing.”",
        &law,
        "“Our chances are never expected to be better than fixed odds.”",
    ];
    for (test, claim) in report.evidence.iter().zip(claims) {
        let state = match test.level {
            Level::Quiet => "quiet",
            Level::Amber => "amber",
            Level::Red => "red",
        };
        let name = escaped(&test.name);
        let found = text::level(test);
        writeln!(
            page,
            "<li class=\"{state}\"><i></i><b>{name}</b><span>{claim}</span><em>{found}</em>{}</li>",
            evidence_bar(test)
        )?;
    }
    writeln!(page, "</ul></section>")
}

/// A bar of the highest evidence, on a logarithmic scale from 1 to its red level.
fn evidence_bar(test: &TestEvidence) -> String {
    let red = test.ln_amber + 5f64.ln();
    let share = |ln_e: f64| 100.0 * (ln_e / red).clamp(0.0, 1.0);
    format!(
        "<div class=\"evidence-bar\"><div style=\"width:{:.1}%\"></div><u style=\"left:{:.1}%\"></u></div>",
        share(test.ln_e_max),
        share(test.ln_amber)
    )
}

/// Escapes text for HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
