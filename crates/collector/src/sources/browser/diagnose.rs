//! The browser source's checks for `collector doctor`.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::view::{TabState, View};
use super::{Browser, BrowserConnection, PageMatcher};
use crate::cdp::how_to_start;
use crate::finding::Finding;

/// How long to wait for a list.
const LIST_MAX: Duration = Duration::from_secs(6);
/// How long to wait for a socket message: the game sends ten a second in a flight, fewer in between.
const SOCKET_MAX: Duration = Duration::from_secs(3);

/// Checks the browser, its tabs, the list and the socket for `collector doctor`.
pub async fn diagnose(browser: &Browser) -> Vec<Finding> {
    let mut connection =
        match BrowserConnection::open(&browser.address, Arc::clone(&browser.matcher)).await {
            Ok(connection) => connection,
            Err(error) => {
                let message = error.to_string();
                // The error repeats how to start a browser; the advice says it for every system.
                let message = message.split("; start Chrome").next().unwrap_or(&message);
                return vec![Finding::failed("browser", message, how_to_start())];
            }
        };
    let view = settled_view(&mut connection).await;
    let mut findings = vec![Finding::ok("browser", format!("answers at {}", browser.address))];
    findings.push(tabs(&view, &browser.matcher));
    if view.tabs.values().any(|tab| tab.state != TabState::Ignored) {
        findings.push(list(&view, &browser.matcher));
        findings.push(socket(&view));
    }
    connection.close().await;
    findings
}

/// Returns what the browser shows once a list and a socket are found, or the time is up.
async fn settled_view(connection: &mut BrowserConnection) -> View {
    let has_list =
        |view: &View| view.tabs.values().any(|tab| matches!(tab.state, TabState::List { .. }));
    let has_socket = |view: &View| view.tabs.values().any(|tab| tab.socket);
    drop(timeout(LIST_MAX, connection.view.wait_for(|view| has_list(view))).await);
    drop(timeout(SOCKET_MAX, connection.view.wait_for(|view| has_socket(view))).await);
    connection.view.borrow().clone()
}

fn tabs(view: &View, matcher: &PageMatcher) -> Finding {
    let matching: Vec<&str> = view
        .tabs
        .values()
        .filter(|tab| tab.state != TabState::Ignored)
        .map(|tab| tab.place.as_str())
        .collect();
    if matching.is_empty() {
        return Finding::failed(
            "tabs",
            view.why_silent(matcher),
            "open the game's tab, or set --game-url",
        );
    }
    let others = view.tabs.len() - matching.len();
    Finding::ok("tabs", format!("reading {}; ignoring {others} more", matching.join(", ")))
}

fn list(view: &View, matcher: &PageMatcher) -> Finding {
    let lists = view.tabs.values().filter_map(|tab| match &tab.state {
        TabState::List { selector, len, popup, unreadable } => {
            Some((tab, selector, len, popup, unreadable))
        }
        _ => None,
    });
    match lists.max_by_key(|(_, _, len, popup, _)| (!**popup, **len)) {
        Some((tab, selector, len, popup, unreadable)) => {
            let popup = if *popup { ", in its pop-up" } else { "" };
            let found = format!("{len} rounds in {}{popup}, found by `{selector}`", tab.place);
            if unreadable.is_empty() {
                return Finding::ok("history list", found);
            }
            Finding::warning(
                "history list",
                format!("{found}; the number in {unreadable:?} cannot be read"),
                "such a round is recorded as a gap; please report how the site writes it",
            )
        }
        None => Finding::failed(
            "history list",
            view.why_silent(matcher),
            "open the game and wait until its history shows; on another site name the entries with --selector",
        ),
    }
}

fn socket(view: &View) -> Finding {
    match view.tabs.values().find(|tab| tab.socket) {
        Some(tab) => Finding::ok("socket", format!("the game's socket is active in {}", tab.place)),
        None => Finding::warning(
            "socket",
            "no message of the game's socket arrived",
            "nothing, if the list is there: rounds are recorded without their ids",
        ),
    }
}
