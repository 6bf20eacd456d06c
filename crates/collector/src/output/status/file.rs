//! `status.json` beside the CSVs: written whole at every change and every few seconds.

use std::io;
use std::path::{Path, PathBuf};

use rounds::disk::{Disk, OpenMode};

use super::{STATUS_FILE, Status};

/// The file is filled up with spaces to so many bytes: room for what must be said when the disk has none.
const FILE_LEN_MIN: usize = 1500;

/// The file of a directory.
#[derive(Debug)]
pub struct StatusFile {
    disk: Box<dyn Disk>,
    dir: PathBuf,
    /// Why it could not be written the last time; each reason is said once.
    last_error: Option<String>,
}

impl StatusFile {
    /// The file of this directory, which is there.
    pub fn new(disk: Box<dyn Disk>, dir: PathBuf) -> Self {
        Self { disk, dir, last_error: None }
    }

    /// Puts the status in the place of the one before. Rounds matter more: if that fails, it is said and tried again with
    /// the next one.
    pub fn write(&mut self, status: &Status) {
        match status.write(self.disk.as_ref(), &self.dir) {
            Ok(()) => {
                if self.last_error.take().is_some() {
                    tracing::info!("The status file is written again.");
                }
            }
            Err(error) => self.warn_once(error.to_string()),
        }
    }

    fn warn_once(&mut self, error: String) {
        if self.last_error.as_ref() != Some(&error) {
            tracing::warn!(
                dir = %self.dir.display(), error,
                "The status file cannot be written; whoever reads it sees an old one."
            );
            self.last_error = Some(error);
        }
    }
}

impl Status {
    /// Writes it: a reader sees the old one or the new one, never a part. Onto a full disk it is written over the old one,
    /// in one piece and in the space that has: that the disk is full must be said.
    /// After an error the old file stands; only a disk that gives up amid the one piece leaves a part of each.
    fn write(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let (draft, path) = (draft(dir), dir.join(STATUS_FILE));
        let mut text = serde_json::to_vec_pretty(self)?;
        text.resize(text.len().max(FILE_LEN_MIN), b' ');
        text.push(b'\n');
        let written = disk.open(&draft, OpenMode::Empty).and_then(|mut file| file.write_all(&text));
        match written {
            Ok(()) => disk.rename(&draft, &path),
            Err(error) => {
                drop(disk.remove(&draft));
                let is_full = error.kind() == io::ErrorKind::StorageFull;
                if is_full { self.write_over(disk, &path) } else { Err(error) }
            }
        }
    }

    fn write_over(&self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
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

fn draft(dir: &Path) -> PathBuf {
    dir.join(format!("{STATUS_FILE}.new"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::DateTime;
    use daemon::log::capture_logs;
    use rounds::disk::RealDisk;
    use rounds::disk::faulty::{Fault, FaultyDisk};

    use super::*;
    use crate::observation::SourceKind;
    use crate::output::status::{CollectorState, LastRound};

    #[test]
    fn the_file_says_what_readers_expect() {
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
        assert!(!draft(dir.path()).exists());
    }

    #[test]
    fn on_a_full_disk_it_is_written_over_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(STATUS_FILE);
        let mut status = Status::new(SourceKind::Demo, DateTime::UNIX_EPOCH);
        status.write(&RealDisk, dir.path()).unwrap();
        let before = fs::metadata(&path).unwrap().len();
        status.state = CollectorState::WritingFailed;
        status.last_error = Some("no space left".to_owned());
        status.write_over(&RealDisk, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(u64::try_from(text.len()).unwrap(), before, "it takes no more space");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["state"], &value["last_error"]),
            (&"writing_failed".into(), &"no space left".into())
        );
        status.last_error = Some("x".repeat(text.len()));
        status.write_over(&RealDisk, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["state"], value["last_error"].is_null()),
            (&"writing_failed".into(), true)
        );
        fs::write(&path, "{}").unwrap();
        assert!(status.write_over(&RealDisk, &path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}", "what is there stands");
    }

    /// What the file says in its counter; nothing when it is no status.
    fn report(dir: &Path) -> Option<u64> {
        let text = fs::read(dir.join(STATUS_FILE)).ok()?;
        serde_json::from_slice::<serde_json::Value>(&text).ok()?["rounds_written"].as_u64()
    }

    /// Writes eight times with faults. False when they came too late.
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
                // The one exception: the disk is full and then fails amid the piece that is written over the old one.
                Err(_) if fault == Fault::Short && count > 1 && report(dir.path()).is_none() => {
                    continue;
                }
                Err(_) => {}
            }
            let report = report(dir.path()).unwrap();
            assert!(report == good || report == number, "{report} after {good} and {number}");
            good = report;
        }
        let was_hit = disk.was_hit();
        disk.heal();
        status.rounds_written = 9;
        status.write(&disk, dir.path()).unwrap();
        assert_eq!(report(dir.path()), Some(9));
        assert!(!draft(dir.path()).exists());
        was_hit
    }

    #[test]
    fn whichever_calls_fail_a_reader_finds_a_whole_status_and_writing_resumes() {
        for fault in Fault::ALL {
            for count in [1, 2, 5] {
                let tried = (1..1000).take_while(|&first| survives(fault, first, count)).count();
                assert!(tried >= 24, "{fault:?} was tried at {tried} calls only");
            }
        }
    }

    #[test]
    fn that_it_cannot_be_written_is_said_once_and_that_it_can_again() {
        let (dir, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let mut file = StatusFile::new(Box::new(disk.clone()), dir.path().to_owned());
        let status = Status::new(SourceKind::Demo, DateTime::UNIX_EPOCH);
        disk.fail(Fault::Broken, 1, u64::MAX);
        let report = capture_logs(|| (0..3).for_each(|_| file.write(&status)));
        assert_eq!(report.matches("The status file cannot be written").count(), 1, "{report}");
        disk.heal();
        let report = capture_logs(|| (0..3).for_each(|_| file.write(&status)));
        assert_eq!(report.matches("written again").count(), 1, "{report}");
        assert!(dir.path().join(STATUS_FILE).exists());
    }
}
