//! Opens files that somebody may have replaced with a pipe, a device or an endless file.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// Opens a regular file for reading.
///
/// # Errors
/// The system's error (`NotFound` if it does not exist), or `InvalidInput` for anything else than a regular file: opening a
/// named pipe would wait for its other end, and a device may never end.
pub fn open_regular(path: &Path) -> io::Result<File> {
    check_regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Another file may have taken the name between the two calls.
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Returns the bytes of a regular file of at most `bytes_max` bytes.
///
/// # Errors
/// As [`open_regular`], or `FileTooLarge`.
pub fn read_regular(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    read_limited(open_regular(path)?, bytes_max)
}

/// Returns the text of a regular file of at most `bytes_max` bytes.
///
/// # Errors
/// As [`read_regular`], or `InvalidData` if it is not UTF-8.
pub fn read_regular_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let bytes = read_regular(path, bytes_max)?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Returns the bytes of anything that ends after at most `bytes_max` bytes, a pipe included: for files that the user names.
///
/// # Errors
/// The system's error, or `FileTooLarge`.
pub fn read_limited(input: impl io::Read, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more distinguishes a longer file from one of exactly `bytes_max` bytes.
    input.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let problem = format!("it is longer than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

/// Returns what tells a file or directory from another one put in its place: device and inode, or the time of creation
/// on systems without them; zeros where that is unknown as well.
pub fn file_identity(metadata: &fs::Metadata) -> (u64, u64) {
    #[cfg(unix)]
    return (
        std::os::unix::fs::MetadataExt::dev(metadata),
        std::os::unix::fs::MetadataExt::ino(metadata),
    );
    #[cfg(not(unix))]
    {
        let created = metadata.created().ok();
        let since = created
            .and_then(|it| it.duration_since(std::time::UNIX_EPOCH).ok())
            .unwrap_or_default();
        (since.as_secs(), u64::from(since.subsec_nanos()))
    }
}

/// Returns whether a file grants one of these Unix permission bits; false on systems that have none.
pub fn grants(path: &Path, bits: u32) -> bool {
    #[cfg(unix)]
    return fs::metadata(path)
        .is_ok_and(|it| it.is_file() && std::os::unix::fs::MetadataExt::mode(&it) & bits != 0);
    #[cfg(not(unix))]
    {
        let _ = (path, bits);
        false
    }
}

/// Returns an error for anything but a regular file.
pub(crate) fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit_and_refused_beyond() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_regular_text(&path, 5).unwrap(), "12345");
        assert_eq!(read_regular(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_regular_text(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let missing = dir.path().join("missing");
        assert_eq!(read_regular(&missing, 5).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_directory_is_no_regular_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(open_regular(dir.path()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_and_links_to_them_are_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [pipe.as_path(), &link, Path::new("/dev/zero"), Path::new("/dev/null")] {
            let refused = open_regular(path).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{}", path.display());
        }
    }
}
