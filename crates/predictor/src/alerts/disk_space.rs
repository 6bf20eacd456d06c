//! Free space on the disk of a directory.

use std::path::Path;

/// Returns the bytes available to this user on the disk of `dir`.
#[cfg(unix)]
pub(super) fn free(dir: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(dir).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Returns `None`: on Windows, asking for the free space takes unsafe code.
#[cfg(not(unix))]
pub(super) fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_known_for_existing_directories_only() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free(dir.path()).is_some_and(|bytes| bytes > 0));
        assert_eq!(free(Path::new("/no/such/place")), None);
    }
}
