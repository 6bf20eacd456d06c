//! Recordings in a zip or gzip file.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use crate::refusal::{Refusal, RefusalKind};
use crate::source::Source;

/// Maximum size of unpacked content, which is held in memory.
const BYTES_MAX: u64 = 1 << 30;

/// Returns whether a zip is a workbook.
pub(crate) fn is_workbook(source: &Source) -> Result<bool, Refusal> {
    let names = file_names(&open(source)?)?;
    Ok(names.iter().any(|name| name.starts_with("xl/") || name == "content.xml"))
}

/// Returns the only file in a zip.
pub(crate) fn only_file(source: &Source) -> Result<Source, Refusal> {
    let mut archive = open(source)?;
    let is_file = |name: &String| {
        let base = name.rsplit('/').next().unwrap_or_default();
        !base.is_empty() && !base.starts_with('.') && !name.starts_with("__MACOSX")
    };
    let mut names = file_names(&archive)?;
    names.retain(is_file);
    let [name] = names.as_slice() else {
        let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let message = match names.len() {
            0 => "the zip holds no file".to_owned(),
            count => format!(
                "the zip holds {count} files ({shown}): extract it and import them one by one"
            ),
        };
        return Err(Refusal::new(RefusalKind::Container, message));
    };
    let file = archive.by_name(name).map_err(|error| damaged(&error))?;
    Ok(Source::bytes(name, read(file)?))
}

/// Returns the content of a gzip file.
pub(crate) fn gunzip(source: &Source) -> Result<Source, Refusal> {
    let bytes = read(MultiGzDecoder::new(source.open()?))?;
    Ok(Source::bytes(&source.name, bytes))
}

fn file_names(archive: &ZipArchive<Cursor<Vec<u8>>>) -> Result<Vec<String>, Refusal> {
    let names = archive.file_names().map(|name| name.map(Cow::into_owned));
    names.collect::<Result<_, _>>().map_err(|error| damaged(&error))
}

fn open(source: &Source) -> Result<ZipArchive<Cursor<Vec<u8>>>, Refusal> {
    if source.len() > BYTES_MAX {
        return Err(too_large());
    }
    ZipArchive::new(Cursor::new(source.read_all()?)).map_err(|error| damaged(&error))
}

fn read(reader: impl Read) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    reader.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    if bytes.len() as u64 > BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}

fn damaged(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(RefusalKind::Container, format!("the archive is damaged: {error}"))
}

fn too_large() -> Refusal {
    Refusal::new(RefusalKind::Container, "the archive holds more than 1 GiB: extract it first")
}
