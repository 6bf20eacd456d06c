//! What the rules of a feed find in one message.

use thiserror::Error;

use crate::observation::Report;

/// What one message said.
#[derive(Debug, Default, PartialEq)]
pub struct Heard {
    /// A rule was about it.
    pub is_matched: bool,
    /// The round or the list that it told.
    pub said: Option<Report>,
    /// What in it could not be read.
    pub problem: Option<FieldError>,
}

/// A message that a rule is about and that is not as the rule says.
#[derive(Error, Clone, Debug, PartialEq, Eq)]
#[error("{key}: {problem}")]
pub struct FieldError {
    /// The key of the configuration.
    pub key: String,
    /// What is there instead; never the message's own values.
    pub problem: String,
}
