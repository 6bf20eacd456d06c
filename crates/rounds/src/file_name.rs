//! The names of CSV files: when a run started, and the suffix of each of its files.

#[cfg(feature = "files")]
use chrono::{DateTime, Utc};

const PREFIX: &str = "aviator_payouts_";

/// Maximum number of suffixes tried for files with one start time.
#[cfg(feature = "files")]
pub const SUFFIX_MAX: u32 = 10_000;

/// Returns whether a name has the form `aviator_payouts_….csv`.
#[cfg(feature = "files")]
pub(crate) fn is_csv(name: &str) -> bool {
    stem(name).is_some()
}

fn stem(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)?.strip_suffix(".csv")
}

/// Returns a key that sorts `…_193235` before `…_193235_2` before `…_193235_10`.
#[cfg(feature = "files")]
pub(crate) fn sort_key(name: &str) -> (&str, u32, &str) {
    let stem = stem(name).unwrap_or(name);
    match parse_file_name(name) {
        Some((start, suffix)) => (start, suffix, name),
        None => (stem, 0, name),
    }
}

/// Splits a file name that the collector writes into the run's start time, as text, and the suffix
/// (0 without one); `None` for any other name.
///
/// All files of one run have the same start time in their names.
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

/// Returns the name of a file without its extension. Later files with the same start time get a
/// suffix.
#[cfg(feature = "files")]
pub fn file_stem(start: DateTime<Utc>, suffix: u32) -> String {
    let start = start.format("%Y%m%d_%H%M%S");
    match suffix {
        0 => format!("{PREFIX}{start}"),
        _ => format!("{PREFIX}{start}_{suffix}"),
    }
}

#[cfg(all(test, feature = "files"))]
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
        turned.sort_unstable_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        assert_eq!(turned, sorted);
        assert!(sorted.iter().all(|name| is_csv(name)));
        assert_eq!(
            sorted.map(|name| parse_file_name(name).is_some()),
            [true, true, true, true, false]
        );
    }

    #[test]
    fn other_names_are_ignored() {
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
    fn a_file_is_named_after_the_start_of_its_run() {
        let start = "2025-12-10T19:32:35.9Z".parse().unwrap();
        assert_eq!(file_stem(start, 0), "aviator_payouts_20251210_193235");
        assert_eq!(file_stem(start, 3), "aviator_payouts_20251210_193235_3");
    }
}
