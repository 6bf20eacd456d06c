//! Accessibility: keyboard, screen reader, reduced motion.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::program::Program;
use super::{Screen, Tab, next_round, open_trained, with_tab};

/// MPL-2.0, see `tests/vendor/axe-core`; part of the tests alone.
const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");

/// What axe-core finds that is serious or critical, on the page as it is now with everything opened.
async fn barriers(tab: &Tab) -> Value {
    tab.value("document.querySelectorAll('details').forEach((it) => { it.open = true; })").await;
    let script = format!(
        "{AXE};const done = arguments[arguments.length - 1];\
         axe.run(document, {{ resultTypes: ['violations'] }}).then(({{ violations }}) => done(\
           violations.filter((it) => ['serious', 'critical'].includes(it.impact))\
             .map((it) => `${{it.id}}: ${{it.nodes.map((node) => node.target.join(' ')).join(', ')}}`)));"
    );
    tab.client().execute_async(&script, Vec::new()).await.unwrap()
}

#[tokio::test]
async fn axe_finds_no_serious_barrier_in_either_theme_on_desktop_and_phone() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::start();
        program.write_bad_row();
        tab.open(&program.address()).await;
        tab.reads("empty-text", "No rounds yet.").await;
        assert_eq!(barriers(tab).await, json!([]), "without rounds");
        program.append(40);
        tab.reads("for-round", "#41").await;
        next_round(tab, &mut program).await;
        for (theme, width) in [("light", 1280), ("dark", 1280), ("dark", 390), ("light", 390)] {
            tab.click(&format!("#theme .{theme}")).await;
            tab.resize(width, 900).await;
            assert_eq!(barriers(tab).await, json!([]), "{theme}, {width} pixels wide");
        }
        program.kill();
        tab.sees("#notices .notice").await;
        assert_eq!(barriers(tab).await, json!([]), "without the predictor");
    })
    .await;
}

/// Tab reaches everything that can be used, in the order of the page, and shows where it is.
#[tokio::test]
async fn the_keyboard_reaches_everything_in_order_and_shows_where_it_is() {
    with_tab(Screen::Desk, async |tab| {
        let _program = open_trained(tab).await;
        let expected = tab
            .value(
                "[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]\
                 .filter((it) => it.checkVisibility() && (it.type !== 'radio' || it.checked))\
                 .map((it, index) => { it.dataset.walk = index; return String(index); })",
            )
            .await;
        let expected: Vec<&str> =
            expected.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(expected.len() > 25, "{expected:?}");
        tab.value("document.activeElement.blur()").await;
        let mut walked = Vec::new();
        for _ in &expected {
            tab.press(&Key::Tab.to_string()).await;
            let here = tab
                .value(
                    "(() => { const it = document.activeElement, own = getComputedStyle(it);\
                     const marked = it.closest('label') ?? it, around = getComputedStyle(marked);\
                     const seen = [own, around].some((style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);\
                     return [it.dataset.walk ?? it.outerHTML, seen]; })()",
                )
                .await;
            assert_eq!(here[1], true, "no focus ring on {here}");
            walked.push(here[0].as_str().unwrap().to_owned());
        }
        assert_eq!(walked, expected);
    })
    .await;
}

#[tokio::test]
async fn keys_skip_to_the_forecast_choose_a_range_and_read_single_rounds() {
    with_tab(Screen::Desk, async |tab| {
        let _program = open_trained(tab).await;
        tab.value("document.activeElement.blur()").await;
        tab.press(&Key::Tab.to_string()).await;
        tab.press(&Key::Enter.to_string()).await;
        assert_eq!(tab.value("document.activeElement.id").await, "forecast");

        tab.value("document.querySelector('#range input:checked').focus()").await;
        tab.press(&Key::Left.to_string()).await;
        assert_eq!(tab.value("document.querySelector('#range input:checked').value").await, "50");

        tab.value("plot.focus()").await;
        tab.press(&Key::Left.to_string()).await;
        tab.reads("readout", "Round 40 ").await;
        tab.press(&Key::Home.to_string()).await;
        tab.reads("readout", "Round 1 ").await;
        tab.press(&Key::Escape.to_string()).await;
        tab.reads("readout", "Point at a round").await;
    })
    .await;
}

/// A page that speaks at every change cannot be listened to: only the forecast is announced.
#[tokio::test]
async fn only_the_forecast_is_announced_and_once_for_each_round() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        let live = "[...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')].map((it) => it.id)";
        assert_eq!(tab.value(live).await, json!(["forecast-live"]));
        tab.value(
            "window.said = [], new MutationObserver(() => said.push(document.getElementById('forecast-live').textContent))\
             .observe(document.getElementById('forecast-live'), { childList: true, subtree: true })",
        )
        .await;
        next_round(tab, &mut program).await;
        next_round(tab, &mut program).await;
        tab.reads("forecast-live", "round 43").await;
        let said = tab.value("said").await;
        let said: Vec<&str> = said.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(said[0].starts_with("Forecast for round 42:"), "{said:?}");
        let distinct: std::collections::BTreeSet<&&str> = said.iter().collect();
        assert_eq!(distinct.len(), said.len(), "said twice: {said:?}");
    })
    .await;
}

#[tokio::test]
async fn a_new_row_is_animated_unless_reduced_motion_is_preferred() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        next_round(tab, &mut program).await;
        let motion =
            "getComputedStyle(document.querySelector('#history tr[data-new]')).animationName";
        assert_eq!(tab.value(motion).await, "arrive");
        tab.prefers("prefers-reduced-motion", "reduce").await;
        assert_eq!(tab.value(motion).await, "none");
    })
    .await;
}
