//! One result of `collector doctor`.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two: "directory", "lock", "browser".
    pub check: String,
    /// How it is.
    pub state: FindingState,
    /// What was seen, in a sentence without a final dot.
    pub message: String,
    /// What to do about it, where there is something to do.
    pub advice: Option<String>,
}

/// How a thing is.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// As it should be.
    Ok,
    /// The collector would run, but someone should look.
    Warning,
    /// The collector would not run, or not record.
    Failed,
}

impl Finding {
    /// `check` is as it should be.
    pub fn ok(check: &str, message: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            state: FindingState::Ok,
            message: message.into(),
            advice: None,
        }
    }

    /// `check` deserves a look.
    pub fn warning(check: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self {
            check: check.to_owned(),
            state: FindingState::Warning,
            message: message.into(),
            advice,
        }
    }

    /// `check` would keep the collector from recording.
    pub fn failed(check: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self {
            check: check.to_owned(),
            state: FindingState::Failed,
            message: message.into(),
            advice,
        }
    }

    /// The collector would not run, or not record.
    pub fn is_failed(&self) -> bool {
        self.state == FindingState::Failed
    }
}
