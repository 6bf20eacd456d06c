//! How much of a feed can be understood: warns while it is worth a look, and gives up a feed that is not understood at all.

use serde_json::Value;
use tracing::warn;

use crate::feed::parsed::{FieldError, Heard};
use crate::source_error::SourceError;

/// Messages that cannot be understood, in a row, before the feed is given up.
const IN_A_ROW_MAX: u64 = 5;
/// Messages that no rule is about before that is said: others come first in many feeds.
const UNMATCHED_FIRST: u64 = 50;

/// Counts over the life of a source; `connected` begins a connection.
#[derive(Debug, Default)]
pub struct FeedHealth {
    has_worked: bool,
    documents: u64,
    undecodable: u64,
    unreadable: u64,
    partial: u64,
    matched: u64,
    unmatched: u64,
    /// The last document, for the doctor.
    last: Option<Value>,
}

impl FeedHealth {
    /// A round or a list was read, on this connection or an earlier one.
    pub fn has_worked(&self) -> bool {
        self.has_worked
    }

    /// The last document that was kept.
    pub fn last(&self) -> Option<&Value> {
        self.last.as_ref()
    }

    /// Keeps `document` for [`FeedHealth::last`].
    pub fn keep(&mut self, document: Value) {
        self.last = Some(document);
    }

    /// A new connection: nothing of it was decoded yet.
    pub fn connected(&mut self) {
        (self.documents, self.undecodable, self.unreadable) = (0, 0, 0);
    }

    /// Counts what is no document.
    ///
    /// # Errors
    ///
    /// It is the fifth, and this connection gave nothing else.
    pub fn undecodable(&mut self, what: &str) -> Result<(), SourceError> {
        self.undecodable += 1;
        if self.undecodable.is_power_of_two() {
            warn!(what, count = self.undecodable, "A message cannot be decoded.");
        }
        if self.documents == 0 && self.undecodable >= IN_A_ROW_MAX {
            return Err(SourceError::Unusable(format!(
                "nothing that arrives can be decoded ({what}); look at websocket.framing"
            )));
        }
        Ok(())
    }

    /// Counts a document; `why_not` says why no rule is about it.
    ///
    /// # Errors
    ///
    /// It is the fifth in a row that a rule is about and that cannot be read.
    pub fn document(
        &mut self,
        heard: &Heard,
        why_not: impl FnOnce() -> String,
    ) -> Result<(), SourceError> {
        self.documents += 1;
        if heard.is_matched {
            self.matched += 1;
        } else {
            self.unmatched += 1;
            let is_worth_a_word = self.unmatched >= UNMATCHED_FIRST
                && (self.unmatched / UNMATCHED_FIRST).is_power_of_two()
                && self.unmatched.is_multiple_of(UNMATCHED_FIRST);
            if self.matched == 0 && is_worth_a_word {
                warn!(
                    count = self.unmatched,
                    last = why_not(),
                    "No message is one that a rule is about."
                );
            }
        }
        if heard.said.is_some() {
            self.has_worked = true;
            self.unreadable = 0;
        }
        match &heard.problem {
            Some(problem) => self.problem(problem, heard.said.is_some()),
            None => Ok(()),
        }
    }

    fn problem(&mut self, problem: &FieldError, is_partly_read: bool) -> Result<(), SourceError> {
        if is_partly_read {
            self.partial += 1;
            if self.partial.is_power_of_two() {
                warn!(%problem, count = self.partial, "A message was read in part.");
            }
            return Ok(());
        }
        self.unreadable += 1;
        warn!(%problem, in_a_row = self.unreadable, "A message cannot be read.");
        if self.unreadable < IN_A_ROW_MAX {
            return Ok(());
        }
        self.unreadable = 0;
        let what = format!("{IN_A_ROW_MAX} messages in a row cannot be read; {problem}");
        Err(if self.has_worked {
            SourceError::Disconnected(what)
        } else {
            SourceError::Configuration(what)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::observation::Report;

    use super::*;

    fn unreadable() -> Heard {
        let problem =
            FieldError { key: "feed.rounds[0].value".to_owned(), problem: "no".to_owned() };
        Heard { is_matched: true, said: None, problem: Some(problem) }
    }

    fn good() -> Heard {
        Heard { is_matched: true, said: Some(Report::List(Vec::new())), problem: None }
    }

    fn feed(health: &mut FeedHealth, heard: &[Heard]) -> Vec<SourceError> {
        heard.iter().filter_map(|heard| health.document(heard, String::new).err()).collect()
    }

    #[test]
    fn a_rule_that_never_reads_is_given_up_at_the_fifth_message() {
        let mut health = FeedHealth::default();
        let four: Vec<Heard> = (0..4).map(|_| unreadable()).collect();
        assert_eq!(feed(&mut health, &four), []);
        assert_eq!(
            feed(&mut health, &[unreadable()]),
            [SourceError::Configuration(
                "5 messages in a row cannot be read; feed.rounds[0].value: no".to_owned()
            )]
        );
    }

    #[test]
    fn a_feed_that_has_worked_is_only_connected_again() {
        let mut health = FeedHealth::default();
        let mut heard = vec![good()];
        heard.extend((0..5).map(|_| unreadable()));
        assert!(matches!(feed(&mut health, &heard)[..], [SourceError::Disconnected(_)]));
    }

    #[test]
    fn one_message_that_is_read_begins_the_count_again() {
        let mut health = FeedHealth::default();
        for _ in 0..10 {
            let four: Vec<Heard> = (0..4).map(|_| unreadable()).collect();
            assert_eq!(feed(&mut health, &four), []);
            assert_eq!(feed(&mut health, &[good()]), []);
        }
    }

    #[test]
    fn garbage_is_given_up_only_where_there_is_nothing_else() {
        let mut health = FeedHealth::default();
        let ends =
            |health: &mut FeedHealth| (0..5).filter(|_| health.undecodable("x").is_err()).count();
        assert_eq!(ends(&mut health), 1);
        health.connected();
        assert_eq!(feed(&mut health, &[Heard::default()]), []);
        assert_eq!(ends(&mut health), 0);
        health.connected();
        assert_eq!(ends(&mut health), 1);
    }
}
