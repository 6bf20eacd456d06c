//! `tests/web/claims.json`: every sentence that a verdict can consist of, for the page's unit tests, which render it in
//! each language and hold `docs/reference/verdict.md` to it.
//!
//! `UPDATE_DOCS=1 cargo test -p predictor verdict_page` rewrites it, then `UPDATE_DOCS=1 bash scripts/tests/web.sh` the
//! page.

use std::path::Path;
use std::{env, fs};

use evaluation::confidence_sequence::Estimate;
use evaluation::quality::Fault;
use evaluation::sequential::MeasuredCap;
use evaluation::verdict::{Chance, Changes, Claim, Deviation, Verdict};
use serde_json::{Value, json};

/// What is known of 5,100 fair rounds.
fn facts() -> Verdict {
    let none = Estimate { value: 0.1, lo: -0.3, hi: 0.5 };
    Verdict {
        rounds: 5_100,
        forecasts: 5_070,
        order: false,
        law: false,
        forecast: false,
        advertised_return: 0.97,
        deviations: Vec::new(),
        skill: Some(none),
        skill_against_climatology: Some(none),
        negligible_after: None,
        changes: None,
        fault: None,
        next: Chance::best_of(&[0.6467, 0.485, 0.3233, 0.194, 0.097]),
    }
}

fn row(when: &str, claims: &[Claim]) -> Value {
    let english: Vec<String> = claims.iter().map(Claim::to_string).collect();
    json!({ "when": when, "claims": claims, "english": english.join(" ") })
}

fn headline(when: &str, facts: &Verdict) -> Value {
    row(when, &facts.statement().headline)
}

/// A headline for each combination of tests, proven skill, and whether the next round pays.
fn by_tests() -> Vec<Value> {
    let proven = Estimate { value: 4.6, lo: 3.4, hi: 5.9 };
    let mut rows =
        vec![headline("fewer than 100 rounds, no test", &Verdict { rounds: 12, ..facts() })];
    for bits in 0..32 {
        let [order, law, forecast, is_proven, pays] =
            [0, 1, 2, 3, 4].map(|bit| bits & (1 << bit) != 0);
        // Skill is proven by the forecast test, and stakes are spoken of only where order matters.
        if (is_proven && !forecast) || (pays && !order) {
            continue;
        }
        let mut facts = Verdict { order, law, forecast, ..facts() };
        if is_proven {
            (facts.skill, facts.skill_against_climatology) = (Some(proven), Some(proven));
        }
        if pays {
            facts = facts.before_round(Some(&[0.66, 0.52, 0.34, 0.19, 0.09]));
        }
        if law {
            facts.deviations = vec![ten_times()];
        }
        let names = [
            (order, "order"),
            (law, "law"),
            (forecast, "forecast"),
            (is_proven, "skill proven"),
            (pays, "pays"),
        ];
        let names: Vec<&str> = names.into_iter().filter(|it| it.0).map(|it| it.1).collect();
        let when = if names.is_empty() { "no test".to_owned() } else { names.join(", ") };
        rows.push(headline(&when, &facts));
    }
    rows
}

fn ten_times() -> Deviation {
    let measured = Estimate { value: 92.6, lo: 91.2, hi: 94.3 };
    Deviation::Return { target: 10.0, measured, stated: 97.0 }
}

fn by_deviation() -> Vec<Value> {
    let atom = Estimate { value: 9.9, lo: 8.8, hi: 11.1 };
    let capped = Deviation::Cap(MeasuredCap { at: 35.0, rounds: 141 });
    [
        ("a target returns more or less than advertised", vec![ten_times()]),
        (
            "too many or too few rounds at 1.00×",
            vec![Deviation::Atom { measured: atom, stated: 3.96 }],
        ),
        ("a cap", vec![capped]),
        ("a target and a cap", vec![ten_times(), capped]),
        ("nothing of this for certain", Vec::new()),
    ]
    .into_iter()
    .map(|(when, deviations)| headline(when, &Verdict { law: true, deviations, ..facts() }))
    .collect()
}

fn by_skill() -> Vec<Value> {
    let skill = |lo, hi| Some(Estimate { value: lo, lo, hi });
    [
        ("a skill of 10 % or more is not called little", skill(11.0, 14.0)),
        ("a skill just above 0", skill(0.04, 1.2)),
    ]
    .into_iter()
    .map(|(when, skill)| {
        let facts = Verdict { order: true, forecast: true, skill, next: None, ..facts() };
        headline(when, &Verdict { skill_against_climatology: skill, ..facts })
    })
    .collect()
}

const FAULTS: [Fault; 9] = [
    Fault::RepeatsDropped { seen: 0, expected: 23.6 },
    Fault::RepeatsDoubled { seen: 270, expected: 23.6 },
    Fault::GapsTooShort { count: 57, of: 1_024 },
    Fault::OutOfOrder { count: 12 },
    Fault::TimesToTheMinute,
    Fault::IntegersOnly,
    Fault::CoarseGrid { step_cents: 10 },
    Fault::GapsTooLong { count: 57, of: 1_024 },
    Fault::Capped { cents: 3_500, count: 141 },
];

/// Headline and remedy of each fault, or the note that the recording is incomplete.
fn by_fault() -> Vec<Value> {
    let of = |fault: Fault| {
        let verdict = facts().on_recording(&[fault]);
        let statement = verdict.statement();
        let claims: Vec<Claim> = if verdict.is_suspect() {
            statement.headline.into_iter().chain(statement.notes).collect()
        } else {
            let is_of_fault = |claim: &Claim| matches!(claim, Claim::Incomplete { .. });
            let remedy = [Claim::Remedy { fault }];
            statement.notes.into_iter().filter(is_of_fault).chain(remedy).collect()
        };
        row(if verdict.is_suspect() { "suspect" } else { "incomplete, a note" }, &claims)
    };
    FAULTS.into_iter().map(of).collect()
}

fn notes() -> Vec<Value> {
    let changes = |times| Some(Changes { times, last: 3_933 });
    let note =
        |when: &str, facts: Verdict, last: usize| row(when, &facts.statement().notes[last..=last]);
    let quiet = facts();
    vec![
        note("no forecast scored", Verdict { forecasts: 0, ..quiet.clone() }, 0),
        note("one forecast scored", Verdict { forecasts: 1, ..quiet.clone() }, 0),
        note("more", quiet.clone(), 0),
        note("no edge", Verdict { negligible_after: Some(11_000), ..quiet.clone() }, 1),
        note("one change noticed", Verdict { changes: changes(1), ..quiet.clone() }, 1),
        note("several changes noticed", Verdict { changes: changes(3), ..quiet }, 1),
    ]
}

#[test]
fn the_unit_tests_of_the_page_have_every_sentence() {
    let sections = json!([
        { "title": "The tests", "rows": by_tests() },
        { "title": "How sizes deviate", "rows": by_deviation() },
        { "title": "How large the skill is", "rows": by_skill() },
        { "title": "Faults of the recording", "rows": by_fault() },
        { "title": "Notes", "rows": notes() },
    ]);
    let written = serde_json::to_string_pretty(&sections).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web/claims.json");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &written).unwrap();
    }
    let current = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    assert!(
        current == written,
        "claims.json is out of date: UPDATE_DOCS=1 cargo test verdict_page"
    );
    // Every kind of sentence is there.
    let kinds = |sections: &Value| -> std::collections::BTreeSet<String> {
        let rows =
            sections.as_array().unwrap().iter().flat_map(|it| it["rows"].as_array().unwrap());
        let claims = rows.flat_map(|row| row["claims"].as_array().unwrap());
        claims.map(|claim| claim["kind"].as_str().unwrap().to_owned()).collect()
    };
    let described = crate::openapi::document();
    let all = described["components"]["schemas"]["Claim"]["properties"]["kind"]["enum"].clone();
    let all = all.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_owned());
    assert_eq!(kinds(&sections), all.collect());
}
