//! Scans a directory for what has changed in its files since the last scan.
//!
//! A scan depends on the files alone. File system notifications that are missed, duplicated or
//! early do not change what the next scan finds.

mod change;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::csv_files::CsvListing;
use crate::cursor::{Chunk, Cursor};
use crate::reader::{ReadOptions, ReadSettings, Refusal, Rejections};
use crate::regular_file::{file_identity, open_regular};
use crate::round::Round;

pub use change::{Change, ChangeKind};

/// A directory that is watched for rounds.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    settings: ReadSettings,
    files: BTreeMap<String, KnownFile>,
}

/// The directory cannot be listed; the rounds found in it earlier still count.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the directory {}: {source}", path.display())]
pub struct ScanError {
    /// The directory.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

/// The known state of a file.
#[derive(Debug, Clone, Default)]
struct KnownFile {
    identity: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
    cursor: Cursor,
    total: u64,
    rejections: Rejections,
    refused: Option<Refusal>,
    /// Hash of all rounds up to the cursor.
    fingerprint: Hash,
    /// Hash of the bytes before the cursor; tells a file that has grown from one that was replaced.
    anchor: Hash,
    /// Everything read so far, as long as the columns are not final.
    unsettled: Option<Chunk>,
    error: Option<String>,
    /// Whether the file has ever been read successfully.
    is_known: bool,
}

/// Why a CSV file whose name is not UTF-8 is not read.
const NOT_UTF8: &str = "its name is not UTF-8; rename it";

/// Number of bytes before the cursor that must be unchanged in a file that has grown.
///
/// That is about 9,000 rows. A change further up goes unnoticed if rows are added before the next
/// scan.
const ANCHOR_BYTES: u64 = 1 << 18;

impl Directory {
    /// Returns a directory that has not been scanned yet; it need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_settings(path, ReadSettings::default())
    }

    /// Returns a directory whose rows are read with these settings.
    pub fn with_settings(path: impl Into<PathBuf>, settings: ReadSettings) -> Self {
        Self { path: path.into(), settings, files: BTreeMap::new() }
    }

    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns everything that has changed since the last scan: first the files that are gone, then
    /// the others by name.
    ///
    /// The first scan reports every file as new. A scan never uses bytes after a file's last
    /// newline, and of a file that has grown it reads only the added bytes and a few before them.
    ///
    /// # Errors
    /// The directory cannot be listed. A file that cannot be read is a change, not an error.
    pub fn scan(&mut self) -> Result<Vec<Change>, ScanError> {
        let unlisted = |source| ScanError { path: self.path.clone(), source };
        let CsvListing { names, unnamed } = CsvListing::of(&self.path).map_err(unlisted)?;
        let mut before = std::mem::take(&mut self.files);
        let mut changes = Vec::new();
        let options = ReadOptions::from(self.settings);
        for name in names {
            let known = before.remove(&name);
            let found = inspect(&self.path.join(&name), known.as_ref(), &options);
            let inspection = match found {
                Ok(Some(inspection)) => inspection,
                Ok(None) => {
                    before.extend(known.map(|seen| (name, seen)));
                    continue;
                }
                Err(error) => Inspection::failed(known, &error),
            };
            if let Some(kind) = inspection.kind {
                changes.push(inspection.seen.change(&name, kind, inspection.piece));
            }
            self.files.insert(name, inspection.seen);
        }
        for name in unnamed {
            let seen = before.remove(&name).unwrap_or_else(|| {
                let seen = KnownFile { error: Some(NOT_UTF8.to_owned()), ..KnownFile::default() };
                changes.push(seen.change(&name, ChangeKind::Misnamed, Chunk::default()));
                seen
            });
            self.files.insert(name, seen);
        }
        let gone = before
            .keys()
            .map(|name| KnownFile::default().change(name, ChangeKind::Removed, Chunk::default()));
        Ok(gone.chain(changes).collect())
    }
}

impl KnownFile {
    fn change(&self, file: &str, kind: ChangeKind, piece: Chunk) -> Change {
        Change {
            file: file.to_owned(),
            kind,
            rounds: piece.rounds,
            rejected: piece.rejected,
            rejected_count: piece.rejected_count,
            total: self.total,
            rejections: self.rejections.clone(),
            refused: self.refused.clone(),
            torn_bytes: self.length - self.cursor.offset(),
            error: self.error.clone(),
        }
    }

    /// Updates the state with what was read.
    fn take(&mut self, file: &mut File, piece: &Chunk) -> io::Result<()> {
        if piece.from_start {
            (self.total, self.rejections) = (0, Rejections::default());
            self.fingerprint = Hash::default();
        }
        self.total += piece.rounds.len() as u64;
        self.rejections.extend(&piece.rejections);
        self.refused.clone_from(&piece.refused);
        self.fingerprint.add(&piece.rounds);
        self.unsettled = (!self.cursor.is_settled()).then(|| piece.clone());
        self.anchor = anchor(file, self.cursor.position())?;
        Ok(())
    }

    fn has_rows_of(&self, other: &Self) -> bool {
        self.total == other.total
            && self.rejections.total() == other.rejections.total()
            && self.fingerprint == other.fingerprint
    }
}

/// The result of inspecting a file: its new state, what changed, and what was read.
struct Inspection {
    seen: KnownFile,
    kind: Option<ChangeKind>,
    piece: Chunk,
}

impl Inspection {
    /// Reports once that the file cannot be read; its earlier rounds still count.
    fn failed(before: Option<KnownFile>, error: &io::Error) -> Self {
        let mut seen = before.unwrap_or_default();
        let kind = seen.error.is_none().then_some(ChangeKind::Unreadable);
        seen.error.get_or_insert_with(|| error.to_string());
        Self { seen, kind, piece: Chunk::default() }
    }
}

/// Inspects one file; `None` if it does not exist or is not a file.
fn inspect(
    path: &Path,
    before: Option<&KnownFile>,
    options: &ReadOptions,
) -> io::Result<Option<Inspection>> {
    let mut file = match open_regular(path) {
        Ok(file) => file,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // From the handle: on Windows the directory entry of an open file is out of date.
    let metadata = file.metadata()?;
    let now = KnownFile {
        identity: file_identity(&metadata),
        length: metadata.len(),
        modified: metadata.modified().ok(),
        is_known: true,
        ..KnownFile::default()
    };
    match before {
        Some(before) if before.is_known => compare(&mut file, before, now, options).map(Some),
        _ => read_all(&mut file, now, ChangeKind::New, options).map(Some),
    }
}

fn compare(
    file: &mut File,
    before: &KnownFile,
    now: KnownFile,
    options: &ReadOptions,
) -> io::Result<Inspection> {
    let is_same_file = now.identity == before.identity && now.length >= before.cursor.position();
    if is_same_file && now.length == before.length && now.modified == before.modified {
        let seen = KnownFile { error: None, ..before.clone() };
        let kind = before.error.is_some().then_some(ChangeKind::Touched);
        return Ok(Inspection { seen, kind, piece: Chunk::default() });
    }
    if is_same_file && now.length != before.length && has_anchor(file, before)? {
        return read_on(file, before, &now, options);
    }
    let inspection = read_all(file, now, ChangeKind::Replaced, options)?;
    if inspection.seen.has_rows_of(before) {
        return Ok(Inspection {
            kind: Some(ChangeKind::Touched),
            piece: Chunk::default(),
            ..inspection
        });
    }
    Ok(inspection)
}

fn read_all(
    file: &mut File,
    mut seen: KnownFile,
    kind: ChangeKind,
    options: &ReadOptions,
) -> io::Result<Inspection> {
    let piece = seen.cursor.read_with(file, seen.length, options)?;
    seen.take(file, &piece)?;
    Ok(Inspection { seen, kind: Some(kind), piece })
}

/// Reads what was added to a file.
fn read_on(
    file: &mut File,
    before: &KnownFile,
    now: &KnownFile,
    options: &ReadOptions,
) -> io::Result<Inspection> {
    let mut seen =
        KnownFile { length: now.length, modified: now.modified, error: None, ..before.clone() };
    let mut piece = seen.cursor.read_with(file, seen.length, options)?;
    seen.take(file, &piece)?;
    let continues = match &before.unsettled {
        Some(start) if piece.from_start => piece.drop_start(start),
        _ => !piece.from_start,
    };
    if !continues {
        // The added lines show that earlier ones were misread.
        return Ok(Inspection { seen, kind: Some(ChangeKind::Replaced), piece });
    }
    let is_empty = piece.rounds.is_empty() && piece.rejected_count == 0;
    let kind = if is_empty { ChangeKind::Touched } else { ChangeKind::Appended };
    Ok(Inspection { seen, kind: Some(kind), piece })
}

fn anchor(file: &mut File, offset: u64) -> io::Result<Hash> {
    let start = offset.saturating_sub(ANCHOR_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(offset - start).read_to_end(&mut bytes)?;
    let mut hash = Hash::default();
    let (words, rest) = bytes.as_chunks();
    for word in words {
        hash.mix(u64::from_le_bytes(*word));
    }
    for byte in rest {
        hash.mix(u64::from(*byte));
    }
    Ok(hash)
}

fn has_anchor(file: &mut File, before: &KnownFile) -> io::Result<bool> {
    Ok(anchor(file, before.cursor.position())? == before.anchor)
}

/// A hash of numbers in order. It detects accidental changes, not deliberate ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Hash(u64);

impl Hash {
    fn add(&mut self, rounds: &[Round]) {
        for round in rounds {
            self.mix(round.time.timestamp().cast_unsigned());
            self.mix(u64::from(round.time.timestamp_subsec_nanos()));
            self.mix(round.multiplier.as_f64().to_bits());
        }
    }

    /// Multiplies and rotates. Each step is invertible, so changing one number always changes the
    /// hash.
    fn mix(&mut self, part: u64) {
        self.0 = (self.0 ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}
