//! Texts to which a setting refers, so that the setting itself holds no secret.

use std::env;
use std::path::Path;

use crate::regular_file::read_regular_text;

/// Returns the value of an environment variable for `env:NAME`, the text of a file of at most `bytes_max` bytes for
/// `file:PATH`, and `None` for anything else.
///
/// # Errors
/// The variable is not set or the file cannot be read; the error names it, never its content.
pub fn referenced_text(reference: &str, bytes_max: u64) -> Option<Result<String, String>> {
    if let Some(name) = reference.strip_prefix("env:") {
        return Some(env::var(name).map_err(|_| {
            format!("the environment variable {name} is not set or is not valid Unicode")
        }));
    }
    let path = Path::new(reference.strip_prefix("file:")?);
    Some(read_regular_text(path, bytes_max).map_err(|error| format!("{}: {error}", path.display())))
}
