//! Lists the CSV files of a directory.

use std::fs;
use std::io;
use std::path::Path;

use crate::file_name::{is_csv, sort_key};

/// The CSV files of rounds in a directory.
#[derive(Debug, Default)]
pub(crate) struct CsvListing {
    /// Their names, oldest first.
    pub(crate) names: Vec<String>,
    /// Names that are not UTF-8, with � for what is not, in order.
    pub(crate) unnamed: Vec<String>,
}

impl CsvListing {
    /// Lists a directory.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) fn of(dir: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for entry in fs::read_dir(dir)? {
            match entry?.file_name().into_string() {
                Ok(name) if is_csv(&name) => listing.names.push(name),
                Ok(_) => {}
                Err(name) => {
                    let name = name.to_string_lossy().into_owned();
                    listing.unnamed.extend(is_csv(&name).then_some(name));
                }
            }
        }
        listing.names.sort_unstable_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        listing.unnamed.sort_unstable();
        Ok(listing)
    }
}

/// Returns the names of the CSV files of rounds in a directory, oldest first.
///
/// # Errors
/// The directory cannot be listed.
pub fn csv_names(dir: &Path) -> io::Result<Vec<String>> {
    CsvListing::of(dir).map(|listing| listing.names)
}
