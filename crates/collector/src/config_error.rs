//! Errors of the configuration; each names the flag, the key, or the file and line.

use std::path::PathBuf;

use thiserror::Error;

/// Why the configuration cannot be used. It is checked before anything is opened; the exit code is 2.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {} (--config): {error}", path.display())]
    Read {
        /// The file of `--config`.
        path: PathBuf,
        /// Why it cannot be read.
        error: std::io::Error,
    },
    /// The configuration file is not valid.
    #[error("{}, line {line}: {problem}", path.display())]
    File {
        /// The file of `--config`.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key, and what is wrong with it.
        problem: String,
    },
    /// A key without a flag is missing or has an unusable value.
    #[error("{key}: {problem}")]
    Key {
        /// The key with its section, such as `feed.rounds[0].value`.
        key: String,
        /// What is wrong with the value.
        problem: String,
    },
    /// An option that has a flag is missing or has an unusable value.
    #[error("--{flag}: {problem}")]
    Flag {
        /// The flag without its dashes.
        flag: &'static str,
        /// What is wrong with the value.
        problem: String,
    },
}

impl ConfigError {
    /// Returns the error for `flag` (without dashes).
    pub fn flag(flag: &'static str, problem: impl Into<String>) -> Self {
        Self::Flag { flag, problem: problem.into() }
    }

    /// Returns the error for `key`, which has no flag.
    pub fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key { key: key.into(), problem: problem.into() }
    }
}
