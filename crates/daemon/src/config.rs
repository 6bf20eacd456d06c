//! Reads the configuration file, and finds out where a setting comes from: a flag, the environment,
//! the file or a default.

use std::io;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};
use serde::de::DeserializeOwned;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not TOML, or has an unknown key or a value of the wrong type.
    #[error("{} line {line}: {}", path.display(), message.replace('\n', " "))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Number of the line, counted from 1.
        line: usize,
        /// Text of the line.
        text: String,
        /// The parser's message; it may have several lines.
        message: String,
    },
}

/// Reads a TOML file.
///
/// # Errors
/// The file cannot be read, or its contents are not a `T`.
pub fn load_toml<T: DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    let contents = std::fs::read_to_string(path)
        .map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&contents).map_err(|error| {
        let before = error.span().map_or("", |span| contents.get(..span.start).unwrap_or(""));
        let line = before.matches('\n').count() + 1;
        FileError::Malformed {
            path: path.to_owned(),
            line,
            text: contents.lines().nth(line - 1).unwrap_or("").to_owned(),
            message: error.message().to_owned(),
        }
    })
}

/// Returns whether a file sets `key`, with dots between tables and fields: `feed.url`.
pub fn has_key(file: &toml::Table, key: &str) -> bool {
    let mut keys = key.split('.');
    let first = keys.next().and_then(|key| file.get(key));
    keys.try_fold(first, |value, key| value.map(|value| value.get(key))).flatten().is_some()
}

/// Returns the flag or the environment variable that sets `arg`; `None` if neither does.
pub fn set_by(matches: &ArgMatches, arg: &Arg) -> Option<String> {
    match matches.value_source(arg.get_id().as_str())? {
        ValueSource::CommandLine => Some(format!("--{}", arg.get_long()?)),
        ValueSource::EnvVariable => Some(arg.get_env()?.to_string_lossy().into_owned()),
        _ => None,
    }
}

/// Returns the default that an argument's help states in words, as in `[default: one per core]`.
pub fn default_in_words(arg: &Arg) -> Option<String> {
    let help = arg.get_help()?.to_string();
    let (_, after) = help.split_once("[default: ")?;
    Some(after.split_once(']')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    #[test]
    fn an_error_names_the_line() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Settings {
            #[expect(dead_code, reason = "the test only needs its name")]
            pace: u8,
        }
        let dir = std::env::temp_dir().join(format!("daemon-config-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("settings.toml");
        let missing = load_toml::<Settings>(&path).unwrap_err();
        assert!(matches!(missing, FileError::Unreadable { .. }), "{missing}");
        std::fs::write(&path, "pace = 1\npeace = 2\n").unwrap();
        let error = load_toml::<Settings>(&path).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("settings.toml line 2: ") && text.contains("peace"), "{text}");
        assert!(matches!(error, FileError::Malformed { text, .. } if text == "peace = 2"));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn keys_of_tables_are_named_with_dots() {
        let file = toml::from_str("pace = 1\n[feed]\nurl = ''\n").unwrap();
        assert!(["pace", "feed", "feed.url"].iter().all(|key| has_key(&file, key)));
        assert!(!["url", "feed.pace", "pace.feed"].iter().any(|key| has_key(&file, key)));
    }

    #[test]
    fn a_flag_is_distinguished_from_a_default() {
        let pace = || Arg::new("pace").long("pace").default_value("1").help("[default: slow]");
        let command = Command::new("x").arg(pace());
        let matches = command.clone().get_matches_from(["x", "--pace", "2"]);
        assert_eq!(set_by(&matches, &pace()).as_deref(), Some("--pace"));
        assert_eq!(set_by(&command.get_matches_from(["x"]), &pace()), None);
        assert_eq!(default_in_words(&pace()).as_deref(), Some("slow"));
    }
}
