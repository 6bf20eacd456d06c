//! What `collector doctor` says of a feed.

use std::time::Duration;

use serde_json::Value;

use crate::config::ConfigError;
use crate::doctor::Finding;
use crate::feed::address::Address;
use crate::feed::reader::Reader;
use crate::feed::shape::shape;
use crate::source::{ConnectError, Said, SessionError};

/// How long the doctor listens for a round; a flight may well be longer.
pub const LISTEN_FOR: Duration = Duration::from_secs(20);

/// The configuration cannot be used.
pub fn unusable(error: &ConfigError) -> Finding {
    Finding::failed(
        "feed",
        error.to_string(),
        "put it right in the file of --config, or by the flag",
    )
}

/// Nothing answers, or it says no.
pub fn unreachable(address: &Address, error: &ConnectError) -> Finding {
    let advice = match error {
        ConnectError::Refused(_) => {
            "use the headers that your browser sends; docs/feeds.md says where to find them"
        }
        ConnectError::Unusable(_) => {
            "compare the address and [websocket] with what your browser does; see docs/feeds.md"
        }
        _ => "check the address and the connection of this machine",
    };
    Finding::failed("feed", format!("{address}: {error}"), advice)
}

/// What came of listening: `heard` is the first round or list, or why there was none; `None` = not in time.
pub fn findings(
    address: &Address,
    heard: Option<&Result<Said, SessionError>>,
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
            "nothing of use was said",
            "many feeds want to be asked: look at websocket.on_connect",
        )),
    }
    findings.push(match heard {
        Some(Ok(said)) => Finding::ok("rounds", told(said)),
        Some(Err(error)) => Finding::failed("rounds", error.to_string(), "see docs/feeds.md"),
        None => {
            let why_not = last.map(|message| reader.why_not(message)).unwrap_or_default();
            Finding::warning(
                "rounds",
                format!("no round ended within {} s; {why_not}", LISTEN_FOR.as_secs()),
                "a long flight needs no action; otherwise compare the filters with the message above",
            )
        }
    });
    findings
}

/// What came of asking once.
pub fn answered(address: &Address, said: Option<&Said>, last: Option<&Value>) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("feed", format!("{address} answers"))];
    findings.extend(
        last.map(|message| Finding::ok("message", format!("the answer was {}", shape(message)))),
    );
    findings.push(match said {
        Some(said @ (Said::Round { .. } | Said::List(_) | Said::Ids(_))) => {
            Finding::ok("rounds", told(said))
        }
        _ => Finding::warning(
            "rounds",
            "no round could be read",
            "the log says why: run the collector, or look at feed.rounds or --selector",
        ),
    });
    findings
}

fn told(said: &Said) -> String {
    match said {
        Said::Round { id: Some(_), .. } => "one round was read, with its id".to_owned(),
        Said::Round { .. } => "one round was read, without an id".to_owned(),
        Said::List(list) => format!("a list of {} rounds was read, without ids", list.len()),
        Said::Ids(list) => format!("a list of {} rounds was read, with ids", list.len()),
        Said::OtherInstance(_) | Said::Alive | Said::End => "nothing was read".to_owned(),
    }
}
