//! Lists the CSV files of a directory.

use std::fs;
use std::io;
use std::path::Path;

use crate::file_name::{is_csv, sort_key};

/// Returns the names of the CSV files of rounds in a directory, oldest first.
///
/// # Errors
/// The directory cannot be listed.
pub fn csv_names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        // A name that is not UTF-8 cannot match `aviator_payouts_….csv`.
        if let Ok(name) = entry?.file_name().into_string()
            && is_csv(&name)
        {
            names.push(name);
        }
    }
    names.sort_unstable_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    Ok(names)
}
