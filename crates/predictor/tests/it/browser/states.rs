//! In every unusual state the page says what is missing and what to do.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::program::Program;
use super::{Screen, Tab, next_round, open_trained, with_tab};
use crate::test_app::{Broken, Data, FILE, Held, TestApp};

/// A button that cannot do its work yet says what is missing, in words.
#[tokio::test]
async fn the_buttons_report_their_outcome() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::start();
        program.append(12);
        tab.open(&program.address()).await;
        tab.reads("empty-text", "12 of 30 rounds").await;
        tab.click("#predict").await;
        tab.reads("feedback", "Not yet: 12 of 30 rounds.").await;
        tab.click("#train").await;
        tab.reads("feedback", "Not yet: 12 of 30 rounds.").await;
        tab.click("#load").await;
        tab.reads("feedback", "12 rounds read from aviator_payouts_20260101_000000.csv.").await;
        program.append(28);
        tab.sees("#ind-model[data-state='good']").await;
        tab.click("#predict").await;
        tab.reads("feedback", "Forecast: ").await;
    })
    .await;
}

/// Without rounds, each plot and figure says what it waits for.
#[tokio::test]
async fn without_rounds_every_plot_says_what_is_missing() {
    with_tab(Screen::Desk, async |tab| {
        let program = Program::start();
        tab.open(&program.address()).await;
        tab.reads("empty-text", "No rounds yet.").await;
        tab.reads("empty-todo", &program.folder()).await;
        tab.reads("plot", "No rounds yet. They appear here as they are read.").await;
        tab.reads("reliability-plot", "no forecast has been scored").await;
        tab.reads("law-plot", "No rounds to count yet.").await;
        for plot in ["skill-plot", "evidence-plot", "coverage-plot"] {
            tab.scroll_to(plot).await;
            tab.reads(plot, "Nothing yet").await;
        }
        tab.scroll_to("recorder-plot").await;
        tab.reads("recorder-plot", "The collector has recorded no events here.").await;
        tab.reads("collector-say", "not seen here").await;
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_first_training_is_shown_while_it_runs() {
    with_tab(Screen::Desk, async |tab| {
        let data = Data::with_rounds(40);
        let (held, begun, go) = Held::new();
        let app = TestApp::with_learner(data.config(), Box::new(held));
        begun.recv().unwrap();
        tab.open(&app.url("/")).await;
        tab.reads("empty-text", "A model is being trained on these rounds.").await;
        tab.reads("ind-train", "training now").await;
        tab.sees("#ind-train[data-state='busy']").await;
        tab.reads("training-say", "Training on 40 rounds").await;
        tab.click("#train").await;
        tab.reads("feedback", "A training is already running").await;
        go.send(()).unwrap();
        tab.sees("#ind-model[data-state='good']").await;
        tab.sees("#trainings tbody tr").await;
    })
    .await;
}

/// A suspect recording comes first: what is wrong with it, what to do, and nothing about the game.
#[tokio::test]
async fn a_suspect_recording_comes_before_everything_it_seems_to_say() {
    with_tab(Screen::Desk, async |tab| {
        let data = Data::empty();
        let row = |row: u32| {
            let cents = 100 + row * row * 37 % 911;
            let (hour, minute) = (row / 60, row % 60);
            format!("2026-01-01T{hour:02}:{minute:02}:00Z,{}.{:02}\n", cents / 100, cents % 100)
        };
        let rows: String = (0..128).map(row).collect();
        data.write(FILE, format!("timestamp,multiplier\n{rows}"));
        let app = TestApp::start(data.manual());
        tab.open(&app.url("/")).await;
        tab.reads("verdict", "they say nothing about the game: all times are whole minutes.").await;
        tab.reads("verdict-rounds", "Export the rounds with seconds.").await;
        tab.sees("body[data-suspect]").await;
        let mark =
            "getComputedStyle(document.getElementById('scorecard-title'), '::after').content";
        assert!(tab.value(mark).await.to_string().contains("these rounds are not whole"));
        tab.click("#language option[value='de']").await;
        tab.reads("verdict", "über das Spiel sagen sie nichts: alle Zeiten sind volle Minuten.")
            .await;
        assert!(tab.value(mark).await.to_string().contains("diese Aufzeichnung ist fehlerhaft"));
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_failed_training_is_reported_with_its_reason() {
    with_tab(Screen::Desk, async |tab| {
        let data = Data::with_rounds(40);
        let app = TestApp::with_learner(data.manual(), Box::new(Broken));
        tab.open(&app.url("/")).await;
        tab.reads(
            "empty-text",
            "No model for these rounds, and automatic training is switched off.",
        )
        .await;
        tab.click("#train").await;
        tab.reads("feedback", "That did not work:").await;
        tab.reads("notices", "The last training failed").await;
        tab.reads("notices", "the forest burns").await;
    })
    .await;
}

/// `status.json` as the collector writes it, at this age.
#[expect(clippy::disallowed_methods, reason = "its age is told by the predictor's real clock")]
fn collector(state: &str, age: Duration) -> Value {
    let written: DateTime<Utc> = Utc::now() - age;
    json!({
        "version": "0.1.0", "pid": 7, "source": "browser", "origin": "recorded", "simulated": false, "state": state,
        "state_since": written, "started_at": written, "last_round": null, "rounds_written": 40, "gaps": 3, "weak": 0,
        "resets": 0, "backfilled": 5, "reconnects": 2, "last_error": null, "file": null, "queued_rows": 0,
        "updated_at": written,
    })
}

async fn shows_collector(tab: &Tab, program: &Program, status: &Value, words: (&str, &str)) {
    program.write("status.json", &status.to_string());
    tab.reads("collector-say", words.0).await;
    tab.reads("notices", words.1).await;
}

#[tokio::test]
async fn a_failing_collector_is_reported_with_the_remedy() {
    with_tab(Screen::Desk, async |tab| {
        // Asked by the clock, so that each new state is seen soon.
        tab.block("*/events*").await;
        let mut program = open_trained(tab).await;
        let now = Duration::ZERO;
        let mut full = collector("writing_failed", now);
        full["queued_rows"] = json!(14);
        full["last_error"] = json!("No space left on device (os error 28)");
        let words =
            ("cannot write", "No space left on device (os error 28). 14 rounds wait in memory.");
        shows_collector(tab, &program, &full, words).await;
        tab.sees("#notices .notice[data-state='trouble']").await;
        tab.reads("c-gaps", "3").await;

        let silent = collector("connected", Duration::from_mins(10));
        shows_collector(tab, &program, &silent, ("not responding", "has not reported for 10 min"))
            .await;
        let stopped = collector("stopped", now);
        shows_collector(tab, &program, &stopped, ("stopped", "no new rounds arrive")).await;
        let mut lost = collector("reconnecting", now);
        lost["last_error"] = json!("connection refused");
        shows_collector(tab, &program, &lost, ("reconnecting", "connection refused")).await;
        let stalled = collector("stalled", now);
        shows_collector(
            tab,
            &program,
            &stalled,
            ("connected, but silent", "no round has come for"),
        )
        .await;

        program.write("status.json", &collector("connected", now).to_string());
        tab.sees("#notices:empty").await;
        next_round(tab, &mut program).await;
    })
    .await;
}

/// Rows that are no rounds are left out, counted, and each told with its reason.
#[tokio::test]
async fn rejected_rows_are_listed_with_their_reasons() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        program.write_bad_row();
        tab.reads("d-rejected", "1").await;
        tab.click("#rejected-details summary").await;
        tab.reads("rejected", "1 row, in aviator_payouts_20260101_000000.csv, line 42:").await;
        next_round(tab, &mut program).await;
    })
    .await;
}

/// An older predictor behind a newer page, or one that a proxy lets through only in part.
#[tokio::test]
async fn a_predictor_without_the_history_route_is_reported_and_the_rest_works() {
    with_tab(Screen::Desk, async |tab| {
        tab.prepare(
            "const ask = window.fetch; window.fetch = (address, ...rest) =>\
             /api\\/v1\\/(rounds|history|distribution|recorder)/.test(address) ? Promise.resolve(new Response('{}', { status: 404 })) : ask(address, ...rest);",
        )
        .await;
        let mut program = Program::untrained();
        program.append(300);
        tab.open(&program.address()).await;
        tab.reads("stats-rounds", "300 rounds").await;
        tab.click("#range label:nth-of-type(4)").await;
        tab.reads("readout", "provides only the last 200 rounds").await;
        tab.scroll_to("skill-plot").await;
        tab.reads("skill-plot", "does not provide this").await;
        tab.scroll_to("law-plot").await;
        tab.reads("law-seen", "last 200 rounds").await;
        tab.sees("#law-plot canvas").await;
    })
    .await;
}

/// Of some thirty files one may not arrive: the predictor is just being restarted, or the line breaks.
#[tokio::test]
async fn a_page_that_loaded_incompletely_reloads_itself() {
    with_tab(Screen::Desk, async |tab| {
        let program = Program::start();
        tab.block("*/js/store.js").await;
        tab.open(&program.address()).await;
        tab.block("*/nothing").await;
        tab.reads("empty-text", "No rounds yet.").await;
    })
    .await;
}
