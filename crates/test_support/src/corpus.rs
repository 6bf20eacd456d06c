//! Reads a corpus: a directory of inputs for the tests of a decoder.

use std::fs;
use std::path::Path;

/// Returns the names of a directory's files, without their extensions, and their contents, in order
/// of the names.
///
/// # Panics
/// If the directory or a file cannot be read.
pub fn files_in(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).expect("the corpus is part of the sources");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the directory can be read").path())
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("the file can be read"))
        })
        .collect();
    files.sort();
    files
}
