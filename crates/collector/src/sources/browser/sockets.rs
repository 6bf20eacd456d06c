//! Tells the game's WebSockets from the others of a page.

use std::collections::HashSet;

use url::Url;

use crate::cdp::SessionId;

/// The path of the game's socket.
const GAME_SOCKET: &str = "/BlueBox/websocket";

/// Sockets of other purposes that are remembered.
const FOREIGN_MAX: usize = 1000;

/// A socket of a page, as the browser names it.
pub(super) type SocketKey = (SessionId, String);

/// The sockets of the targets that are looked at. Those that were open before we came have no known address and are judged by what
/// they say.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    foreign: HashSet<SocketKey>,
    /// Those that have spoken as the game's does.
    playing: HashSet<SocketKey>,
}

impl Sockets {
    /// Whether the game opened it in place of one it had: a page that is left does not say that its sockets close.
    pub(super) fn open(&mut self, key: SocketKey, url: &str) -> bool {
        if !Url::parse(url).is_ok_and(|url| url.path().ends_with(GAME_SOCKET)) {
            // Forgotten ones are judged by what they say, as those are that were there before us.
            if self.foreign.len() >= FOREIGN_MAX {
                self.foreign.clear();
            }
            self.foreign.insert(key);
            return false;
        }
        let before = self.playing.len();
        self.playing.retain(|(session, _)| *session != key.0);
        self.playing.len() < before
    }

    /// Whether it was the game's.
    pub(super) fn close(&mut self, key: &SocketKey) -> bool {
        self.foreign.remove(key);
        self.playing.remove(key)
    }

    pub(super) fn is_foreign(&self, key: &SocketKey) -> bool {
        self.foreign.contains(key)
    }

    /// It has spoken as the game's does.
    pub(super) fn hear(&mut self, key: SocketKey) {
        self.playing.insert(key);
    }

    /// Forgets the sockets of other sessions.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&SessionId) -> bool) {
        self.foreign.retain(|(session, _)| is_kept(session));
        self.playing.retain(|(session, _)| is_kept(session));
    }
}
