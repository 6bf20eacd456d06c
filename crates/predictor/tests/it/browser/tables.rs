//! With several tables the page shows one and links to the others.

use predictor::config::Config;
use rounds::TableName;
use serde_json::json;

use super::{Screen, with_tab};
use crate::test_app::{Data, FILE, TestApp};

#[tokio::test]
async fn another_table_can_be_chosen() {
    with_tab(Screen::Desk, async |tab| {
        let data = Data::with_rounds(12);
        std::fs::create_dir(data.file("eu")).unwrap();
        data.write(&format!("eu/{FILE}"), "timestamp,multiplier\n");
        data.append(&format!("eu/{FILE}"), 0..17);
        let tables = vec![TableName::default(), "eu".parse().unwrap()];
        let app = TestApp::start(Config { tables, ..data.manual() });

        tab.open(&app.url("/")).await;
        tab.reads("empty-text", "12 of 30 rounds").await;
        tab.sees("#tables:not([hidden])").await;
        assert_eq!(tab.value("document.getElementById('table').value").await, json!("default"));
        let choice = tab.sees("#table").await;
        choice.select_by_value("eu").await.unwrap();
        tab.reads("empty-text", "17 of 30 rounds").await;
        assert_eq!(tab.value("document.getElementById('table').value").await, json!("eu"));
        assert_eq!(tab.value("location.search").await, json!("?table=eu"));
        tab.click("#load").await;
        tab.reads("feedback", "17 rounds read").await;

        tab.open(&app.url("/?table=us")).await;
        tab.reads("notices", "This predictor serves no table us.").await;
        tab.sees("#tables:not([hidden])").await;
    })
    .await;
}

#[tokio::test]
async fn one_table_needs_no_choice() {
    with_tab(Screen::Desk, async |tab| {
        let data = Data::with_rounds(12);
        let app = TestApp::start(data.manual());
        tab.open(&app.url("/")).await;
        tab.reads("empty-text", "12 of 30 rounds").await;
        tab.sees("#table option").await;
        tab.sees("#tables[hidden]").await;
    })
    .await;
}
