//! What the browser shows, for error messages and `collector doctor`.

use std::collections::BTreeMap;

use url::Url;

use super::PageMatcher;
use crate::cdp::TargetId;

/// Maximum number of other tabs named in a message.
const NAMED_MAX: usize = 5;

/// The tabs of the browser, for messages and for `collector doctor`. Addresses have no query, which may hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) tabs: BTreeMap<TargetId, Tab>,
    /// The active one.
    pub(super) active: Option<TargetId>,
}

/// A tab, or a frame in a process of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tab {
    /// Origin and path.
    pub(super) place: String,
    pub(super) state: TabState,
    /// A socket of the game is active in it.
    pub(super) socket: bool,
}

/// The state of a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TabState {
    /// Its address does not match; it is not read.
    Ignored,
    /// It matches; it has not answered yet.
    Asked,
    /// It shows a history list.
    List {
        /// The selector that found it.
        selector: String,
        /// Its length.
        len: usize,
        /// It is in the pop-up.
        popup: bool,
        /// Some of its entries that have digits but cannot be read.
        unreadable: Vec<String>,
    },
    /// It shows a list that is too short to use.
    Few(usize),
    /// It shows entries that are not multipliers, some of which these are.
    Unreadable(Vec<String>),
    /// It shows no list, but these elements have contents that cannot be read.
    Closed(Vec<String>),
    /// It shows no list.
    Nothing,
    /// It does not answer.
    Silent,
    /// Its process died.
    Crashed,
    /// The browser refuses access.
    Refused(String),
}

impl View {
    /// Explains why nothing arrives, and names the flag to change.
    pub(super) fn why_silent(&self, matcher: &PageMatcher) -> String {
        let active = self.active.as_ref().and_then(|target| self.tabs.get(target));
        let looked_at = || self.tabs.values().filter(|tab| tab.state != TabState::Ignored);
        // Of several tabs the most promising is probably the right one.
        match active.or_else(|| looked_at().max_by_key(|tab| tab.state.promise())) {
            Some(tab) => tab.why_silent(matcher),
            None => self.why_unmatched(matcher),
        }
    }

    fn why_unmatched(&self, matcher: &PageMatcher) -> String {
        let pattern = matcher.game_url.as_str();
        let mut places: Vec<&str> = self.tabs.values().map(|tab| tab.place.as_str()).collect();
        places.dedup();
        if places.is_empty() {
            return format!(
                "no tab of the browser shows a web page (none matches --game-url `{pattern}`); open the game in it"
            );
        }
        let more = if places.len() > NAMED_MAX { ", …" } else { "" };
        places.truncate(NAMED_MAX);
        let places = places.join(", ");
        format!(
            "no tab or frame of the browser matches --game-url `{pattern}`; open the game in it, or set --game-url to match \
             one of these: {places}{more}"
        )
    }
}

impl Tab {
    fn why_silent(&self, matcher: &PageMatcher) -> String {
        let place = &self.place;
        match &self.state {
            TabState::Silent => format!(
                "{place} does not answer: the tab is frozen or asleep; click it, and take the site out of Memory Saver \
                 (chrome://settings/performance)"
            ),
            TabState::Crashed => format!("{place} has crashed; reload the tab"),
            TabState::Few(len) => {
                format!("the history list in {place} has {len} entries so far, which is too few")
            }
            TabState::Unreadable(texts) => format!(
                "the history entries in {place} are not multipliers: {texts:?}; name the right ones with --selector"
            ),
            TabState::Refused(why) => {
                format!("the browser does not let the collector read {place}: {why}")
            }
            TabState::Closed(names) => format!(
                "{place} shows no history list that can be read: the contents of {} are in a closed shadow root, which only the page \
                 itself can read; its socket is read if it has one",
                names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(", ")
            ),
            TabState::Nothing if matcher.own_selector => format!(
                "{place} shows no history list: --selector `{}` finds nothing in it; is the game open there?",
                matcher.selectors.join(", ")
            ),
            TabState::Nothing => format!(
                "{place} shows no history list: none of the {} known selectors finds one; is the game open there? name the \
                 list's entries with --selector, or another frame with --game-url",
                matcher.selectors.len()
            ),
            TabState::Ignored | TabState::Asked | TabState::List { .. } => {
                format!("nothing has arrived from {place} for a while")
            }
        }
    }
}

impl TabState {
    /// Returns a rank: how close the tab is to delivering rounds.
    fn promise(&self) -> u8 {
        match self {
            Self::Ignored => 0,
            Self::Refused(_) => 1,
            Self::Nothing | Self::Closed(_) => 2,
            Self::Asked => 3,
            Self::Crashed | Self::Silent => 4,
            Self::Unreadable(_) => 5,
            Self::Few(_) => 6,
            Self::List { .. } => 7,
        }
    }
}

/// Returns the origin and path of a web page, `None` for other addresses. Only this is matched and logged: queries and
/// fragments carry session tokens.
pub(super) fn origin_and_path(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let origin = url.origin();
    origin.is_tuple().then(|| format!("{}{}", origin.ascii_serialization(), url.path()))
}
