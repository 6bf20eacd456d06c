//! What is said once the snapshot shows it: who hears of something finds it there.

use std::collections::VecDeque;

use serde_json::Value;

use super::NoTraining;
use crate::http::{Events, Topic};
use crate::snapshot::Accuracy;
use crate::trainings::Asker;

/// After a long catch-up only the last events are worth saying.
const EVENTS_MAX: usize = 32;

/// Events and answers that wait for the snapshot.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    events: VecDeque<(Topic, Value)>,
    answers: Vec<(Asker, Result<Accuracy, NoTraining>)>,
}

impl Outbox {
    pub(super) fn say(&mut self, topic: Topic, data: Value) {
        self.events.push_back((topic, data));
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    pub(super) fn answer(&mut self, asker: Asker, answer: Result<Accuracy, NoTraining>) {
        self.answers.push((asker, answer));
    }

    pub(super) fn send(&mut self, events: &Events) {
        for (topic, data) in self.events.drain(..) {
            events.say(topic, &data);
        }
        for (asker, answer) in self.answers.drain(..) {
            // Who asked may have gone.
            drop(asker.send(answer));
        }
    }
}
