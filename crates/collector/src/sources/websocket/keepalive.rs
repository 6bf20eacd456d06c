//! Decides when to ping and when a quiet connection is dead. Time is passed in.

use std::time::Duration;

use tokio::time::Instant;

/// Timeout of the answer to a ping.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Which side pings, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    /// The client sends WebSocket pings, which every server answers.
    Protocol {
        /// The interval.
        every: Duration,
    },
    /// The client sends a text.
    Text {
        /// The interval.
        every: Duration,
        /// The text.
        text: String,
        /// The server answers it.
        is_answered: bool,
    },
    /// Both sides send a text, and neither answers the other's.
    Mutual {
        /// The interval of the client.
        every: Duration,
        /// The text of the client.
        text: String,
        /// The longest interval of the server.
        within: Duration,
    },
    /// The server pings.
    FromServer {
        /// The interval.
        within: Duration,
    },
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeepaliveAction {
    /// Nothing.
    Wait,
    /// Send a WebSocket ping.
    Ping,
    /// Send this text.
    Send(String),
    /// Nothing came back within this time: the peer is gone.
    HalfOpen(Duration),
    /// The peer is alive but has sent no usable message within this time.
    Silent(Duration),
}

/// The timers of one connection.
#[derive(Debug)]
pub(super) struct Keepalive {
    ping: Ping,
    idle: Duration,
    /// When to ping next; `None` if the server pings.
    next: Option<Instant>,
    /// When something must have arrived.
    answer_by: Option<Instant>,
    /// When a usable message must have arrived.
    silent_at: Instant,
}

impl Ping {
    /// Returns the longest time that a server which pings lets pass; `None` if it does not ping.
    fn server_interval(&self) -> Option<Duration> {
        match self {
            Self::FromServer { within } | Self::Mutual { within, .. } => Some(*within),
            Self::Protocol { .. } | Self::Text { .. } => None,
        }
    }
}

impl Keepalive {
    /// Starts the timers of a connection opened at `now`. `idle` is the longest time that it may go
    /// without a usable message.
    pub(super) fn new(ping: Ping, idle: Duration, now: Instant) -> Self {
        let next = match &ping {
            Ping::Protocol { every } | Ping::Text { every, .. } | Ping::Mutual { every, .. } => {
                Some(now + *every)
            }
            Ping::FromServer { .. } => None,
        };
        let mut keepalive = Self { ping, idle, next, answer_by: None, silent_at: now + idle };
        keepalive.on_message(now);
        keepalive
    }

    /// Returns when [`Keepalive::due_action`] must be called.
    pub(super) fn next_deadline(&self) -> Instant {
        [self.next, self.answer_by].into_iter().flatten().fold(self.silent_at, Instant::min)
    }

    /// Notes that a message arrived.
    pub(super) fn on_message(&mut self, now: Instant) {
        self.answer_by = self.ping.server_interval().map(|within| now + within);
    }

    /// Notes that a usable message arrived.
    pub(super) fn on_document(&mut self, now: Instant) {
        self.on_message(now);
        self.silent_at = now + self.idle;
    }

    /// Returns what to do at `now`.
    pub(super) fn due_action(&mut self, now: Instant) -> KeepaliveAction {
        if self.answer_by.is_some_and(|by| by <= now) {
            return KeepaliveAction::HalfOpen(
                self.ping.server_interval().unwrap_or(ANSWER_TIMEOUT),
            );
        }
        if self.silent_at <= now {
            return KeepaliveAction::Silent(self.idle);
        }
        if self.next.is_none_or(|next| next > now) {
            return KeepaliveAction::Wait;
        }
        let (every, is_answered, due_action) = match &self.ping {
            Ping::Protocol { every } => (*every, true, KeepaliveAction::Ping),
            Ping::Text { every, text, is_answered } => {
                (*every, *is_answered, KeepaliveAction::Send(text.clone()))
            }
            Ping::Mutual { every, text, .. } => {
                (*every, false, KeepaliveAction::Send(text.clone()))
            }
            Ping::FromServer { .. } => return KeepaliveAction::Wait,
        };
        self.next = Some(now + every);
        if is_answered && self.answer_by.is_none() {
            self.answer_by = Some(now + ANSWER_TIMEOUT);
        }
        due_action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_mins(5);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns every action on a connection without incoming messages, with its second.
    fn actions(ping: Ping, until: u64) -> Vec<(u64, KeepaliveAction)> {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(ping, IDLE, start);
        let mut actions = Vec::new();
        while keepalive.next_deadline() <= start + seconds(until) {
            let now = keepalive.next_deadline();
            let due_action = keepalive.due_action(now);
            assert_ne!(
                due_action,
                KeepaliveAction::Wait,
                "due means that there is something to do"
            );
            let is_over =
                matches!(due_action, KeepaliveAction::HalfOpen(_) | KeepaliveAction::Silent(_));
            actions.push(((now - start).as_secs(), due_action));
            if is_over {
                break;
            }
        }
        actions
    }

    #[test]
    fn an_unanswered_ping_means_a_half_open_connection() {
        assert_eq!(
            actions(Ping::Protocol { every: seconds(20) }, 1000),
            [(20, KeepaliveAction::Ping), (30, KeepaliveAction::HalfOpen(ANSWER_TIMEOUT))]
        );
    }

    #[test]
    fn frequent_pings_do_not_postpone_the_timeout() {
        let actions = actions(Ping::Protocol { every: seconds(4) }, 1000);
        assert_eq!(actions.last(), Some(&(14, KeepaliveAction::HalfOpen(ANSWER_TIMEOUT))));
    }

    #[test]
    fn a_text_without_an_expected_answer_is_sent_until_silence() {
        let ping = Ping::Text { every: seconds(100), text: "hi".to_owned(), is_answered: false };
        assert_eq!(
            actions(ping, 1000),
            [
                (100, KeepaliveAction::Send("hi".to_owned())),
                (200, KeepaliveAction::Send("hi".to_owned())),
                (300, KeepaliveAction::Silent(IDLE))
            ]
        );
    }

    #[test]
    fn a_server_that_stops_pinging_is_disconnected() {
        let ping = Ping::FromServer { within: seconds(45) };
        assert_eq!(actions(ping, 1000), [(45, KeepaliveAction::HalfOpen(seconds(45)))]);
    }

    #[test]
    fn answers_to_pings_alone_do_not_end_silence() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(Ping::Protocol { every: seconds(20) }, IDLE, start);
        let end = loop {
            let now = keepalive.next_deadline();
            match keepalive.due_action(now) {
                KeepaliveAction::Ping => keepalive.on_message(now + seconds(1)),
                due_action => break (now - start, due_action),
            }
        };
        assert_eq!(end, (IDLE, KeepaliveAction::Silent(IDLE)));
    }

    #[test]
    fn a_document_restarts_the_silence_timeout() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(Ping::FromServer { within: seconds(1000) }, IDLE, start);
        keepalive.on_document(start + seconds(299));
        assert_eq!(keepalive.due_action(start + IDLE), KeepaliveAction::Wait);
        assert_eq!(keepalive.next_deadline(), start + seconds(599));
    }
}
