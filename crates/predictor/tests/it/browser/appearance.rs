//! Theme, language, screen sizes, and the size of the first page view.

use serde_json::Value;

use super::program::Program;
use super::{Screen, next_round, open_trained, with_tab};

#[tokio::test]
async fn a_phone_shows_everything_without_scrolling_sideways() {
    with_tab(Screen::Phone, async |tab| {
        let mut program = open_trained(tab).await;
        assert_eq!(tab.value("window.innerWidth").await, 390);
        assert_eq!(tab.value("document.documentElement.scrollWidth").await, 390);
        let targets =
            tab.value("targets.querySelector('tbody tr').getBoundingClientRect().bottom").await;
        assert!(
            targets.as_f64().unwrap() <= 844.0,
            "the forecast is below the first screen: {targets}"
        );
        next_round(tab, &mut program).await;
        assert_eq!(tab.value("document.documentElement.scrollWidth").await, 390);
        let small = "[...document.querySelectorAll('main button, header button, select, summary')]\
                     .filter((it) => it.checkVisibility() && it.getBoundingClientRect().height < 24)\
                     .map((it) => it.outerHTML)";
        assert_eq!(tab.value(small).await, Value::Array(Vec::new()), "too small for a finger");
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn no_screen_from_360_to_2560_pixels_scrolls_sideways() {
    with_tab(Screen::Desk, async |tab| {
        let _program = open_trained(tab).await;
        for width in [360, 719, 720, 1139, 1140, 1800, 2560] {
            tab.resize(width, 900).await;
            assert_eq!(tab.value("window.innerWidth").await, width);
            let beyond =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(tab.value(beyond).await, 0, "{width} pixels wide");
        }
    })
    .await;
}

#[tokio::test]
async fn the_theme_follows_the_system_until_one_is_chosen() {
    with_tab(Screen::Desk, async |tab| {
        let program = Program::start();
        tab.open(&program.address()).await;
        let paper = "getComputedStyle(document.body).backgroundColor";
        tab.reads("empty-text", "No rounds yet.").await;
        let light = tab.value(paper).await;
        tab.click("#theme .dark").await;
        let dark = tab.value(paper).await;
        assert_ne!(light, dark);
        tab.reload().await;
        tab.reads("empty-text", "No rounds yet.").await;
        assert_eq!(tab.value(paper).await, dark, "the choice is forgotten");
        tab.click("#theme .system").await;
        assert_eq!(tab.value(paper).await, light);
        tab.prefers("prefers-color-scheme", "dark").await;
        assert_eq!(tab.value(paper).await, dark, "the system's theme is not followed");
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

/// All words, those that the server says in English included.
#[tokio::test]
async fn the_page_uses_the_chosen_language() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::start();
        tab.open(&program.address()).await;
        tab.click("#language option[value='de']").await;
        tab.reads("ind-model", "Modell trainiert").await;
        tab.reads("empty-text", "Noch keine Runden.").await;
        tab.reads("reliability-plot", "Noch nichts zu vergleichen").await;
        assert_eq!(tab.value("document.documentElement.lang").await, "de");
        program.append(40);
        tab.reads("for-round", "#41").await;
        tab.reads("verdict", "Noch zu wenige Runden für eine Aussage: 40 von 100.").await;
        tab.reads("house", "1,94×").await;
        tab.reload().await;
        tab.reads("verdict", "Noch zu wenige Runden").await;
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

/// Times are local, and in UTC on hover.
#[tokio::test]
async fn times_are_local_with_utc_in_the_tooltip() {
    with_tab(Screen::Desk, async |tab| {
        tab.at_zone("Asia/Kolkata").await;
        let _program = open_trained(tab).await;
        tab.click("#rounds-details summary").await;
        let cell = tab.sees("#rounds-table tbody tr:last-child td").await;
        assert_eq!(cell.text().await.unwrap(), "Jan 1, 2026, 05:30:00 AM");
        let hover = cell.attr("title").await.unwrap().unwrap();
        assert_eq!(hover, "2026-01-01 00:00:00.000 UTC");
    })
    .await;
}

/// What a first visit costs on a slow line, as it travels.
#[tokio::test]
async fn the_first_view_transfers_less_than_120_kilobytes() {
    with_tab(Screen::Desk, async |tab| {
        let _program = open_trained(tab).await;
        let sizes = "performance.getEntriesByType('resource')\
                     .concat(performance.getEntriesByType('navigation'))\
                     .filter((entry) => !entry.name.includes('/api/'))\
                     .map((entry) => entry.encodedBodySize)";
        let sizes = tab.value(sizes).await;
        let sizes: Vec<u64> = sizes.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        let sum: u64 = sizes.iter().sum();
        assert!(sizes.len() > 20, "not all files are counted: {sizes:?}");
        assert!((20_000..120_000).contains(&sum), "{sum} bytes");
    })
    .await;
}
