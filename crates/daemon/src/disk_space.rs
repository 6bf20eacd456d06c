//! Free space on the disk of a directory.

use std::io;
use std::path::Path;

/// Returns the bytes available to this user on the disk of `dir`.
///
/// # Errors
/// The system's error; `Unsupported` on Windows, where asking for the free space takes unsafe code.
pub fn free(dir: &Path) -> io::Result<u64> {
    #[cfg(unix)]
    {
        let space = rustix::fs::statvfs(dir)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
    #[cfg(not(unix))]
    Err(io::Error::new(io::ErrorKind::Unsupported, dir.display().to_string()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_known_for_existing_directories_only() {
        assert!(free(&std::env::temp_dir()).is_ok_and(|bytes| bytes > 0));
        assert_eq!(free(Path::new("/no/such/place")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
