//! `--print-config`: each option, its value, and where it was set. The output is a valid configuration file; values that may
//! hold secrets are left out.

use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use daemon::config::{Setting, print, unset};
use serde_json::Value;

use crate::config::{Config, Options};
use crate::config_error::ConfigError;

/// Keys whose values may hold a token, a password or a cookie.
const SECRET_KEYS: [&str; 8] = [
    "browser.cdp_ws",
    "feed.headers",
    "feed.url",
    "http.body",
    "websocket.answers",
    "websocket.auth",
    "websocket.on_connect",
    "websocket.ping",
];

/// Returns the text for all options of `config`. `matches` (of `command`) and `file` tell where each of them was set.
///
/// # Errors
///
/// The file can no longer be read.
pub fn text(
    command: &Command,
    matches: &ArgMatches,
    config: &Config,
    file: Option<&Path>,
) -> Result<String, ConfigError> {
    let file_keys = file.map(Config::keys_of).transpose()?.unwrap_or_default();
    let options = serde_json::to_value(Options::from(config)).expect("options are plain values");
    let settings = entries(&options).into_iter().filter_map(|(key, value)| {
        let flag = flag(command, &options, &key);
        let line = line(&key, &value, flag)?;
        Some(Setting { key, flag, line })
    });
    Ok(print(settings, matches, file.map(|path| (path, &file_keys))))
}

/// Returns `section.key` and value of each option; lists and tables within a section are kept
/// whole.
fn entries(options: &Value) -> Vec<(String, Value)> {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut entries = Vec::new();
    for (key, value) in fields(options) {
        if !value.is_object() {
            entries.push((key, value));
            continue;
        }
        for (inner, value) in fields(&value) {
            entries.push((format!("{key}.{inner}"), value));
        }
    }
    entries
}

/// Returns the flag of a key: it has the key's name without the section. A key that exists only in
/// the file has no flag, even if a flag has the same name (`feed.rounds` is not `--rounds`).
fn flag<'a>(command: &'a Command, options: &Value, key: &str) -> Option<&'a Arg> {
    let id = match key.split_once('.') {
        Some((_, inner)) if options.get(inner).is_some() => return None,
        Some((_, inner)) => inner,
        None => key,
    };
    command.get_arguments().find(|flag| flag.get_id() == id)
}

/// Returns the line of an option. An option that is not set becomes a comment with its default, or
/// is left out if it has no flag.
fn line(key: &str, value: &Value, flag: Option<&Arg>) -> Option<String> {
    let is_empty = match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    if !is_empty {
        if is_secret(key, value) {
            return Some(format!("# {key} is set and not shown"));
        }
        let literal = toml::Value::try_from(value).ok()?;
        return Some(format!("{key} = {literal}"));
    }
    Some(unset(key, Some(flag?)))
}

/// Returns whether the value may be secret. Even a browser's address may hold credentials or a
/// token.
fn is_secret(key: &str, value: &Value) -> bool {
    let has_more = |address: &str| address.contains(['?', '@']);
    SECRET_KEYS.contains(&key) || (key == "browser.cdp" && value.as_str().is_some_and(has_more))
}

impl From<&Config> for Options {
    /// Returns all options, defaults included.
    fn from(config: &Config) -> Self {
        let Config { source, pace, order, baseline, round_min, fsync, quiet, log_format, .. } =
            *config;
        let config = config.clone();
        Self {
            source: Some(source),
            data_dir: Some(config.data_dir),
            table: Some(config.table),
            pace: Some(pace),
            rounds: config.rounds,
            selector: config.selector,
            order: Some(order),
            baseline: Some(baseline),
            round_min: Some(round_min),
            fsync: Some(fsync),
            quiet: Some(quiet),
            log_format: Some(log_format),
            log: Some(config.log),
            metrics_listen: config.metrics_listen,
            timezone: Some(config.read.time_zone),
            max_multiplier: Some(config.read.max_multiplier),
            demo: config.demo,
            replay: config.replay,
            browser: config.browser,
            feed: config.feed,
            websocket: config.websocket,
            http: config.http,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn shown(arguments: &[&str], file: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, file).unwrap();
        let command = Options::augment_args(Command::new("collector"));
        let all = ["collector"].iter().chain(arguments);
        let matches = command.clone().get_matches_from(all);
        let options = Options::from_arg_matches(&matches).unwrap();
        let config = Config::load(&options, Some(&path)).unwrap();
        text(&command, &matches, &config, Some(&path))
            .unwrap()
            .replace(path.to_str().unwrap(), "c.toml")
    }

    #[track_caller]
    fn check(text: &str, line: &str, from: &str) {
        let found = text.lines().filter_map(|line| line.rsplit_once("  # "));
        let mut found = found.map(|(before, from)| (before.trim_end(), from));
        assert!(found.any(|found| found == (line, from)), "{line} by {from}:\n{text}");
    }

    #[test]
    fn each_option_is_shown_with_where_it_was_set() {
        let file = "source = 'websocket'\n[feed]\ntimeout = '20s'\n";
        let text = shown(&["--data-dir", "rounds", "--idle-timeout", "1m"], file);
        check(&text, "source = \"websocket\"", "c.toml");
        check(&text, "data_dir = \"rounds\"", "--data-dir");
        check(&text, "feed.timeout = \"20s\"", "c.toml");
        check(&text, "websocket.idle_timeout = \"60s\"", "--idle-timeout");
        check(&text, "pace = \"real\"", "default");
        check(&text, "# demo.history: 120", "default");
        check(&text, "# rounds is not set", "default");
    }

    #[test]
    fn values_that_may_hold_secrets_are_not_shown() {
        let file = "[feed]\nurl = 'wss://hush'\nheaders = { Cookie = 'hush' }\n\
            [websocket]\non_connect = ['hush']\nping = { every = '25s', text = 'hush' }\n\
            answers = [{ send = ['hush'] }]\n[http]\nbody = 'hush'\n";
        let text = shown(&["--cdp-ws", "ws://127.0.0.1/hush"], file);
        assert!(!text.contains("hush"), "{text}");
        check(&text, "# feed.url is set and not shown", "c.toml");
        check(&text, "# browser.cdp_ws is set and not shown", "--cdp-ws");
        assert_eq!(text.matches("is set and not shown").count(), 7, "{text}");
        assert!(!shown(&["--cdp", "http://hush@127.0.0.1:9222"], "").contains("hush"));
    }

    #[test]
    fn the_output_is_a_file_with_the_same_meaning() {
        let rule = "[feed]\nrounds = [{ value = '/crash' }]\n";
        let text = shown(&["--source", "http", "--pace", "0.5", "--every", "3s"], rule);
        let values = |text: &str| -> Vec<String> {
            text.lines().filter_map(|line| Some(line.split_once("  # ")?.0.to_owned())).collect()
        };
        let again = shown(&[], &text);
        assert_eq!(values(&text), values(&again));
        check(&again, "http.every = \"3s\"", "c.toml");
    }
}
