//! Finds the history list of a page and parses its texts into multipliers.

mod number_text;

use serde::Deserialize;

use self::number_text::{has_digit, parse};
use crate::observation::HistoryEntry;
use crate::order::Order;

/// Minimum length of a list: fewer values could be any numbers of the page.
pub const LIST_LEN_MIN: usize = 3;
/// Maximum number of texts read from a list; the newest are kept.
const TEXTS_MAX: usize = 200;
/// Maximum length of a text in characters; "100,000.00x" has eleven, but it may be broken into lines.
const TEXT_LEN_MAX: usize = 120;

/// Selectors of the history list in the game's clients so far, the newest client first.
pub const SELECTORS: [&str; 6] = [
    ".payouts-wrapper > .payouts-block > .payout",
    ".payouts-block > .payout",
    ".payouts-block app-bubble-multiplier",
    ".payouts-block app-payout-item",
    "app-stats-widget [appcoloredmultiplier]",
    ".payouts-wrapper .bubble-multiplier",
];

/// A script that reads the texts of a page's history lists and changes nothing.
///
/// Only this module can create one, from selectors: no other script can be sent to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListScript(String);

impl ListScript {
    /// Returns the script for these selectors; the first one that finds a list wins.
    pub fn new(selectors: &[String], order: Order) -> Self {
        let selectors = serde_json::json!(selectors);
        let newest = match order {
            Order::NewestFirst => format!("0, {TEXTS_MAX}"),
            Order::OldestFirst => format!("-{TEXTS_MAX}"),
        };
        let script = include_str!("history_list/read_lists.js")
            .replace("NEWEST", &newest)
            .replace("TEXT_LEN_MAX", &TEXT_LEN_MAX.to_string())
            // Last, because a selector may hold any text.
            .replace("SELECTORS", &selectors.to_string());
        Self(script)
    }

    /// Returns the source text of the script.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The texts of one list of a page, in the page's order, as [`ListScript`] returns them.
#[derive(Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ListTexts {
    /// Index of the selector that found it.
    pub selector: usize,
    /// The list is in the pop-up, which repeats the list of the page.
    pub popup: bool,
    /// The texts of its entries.
    pub texts: Vec<String>,
    /// Names of elements whose content is in a closed shadow root, which no script can read. Set if there is no list.
    #[serde(default)]
    pub closed: Vec<String>,
}

/// The result of parsing the lists of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsedList {
    /// A history list.
    List {
        /// The entries, newest first; at least [`LIST_LEN_MIN`] of them can be read.
        entries: Vec<HistoryEntry>,
        /// Index of the selector that found it.
        selector: usize,
        /// The list is in the pop-up.
        popup: bool,
    },
    /// Multipliers, but too few for a list: the page is still filling.
    Few(usize),
    /// Entries that are not multipliers; up to three of them, for the message.
    Unreadable(Vec<String>),
    /// No selector found anything, but these elements have contents that cannot be read.
    Closed(Vec<String>),
    /// No selector found anything.
    Nothing,
}

/// Returns the history list among the lists of a page; one in the pop-up is the last choice.
pub fn parse_lists(lists: &[ListTexts], order: Order) -> ParsedList {
    let (inside, outside): (Vec<_>, Vec<_>) = lists.iter().partition(|list| list.popup);
    let mut most = 0;
    for list in outside.into_iter().chain(inside) {
        let entries = entries(&list.texts, order);
        let readable = entries.iter().filter(|entry| entry.cents().is_some()).count();
        if readable >= LIST_LEN_MIN.max(entries.len() / 2) {
            return ParsedList::List { entries, selector: list.selector, popup: list.popup };
        }
        most = most.max(readable);
    }
    if most > 0 {
        return ParsedList::Few(most);
    }
    let shown: Vec<_> = lists.iter().flat_map(|list| &list.texts).collect();
    match shown.iter().copied().filter(|text| !text.is_empty()).take(3).cloned().collect::<Vec<_>>()
    {
        _ if shown.is_empty() => {
            match lists.iter().flat_map(|list| list.closed.clone()).collect() {
                closed if Vec::is_empty(&closed) => ParsedList::Nothing,
                closed => ParsedList::Closed(closed),
            }
        }
        texts if texts.is_empty() => ParsedList::Few(0),
        texts => ParsedList::Unreadable(texts),
    }
}

/// Returns the entries that are rounds, newest first. One without a digit is no round, but an
/// advertisement or the round that is being played; one with digits that cannot be read keeps its
/// place, so that older entries do not move up into it.
fn entries(texts: &[String], order: Order) -> Vec<HistoryEntry> {
    let rounds = texts.iter().filter(|text| has_digit(text));
    let mut entries: Vec<HistoryEntry> = rounds.map(|text| parse(text)).collect();
    if order == Order::OldestFirst {
        entries.reverse();
    }
    entries
}

#[cfg(test)]
mod tests;
