//! Distinguishes the game's WebSockets from a page's other ones.

use std::collections::HashSet;

use url::Url;

use crate::cdp::SessionId;

/// The path of the game's socket.
const GAME_SOCKET: &str = "/BlueBox/websocket";

/// Maximum number of foreign sockets remembered.
const FOREIGN_MAX: usize = 1000;

/// The browser's id of a page's socket.
pub(super) type SocketKey = (SessionId, String);

/// The sockets of the polled targets. Those opened before the collector attached have no known address and are judged
/// by their messages.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    foreign: HashSet<SocketKey>,
    /// Sockets that have sent a message of the game.
    game_sockets: HashSet<SocketKey>,
}

impl Sockets {
    /// Notes an opened socket. Returns whether it replaces a socket of the game in the same
    /// session: when a page is left, the browser does not report its sockets as closed.
    pub(super) fn open(&mut self, key: SocketKey, url: &str) -> bool {
        if !Url::parse(url).is_ok_and(|url| url.path().ends_with(GAME_SOCKET)) {
            // A socket that is forgotten here is judged by its messages.
            if self.foreign.len() >= FOREIGN_MAX {
                self.foreign.clear();
            }
            self.foreign.insert(key);
            return false;
        }
        let before = self.game_sockets.len();
        self.game_sockets.retain(|(session, _)| *session != key.0);
        self.game_sockets.len() < before
    }

    /// Notes a closed socket; returns whether it was the game's.
    pub(super) fn close(&mut self, key: &SocketKey) -> bool {
        self.foreign.remove(key);
        self.game_sockets.remove(key)
    }

    pub(super) fn is_foreign(&self, key: &SocketKey) -> bool {
        self.foreign.contains(key)
    }

    /// Notes that the socket has sent a message of the game.
    pub(super) fn mark_playing(&mut self, key: SocketKey) {
        self.game_sockets.insert(key);
    }

    /// Forgets the sockets of all sessions that are not kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&SessionId) -> bool) {
        self.foreign.retain(|(session, _)| is_kept(session));
        self.game_sockets.retain(|(session, _)| is_kept(session));
    }
}
