//! Writes `status.json` at every change and every few seconds.

use std::io;
use std::path::{Path, PathBuf};

use rounds::disk::{Disk, OpenMode};

use super::{STATUS_FILE, Status};

/// Minimum size of the file in bytes; it is padded with spaces, so that even on a full disk the
/// status can be overwritten in place.
const FILE_LEN_MIN: usize = 1500;

/// The status file of a directory.
#[derive(Debug)]
pub struct StatusFile {
    disk: Box<dyn Disk>,
    dir: PathBuf,
    /// Why the last write failed; each reason is logged once.
    last_error: Option<String>,
}

impl StatusFile {
    /// Returns the status file of a directory, which must exist.
    pub fn new(disk: Box<dyn Disk>, dir: PathBuf) -> Self {
        Self { disk, dir, last_error: None }
    }

    /// Replaces the status in the file. A failure is logged and does not stop the recording; the next status is written
    /// anyway.
    pub fn write(&mut self, status: &Status) {
        match status.write(self.disk.as_ref(), &self.dir) {
            Ok(()) => {
                if self.last_error.take().is_some() {
                    tracing::info!("The status file can be written again.");
                }
            }
            Err(error) => self.warn_once(error.to_string()),
        }
    }

    fn warn_once(&mut self, error: String) {
        if self.last_error.as_ref() != Some(&error) {
            tracing::warn!(
                dir = %self.dir.display(), error,
                "The status file cannot be written and is out of date."
            );
            self.last_error = Some(error);
        }
    }
}

impl Status {
    /// Replaces the file, so that a reader sees either the old or the new status. On a full disk it overwrites the old file in
    /// place with one write, because the status must report that the disk is full.
    /// After an error the old file remains, unless the disk failed in the middle of that one write.
    fn write(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let (draft, path) = (draft_path(dir), dir.join(STATUS_FILE));
        let mut text = serde_json::to_vec_pretty(self)?;
        text.resize(text.len().max(FILE_LEN_MIN), b' ');
        text.push(b'\n');
        let written = disk.open(&draft, OpenMode::Empty).and_then(|mut file| file.write_all(&text));
        match written {
            Ok(()) => disk.rename(&draft, &path),
            Err(error) => {
                drop(disk.remove(&draft));
                let is_full = matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull
                        | io::ErrorKind::QuotaExceeded
                        | io::ErrorKind::FileTooLarge
                );
                if is_full { self.overwrite(disk, &path) } else { Err(error) }
            }
        }
    }

    fn overwrite(&self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec(self)?;
        let mut file = disk.open(path, OpenMode::Over)?;
        let room = usize::try_from(file.stat()?.length).unwrap_or(usize::MAX);
        if text.len() >= room {
            text = serde_json::to_vec(&Self { last_error: None, ..self.clone() })?;
        }
        if text.len() >= room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        text.resize(room - 1, b' ');
        text.push(b'\n');
        file.write_all(&text)
    }
}

fn draft_path(dir: &Path) -> PathBuf {
    dir.join(format!("{STATUS_FILE}.new"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::DateTime;
    use rounds::disk::RealDisk;
    use test_support::capture_logs;
    use test_support::{Fault, FaultyDisk};

    use super::*;
    use crate::observation::SourceKind;
    use crate::output::status::{CollectorState, LastRound};

    #[test]
    fn the_file_has_the_documented_fields() {
        let dir = tempfile::tempdir().unwrap();
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        let mut status = Status::new(SourceKind::Demo, now);
        status.last_round = Some(LastRound { time: now, multiplier: "2.31".parse().unwrap() });
        status.write(&RealDisk, dir.path()).unwrap();
        let text = fs::read_to_string(dir.path().join(STATUS_FILE)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["state"], "starting");
        assert_eq!(value["origin"], "simulated");
        assert_eq!(value["simulated"], true);
        assert_eq!(value["last_round"]["time"], "2026-01-01T12:00:00.000Z");
        assert_eq!(value["last_round"]["multiplier"], 2.31);
        assert!(value["last_error"].is_null());
        assert!(!draft_path(dir.path()).exists());
    }

    #[test]
    fn on_a_full_disk_the_old_file_is_overwritten_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(STATUS_FILE);
        let mut status = Status::new(SourceKind::Demo, DateTime::UNIX_EPOCH);
        status.write(&RealDisk, dir.path()).unwrap();
        let before = fs::metadata(&path).unwrap().len();
        status.state = CollectorState::WritingFailed;
        status.last_error = Some("no space left".to_owned());
        status.overwrite(&RealDisk, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(u64::try_from(text.len()).unwrap(), before, "it takes up no more space");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["state"], &value["last_error"]),
            (&"writing_failed".into(), &"no space left".into())
        );
        status.last_error = Some("x".repeat(text.len()));
        status.overwrite(&RealDisk, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["state"], value["last_error"].is_null()),
            (&"writing_failed".into(), true)
        );
        fs::write(&path, "{}").unwrap();
        assert!(status.overwrite(&RealDisk, &path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}", "the old file remains");
    }

    /// Returns the counter in the file; `None` if the file is not a complete status.
    fn rounds_in_file(dir: &Path) -> Option<u64> {
        let text = fs::read(dir.join(STATUS_FILE)).ok()?;
        serde_json::from_slice::<serde_json::Value>(&text).ok()?["rounds_written"].as_u64()
    }

    /// Writes eight times with faults; returns whether one of them was hit.
    fn survives(fault: Fault, first: u64, count: u64) -> bool {
        let (dir, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let mut status = Status::new(SourceKind::Demo, DateTime::UNIX_EPOCH);
        status.write(&disk, dir.path()).unwrap();
        disk.fail(fault, first, count);
        let mut good = 0;
        for number in 1..=8 {
            status.rounds_written = number;
            match status.write(&disk, dir.path()) {
                Ok(()) => good = number,
                // The one exception: the disk is full and then fails in the middle of the overwriting.
                Err(_)
                    if fault == Fault::Short
                        && count > 1
                        && rounds_in_file(dir.path()).is_none() =>
                {
                    continue;
                }
                Err(_) => {}
            }
            let found = rounds_in_file(dir.path()).unwrap();
            assert!(found == good || found == number, "{found} after {good} and {number}");
            good = found;
        }
        let was_hit = disk.was_hit();
        disk.heal();
        status.rounds_written = 9;
        status.write(&disk, dir.path()).unwrap();
        assert_eq!(rounds_in_file(dir.path()), Some(9));
        assert!(!draft_path(dir.path()).exists());
        was_hit
    }

    #[test]
    fn whichever_call_fails_the_file_holds_a_whole_status_and_writing_resumes() {
        for fault in Fault::ALL {
            for count in [1, 2, 5] {
                let tried = (1..1000).take_while(|&first| survives(fault, first, count)).count();
                assert!(tried >= 24, "{fault:?} was tried at {tried} calls only");
            }
        }
    }

    #[test]
    fn a_failure_is_logged_once_and_so_is_the_recovery() {
        let (dir, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let mut file = StatusFile::new(Box::new(disk.clone()), dir.path().to_owned());
        let status = Status::new(SourceKind::Demo, DateTime::UNIX_EPOCH);
        disk.fail(Fault::Broken, 1, u64::MAX);
        let logs = capture_logs(|| (0..3).for_each(|_| file.write(&status)));
        assert_eq!(logs.matches("The status file cannot be written").count(), 1, "{logs}");
        disk.heal();
        let logs = capture_logs(|| (0..3).for_each(|_| file.write(&status)));
        assert_eq!(logs.matches("written again").count(), 1, "{logs}");
        assert!(dir.path().join(STATUS_FILE).exists());
    }
}
