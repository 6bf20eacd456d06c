//! The configuration of the program: precedence, error messages and the doctor.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::tempdir;

/// Returns a command that runs the program in `dir` with an empty environment.
fn program(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collector"));
    command.current_dir(dir).args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    program(dir, arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Returns the number of rounds in a directory; zero if it does not exist.
fn rounds(dir: &Path) -> usize {
    rounds::last_rounds(dir, usize::MAX).map_or(0, |rounds| rounds.len())
}

#[test]
fn a_flag_overrides_the_environment_that_the_file_and_that_the_default() {
    let dir = tempdir().unwrap();
    let file = "data_dir = 'by-file'\nrounds = 3\npace = 'max'\n[demo]\nhistory = 0\n";
    fs::write(dir.path().join("collector.toml"), file).unwrap();
    let ways: [(&[&str], Option<&str>, &str, usize); 4] = [
        (&["--history", "0", "--rounds", "2", "--pace", "max"], None, "data/demo", 2),
        (&["--config", "collector.toml"], None, "by-file", 3),
        (&["--config", "collector.toml"], Some("by-variable"), "by-variable", 3),
        (
            &["--config", "collector.toml", "--data-dir", "by-flag", "--rounds", "4"],
            Some("no"),
            "by-flag",
            4,
        ),
    ];
    for (flags, variable, expected, count) in ways {
        let mut command = program(dir.path(), flags);
        if let Some(variable) = variable {
            command.env("AVIATOR_DATA_DIR", variable).env("AVIATOR_ROUNDS", "3");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(rounds(&dir.path().join(expected)), count, "{expected}");
    }
    assert!(!dir.path().join("no").exists());
}

#[track_caller]
fn check_file(text: &str, says: &[&str]) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("collector.toml");
    fs::write(&path, text).unwrap();
    let output = run(dir.path(), &["--config", path.to_str().unwrap(), "--data-dir", "data"]);
    assert_eq!(output.status.code(), Some(2), "{text}");
    let report = stderr(&output);
    assert!(report.contains(path.to_str().unwrap()), "{report}");
    for word in says {
        assert!(report.contains(word), "`{word}` is not in: {report}");
    }
    assert!(!dir.path().join("data").exists(), "nothing was opened");
}

#[test]
fn an_unknown_key_is_reported_with_file_and_line() {
    check_file("source = 'demo'\n\npase = 3\n", &["line 3", "`pase`", "`pace`"]);
    check_file("[browser]\ngame_uri = 'x'\n", &["line 2", "`game_uri`", "`game_url`"]);
}

#[test]
fn a_value_of_the_wrong_type_is_reported_with_file_line_and_flag() {
    check_file("\nrounds = 'many'\n", &["line 2", "rounds (--rounds)", "many"]);
    check_file("[browser]\npoll = true\n", &["line 2", "poll (--poll)"]);
    check_file("source = 'demo'\npace = 'fast'\n", &["line 2", "(--pace)", "`fast`"]);
    check_file("source = 'demo\n", &["line 1"]);
}

#[test]
fn a_missing_configuration_file_is_reported() {
    let dir = tempdir().unwrap();
    let output = run(dir.path(), &["--config", "no/such.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no/such.toml"), "{}", stderr(&output));
}

#[test]
fn a_replay_of_a_missing_or_empty_file_creates_nothing() {
    let dir = tempdir().unwrap();
    let flags = ["--source", "replay", "--file", "missing.csv", "--data-dir", "data"];
    let output = run(dir.path(), &flags);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("--file: missing.csv"), "{}", stderr(&output));
    assert!(!dir.path().join("data").exists());
    fs::write(dir.path().join("empty.csv"), "").unwrap();
    let empty =
        run(dir.path(), &["--source", "replay", "--file", "empty.csv", "--data-dir", "data"]);
    assert_eq!(empty.status.code(), Some(2), "{}", stderr(&empty));
    assert!(stderr(&empty).contains("--file: empty.csv holds no rounds"), "{}", stderr(&empty));
    assert!(!dir.path().join("data").exists());
    let nothing_said = run(dir.path(), &["--source", "replay", "--data-dir", "data"]);
    assert_eq!(nothing_said.status.code(), Some(2));
    assert!(stderr(&nothing_said).contains("--file"), "{}", stderr(&nothing_said));
    assert!(!dir.path().join("data").exists());
}

/// Returns the findings of `collector doctor --json` and its exit code.
fn diagnosed(dir: &Path, arguments: &[&str]) -> (Value, Option<i32>) {
    let mut command = program(dir, &["doctor", "--json"]);
    let output = command.args(arguments).output().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

#[test]
fn the_doctor_exits_with_zero_if_no_check_fails() {
    let dir = tempdir().unwrap();
    let (findings, code) = diagnosed(dir.path(), &["--data-dir", "data"]);
    assert_eq!(code, Some(0), "{findings:#}");
    assert_eq!(findings["ok"], true);
    let checks: Vec<&str> = findings["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["check"].as_str())
        .collect();
    for check in ["source", "directory", "lock", "disk", "clock"] {
        assert!(checks.contains(&check), "{checks:?}");
    }
    assert!(!dir.path().join("data").exists(), "the doctor changes nothing");
}

#[test]
fn the_doctor_exits_with_one_if_a_check_fails_and_gives_advice() {
    let dir = tempdir().unwrap();
    // Nothing listens on port 1.
    let flags = ["--source", "browser", "--cdp", "http://127.0.0.1:1", "--data-dir", "data"];
    let (findings, code) = diagnosed(dir.path(), &flags);
    assert_eq!(code, Some(1), "{findings:#}");
    assert_eq!(findings["ok"], false);
    let browser =
        findings["findings"].as_array().unwrap().iter().find(|f| f["check"] == "browser").unwrap();
    assert_eq!(browser["state"], "failed");
    assert!(browser["message"].as_str().unwrap().contains("127.0.0.1:1"), "{browser}");
    assert!(browser["advice"].as_str().unwrap().contains("--user-data-dir"), "{browser}");
    // The text output.
    let text = program(dir.path(), &["doctor"]).args(flags).output().unwrap();
    assert_eq!(text.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&text.stdout).contains("FAILED   browser"), "{text:?}");
}
