//! When to ping, and when a quiet connection is a dead one. Time is passed in.

use std::time::Duration;

use tokio::time::Instant;

/// The longest that an answer to a ping may take.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Who keeps the connection alive, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    /// We ping as the WebSocket protocol does; every server answers.
    Protocol {
        /// How often.
        every: Duration,
    },
    /// We send a text.
    Text {
        /// How often.
        every: Duration,
        /// Which.
        text: String,
        /// Something has to come back.
        is_answered: bool,
    },
    /// The server pings, this often at least.
    FromServer {
        /// How often.
        within: Duration,
    },
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeepaliveAction {
    /// Nothing yet.
    Wait,
    /// Send a ping of the protocol.
    Ping,
    /// Send this text.
    Send(String),
    /// Nothing came back for so long that the other end must be gone.
    HalfOpen(Duration),
    /// The other end lives and has said nothing of use for so long.
    Silent(Duration),
}

/// The clock of one connection.
#[derive(Debug)]
pub(super) struct Keepalive {
    ping: Ping,
    idle: Duration,
    /// When to ping next; never where the server pings.
    next: Option<Instant>,
    /// When something must have arrived.
    answer_by: Option<Instant>,
    /// When something of use must have arrived.
    silent_at: Instant,
}

impl Keepalive {
    /// The clock of a connection that was opened at `now` and may be silent for `idle`.
    pub(super) fn new(ping: Ping, idle: Duration, now: Instant) -> Self {
        let next = match &ping {
            Ping::Protocol { every } | Ping::Text { every, .. } => Some(now + *every),
            Ping::FromServer { .. } => None,
        };
        let mut pulse = Self { ping, idle, next, answer_by: None, silent_at: now + idle };
        pulse.heard(now);
        pulse
    }

    /// When [`Keepalive::beat`] has something to do.
    pub(super) fn due(&self) -> Instant {
        [self.next, self.answer_by].into_iter().flatten().fold(self.silent_at, Instant::min)
    }

    /// Something arrived, whatever it is.
    pub(super) fn heard(&mut self, now: Instant) {
        self.answer_by = match self.ping {
            Ping::FromServer { within } => Some(now + within),
            Ping::Protocol { .. } | Ping::Text { .. } => None,
        };
    }

    /// Something of use arrived.
    pub(super) fn heard_document(&mut self, now: Instant) {
        self.heard(now);
        self.silent_at = now + self.idle;
    }

    /// What is to be done at `now`.
    pub(super) fn beat(&mut self, now: Instant) -> KeepaliveAction {
        if self.answer_by.is_some_and(|by| by <= now) {
            return KeepaliveAction::HalfOpen(match self.ping {
                Ping::FromServer { within } => within,
                Ping::Protocol { .. } | Ping::Text { .. } => ANSWER_WITHIN,
            });
        }
        if self.silent_at <= now {
            return KeepaliveAction::Silent(self.idle);
        }
        if self.next.is_none_or(|next| next > now) {
            return KeepaliveAction::Wait;
        }
        let (every, is_answered, beat) = match &self.ping {
            Ping::Protocol { every } => (*every, true, KeepaliveAction::Ping),
            Ping::Text { every, text, is_answered } => {
                (*every, *is_answered, KeepaliveAction::Send(text.clone()))
            }
            Ping::FromServer { .. } => return KeepaliveAction::Wait,
        };
        self.next = Some(now + every);
        if is_answered && self.answer_by.is_none() {
            self.answer_by = Some(now + ANSWER_WITHIN);
        }
        beat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_mins(5);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Every beat of a connection on which nothing arrives, with its second.
    fn unheard(ping: Ping, until: u64) -> Vec<(u64, KeepaliveAction)> {
        let start = Instant::now();
        let mut pulse = Keepalive::new(ping, IDLE, start);
        let mut beats = Vec::new();
        while pulse.due() <= start + seconds(until) {
            let now = pulse.due();
            let beat = pulse.beat(now);
            assert_ne!(beat, KeepaliveAction::Wait, "due means that there is something to do");
            let is_over = matches!(beat, KeepaliveAction::HalfOpen(_) | KeepaliveAction::Silent(_));
            beats.push(((now - start).as_secs(), beat));
            if is_over {
                break;
            }
        }
        beats
    }

    #[test]
    fn a_ping_without_an_answer_is_a_half_open_connection() {
        assert_eq!(
            unheard(Ping::Protocol { every: seconds(20) }, 1000),
            [(20, KeepaliveAction::Ping), (30, KeepaliveAction::HalfOpen(ANSWER_WITHIN))]
        );
    }

    #[test]
    fn pings_more_often_than_answers_may_take_do_not_put_the_end_off() {
        let beats = unheard(Ping::Protocol { every: seconds(4) }, 1000);
        assert_eq!(beats.last(), Some(&(14, KeepaliveAction::HalfOpen(ANSWER_WITHIN))));
    }

    #[test]
    fn a_text_that_need_not_be_answered_goes_on_until_silence() {
        let ping = Ping::Text { every: seconds(100), text: "hi".to_owned(), is_answered: false };
        assert_eq!(
            unheard(ping, 1000),
            [
                (100, KeepaliveAction::Send("hi".to_owned())),
                (200, KeepaliveAction::Send("hi".to_owned())),
                (300, KeepaliveAction::Silent(IDLE))
            ]
        );
    }

    #[test]
    fn a_server_that_should_ping_and_does_not_is_gone() {
        let ping = Ping::FromServer { within: seconds(45) };
        assert_eq!(unheard(ping, 1000), [(45, KeepaliveAction::HalfOpen(seconds(45)))]);
    }

    #[test]
    fn answers_alone_do_not_keep_a_feed_from_being_silent() {
        let start = Instant::now();
        let mut pulse = Keepalive::new(Ping::Protocol { every: seconds(20) }, IDLE, start);
        let end = loop {
            let now = pulse.due();
            match pulse.beat(now) {
                KeepaliveAction::Ping => pulse.heard(now + seconds(1)),
                beat => break (now - start, beat),
            }
        };
        assert_eq!(end, (IDLE, KeepaliveAction::Silent(IDLE)));
    }

    #[test]
    fn a_document_puts_silence_off() {
        let start = Instant::now();
        let mut pulse = Keepalive::new(Ping::FromServer { within: seconds(1000) }, IDLE, start);
        pulse.heard_document(start + seconds(299));
        assert_eq!(pulse.beat(start + IDLE), KeepaliveAction::Wait);
        assert_eq!(pulse.due(), start + seconds(599));
    }
}
