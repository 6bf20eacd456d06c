//! Rounds that lie in files, read once.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use rounds::scan::{ChangeKind, Directory};
use rounds::{Cursor, FileRounds, Origin, Round};

/// Everything that was read.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// In order of time.
    pub(crate) rounds: Vec<Round>,
    /// Rows that are no rounds.
    pub(crate) rejected: u64,
    pub(crate) origin: Origin,
}

impl Recording {
    /// Reads all CSV files of a directory, or one file.
    ///
    /// # Errors
    /// When it cannot be read or holds no round.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let recording =
            if path.is_file() { Self::read_file(path) } else { Self::read_directory(path) }
                .with_context(|| format!("reading {shown}"))?;
        if recording.rounds.is_empty() {
            anyhow::bail!(
                "no rounds in {shown}; --data-dir takes a directory with aviator_payouts_*.csv, or one file"
            );
        }
        Ok(recording)
    }

    fn read_file(path: &Path) -> anyhow::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let piece = Cursor::default().read(&mut file, length)?;
        let whole = FileRounds { file: "", rounds: &piece.rounds };
        let parent = path.parent().unwrap_or(Path::new(""));
        let dir = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        Ok(Self {
            rounds: rounds::merge(&[whole]).rounds,
            rejected: piece.rejected_count,
            origin: Origin::of(dir)?.unwrap_or(Origin::Recorded),
        })
    }

    fn read_directory(path: &Path) -> anyhow::Result<Self> {
        let changes = Directory::new(path).scan()?;
        if let Some(bad) = changes.iter().find(|it| it.kind == ChangeKind::Unreadable) {
            anyhow::bail!("{}: {}", bad.file, bad.error.as_deref().unwrap_or("cannot be read"));
        }
        let files: Vec<FileRounds<'_>> = changes
            .iter()
            .map(|change| FileRounds { file: &change.file, rounds: &change.rounds })
            .collect();
        Ok(Self {
            rounds: rounds::merge(&files).rounds,
            rejected: changes.iter().map(|change| change.rejected_total).sum(),
            origin: Origin::of(path)?.unwrap_or(Origin::Recorded),
        })
    }
}
