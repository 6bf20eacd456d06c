//! `docs/reference/features.md` contains the table of features.

use std::fmt::Write;

use features::CATALOG;

const PAGE: &str = include_str!("../../../../docs/reference/features.md");

/// On failure, the message contains the table to paste.
#[test]
fn the_page_contains_the_current_table() {
    let mut table = String::from(
        "| # | name | group | formula | lowest | highest | centre | scale |\n\
         |--:|---|---|---|--:|--:|--:|--:|\n",
    );
    for (i, feature) in CATALOG.iter().enumerate() {
        let (name, group, formula) = (feature.name, feature.group, feature.formula);
        let (low, high) = (feature.low, feature.high);
        let (centre, scale) = (feature.centre, feature.scale);
        writeln!(
            table,
            "| {} | `{name}` | {group} | {formula} | {low:.2} | {high:.2} | {centre} | {scale} |",
            i + 1
        )
        .unwrap();
    }
    assert!(PAGE.contains(&table), "the table of docs/reference/features.md should be:\n{table}");
}
