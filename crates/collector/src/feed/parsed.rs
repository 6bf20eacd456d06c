//! What the rules of a feed find in one message.

use thiserror::Error;

use crate::observation::Report;

/// The result of reading one message.
#[derive(Debug, Default, PartialEq)]
pub struct ParsedMessage {
    /// A rule matched it.
    pub is_matched: bool,
    /// The round or list in it.
    pub report: Option<Report>,
    /// What could not be read.
    pub problem: Option<FieldError>,
}

/// A message that matches a rule but does not have the expected content.
#[derive(Error, Clone, Debug, PartialEq, Eq)]
#[error("{key}: {problem}")]
pub struct FieldError {
    /// The key in the configuration.
    pub key: String,
    /// What is there instead; never values of the message.
    pub problem: String,
}
