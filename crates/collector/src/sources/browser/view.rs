//! What the browser shows, for error messages and `collector doctor`.

use std::collections::BTreeMap;

use url::Url;

use super::PageMatcher;
use crate::cdp::TargetId;

/// Other tabs that a message names.
const NAMED_MAX: usize = 5;

/// What there is in the browser: for messages and for the doctor. Addresses stand here without their query, which may hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) tabs: BTreeMap<TargetId, Tab>,
    /// The one that is listened to.
    pub(super) active: Option<TargetId>,
}

/// A tab, or a frame with a process of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tab {
    /// Origin and path.
    pub(super) place: String,
    pub(super) state: TabState,
    /// A socket of the game speaks in it.
    pub(super) socket: bool,
}

/// How a tab is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TabState {
    /// Its address does not match; nobody looks at it.
    Ignored,
    /// It matches; it has not answered yet.
    Asked,
    /// It shows a history list.
    List {
        /// What found it.
        selector: String,
        /// How many rounds.
        len: usize,
        /// It is the pop-up's.
        popup: bool,
    },
    /// It shows a list that is too short to be of use.
    Few(usize),
    /// It shows entries that are not multipliers; some of them.
    Unreadable(Vec<String>),
    /// It shows nothing.
    Nothing,
    /// It does not answer.
    Silent,
    /// Its process died.
    Crashed,
    /// The browser refuses to look into it.
    Refused(String),
}

impl View {
    /// Why nothing is heard: the thing, and the flag.
    pub(super) fn why_silent(&self, look: &PageMatcher) -> String {
        let active = self.active.as_ref().and_then(|target| self.tabs.get(target));
        let looked_at = || self.tabs.values().filter(|tab| tab.state != TabState::Ignored);
        // Among several the one that shows most is the one that was meant.
        match active.or_else(|| looked_at().max_by_key(|tab| tab.state.promise())) {
            Some(tab) => tab.why_silent(look),
            None => self.why_unmatched(look),
        }
    }

    fn why_unmatched(&self, look: &PageMatcher) -> String {
        let pattern = look.game_url.as_str();
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
             one of those there are: {places}{more}"
        )
    }
}

impl Tab {
    fn why_silent(&self, look: &PageMatcher) -> String {
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
                format!("the browser does not let the collector look into {place}: {why}")
            }
            TabState::Nothing if look.own_selector => format!(
                "{place} shows no history list: --selector `{}` finds nothing in it; is the game open there?",
                look.selectors.join(", ")
            ),
            TabState::Nothing => format!(
                "{place} shows no history list: none of the {} known selectors finds one; is the game open there? name the \
                 list's entries with --selector, or another frame with --game-url",
                look.selectors.len()
            ),
            TabState::Ignored | TabState::Asked | TabState::List { .. } => {
                format!("{place} has said nothing for a while")
            }
        }
    }
}

impl TabState {
    /// How near a tab is to being of use.
    fn promise(&self) -> u8 {
        match self {
            Self::Ignored => 0,
            Self::Refused(_) => 1,
            Self::Nothing => 2,
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
