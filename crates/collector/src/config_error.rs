//! What is wrong with the configuration, named by flag, key, or file and line.

use std::path::PathBuf;

use thiserror::Error;

/// What is wrong with what the collector was told. Nothing was opened yet; the program ends with 2.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file of `--config`.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The configuration file is not what it should be.
    #[error("{}, line {line}: {problem}", path.display())]
    File {
        /// The file of `--config`.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Which key, and what is wrong with it.
        problem: String,
    },
    /// A key that is only in the file has a value that cannot be used, or is missing.
    #[error("{key}: {problem}")]
    Key {
        /// With its section, such as `feed.rounds[0].value`.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A flag, or its key in the file, has a value that cannot be used, or is missing.
    #[error("--{flag}: {problem}")]
    Flag {
        /// Without the dashes.
        flag: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl ConfigError {
    /// `flag` (without dashes) cannot be used because of `problem`.
    pub fn flag(flag: &'static str, problem: impl Into<String>) -> Self {
        Self::Flag { flag, problem: problem.into() }
    }

    /// `key`, which is only in the file, cannot be used because of `problem`.
    pub fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key { key: key.into(), problem: problem.into() }
    }
}
