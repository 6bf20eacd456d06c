//! The lock that makes a process the only writer of a directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

/// Name of the file whose lock makes a process the only writer of a directory.
pub const LOCK_FILE: &str = "aviator_payouts.lock";

/// The exclusive right to write to a directory, held until it is dropped or the process ends.
///
/// Readers never lock, and the CSV files are never locked: on Windows that would keep readers out.
#[derive(Debug)]
pub(crate) struct WriterLock(
    #[expect(dead_code, reason = "open as long as the lock is held")] File,
);

/// What is known about the process that holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Holder {
    pub(crate) pid: Option<u32>,
    pub(crate) since: Option<String>,
}

#[derive(Debug)]
pub(crate) enum LockFailure {
    Held(Holder),
    Io(io::Error),
}

impl WriterLock {
    pub(crate) fn take(path: &Path, now: DateTime<Utc>) -> Result<Self, LockFailure> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(LockFailure::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockFailure::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockFailure::Io(error)),
        }
        let since = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!("{} {since}\n", std::process::id());
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()));
        // The text is only for the error message of another process, so a full disk must not
        // prevent locking.
        drop(written);
        Ok(Self(file))
    }
}

fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    // On Windows, another process cannot read a locked file.
    if file.take(200).read_to_string(&mut text).is_err() {
        return Holder::default();
    }
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok());
    Holder { pid, since: words.next().map(str::to_owned) }
}
