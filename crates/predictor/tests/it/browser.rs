//! What a person sees: the dashboard of a running predictor in a real browser.

mod chrome;
mod program;

use chrome::{Screen, Tab, with_tab};
use fantoccini::actions::{InputSource as _, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use program::Program;
use serde_json::Value;

/// The page of a predictor that has a model.
async fn open_trained(tab: &Tab) -> Program {
    let mut program = Program::start();
    program.append(40);
    tab.open(&program.address()).await;
    tab.sees("#ind-model[data-state='good']").await;
    tab.reads("for-round", "#41").await;
    program
}

/// One more round, until the page has its forecast.
async fn next_round(tab: &Tab, program: &mut Program) {
    program.append(1);
    tab.reads("for-round", &format!("#{}", program.rows() + 1)).await;
}

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
        tab.reads("verdict", "12 of 30").await;
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
        tab.reads("light-order", "Past rounds tell nothing").await;

        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn an_update_keeps_zoom_scroll_focus_and_what_was_opened() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        tab.value("window.untouched = true").await;
        tab.click("#rounds-details summary").await;
        tab.sees("#rounds-table tbody tr").await;
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
        assert_eq!(tab.complaints().await, Vec::<String>::new());
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
        tab.click("#language option[value='de']").await;
        tab.reads("ind-model", "Modell trainiert").await;
        tab.reads("empty-text", "Noch keine Runden.").await;
        assert_eq!(tab.value("document.documentElement.lang").await, "de");
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

/// A button that cannot do its work yet says what is missing, in words.
#[tokio::test]
async fn the_buttons_say_what_came_of_them() {
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

#[tokio::test]
async fn a_predictor_that_goes_away_is_said_and_one_that_comes_back_is_followed() {
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

/// A proxy may hold back the event stream; the page then asks every 3 seconds.
#[tokio::test]
async fn without_the_event_stream_the_page_still_follows() {
    with_tab(Screen::Desk, async |tab| {
        tab.block("*api/events*").await;
        let mut program = open_trained(tab).await;
        next_round(tab, &mut program).await;
        next_round(tab, &mut program).await;
        assert_eq!(tab.text("live-mode").await, "every 3 seconds");
    })
    .await;
}

/// What a first visit costs on a slow line, as it travels.
#[tokio::test]
async fn the_first_view_travels_in_under_120_kilobytes() {
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
