//! From the entries of a list to the one reading that they are.

use rounds::Multiplier;

use crate::feed::parsed::{FieldError, Heard};
use crate::observation::Report;
use crate::order::Order;

/// Entries of one list that are looked at; histories have 10 to 100, and the ledger remembers 256 ids.
const ENTRIES_MAX: usize = 200;

/// One entry of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum ListEntry {
    /// A round that has ended.
    Round {
        /// Its name.
        id: Option<String>,
        /// Where it ended.
        multiplier: Multiplier,
    },
    /// A round that has not ended, or a place kept for one.
    Unfinished,
}

/// `entries` with the newest first.
pub fn newest_first<T>(entries: &[T], order: Order) -> Vec<&T> {
    match order {
        Order::NewestFirst => entries.iter().take(ENTRIES_MAX).collect(),
        Order::OldestFirst => entries.iter().rev().take(ENTRIES_MAX).collect(),
    }
}

/// The reading of a list, newest first. A list has no holes: what is older than an entry that cannot be read is left out,
/// since a shorter list is true and one with a hole is not.
pub fn read(entries: impl Iterator<Item = Result<ListEntry, FieldError>>) -> Heard {
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
    Heard { is_matched: true, said: said(rounds), problem }
}

fn said(rounds: Vec<(Option<String>, Multiplier)>) -> Option<Report> {
    if rounds.is_empty() {
        return None;
    }
    let named: Option<Vec<(String, Multiplier)>> =
        rounds.iter().map(|(id, multiplier)| Some((id.clone()?, *multiplier))).collect();
    Some(match named {
        Some(named) => Report::Ids(named),
        None => Report::List(rounds.into_iter().map(|(_, multiplier)| multiplier).collect()),
    })
}
