//! Events and replies held back until the snapshot shows what they announce.

use std::collections::VecDeque;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::events::{Events, Topic};
use crate::training::report::Accuracy;
use crate::training::status::{NoTraining, TrainReply};

/// After a long catch-up only the latest events are worth sending.
const EVENTS_MAX: usize = 32;

/// Events and replies that wait for the next snapshot.
#[derive(Debug, Default)]
pub(super) struct Replies {
    events: VecDeque<(Topic, Value)>,
    scanned: Vec<oneshot::Sender<()>>,
    answers: Vec<(TrainReply, Result<Accuracy, NoTraining>)>,
}

impl Replies {
    /// Queues an event for connected pages.
    pub(super) fn announce(&mut self, topic: Topic, data: Value) {
        self.events.push_back((topic, data));
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    /// Queues the reply to a training request.
    pub(super) fn answer(&mut self, reply: TrainReply, answer: Result<Accuracy, NoTraining>) {
        self.answers.push((reply, answer));
    }

    /// Replies to a scan once all rounds it found have been taken.
    pub(super) fn scanned(&mut self, done: oneshot::Sender<()>) {
        self.scanned.push(done);
    }

    /// Sends everything that waits; the replies to scans only when all rounds have been taken.
    pub(super) fn send(&mut self, events: &Events, is_caught_up: bool) {
        for (topic, data) in self.events.drain(..) {
            events.publish(topic, &data);
        }
        // The client may have disconnected.
        for (reply, answer) in self.answers.drain(..) {
            drop(reply.send(answer));
        }
        if is_caught_up {
            self.scanned.drain(..).for_each(|done| done.send(()).unwrap_or_default());
        }
    }
}
