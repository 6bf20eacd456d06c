//! Finds new rows of a directory soon after they are written.
//!
//! A scan every two seconds finds all changes; notifications of the file system only trigger one
//! earlier. It therefore does not matter if a notification is lost, doubled or early.

use std::fs;
use std::path::Path;

use rounds::file_identity;
use rounds::scan::{Change, Directory, ScanError};

use crate::config::Watch;
use crate::input::fs_watcher::{FsWatcher, Hint, WatchGuard};

/// Tails the CSV files of a directory.
pub(crate) struct DirectoryTail {
    directory: Directory,
    mode: Watch,
    watcher: FsWatcher,
    /// The watch, and the identity of the directory it is on.
    guard: Option<(WatchGuard, (u64, u64))>,
    has_logged_error: bool,
    hint: Hint,
}

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
        let Ok(metadata) = fs::metadata(self.path()) else {
            self.guard = None;
            return;
        };
        let identity = file_identity(&metadata);
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

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
