//! `--print-config`: each setting with its value and origin, in the form of the configuration file.

use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use daemon::config::{Setting, print, unset};
use serde_json::Value;

use crate::config::{Config, ConfigError};

/// Keys whose flag has a different name.
const RENAMED: [(&str, &str); 3] =
    [("auto_train_enabled", "auto_train"), ("allowed_hosts", "allowed_host"), ("tables", "table")];

/// Returns all settings of `config`, which was made from `matches` and the file.
///
/// # Errors
/// The file can no longer be read.
pub(crate) fn text(
    command: &Command,
    matches: &ArgMatches,
    config: &Config,
    file: Option<&Path>,
) -> Result<String, ConfigError> {
    let keys = file.map(Config::keys_of).transpose()?.unwrap_or_default();
    let settings = serde_json::to_value(config).expect("settings are plain values");
    let settings = flat("", &settings).into_iter().map(|(key, value)| {
        let flag = flag(command, &key);
        let literal = toml::Value::try_from(value).ok();
        let line = literal.map_or_else(|| unset(&key, flag), |it| format!("{key} = {it}"));
        Setting { key, flag, line }
    });
    Ok(print(settings, matches, file.map(|path| (path, &keys))))
}

/// Returns each `section.key` with its value, depth first.
fn flat(before: &str, value: &Value) -> Vec<(String, Value)> {
    let Value::Object(fields) = value else { return vec![(before.to_owned(), value.clone())] };
    let name = |key: &String| match before {
        "" => key.clone(),
        _ => format!("{before}.{key}"),
    };
    fields.iter().flat_map(|(key, value)| flat(&name(key), value)).collect()
}

fn flag<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    let plain = key.replace('.', "_");
    let id = RENAMED.iter().find(|(key, _)| *key == plain).map_or(plain.as_str(), |it| it.1);
    command.get_arguments().find(|flag| flag.get_id() == id)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;
    use crate::cli::Cli;

    fn shown(arguments: &[&str], file: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.toml");
        std::fs::write(&path, file).unwrap();
        let path_text = path.to_str().unwrap();
        let file = ["--config", path_text];
        let all = ["predictor"].iter().chain(arguments).chain(&file);
        let matches = Cli::command().get_matches_from(all);
        let cli = Cli::from_arg_matches(&matches).unwrap();
        let config = cli.run.serve.config().unwrap();
        text(&Cli::command(), &matches, &config, Some(&path)).unwrap().replace(path_text, "p.toml")
    }

    #[track_caller]
    fn check(text: &str, key: &str, value: &str, from: &str) {
        let line = text.lines().find(|line| line.starts_with(key)).expect(text);
        let (before, after) = line.rsplit_once("  # ").unwrap();
        assert_eq!((before.trim_end(), after), (value, from));
    }

    #[test]
    fn each_setting_is_shown_with_its_origin() {
        let text = shown(
            &["--data-dir", "rounds", "--allowed-host", "a", "--allowed-host", "b"],
            "listen = '127.0.0.1:7'\ndata_dir = 'other'\n[notify]\nwebhook = 'env:HOOK'\n",
        );
        check(&text, "data_dir", "data_dir = \"rounds\"", "--data-dir");
        check(&text, "allowed_hosts", "allowed_hosts = [\"a\", \"b\"]", "--allowed-host");
        check(&text, "listen", "listen = \"127.0.0.1:7\"", "p.toml");
        check(&text, "notify.webhook", "notify.webhook = \"env:HOOK\"", "p.toml");
        check(&text, "watch", "watch = \"auto\"", "default");
        check(&text, "# state_dir", "# state_dir: .predictor in the data directory", "default");
    }

    #[test]
    fn the_output_is_a_file_with_the_same_settings() {
        let text = shown(&["--watch", "scan", "--auto-train", "false"], "");
        let again = shown(&[], &text);
        let values = |text: &str| -> Vec<String> {
            text.lines().filter_map(|line| Some(line.split_once("  # ")?.0.to_owned())).collect()
        };
        assert_eq!(values(&text), values(&again));
        check(&again, "watch", "watch = \"scan\"", "p.toml");
    }
}
