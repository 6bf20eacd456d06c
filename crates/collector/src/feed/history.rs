//! From the entries of a list to the one reading that they are.

use rounds::Multiplier;

use crate::config::Order;
use crate::feed::reader::{Heard, Unreadable};
use crate::source::Said;

/// Entries of one list that are looked at; histories have 10 to 100, and the ledger remembers 256 ids.
const ENTRIES_MAX: usize = 200;

/// One entry of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed {
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
pub fn read(entries: impl Iterator<Item = Result<Listed, Unreadable>>) -> Heard {
    let mut rounds: Vec<(Option<String>, Multiplier)> = Vec::new();
    let mut problem = None;
    for entry in entries {
        match entry {
            Ok(Listed::Round { id, multiplier }) => rounds.push((id, multiplier)),
            Ok(Listed::Unfinished) if rounds.is_empty() => {}
            Ok(Listed::Unfinished) => break,
            Err(unreadable) => {
                problem = Some(unreadable);
                break;
            }
        }
    }
    Heard { is_matched: true, said: said(rounds), problem }
}

fn said(rounds: Vec<(Option<String>, Multiplier)>) -> Option<Said> {
    if rounds.is_empty() {
        return None;
    }
    let named: Option<Vec<(String, Multiplier)>> =
        rounds.iter().map(|(id, multiplier)| Some((id.clone()?, *multiplier))).collect();
    Some(match named {
        Some(named) => Said::Ids(named),
        None => Said::List(rounds.into_iter().map(|(_, multiplier)| multiplier).collect()),
    })
}
