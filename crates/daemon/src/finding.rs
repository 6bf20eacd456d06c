//! The findings of `collector doctor` and `predictor doctor`: one vocabulary and one form for both.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

/// The result of one check.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked, in a word or two: "directory", "token", "browser".
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
    /// The program would work, but the user should look at it.
    Warning,
    /// The program would not start, or would not do its work.
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

    /// Returns a finding of a problem that keeps the program from its work.
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

/// Returns the findings as text: a line each, with the advice below it.
pub fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let state = match finding.state {
            FindingState::Ok => "ok",
            FindingState::Warning => "warning",
            FindingState::Failed => "FAILED",
        };
        let advice = finding.advice.as_deref().unwrap_or_default();
        let advice: String =
            advice.lines().fold(String::new(), |all, line| all + "\n           " + line);
        writeln!(text, "{state:<8} {}: {}{advice}", finding.check, finding.message)
            .expect("writing to a string cannot fail");
    }
    text
}

/// Returns the findings as JSON: `ok` unless a check failed, and `findings`.
pub fn as_json(findings: &[Finding]) -> String {
    let is_ok = !findings.iter().any(Finding::is_failed);
    format!("{:#}\n", json!({ "ok": is_ok, "findings": findings }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_lines_with_their_advice_below_or_json() {
        let findings = [
            Finding::ok("token", "its owner only can read it"),
            Finding::warning("disk", "199 MiB are free", "free some\nsoon"),
        ];
        assert_eq!(
            as_text(&findings),
            "ok       token: its owner only can read it\nwarning  disk: 199 MiB are free\n           free some\n           soon\n"
        );
        let json = |findings: &[Finding]| -> serde_json::Value {
            serde_json::from_str(&as_json(findings)).unwrap()
        };
        assert_eq!(json(&findings)["ok"], true);
        assert_eq!(json(&findings)["findings"][1]["advice"], "free some\nsoon");
        assert_eq!(json(&[Finding::failed("lock", "held", "stop it")])["ok"], false);
    }
}
