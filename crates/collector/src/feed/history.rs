//! Turns the entries of a list into one report.

use rounds::Multiplier;

use crate::feed::parsed::{FieldError, ParsedMessage};
use crate::observation::Report;
use crate::order::Order;

/// Maximum number of entries read; histories have 10 to 100, and deduplication remembers 256 ids.
const ENTRIES_MAX: usize = 200;

/// One entry of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum ListEntry {
    /// A round that has ended.
    Round {
        /// The game's id of the round.
        id: Option<String>,
        /// The multiplier at which it ended.
        multiplier: Multiplier,
    },
    /// A round that has not ended, or a placeholder.
    Unfinished,
}

/// Returns `entries`, newest first.
pub fn newest_first<T>(entries: &[T], order: Order) -> Vec<&T> {
    match order {
        Order::NewestFirst => entries.iter().take(ENTRIES_MAX).collect(),
        Order::OldestFirst => entries.iter().rev().take(ENTRIES_MAX).collect(),
    }
}

/// Returns the report of a list, newest first. Entries older than an unreadable one are dropped: a shorter list is
/// correct, one with a hole is not.
pub fn read(entries: impl Iterator<Item = Result<ListEntry, FieldError>>) -> ParsedMessage {
    let mut rounds: Vec<(Option<String>, Multiplier)> = Vec::new();
    let mut problem = None;
    for entry in entries {
        match entry {
            Ok(ListEntry::Round { id, multiplier }) => rounds.push((id, multiplier)),
            Ok(ListEntry::Unfinished) if rounds.is_empty() => {}
            Ok(ListEntry::Unfinished) => break,
            Err(unreadable) => {
                problem = Some(unreadable);
                break;
            }
        }
    }
    ParsedMessage { is_matched: true, report: report(rounds), problem }
}

fn report(rounds: Vec<(Option<String>, Multiplier)>) -> Option<Report> {
    if rounds.is_empty() {
        return None;
    }
    let named: Option<Vec<(String, Multiplier)>> =
        rounds.iter().map(|(id, multiplier)| Some((id.clone()?, *multiplier))).collect();
    Some(match named {
        Some(named) => Report::Ids(named),
        None => Report::List(rounds.into_iter().map(|(_, multiplier)| multiplier.into()).collect()),
    })
}
