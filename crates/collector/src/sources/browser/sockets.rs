//! Distinguishes the game's WebSockets from a page's other ones.

use std::collections::{HashMap, HashSet};

use url::Url;

use crate::cdp::SessionId;
use crate::sfs2x::{self, Message, PacketError};

/// The path of the game's socket.
const GAME_SOCKET: &str = "/BlueBox/websocket";

/// Maximum number of foreign sockets remembered.
const FOREIGN_MAX: usize = 1000;

/// Maximum length of a packet that arrives in several messages.
const BEGUN_BYTES_MAX: usize = 4 << 20;

/// The browser's id of a page's socket.
pub(super) type SocketKey = (SessionId, String);

/// The sockets of the polled targets. Those opened before the collector attached have no known address and are judged
/// by their messages.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    foreign: HashSet<SocketKey>,
    /// Sockets that have sent a message of the game.
    playing: HashSet<SocketKey>,
    /// The beginning of a packet whose rest has not arrived.
    begun: HashMap<SocketKey, Vec<u8>>,
}

/// The result of decoding a message of a socket.
pub(super) type Decoded = Result<Option<Message>, PacketError>;

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
        let before = self.playing.len();
        self.playing.retain(|(session, _)| *session != key.0);
        self.playing.len() < before
    }

    /// Notes a closed socket; returns whether it was the game's.
    pub(super) fn close(&mut self, key: &SocketKey) -> bool {
        self.foreign.remove(key);
        self.begun.remove(key);
        self.playing.remove(key)
    }

    /// Returns whether a socket of this session has sent a message of the game.
    pub(super) fn is_playing(&self, session: &SessionId) -> bool {
        self.playing.iter().any(|(of, _)| of == session)
    }

    /// Returns what the game says in a message of a socket; nothing for a socket on another path, unless the game logs in
    /// there or sends its history, as it does only on its own.
    pub(super) fn decode(&mut self, key: &SocketKey, bytes: &[u8]) -> Vec<Decoded> {
        let decoded = self.packets(key, bytes);
        let is_greeting = |decoded: &Decoded| {
            matches!(decoded, Ok(Some(Message::Instance(_) | Message::History(_))))
        };
        if self.foreign.contains(key) {
            if !decoded.iter().any(is_greeting) {
                return Vec::new();
            }
            self.foreign.remove(key);
        }
        decoded
    }

    /// Decodes the packets of a message, the first of which may have begun in an earlier one.
    fn packets(&mut self, key: &SocketKey, bytes: &[u8]) -> Vec<Decoded> {
        let (alone, rest) = decode(bytes);
        let begun = self.begun.remove(key);
        let (decoded, rest) = match begun {
            // A message that is whole does not continue an earlier one.
            Some(mut begun) if !matches!(alone.first(), Some(Ok(_))) => {
                begun.extend_from_slice(bytes);
                let (joined, rest) = decode(&begun);
                (joined, rest.to_vec())
            }
            _ => (alone, rest.to_vec()),
        };
        if !rest.is_empty() && rest.len() <= BEGUN_BYTES_MAX {
            self.begun.insert(key.clone(), rest);
        }
        decoded
    }

    /// Notes that the socket has sent a message of the game.
    pub(super) fn mark_playing(&mut self, key: SocketKey) {
        self.playing.insert(key);
    }

    /// Forgets the sockets of all sessions that are not kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&SessionId) -> bool) {
        self.foreign.retain(|(session, _)| is_kept(session));
        self.playing.retain(|(session, _)| is_kept(session));
        self.begun.retain(|(session, _), _| is_kept(session));
    }
}

/// Returns what the packets of `bytes` say, and the beginning of a packet at their end.
fn decode(bytes: &[u8]) -> (Vec<Decoded>, &[u8]) {
    let mut packets = sfs2x::packets(bytes);
    let decoded =
        packets.by_ref().map(|packet| packet.map(|packet| Message::of(&packet))).collect();
    (decoded, packets.begun())
}
