//! Free space on the disk of a directory.

use std::path::Path;

/// Bytes that are left for us where `dir` lies.
#[cfg(unix)]
pub(super) fn free(dir: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(dir).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Windows says so only to unsafe code.
#[cfg(not(unix))]
pub(super) fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_room_and_a_place_that_is_none_has_nothing_to_say() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free(dir.path()).is_some_and(|bytes| bytes > 0));
        assert_eq!(free(Path::new("/no/such/place")), None);
    }
}
