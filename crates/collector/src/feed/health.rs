//! Counts how much of a feed can be understood: warns about problems, and gives up a feed that cannot be understood
//! at all.

use serde_json::Value;
use tracing::warn;

use crate::feed::parsed::{FieldError, ParsedMessage};
use crate::source_error::SourceError;

/// Number of unreadable messages in a row after which the feed is given up.
const IN_A_ROW_MAX: u64 = 5;
/// Number of messages without a matching rule before the first warning: many feeds begin with
/// messages of other kinds.
const UNMATCHED_FIRST: u64 = 50;

/// Counters of a source; [`FeedHealth::reset`] starts a new connection.
#[derive(Debug, Default)]
pub struct FeedHealth {
    has_worked: bool,
    documents: u64,
    undecodable: u64,
    unreadable: u64,
    partial: u64,
    matched: u64,
    unmatched: u64,
    /// The last document, for `collector doctor`.
    last_document: Option<Value>,
    /// What could not be read in it.
    last_problem: Option<FieldError>,
}

impl FeedHealth {
    /// Returns whether a round or a list was ever read, on this connection or an earlier one.
    pub fn has_worked(&self) -> bool {
        self.has_worked
    }

    /// Returns the last document.
    pub fn last_document(&self) -> Option<&Value> {
        self.last_document.as_ref()
    }

    /// Returns what could not be read in the last document, if anything.
    pub fn last_problem(&self) -> Option<&FieldError> {
        self.last_problem.as_ref()
    }

    /// Stores `document` for [`FeedHealth::last_document`].
    pub fn set_last_document(&mut self, document: Value) {
        self.last_document = Some(document);
    }

    /// Starts counting for a new connection.
    pub fn reset(&mut self) {
        (self.documents, self.undecodable, self.unreadable) = (0, 0, 0);
    }

    /// Counts a message that cannot be decoded.
    ///
    /// # Errors
    ///
    /// It is the fifth such message, and no message of this connection could be decoded.
    pub fn undecodable(&mut self, what: &str) -> Result<(), SourceError> {
        self.undecodable += 1;
        if self.undecodable.is_power_of_two() {
            warn!(what, count = self.undecodable, "A message cannot be decoded.");
        }
        if self.documents == 0 && self.undecodable >= IN_A_ROW_MAX {
            return Err(SourceError::Unusable(format!(
                "no message can be decoded ({what}); check websocket.framing and feed.format"
            )));
        }
        Ok(())
    }

    /// Counts a document; `mismatch_reason` explains why no rule matches it.
    ///
    /// # Errors
    ///
    /// It is the fifth document in a row that matches a rule but cannot be read.
    pub fn document(
        &mut self,
        parsed: &ParsedMessage,
        mismatch_reason: impl FnOnce() -> String,
    ) -> Result<(), SourceError> {
        self.documents += 1;
        self.last_problem.clone_from(&parsed.problem);
        if parsed.is_matched {
            self.matched += 1;
        } else {
            self.unmatched += 1;
            let is_warning_due = self.unmatched >= UNMATCHED_FIRST
                && (self.unmatched / UNMATCHED_FIRST).is_power_of_two()
                && self.unmatched.is_multiple_of(UNMATCHED_FIRST);
            if self.matched == 0 && is_warning_due {
                warn!(
                    count = self.unmatched,
                    reason = mismatch_reason(),
                    "No message matches a rule."
                );
            }
        }
        if parsed.report.is_some() {
            self.has_worked = true;
            self.unreadable = 0;
        }
        match &parsed.problem {
            Some(problem) => self.problem(problem, parsed.report.is_some()),
            None => Ok(()),
        }
    }

    fn problem(&mut self, problem: &FieldError, is_partly_read: bool) -> Result<(), SourceError> {
        if is_partly_read {
            self.partial += 1;
            if self.partial.is_power_of_two() {
                warn!(%problem, count = self.partial, "A message was read only in part.");
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

    fn unreadable() -> ParsedMessage {
        let problem =
            FieldError { key: "feed.rounds[0].value".to_owned(), problem: "no".to_owned() };
        ParsedMessage { is_matched: true, report: None, problem: Some(problem) }
    }

    fn good() -> ParsedMessage {
        ParsedMessage { is_matched: true, report: Some(Report::List(Vec::new())), problem: None }
    }

    fn feed(health: &mut FeedHealth, parsed: &[ParsedMessage]) -> Vec<SourceError> {
        parsed.iter().filter_map(|parsed| health.document(parsed, String::new).err()).collect()
    }

    #[test]
    fn a_feed_whose_rules_never_match_fails_at_the_fifth_message() {
        let mut health = FeedHealth::default();
        let four: Vec<ParsedMessage> = (0..4).map(|_| unreadable()).collect();
        assert_eq!(feed(&mut health, &four), []);
        assert_eq!(
            feed(&mut health, &[unreadable()]),
            [SourceError::Configuration(
                "5 messages in a row cannot be read; feed.rounds[0].value: no".to_owned()
            )]
        );
    }

    #[test]
    fn a_feed_that_has_worked_is_reconnected() {
        let mut health = FeedHealth::default();
        let mut parsed = vec![good()];
        parsed.extend((0..5).map(|_| unreadable()));
        assert!(matches!(feed(&mut health, &parsed)[..], [SourceError::Disconnected(_)]));
    }

    #[test]
    fn a_readable_message_resets_the_count() {
        let mut health = FeedHealth::default();
        for _ in 0..10 {
            let four: Vec<ParsedMessage> = (0..4).map(|_| unreadable()).collect();
            assert_eq!(feed(&mut health, &four), []);
            assert_eq!(feed(&mut health, &[good()]), []);
        }
    }

    #[test]
    fn a_feed_fails_on_garbage_only_if_there_is_nothing_else() {
        let mut health = FeedHealth::default();
        let ends =
            |health: &mut FeedHealth| (0..5).filter(|_| health.undecodable("x").is_err()).count();
        assert_eq!(ends(&mut health), 1);
        health.reset();
        assert_eq!(feed(&mut health, &[ParsedMessage::default()]), []);
        assert_eq!(ends(&mut health), 0);
        health.reset();
        assert_eq!(ends(&mut health), 1);
    }
}
