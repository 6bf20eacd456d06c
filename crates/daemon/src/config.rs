//! Reads the configuration file, and prints the settings with where each was set: by a flag, the environment, the file or a
//! default.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};
use serde::de::DeserializeOwned;

/// Column of the comment that names where a setting was set.
const COMMENT_COLUMN: usize = 48;

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

/// Parses the address of a `--listen` option.
///
/// # Errors
/// What an address looks like.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected an address with a port, such as 127.0.0.1:5001".to_owned())
}

/// One setting, as `--print-config` shows it.
#[derive(Debug)]
pub struct Setting<'a> {
    /// The key in the file, with dots between tables and fields: `feed.url`.
    pub key: String,
    /// The flag that sets it, if there is one.
    pub flag: Option<&'a Arg>,
    /// The line of the file that sets it to its value, or a comment.
    pub line: String,
}

/// Returns the settings in the form of the file, each with where it was set. `matches` are those of the program, `file` is
/// the file of `--config` with its contents.
pub fn print<'a>(
    settings: impl IntoIterator<Item = Setting<'a>>,
    matches: &ArgMatches,
    file: Option<(&Path, &toml::Table)>,
) -> String {
    let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
    let mut text = String::from("# flag > environment > file > default\n");
    for Setting { key, flag, line } in settings {
        let in_file = || file.filter(|(_, keys)| has_key(keys, &key));
        let from = flag
            .and_then(|flag| set_by(matches, flag))
            .or_else(|| in_file().map(|(path, _)| path.display().to_string()))
            .unwrap_or_else(|| "default".to_owned());
        writeln!(text, "{line:<COMMENT_COLUMN$}  # {from}")
            .expect("writing to a string cannot fail");
    }
    text
}

/// Returns the comment that stands for a setting without a value: its default in words, if the help of its flag states one
/// as in `[default: one per core]`.
pub fn unset(key: &str, flag: Option<&Arg>) -> String {
    match flag.and_then(default_in_words) {
        Some(words) => format!("# {key}: {words}"),
        None => format!("# {key} is not set"),
    }
}

fn has_key(file: &toml::Table, key: &str) -> bool {
    let mut keys = key.split('.');
    let first = keys.next().and_then(|key| file.get(key));
    keys.try_fold(first, |value, key| value.map(|value| value.get(key))).flatten().is_some()
}

/// Returns the flag or the environment variable that sets `arg`; `None` if neither does.
fn set_by(matches: &ArgMatches, arg: &Arg) -> Option<String> {
    match matches.value_source(arg.get_id().as_str())? {
        ValueSource::CommandLine => Some(format!("--{}", arg.get_long()?)),
        ValueSource::EnvVariable => Some(arg.get_env()?.to_string_lossy().into_owned()),
        _ => None,
    }
}

fn default_in_words(arg: &Arg) -> Option<String> {
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
