//! One file-system watcher for all directories: the system limits the number of watchers for each
//! user.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Prefix of the names of round and event files.
const PREFIX: &str = "aviator_payouts_";

/// Tells a table loop that a scan is worthwhile. Many hints before a scan count as one.
#[derive(Clone)]
pub(crate) struct Hint {
    is_pending: Arc<AtomicBool>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// The hint of each watched directory.
type Hints = Arc<Mutex<HashMap<PathBuf, Hint>>>;

/// Watches any number of directories.
#[derive(Clone, Default)]
pub(crate) struct FsWatcher {
    hints: Hints,
    /// Created when it is first needed.
    watcher: Arc<Mutex<Option<RecommendedWatcher>>>,
}

/// The watch on one directory, which ends when dropped.
pub(crate) struct WatchGuard {
    path: PathBuf,
    watcher: FsWatcher,
}

impl Hint {
    pub(crate) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { is_pending: Arc::default(), wake: Arc::new(wake) }
    }

    /// Wakes the loop, unless it has been woken since the last [`reset`](Self::reset).
    pub(crate) fn give(&self) {
        if !self.is_pending.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }

    /// Lets the next [`Hint::give`] wake the loop again; called before a scan.
    pub(crate) fn reset(&self) {
        self.is_pending.store(false, Ordering::Release);
    }
}

impl FsWatcher {
    /// Gives `hint` whenever something changes in the directory at `path`.
    ///
    /// # Errors
    /// The file system sends no notifications, or the system's limit of watches is reached.
    pub(crate) fn on(&self, path: &Path, hint: &Hint) -> notify::Result<WatchGuard> {
        // Events carry absolute paths.
        let path = std::path::absolute(path)?;
        // The two locks are never held together: `watch` may call back before it returns.
        lock(&self.hints).insert(path.clone(), hint.clone());
        let guard = WatchGuard { path: path.clone(), watcher: self.clone() };
        let mut watcher = lock(&self.watcher);
        if watcher.is_none() {
            let hints = Arc::clone(&self.hints);
            *watcher = Some(notify::recommended_watcher(move |event| on_event(&hints, &event))?);
        }
        if let Some(watcher) = watcher.as_mut() {
            watcher.watch(&path, RecursiveMode::NonRecursive)?;
        }
        drop(watcher);
        Ok(guard)
    }
}

impl Drop for WatchGuard {
    fn drop(&mut self) {
        lock(&self.watcher.hints).remove(&self.path);
        if let Some(watcher) = lock(&self.watcher.watcher).as_mut() {
            // The directory may be gone, and its watch with it.
            drop(watcher.unwatch(&self.path));
        }
    }
}

fn on_event(hints: &Hints, event: &notify::Result<notify::Event>) {
    let hints = lock(hints);
    match event {
        Ok(event) if !event.need_rescan() && !event.paths.is_empty() => {
            // Our own reads cause events too; a scan must not trigger the next one.
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            for path in &event.paths {
                if let Some(hint) = hint_for(&hints, path) {
                    hint.give();
                }
            }
        }
        // Events were lost, so every directory needs a scan.
        _ => hints.values().for_each(Hint::give),
    }
}

/// Returns the hint for a file of rounds or events, or for the directory itself.
fn hint_for<'a>(hints: &'a HashMap<PathBuf, Hint>, path: &Path) -> Option<&'a Hint> {
    hints.get(path).or_else(|| {
        let name = path.file_name()?.to_string_lossy();
        let directory = path.parent()?;
        name.starts_with(PREFIX).then(|| hints.get(directory)).flatten()
    })
}

/// Locks a mutex, poisoned or not: a panic cannot leave the map of hints inconsistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn hint() -> (Hint, Receiver<()>) {
        let (wake, woken) = channel();
        (Hint::new(move || wake.send(()).unwrap_or(())), woken)
    }

    #[test]
    fn each_directory_is_hinted_of_its_own_files() {
        let root = tempfile::tempdir().unwrap();
        let watcher = FsWatcher::default();
        let tables = ["a", "b"].map(|name| {
            let path = root.path().join(name);
            std::fs::create_dir(&path).unwrap();
            let (hint, woken) = hint();
            (watcher.on(&path, &hint).unwrap(), path, woken)
        });
        let [(_, a, woken_a), (_, b, woken_b)] = &tables;
        std::fs::write(b.join("notes.txt"), "of no interest").unwrap();
        std::fs::write(a.join("aviator_payouts_20260101_000000.csv"), "timestamp").unwrap();
        woken_a.recv().unwrap();
        // Events arrive in order, so the one of the text file has been handled.
        assert!(woken_b.try_recv().is_err());
    }

    /// `--data-dir` may be relative.
    #[cfg(unix)]
    #[test]
    fn a_directory_may_be_given_by_a_relative_path() {
        let root = tempfile::tempdir().unwrap();
        let here = std::env::current_dir().unwrap();
        let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
        let relative = up.join(root.path().strip_prefix("/").unwrap());
        for path in [relative.clone(), PathBuf::from(".").join(&relative)] {
            let (hint, woken) = hint();
            let _guard = FsWatcher::default().on(&path, &hint).unwrap();
            std::fs::write(root.path().join("aviator_payouts_x.csv"), "").unwrap();
            woken.recv().unwrap();
        }
    }

    #[test]
    fn dropping_one_watch_leaves_the_others_on() {
        let root = tempfile::tempdir().unwrap();
        let watcher = FsWatcher::default();
        let (first, _) = hint();
        drop(watcher.on(root.path(), &first).unwrap());
        let (second, woken) = hint();
        let _guard = watcher.on(root.path(), &second).unwrap();
        std::fs::write(root.path().join("aviator_payouts_x.csv"), "").unwrap();
        woken.recv().unwrap();
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let (hint, _woken) = hint();
        assert!(FsWatcher::default().on(Path::new("/nowhere/at/all"), &hint).is_err());
    }
}
