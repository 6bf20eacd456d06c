//! Writes the result of a command to stdout and to the files named by flags.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::Context as _;
use daemon::output;
use serde::Serialize;

use crate::commands::UsageError;

/// Prints to stdout. A reader that closes the pipe early, such as `head`, is not an error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    output::print(text.as_bytes())
}

/// Describes rejected rows: `1 row that is not a round`, `2 rows that are not rounds`.
pub(crate) fn rejected_rows(count: u64) -> String {
    match count {
        1 => "1 row that is not a round".to_owned(),
        count => format!("{count} rows that are not rounds"),
    }
}

/// Checks that a file can be written, before minutes are spent on its contents.
///
/// # Errors
/// The file cannot be written; the message names the flag.
pub(crate) fn check_writable(path: Option<&Path>, flag: &str) -> Result<(), UsageError> {
    let Some(path) = path else { return Ok(()) };
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map(drop).map_err(|error| {
        UsageError(format!("{flag} {}: cannot be written: {error}", path.display()))
    })
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

pub(crate) fn write_json(path: &Path, result: &impl Serialize) -> anyhow::Result<()> {
    let mut json = serde_json::to_vec_pretty(result).context("writing the result as JSON")?;
    json.push(b'\n');
    write(path, &json)
}
