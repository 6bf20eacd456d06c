//! The plots, their ranges and the tables behind them.

use super::program::Program;
use super::{Screen, Tab, next_round, open_trained, with_tab};

/// A plot that cannot be seen can be read: each has a table with the same figures, and says in a sentence what it
/// shows or what is missing.
#[tokio::test]
async fn each_plot_has_a_sentence_and_a_table_behind_it() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        program.note("gap");
        program.append(80);
        tab.reads("for-round", "#121").await;
        tab.reads("scorecard-say", "80 forecasts scored").await;
        let plots = tab.value("[...document.querySelectorAll('.plot')].map((it) => it.id)").await;
        let plots: Vec<String> = serde_json::from_value(plots).unwrap();
        assert_eq!(plots.len(), 8, "{plots:?}");
        for plot in plots.iter().filter(|plot| *plot != "skill-plot") {
            is_drawn_with_its_table(tab, plot).await;
        }
        // Measured from 100 forecasts on; until then the plot says so.
        tab.reads("skill-plot", "Appears after 100 scored forecasts.").await;
        tab.reads("recorder-say", "Gaps 1").await;
        tab.reads("recorder-table", "page closed").await;
        program.append(30);
        is_drawn_with_its_table(tab, "skill-plot").await;
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

async fn is_drawn_with_its_table(tab: &Tab, plot: &str) {
    let name = plot.trim_end_matches("-plot").replace("plot", "rounds");
    tab.scroll_to(plot).await;
    tab.sees(&format!("#{plot}[role='img'][aria-label]:not([aria-label=''])")).await;
    tab.sees(&format!("#{plot}[data-points]:not([data-empty]) canvas")).await;
    tab.click(&format!("#{name}-details summary")).await;
    tab.sees(&format!("#{name}-table tbody tr td")).await;
}

#[tokio::test]
async fn ranges_show_as_many_rounds_as_they_say() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::untrained();
        program.append(1500);
        tab.open(&program.address()).await;
        tab.reads("stats-rounds", "1,500 rounds").await;
        tab.sees("#plot[data-points='200']").await;
        let shown = "Math.floor(plot.dataset.xMax) - Math.ceil(plot.dataset.xMin)";
        for (choice, rounds, points) in
            [(1, 50, 200), (3, 1000, 1000), (4, 1500, 1500), (2, 200, 1500)]
        {
            tab.click(&format!("#range label:nth-of-type({choice})")).await;
            tab.sees(&format!("#plot[data-points='{points}']")).await;
            // And the place of the round to come.
            assert_eq!(tab.value(shown).await, rounds, "choice {choice}");
        }
        tab.click("#range label:nth-of-type(4)").await;
        program.append(1);
        tab.sees("#plot[data-points='1501']").await;
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_hundred_thousand_rounds_are_shown_in_at_most_two_thousand_points() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::untrained();
        program.append(100_000);
        tab.open(&program.address()).await;
        tab.reads("stats-rounds", "100,000 rounds").await;
        tab.click("#range label:nth-of-type(4)").await;
        tab.reads("coverage", "All 100,000 rounds: of every 102, the lowest and the highest").await;
        let points = tab.value("Number(plot.dataset.points)").await.as_u64().unwrap();
        assert!((1500..=2000).contains(&points), "{points}");
        let sent = "performance.getEntriesByType('resource').filter((it) => it.name.includes('/rounds?')).length";
        assert_eq!(tab.value(sent).await, 1);
        // The highest of all is among them.
        tab.scroll_to("law-plot").await;
        tab.reads("law-seen", "all 100,000 rounds").await;
        tab.reads("s-max", "97.00×").await;
        let label = tab.value("plot.getAttribute('aria-label')").await;
        assert!(label.as_str().unwrap().contains("Highest 97.00×"), "{label}");
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

/// The rounds of the program repeat, so its bets can be counted by hand: see `row` of its module.
#[tokio::test]
async fn bets_can_be_tried_and_are_remembered() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::untrained();
        program.append(300);
        tab.open(&program.address()).await;
        tab.scroll_to("simulation").await;
        tab.reads("simulation-say", "300 bets of 1 on 2.00×").await;
        tab.reads("simulation-luck", "In the long run, such a bet brings −3 per 100 staked").await;
        let set = |name: &str, value: &str| {
            format!(
                "(() => {{ const it = document.getElementById('simulation-{name}'); it.value = '{value}'; \
                 it.dispatchEvent(new Event('change')); }})()"
            )
        };
        tab.value(&set("target", "98")).await;
        tab.value(&set("stake", "10")).await;
        tab.reads("simulation-say", "300 bets of 10 on 98.00×").await;
        tab.value(&set("bankroll", "50")).await;
        tab.reads("simulation-say", "The money was spent after round").await;
        tab.click("#simulation-range label:nth-of-type(1)").await;
        tab.reads("simulation-say", "of 10 on 98.00×").await;
        tab.open(&program.address()).await;
        tab.scroll_to("simulation").await;
        tab.reads("simulation-say", "of 10 on 98.00×").await;
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_curve_that_is_switched_off_stays_off_when_rounds_come() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = open_trained(tab).await;
        next_round(tab, &mut program).await;
        tab.scroll_to("evidence-plot").await;
        tab.sees("#evidence-plot canvas").await;
        tab.click("#evidence-legend .law button").await;
        tab.sees("#evidence-legend .law button[aria-pressed='false']").await;
        next_round(tab, &mut program).await;
        tab.sees("#evidence-legend .law button[aria-pressed='false']").await;
    })
    .await;
}
