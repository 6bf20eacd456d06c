//! The kind of a recording's file, detected from its first bytes, never from its name.

use std::io::Read as _;

use crate::archive;
use crate::encoding::TextSource;
use crate::har;
use crate::json;
use crate::key_values;
use crate::log_lines;
use crate::number_list;
use crate::options::Options;
use crate::refusal::{Refusal, RefusalKind};
use crate::rows;
use crate::source::Source;
use crate::spreadsheet;
use crate::table::Table;

/// Number of bytes that decide the kind.
const HEAD_BYTES: u64 = 512;
/// Nesting of archives: an archive within an archive is read, one within that is not.
const DEPTH_MAX: u32 = 2;

/// Returns the table that a recording is.
pub(crate) fn table(source: Source, options: &Options) -> Result<Table, Refusal> {
    open(source, options, 0)
}

fn open(source: Source, options: &Options, depth: u32) -> Result<Table, Refusal> {
    let mut head = Vec::new();
    source.open()?.take(HEAD_BYTES).read_to_end(&mut head)?;
    if head.trim_ascii().is_empty() {
        return Err(Refusal::new(RefusalKind::Empty, "the file is empty"));
    }
    if let Some(kind) = unreadable(&head) {
        let message = format!(
            "is {kind}, not a recording that can be read: export it as CSV, JSON or xlsx first"
        );
        return Err(Refusal::new(RefusalKind::Container, message));
    }
    let is_archive = head.starts_with(b"PK\x03\x04") || head.starts_with(&[0x1f, 0x8b]);
    if is_archive && depth > DEPTH_MAX {
        return Err(Refusal::new(
            RefusalKind::Container,
            "contains nested archives: extract it first",
        ));
    }
    if head.starts_with(&[0x1f, 0x8b]) {
        let table = open(archive::gunzip(&source)?, options, depth + 1)?;
        return Ok(inside("gzip", table));
    }
    if head.starts_with(b"PK\x03\x04") && !archive::is_workbook(&source)? {
        let table = open(archive::only_file(&source)?, options, depth + 1)?;
        return Ok(inside("zip", table));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return spreadsheet::table(&source, options);
    }
    text_table(TextSource::detect(source)?, options)
}

/// Returns the table that a text is.
fn text_table(text: TextSource, options: &Options) -> Result<Table, Refusal> {
    let log = match log_lines::read(&text)? {
        Some(log) if log.has_ends() || options.filter.is_some() => return log.table(options),
        log => log,
    };
    let start = text.first_char()?;
    if matches!(start, Some('{' | '[')) {
        return json_table(&text, options);
    }
    if start == Some('<') {
        let message = "is a page (HTML or XML), not a recording: record it with the collector's browser source";
        return Err(Refusal::new(RefusalKind::Container, message));
    }
    if let Some(table) = key_values::table(&text)? {
        return Ok(table);
    }
    if let Some(table) = number_list::table(&text)? {
        return Ok(table);
    }
    let table = Table::text(text, options)?;
    match log {
        Some(log) if log.tells_events() || rows::columns(&table, options).is_err() => {
            log.table(options)
        }
        _ => Ok(table),
    }
}

fn inside(container: &str, table: Table) -> Table {
    let kind = format!("{container} with {}", table.kind);
    table.of_kind(kind)
}

fn unreadable(head: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 9] = [
        (b"SQLite format 3\0", "an SQLite database"),
        (b"%PDF", "a PDF"),
        (b"PAR1", "a Parquet file"),
        (b"\x89PNG", "an image"),
        (b"\xff\xd8\xff", "an image"),
        (b"GIF8", "an image"),
        (b"7z\xbc\xaf", "a 7z archive"),
        (b"Rar!", "a RAR archive"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    ];
    kinds.into_iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| kind)
}

/// Maximum size of a JSON text, which is held in memory.
const JSON_BYTES_MAX: u64 = 512 << 20;

fn json_table(text: &TextSource, options: &Options) -> Result<Table, Refusal> {
    if text.len() > JSON_BYTES_MAX {
        let message = "is JSON of more than 512 MiB: split it, or write it as CSV";
        return Err(Refusal::new(RefusalKind::Container, message));
    }
    let text = text.read()?;
    if let Some(groups) = json::objects(&text) {
        return json::choose(groups, "JSON", options);
    }
    let document = json::parse(&text)?;
    drop(text);
    if har::is_har(&document) {
        return har::table(&document, options);
    }
    json::table(document, options)
}
