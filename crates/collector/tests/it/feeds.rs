//! The websocket and http sources against local servers, both well-behaved and faulty.

mod endings;
mod examples;
mod har;
mod http;
mod recording;
mod refusals;
mod server;
mod sse;
mod websocket;

use std::path::Path;

use collector::config::{Config, Options};
use collector::observation::{HistoryEntry, Observation, Report};
use collector::source_error::SourceError;
use collector::sources::Source;

/// Returns the source of a configuration file.
fn source(toml: &str) -> Result<Source, String> {
    config(toml).build_source().map_err(|error| error.to_string())
}

fn config(toml: &str) -> Config {
    Config::from(toml::from_str::<Options>(toml).unwrap())
}

/// Returns the next report that is not just a sign of life.
async fn next(source: &mut Source) -> Result<Report, SourceError> {
    loop {
        match source.next().await? {
            Observation { report: Report::Alive, .. } => {}
            observation => return Ok(observation.report),
        }
    }
}

/// Returns the error that follows instead of a report.
async fn error(source: &mut Source) -> SourceError {
    next(source).await.unwrap_err()
}

/// Returns a report as text: `2.31`, `id=2.31`, `[2.31, 1.00]`, `[id=2.31]`.
fn shown(report: &Report) -> String {
    match report {
        Report::Round { id: Some(id), multiplier, .. } => format!("{id}={multiplier}"),
        Report::Round { multiplier, .. } => multiplier.to_string(),
        Report::List(list) => {
            let list: Vec<String> = list.iter().map(entry).collect();
            format!("[{}]", list.join(", "))
        }
        Report::Ids(list) => {
            let list: Vec<String> = list.iter().map(|(id, x)| format!("{id}={x}")).collect();
            format!("[{}]", list.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn entry(entry: &HistoryEntry) -> String {
    match entry {
        HistoryEntry::Round(multiplier) => multiplier.to_string(),
        HistoryEntry::Unreadable(text) => format!("{text:?}"),
    }
}

/// Returns a path as a TOML string.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}
