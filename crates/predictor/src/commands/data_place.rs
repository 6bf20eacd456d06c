//! Finds the rounds if no option names a directory: in `data`, one level below it, or in the working directory.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use rounds::{HEADER, csv_names};

use crate::config::SCAN_EVERY;

/// The directory that is searched first.
pub(crate) const DATA_DIR: &str = "data";

/// Where rounds were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataPlace {
    /// In this directory only, or in `data`, which takes precedence.
    Found(PathBuf),
    /// In several directories.
    Several(Places),
    /// Nowhere yet.
    Nowhere,
}

/// Several directories with rounds; the user has to choose one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places(Vec<PathBuf>);

impl DataPlace {
    /// Looks for rounds as seen from a working directory; the paths are relative to it.
    pub(crate) fn find(working: &Path) -> Self {
        let data = Path::new(DATA_DIR);
        if holds_rounds(&working.join(data)) {
            return Self::Found(data.to_owned());
        }
        let mut places: Vec<PathBuf> = fs::read_dir(working.join(data))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            .filter(|entry| holds_rounds(&entry.path()))
            .map(|entry| data.join(entry.file_name()))
            .collect();
        places.sort();
        if holds_rounds(working) {
            places.push(PathBuf::from("."));
        }
        match places.len() {
            0 => Self::Nowhere,
            1 => Self::Found(places.remove(0)),
            _ => Self::Several(Places(places)),
        }
    }

    /// Waits until rounds appear outside `data`, in one place, and returns it. Never ends if they appear in `data`.
    pub(crate) async fn appears() -> PathBuf {
        let mut has_warned = false;
        loop {
            match Self::find(Path::new(".")) {
                Self::Found(place) if place == Path::new(DATA_DIR) => std::future::pending().await,
                Self::Found(place) => return place,
                Self::Several(places) if !has_warned => {
                    has_warned = true;
                    let message = places.message("predictor");
                    tracing::warn!(reason = message, "No directory is read yet.");
                }
                Self::Several(_) | Self::Nowhere => {}
            }
            tokio::time::sleep(SCAN_EVERY).await;
        }
    }
}

impl Places {
    /// Returns the directories, each with the command that reads it.
    pub(crate) fn message(&self, command: &str) -> String {
        format!("rounds are in {self}; {}", self.commands(command))
    }

    /// Returns the command that reads each place.
    pub(crate) fn commands(&self, command: &str) -> String {
        let commands: Vec<String> = self
            .0
            .iter()
            .map(|place| {
                let place = rounds::shell_word(&place.display().to_string());
                format!("{command} --data-dir {place}")
            })
            .collect();
        format!("choose one: {}", commands.join(" or "))
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} places: ", self.0.len())?;
        for (index, place) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { ", " };
            write!(f, "{before}{}", place.display())?;
        }
        Ok(())
    }
}

/// Whether a directory has a CSV file of rounds that is more than its header.
fn holds_rounds(dir: &Path) -> bool {
    let names = csv_names(dir).unwrap_or_default();
    names.iter().any(|name| {
        fs::metadata(dir.join(name)).is_ok_and(|it| it.is_file() && it.len() > HEADER.len() as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "timestamp,multiplier\n2026-01-01T00:00:00.000Z,2.00\n";

    fn place(dir: &Path, file: &str, text: &str) {
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn rounds_are_found_in_data_one_level_below_or_here() {
        let dir = tempfile::tempdir().unwrap();
        let csv = "aviator_payouts_20260101_000000.csv";
        let find = || DataPlace::find(dir.path());
        assert_eq!(find(), DataPlace::Nowhere);
        place(dir.path(), &format!("data/empty/{csv}"), "timestamp,multiplier\n");
        place(dir.path(), &format!("data/.hidden/{csv}"), ROWS);
        assert_eq!(find(), DataPlace::Nowhere);
        place(dir.path(), &format!("data/demo/{csv}"), ROWS);
        assert_eq!(find(), DataPlace::Found("data/demo".into()));
        place(dir.path(), csv, ROWS);
        let DataPlace::Several(places) = find() else { panic!("{:?}", find()) };
        assert_eq!(
            places.message("predictor"),
            "rounds are in 2 places: data/demo, .; choose one: predictor --data-dir data/demo or \
             predictor --data-dir ."
        );
        place(dir.path(), &format!("data/{csv}"), ROWS);
        assert_eq!(find(), DataPlace::Found("data".into()));
    }
}
