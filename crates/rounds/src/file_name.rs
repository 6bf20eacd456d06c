//! The names of the files of a directory.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};

const PREFIX: &str = "aviator_payouts_";

/// Names of the files of rounds in a directory, oldest first.
///
/// # Errors
/// The directory cannot be listed.
pub fn csv_names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        // A name that is no text cannot be one of parse_file_name.
        if let Ok(name) = entry?.file_name().into_string()
            && is_csv(&name)
        {
            names.push(name);
        }
    }
    names.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    Ok(names)
}

/// `aviator_payouts_….csv`
pub(crate) fn is_csv(name: &str) -> bool {
    stem(name).is_some()
}

fn stem(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)?.strip_suffix(".csv")
}

/// Sorts `…_193235` before `…_193235_2` before `…_193235_10`.
pub(crate) fn key(name: &str) -> (&str, u32, &str) {
    let stem = stem(name).unwrap_or(name);
    match parse_file_name(name) {
        Some((start, suffix)) => (start, suffix, name),
        None => (stem, 0, name),
    }
}

/// The start time, as it stands in the name, and the suffix of a file of the form we write: files of one run share the first.
pub fn parse_file_name(name: &str) -> Option<(&str, u32)> {
    let stem = stem(name)?;
    let (start, rest) = stem.split_at_checked(15)?;
    let is_start = start.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'_',
        _ => byte.is_ascii_digit(),
    });
    let suffix = match rest.strip_prefix('_') {
        None if rest.is_empty() => 0,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    is_start.then_some((start, suffix))
}

/// The name, without its ending, of the file of a run; later files of one second get a suffix.
pub(crate) fn stem_at(start: DateTime<Utc>, suffix: u32) -> String {
    let start = start.format("%Y%m%d_%H%M%S");
    match suffix {
        0 => format!("{PREFIX}{start}"),
        _ => format!("{PREFIX}{start}_{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_start_and_then_by_suffix() {
        let sorted = [
            "aviator_payouts_20251210_193235.csv",
            "aviator_payouts_20251210_193235_2.csv",
            "aviator_payouts_20251210_193235_10.csv",
            "aviator_payouts_20251211_000000.csv",
            "aviator_payouts_mine.csv",
        ];
        let mut turned = sorted;
        turned.reverse();
        turned.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        assert_eq!(turned, sorted);
        assert!(sorted.iter().all(|name| is_csv(name)));
        assert_eq!(
            sorted.map(|name| parse_file_name(name).is_some()),
            [true, true, true, true, false]
        );
    }

    #[test]
    fn other_names_are_not_looked_at() {
        for name in [
            "aviator_payouts.csv",
            "aviator_payouts_20251210_193235.csv.torn",
            "aviator_payouts_20251210_193235.events.jsonl",
            "aviator_payouts.lock",
            "payouts_20251210_193235.csv",
            ".aviator_payouts_20251210_193235.csv",
            "aviator_payouts_20251210_193235.CSV",
        ] {
            assert!(!is_csv(name), "{name}");
        }
        for name in [
            "aviator_payouts_20251210-193235.csv",
            "aviator_payouts_20251210_193235_x.csv",
            "aviator_payouts_20251210_193235x.csv",
            "aviator_payouts_20251210_19323x.csv",
            "aviator_payouts_20251210_193235_99999999999.csv",
        ] {
            assert_eq!(parse_file_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_file_is_named_by_its_start() {
        let start = "2025-12-10T19:32:35.9Z".parse().unwrap();
        assert_eq!(stem_at(start, 0), "aviator_payouts_20251210_193235");
        assert_eq!(stem_at(start, 3), "aviator_payouts_20251210_193235_3");
    }
}
