//! The findings of `collector doctor` about a feed.

use std::time::Duration;

use serde_json::Value;

use crate::config_error::ConfigError;
use crate::feed::address::FeedAddress;
use crate::feed::parsed::FieldError;
use crate::feed::reader::Reader;
use crate::feed::redacted_shape::shape;
use crate::finding::Finding;
use crate::observation::Report;
use crate::source_error::SourceError;

/// How long to listen for a round; a flight may be longer.
pub const LISTEN_FOR: Duration = Duration::from_secs(20);

/// Returns the finding for a configuration that cannot be used.
pub fn unusable(error: &ConfigError) -> Finding {
    Finding::failed("feed", error.to_string(), "correct it in the --config file or by its flag")
}

/// Returns the finding for a feed that does not answer or refuses.
pub fn unreachable(error: &SourceError) -> Finding {
    let advice = match error {
        SourceError::Refused(_) => {
            "use the headers that your browser sends; docs/how-to/record-a-feed.md says where to find them"
        }
        SourceError::Unusable(_) => {
            "compare the address and [websocket] with what your browser does; see docs/how-to/record-a-feed.md"
        }
        _ => "check the address and the connection of this machine",
    };
    Finding::failed("feed", error.to_string(), advice)
}

/// Returns the findings after listening: `received` is the first round or list, or the error that
/// came instead; `None` if nothing came in time.
pub fn findings(
    address: &FeedAddress,
    received: Option<&Result<Report, SourceError>>,
    last: Option<&Value>,
    reader: &Reader,
) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("feed", format!("{address} answers"))];
    match last {
        Some(message) => {
            findings.push(Finding::ok("message", format!("the last one was {}", shape(message))));
        }
        None => findings.push(Finding::warning(
            "message",
            "no usable message was received",
            "many feeds expect a subscription first: check websocket.on_connect",
        )),
    }
    findings.push(match received {
        Some(Ok(report)) => Finding::ok("rounds", describe(report)),
        Some(Err(error)) => Finding::failed("rounds", error.to_string(), "see docs/how-to/record-a-feed.md"),
        None => {
            let mismatch_reason = last.map(|message| reader.mismatch_reason(message)).unwrap_or_default();
            let mismatch_reason = if mismatch_reason.is_empty() { mismatch_reason } else { format!("; {mismatch_reason}") };
            Finding::warning(
                "rounds",
                format!("no round ended within {} s{mismatch_reason}", LISTEN_FOR.as_secs()),
                "a long flight needs no action; otherwise compare the filters with the message above",
            )
        }
    });
    findings
}

/// Returns the findings after one request.
pub fn answered(
    address: &FeedAddress,
    report: Option<&Report>,
    last: Option<&Value>,
    problem: Option<&FieldError>,
) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("feed", format!("{address} answers"))];
    findings.extend(
        last.map(|message| Finding::ok("message", format!("the answer was {}", shape(message)))),
    );
    findings.push(match report {
        Some(report @ (Report::Round { .. } | Report::List(_) | Report::Ids(_))) => {
            Finding::ok("rounds", describe(report))
        }
        _ => unread(problem),
    });
    findings
}

/// Returns the finding for an answer without a round: `problem` names the key and the pointer.
fn unread(problem: Option<&FieldError>) -> Finding {
    let Some(problem) = problem else {
        let advice = "a list that is empty now needs no action; otherwise check --selector";
        return Finding::warning("rounds", "no round could be read", advice);
    };
    Finding::failed(
        "rounds",
        format!("no round could be read: {problem}"),
        format!("correct {}, with the keys of the message above", problem.key),
    )
}

fn describe(report: &Report) -> String {
    match report {
        Report::Round { id: Some(_), .. } => "one round was read, with its id".to_owned(),
        Report::Round { .. } => "one round was read, without an id".to_owned(),
        Report::List(list) => format!("a list of {} rounds was read, without ids", list.len()),
        Report::Ids(list) => format!("a list of {} rounds was read, with ids", list.len()),
        Report::OtherInstance(_) | Report::Interrupted(_) | Report::Alive | Report::End => {
            "nothing was read".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feed::rule::RuleOptions;
    use crate::finding::FindingState;
    use crate::order::Order;

    /// Returns state and text of the last two findings for a feed without rounds whose last message was `last`.
    fn without_rounds(last: Option<&Value>) -> Vec<(FindingState, String)> {
        let Ok(url) = "wss://feed.example/?token=secret".parse();
        let address = FeedAddress::new(Some(&url), &["wss"]).unwrap();
        let options: RuleOptions = toml::from_str("event = 'crash'\nvalue = '/1'").unwrap();
        let reader = Reader::new(vec![options.check(0, Order::NewestFirst).unwrap()]);
        let findings = findings(&address, None, last, &reader);
        assert_eq!(findings[0].message, "wss://feed.example/ answers");
        findings[1..].iter().map(|finding| (finding.state, finding.message.clone())).collect()
    }

    #[test]
    fn a_feed_without_rounds_is_shown_with_its_messages_and_the_reason() {
        assert_eq!(
            without_rounds(Some(&json!(["tick", {"x": 1.5}]))),
            [
                (FindingState::Ok, r#"the last one was [text, {"x": number}]"#.to_owned()),
                (
                    FindingState::Warning,
                    r#"no round ended within 20 s; feed.rounds[0]: the filter on "/0" requires another value"#
                        .to_owned()
                ),
            ]
        );
    }

    #[test]
    fn a_silent_feed_is_reported_as_such() {
        assert_eq!(
            without_rounds(None),
            [
                (FindingState::Warning, "no usable message was received".to_owned()),
                (FindingState::Warning, "no round ended within 20 s".to_owned()),
            ]
        );
    }
}
