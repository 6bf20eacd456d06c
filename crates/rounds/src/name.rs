//! The names of the files of a directory.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};

const PREFIX: &str = "aviator_payouts_";

/// Names of the files of rounds in a directory, oldest first.
pub(crate) fn csv_names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        // A name that is no text cannot be one of ours.
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
    match ours(name) {
        Some((start, suffix)) => (start, suffix, name),
        None => (stem, 0, name),
    }
}

/// The start time and the suffix of a name of the form we write.
pub(crate) fn ours(name: &str) -> Option<(&str, u32)> {
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
