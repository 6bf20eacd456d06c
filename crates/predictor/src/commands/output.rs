//! Where the result of a command goes: stdout, and the files named by flags.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::Context as _;
use daemon::output;
use serde::Serialize;

use crate::commands::UsageError;

/// Writes to stdout. A reader that has seen enough, such as `head`, is no failure.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    output::print(text.as_bytes())
}

/// Makes sure that a file can be written, before minutes are spent on what goes into it.
///
/// # Errors
/// Names the flag that asked for the file.
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
