//! Finds new rows of a directory soon after they are written.
//!
//! A scan every two seconds finds all changes; notifications of the file system only trigger one
//! earlier. It therefore does not matter if a notification is lost, doubled or early.

use std::io;
use std::path::Path;

use rounds::scan::{Change, Directory, ScanError};

use crate::config::Watch;
use crate::input::fs_watcher::{FsWatcher, Hint, WatchGuard};

/// Tails the CSV files of a directory.
pub(crate) struct DirectoryTail {
    directory: Directory,
    mode: Watch,
    watcher: FsWatcher,
    /// The watch, and the identity of the directory it is on.
    guard: Option<(WatchGuard, Identity)>,
    has_logged_error: bool,
    hint: Hint,
}

/// Distinguishes a directory from another one put in its place.
type Identity = (u64, u64);

impl DirectoryTail {
    pub(crate) fn new(directory: Directory, mode: Watch, watcher: FsWatcher, hint: Hint) -> Self {
        Self { directory, mode, watcher, guard: None, has_logged_error: false, hint }
    }

    /// Returns everything that has changed since the last scan. Renews the watch first, so that no
    /// change is missed between the two.
    pub(crate) fn scan(&mut self) -> Result<Vec<Change>, ScanError> {
        self.renew_watch();
        self.hint.reset();
        self.directory.scan()
    }

    /// Returns how changes are noticed: `notify` or `scan`.
    pub(crate) fn watch(&self) -> &'static str {
        if self.guard.is_some() { "notify" } else { "scan" }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn renew_watch(&mut self) {
        if self.mode == Watch::Scan {
            return;
        }
        let Ok(identity) = identity(self.path()) else {
            self.guard = None;
            return;
        };
        if self.guard.as_ref().is_some_and(|(_, known)| *known == identity) {
            return;
        }
        // A watch stays on its directory even if another one now has that path.
        self.guard = None;
        match self.watcher.on(self.path(), &self.hint) {
            Ok(guard) => self.guard = Some((guard, identity)),
            Err(error) if !self.has_logged_error => {
                self.has_logged_error = true;
                tracing::warn!(
                    directory = %self.path().display(), %error,
                    "The file system sends no notifications for this directory; scanning every 2 s."
                );
            }
            Err(_) => {}
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Other systems have no inode number: uses the time of creation.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    let created = std::fs::metadata(path)?.created()?;
    let since = created.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok((since.as_secs(), u64::from(since.subsec_nanos())))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
