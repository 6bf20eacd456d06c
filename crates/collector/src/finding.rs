//! One result of `collector doctor`.

use serde::Serialize;

/// The result of one check.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked, in a word or two: "directory", "lock", "browser".
    pub check: String,
    /// The result.
    pub state: FindingState,
    /// What was found, in a sentence without a final dot.
    pub message: String,
    /// What to do about it, if anything.
    pub advice: Option<String>,
}

/// How a check turned out.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// No problem.
    Ok,
    /// The collector would record, but the user should look at it.
    Warning,
    /// The collector would not start, or would not record.
    Failed,
}

impl Finding {
    /// Returns a finding without a problem.
    pub fn ok(check: &str, message: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            state: FindingState::Ok,
            message: message.into(),
            advice: None,
        }
    }

    /// Returns a warning.
    pub fn warning(check: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self {
            check: check.to_owned(),
            state: FindingState::Warning,
            message: message.into(),
            advice,
        }
    }

    /// Returns a finding of a problem that keeps the collector from recording.
    pub fn failed(check: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self {
            check: check.to_owned(),
            state: FindingState::Failed,
            message: message.into(),
            advice,
        }
    }

    /// Returns whether the check failed.
    pub fn is_failed(&self) -> bool {
        self.state == FindingState::Failed
    }
}
