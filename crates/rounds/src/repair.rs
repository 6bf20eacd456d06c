//! Torn tails: bytes after the last newline, left by a crash in the middle of a row.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::csv_files::csv_names;
use crate::event_file::event_file_of;
use crate::file_name;
use crate::reader::{HEADER, LINE_BYTES_MAX};
use crate::regular_file::open_regular;

/// A torn tail that was cut off and kept beside its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The file, which now ends with a whole row.
    pub file: PathBuf,
    /// Where the torn bytes are kept.
    pub torn: PathBuf,
    /// How many bytes were cut off.
    pub bytes: u64,
}

/// Maximum number of suffixes tried for the copy of a torn tail.
const COPIES_MAX: u32 = 1000;

/// Cuts the torn tails off files that one of our own writers may have left behind.
///
/// Those are the newest file and every file with an event file; the others belong to someone else.
/// Only the holder of the lock may call this.
pub(crate) fn repair(dir: &Path) -> io::Result<Vec<Repair>> {
    let mut repairs = Vec::new();
    let names = csv_names(dir)?;
    let newest = names.iter().rfind(|name| file_name::parse_file_name(name).is_some());
    for name in &names {
        let path = dir.join(name);
        if !path.is_file() || file_name::parse_file_name(name).is_none() {
            continue;
        }
        let is_ours = event_file_of(&path).exists();
        if !is_ours && Some(name) != newest && path.metadata()?.len() >= HEADER.len() as u64 {
            continue;
        }
        repairs.extend(repair_file(&path, is_ours)?);
    }
    Ok(repairs)
}

fn repair_file(path: &Path, is_ours: bool) -> io::Result<Option<Repair>> {
    let mut file = open_regular(path)?;
    let length = file.metadata()?.len();
    // Longest tail that is cut off. A row is far shorter, so a longer tail is something else.
    let start = length.saturating_sub(LINE_BYTES_MAX as u64);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(length - start).read_to_end(&mut tail)?;
    let newline = tail.iter().rposition(|&byte| byte == b'\n');
    let torn = match newline {
        Some(at) => &tail[at + 1..],
        None if start == 0 && (is_ours || HEADER.as_bytes().starts_with(&tail)) => &tail[..],
        None => return Ok(None),
    };
    if torn.is_empty() {
        return Ok(None);
    }
    let copy = keep(path, torn)?;
    let file = OpenOptions::new().write(true).open(path)?;
    let bytes = torn.len() as u64;
    file.set_len(length - bytes)?;
    file.sync_all()?;
    Ok(Some(Repair { file: path.to_owned(), torn: copy, bytes }))
}

/// Writes the torn bytes to a new file, never over an earlier copy.
fn keep(path: &Path, torn: &[u8]) -> io::Result<PathBuf> {
    for copy in 0..COPIES_MAX {
        let mut name = path.as_os_str().to_owned();
        name.push(".torn");
        if copy > 0 {
            name.push(format!("_{copy}"));
        }
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(mut file) => {
                file.write_all(torn)?;
                file.sync_all()?;
                return Ok(name.into());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many torn copies beside it; move them elsewhere"))
}
