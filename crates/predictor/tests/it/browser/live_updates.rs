//! The page follows new rows: by the event stream, without it, in several tabs, across a restart.

use fantoccini::actions::{InputSource as _, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use serde_json::json;

use super::program::Program;
use super::{Screen, Tab, next_round, open_trained, with_tab};

/// Writes down, in the order in which it happens: each event of the stream, each status asked for, and each new
/// number of the round that is forecast. Beside it, what runs by itself.
const WITNESS: &str = r#"
window.order = [];
window.timers = new Set();
window.streams = new Set();
window.hide = (hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};
const start = window.setInterval, end = window.clearInterval, ask = window.fetch;
window.setInterval = (...given) => { const timer = start(...given); timers.add(timer); return timer; };
window.clearInterval = (timer) => { timers.delete(timer); end(timer); };
window.stopClock = () => timers.forEach((timer) => end(timer));
window.fetch = (...given) => { order.push(String(given[0])); return ask(...given); };
window.EventSource = class extends EventSource {
  constructor(...given) { super(...given); streams.add(this); this.addEventListener("new-round", () => order.push("new-round")); }
  close() { streams.delete(this); super.close(); }
};
document.addEventListener("DOMContentLoaded", () => {
  const node = document.getElementById("for-round");
  new MutationObserver(() => order.push(node.textContent)).observe(node, { childList: true, characterData: true, subtree: true });
});
"#;

#[tokio::test]
async fn the_page_follows_the_rows_from_none_to_a_forecast() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::start();
        tab.open(&program.address()).await;
        tab.reads("empty-text", "No rounds yet.").await;
        tab.reads("live-mode", "live").await;
        tab.sees("#ind-sync[data-state='good']").await;
        tab.sees("#ind-data[data-state='wait']").await;
        for (id, name) in [
            ("ind-sync", "Auto-Sync Active"),
            ("ind-model", "Model Trained"),
            ("ind-train", "Auto-Training"),
            ("ind-data", "Data Synced"),
        ] {
            tab.reads(id, name).await;
        }

        program.append(12);
        tab.reads("empty-text", "12 of 30 rounds").await;
        tab.reads("ind-model", "12 of 30 rounds").await;
        tab.reads("verdict", "Too few rounds to say: 12 of 100.").await;
        tab.sees("#ind-data[data-state='good']").await;

        program.append(18);
        tab.sees("#ind-model[data-state='good']").await;
        tab.reads("for-round", "#31").await;
        tab.sees("#forecast-empty[hidden]").await;
        assert!(tab.text("point").await.ends_with('×'));
        tab.reads("house", "1.94×").await;
        assert_eq!(tab.value("document.querySelectorAll('#targets tbody tr').length").await, 5);
        tab.reads("forecast-live", "Forecast for round 31").await;

        program.append(2);
        tab.reads("scorecard-say", "2 forecasts scored").await;
        tab.reads("evidence-order", "No sign so far that the order of rounds matters").await;

        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn an_update_keeps_zoom_scroll_focus_and_what_was_opened_or_switched_off() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        tab.value("window.untouched = true").await;
        tab.click("#rounds-details summary").await;
        tab.sees("#rounds-table tbody tr").await;
        tab.click("#rounds-legend .mid button").await;
        drag_over_the_plot(tab).await;
        tab.sees("#zoom-reset:not([hidden])").await;
        let zoom = "[plot.dataset.xMin, plot.dataset.xMax].join()";
        let zoomed = tab.value(zoom).await;
        let own = tab.sees("#own").await;
        own.clear().await.unwrap();
        own.send_keys("2.5").await.unwrap();
        tab.value("window.scrollTo(0, 300)").await;
        let scrolled = tab.value("window.scrollY").await;
        let oldest = tab.sees("#rounds-table tbody tr:last-child").await;

        for _ in 0..3 {
            next_round(tab, &mut program).await;
        }

        assert_eq!(tab.value("window.untouched").await, true, "the page was loaded anew");
        assert_eq!(tab.value(zoom).await, zoomed);
        assert_eq!(tab.value("window.scrollY").await, scrolled);
        assert_eq!(tab.value("document.activeElement.id").await, "own");
        assert_eq!(tab.value("own.value").await, "2.5");
        assert_eq!(tab.value("document.getElementById('rounds-details').open").await, true);
        tab.sees("#rounds-legend .mid button[aria-pressed='false']").await;
        assert_eq!(
            tab.value("document.querySelectorAll('#rounds-table tbody tr').length").await,
            43
        );
        assert!(oldest.text().await.unwrap().starts_with('1'), "a row was rebuilt");
        tab.click("#zoom-reset").await;
        tab.sees("#zoom-reset[hidden]").await;
        assert_ne!(tab.value(zoom).await, zoomed);
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

async fn drag_over_the_plot(tab: &Tab) {
    let plot = tab.sees("#plot .u-over").await;
    tab.value("plot.scrollIntoView({ block: 'center' })").await;
    let at =
        |x: f64| PointerAction::MoveToElement { element: plot.clone(), duration: None, x, y: 0.0 };
    let drag = MouseActions::new("mouse".to_owned())
        .then(at(-200.0))
        .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
        .then(at(0.0))
        .then(at(200.0))
        .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
    tab.client().perform_actions(drag).await.unwrap();
}

/// From row to pixel: the event comes first, the status is asked for because of it, then the page changes; the page's
/// clock stands still. How long it takes is measured by `scripts/dev/measure_page.sh`.
#[tokio::test]
async fn a_row_reaches_the_page_by_its_event_and_not_by_the_clock() {
    with_tab(Screen::Desk, async |tab| {
        tab.prepare(WITNESS).await;
        let mut program = open_trained(tab).await;
        tab.reads("live-mode", "live").await;
        tab.value("stopClock(), order.length = 0").await;
        next_round(tab, &mut program).await;
        let order = tab.value("order").await;
        let order: Vec<&str> =
            order.as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
        let event = order.iter().position(|it| *it == "new-round").unwrap();
        let pixel = order.iter().position(|it| *it == "#42").unwrap();
        assert!(event < pixel, "{order:?}");
        assert!(order[event..pixel].contains(&"api/v1/status"), "{order:?}");
    })
    .await;
}

/// A proxy may hold back the event stream; the page then asks every 3 seconds.
#[tokio::test]
async fn without_the_event_stream_the_page_still_follows() {
    with_tab(Screen::Desk, async |tab| {
        tab.block("*/events*").await;
        let mut program = open_trained(tab).await;
        next_round(tab, &mut program).await;
        next_round(tab, &mut program).await;
        assert_eq!(tab.text("live-mode").await, "every 3 seconds");
    })
    .await;
}

/// A browser opens six connections to a server; six tabs with a stream each would leave none to ask by.
#[tokio::test]
async fn two_tabs_share_one_stream_and_the_other_takes_over_when_one_is_closed() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        tab.sees("#live-mode[title*='of this page']").await;
        let first = tab.client().window().await.unwrap();
        let second = tab.client().new_window(false).await.unwrap().handle;
        tab.client().switch_to_window(second.clone()).await.unwrap();
        tab.prepare(WITNESS).await;
        tab.open(&program.address()).await;
        tab.sees("#live-mode[title*='of another tab']").await;
        assert_eq!(tab.value("streams.size").await, 0);
        // What comes from here on comes by the stream.
        tab.value("stopClock()").await;
        next_round(tab, &mut program).await;

        tab.client().switch_to_window(first).await.unwrap();
        tab.reads("for-round", &format!("#{}", program.rows() + 1)).await;
        tab.client().close_window().await.unwrap();
        tab.client().switch_to_window(second).await.unwrap();
        tab.sees("#live-mode[title*='of this page']").await;
        assert_eq!(tab.value("streams.size").await, 1);
        next_round(tab, &mut program).await;
    })
    .await;
}

#[tokio::test]
async fn nothing_runs_while_the_page_is_hidden_or_paused() {
    with_tab(Screen::Desk, async |tab| {
        tab.prepare(WITNESS).await;
        let mut program = open_trained(tab).await;
        tab.reads("live-mode", "live").await;
        let running = "[timers.size, streams.size]";
        assert_eq!(tab.value(running).await, json!([1, 1]));

        tab.value("hide(true)").await;
        assert_eq!(tab.value(running).await, json!([0, 0]));
        program.append(1);
        tab.value("hide(false)").await;
        tab.reads("for-round", "#42").await;
        tab.reads("live-mode", "live").await;

        tab.click("#pause").await;
        tab.sees("#pause[aria-pressed='true']").await;
        tab.reads("stale", "paused").await;
        assert_eq!(tab.value(running).await, json!([0, 0]));
        program.append(1);
        tab.click("#pause").await;
        tab.reads("for-round", "#43").await;
        assert_eq!(tab.value(running).await, json!([1, 1]));
    })
    .await;
}

#[tokio::test]
async fn the_page_reports_a_stopped_predictor_and_follows_it_again() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        program.kill();
        tab.sees("#stale:not([hidden])").await;
        tab.reads("notices", "The predictor does not answer.").await;
        tab.sees("#ind-sync[data-state='wait']").await;
        program.restart();
        tab.sees("#stale[hidden]").await;
        tab.sees("#notices:not(:has([data-state='trouble']))").await;
        tab.sees("#ind-sync[data-state='good']").await;
        next_round(tab, &mut program).await;
    })
    .await;
}
