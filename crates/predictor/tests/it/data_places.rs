//! The program without flags, and files of the data directory that are not read.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command};

use crate::program::predictor;

/// Part of the log line after 40 rounds were read.
const LOADED: &str = r#""message":"Rebuilt the engine from the files.","rounds":40,"#;

/// The program without flags in a directory; its port is any free one.
fn without_flags(dir: &Path, args: &[&str]) -> Command {
    let mut command = predictor(args);
    command.current_dir(dir).env("AVIATOR_LISTEN", "127.0.0.1:0");
    command
}

/// Writes rounds as the collector does, one after the other.
fn record(dir: &Path, count: usize) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("aviator_payouts_20260101_000000.csv"), rows(count)).unwrap();
}

fn rows(count: usize) -> String {
    let row = |n: usize| {
        let unit = (n as f64 * 0.618_033_988_749_895).fract();
        let multiplier = (97.0 / (1.0 - unit)).floor().max(100.0) / 100.0;
        let (hour, minute) = (n / 60, n % 60);
        format!("2026-01-01T{hour:02}:{minute:02}:00.000Z,{multiplier:.2}\n")
    };
    std::iter::once("timestamp,multiplier\n".to_owned()).chain((0..count).map(row)).collect()
}

/// Reads log lines until one contains a text; returns it.
#[track_caller]
fn logged(child: &mut Child, text: &str) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find(|line| line.as_ref().unwrap().contains(text));
    // Somebody has to read on, or the pipe fills.
    std::thread::spawn(move || lines.for_each(drop));
    line.unwrap().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_rounds_of_the_demo_are_found_whichever_program_starts_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = without_flags(dir.path(), &[]).spawn().unwrap();
    // The rounds are written while it waits for some.
    record(&dir.path().join("data/demo"), 40);
    logged(&mut first, LOADED);
    end(first);
    let mut second = without_flags(dir.path(), &[]).spawn().unwrap();
    logged(&mut second, LOADED);
    end(second);
}

#[test]
fn a_csv_beside_the_program_is_found() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), 40);
    let output = without_flags(dir.path(), &["doctor"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("data holds no rounds; those of . are read"), "{said}");
    assert!(said.contains(".: 1 CSV file, 40 rounds"), "{said}");
    let mut child = without_flags(dir.path(), &[]).spawn().unwrap();
    logged(&mut child, LOADED);
    end(child);
}

#[test]
fn two_places_are_named_with_the_command_for_each() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), 40);
    record(&dir.path().join("data/demo"), 40);
    let message = "rounds are in 2 places: data/demo, .; choose one: predictor --data-dir data/demo or \
                   predictor --data-dir .";
    let output = without_flags(dir.path(), &[]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(message), "{said}");
    let output = without_flags(dir.path(), &["doctor"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (places, advice) = message.split_once("; ").unwrap();
    let finding = format!("FAILED   directory: {places}\n           {advice}\n");
    assert!(said.contains(&finding), "{said}");
    let output = without_flags(dir.path(), &["audit"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_refused_file_that_was_imported_is_not_reported_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    let text = rows(100).replace("2026-01-01T", "01/13/2026 ").replace(".000Z", "");
    fs::write(data.join("aviator_payouts_mine.csv"), text).unwrap();
    let said = |args: &[&str]| {
        let output = without_flags(dir.path(), args).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let doctor = said(&["doctor", "--data-dir", "data"]);
    assert!(doctor.contains("FAILED   rounds: aviator_payouts_mine.csv is not read"), "{doctor}");
    let imported = said(&["import", "data/aviator_payouts_mine.csv", "--timezone", "UTC", "--yes"]);
    assert!(imported.contains("Written to data/aviator_payouts_20260113_000000.csv"), "{imported}");
    let doctor = said(&["doctor", "--data-dir", "data"]);
    let known = "ok       rounds: aviator_payouts_mine.csv was imported as aviator_payouts_20260113_000000.csv";
    assert!(doctor.contains(known) && !doctor.contains("FAILED"), "{doctor}");
    let audit = said(&["audit"]);
    assert!(audit.contains("100 recorded rounds of data"), "{audit}");
}

#[test]
fn files_of_one_table_are_merged_into_a_recording_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let (all, header) = (rows(200), "timestamp,multiplier\n");
    let lines: Vec<&str> = all.lines().skip(1).collect();
    let part = |range: std::ops::Range<usize>| format!("{header}{}\n", lines[range].join("\n"));
    fs::write(dir.path().join("a.csv"), part(0..150)).unwrap();
    fs::create_dir(dir.path().join("b")).unwrap();
    fs::write(dir.path().join("b/aviator_payouts_b.csv"), part(90..200)).unwrap();
    let run = |args: &[&str]| {
        let output = without_flags(dir.path(), args).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), said + &String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(&["merge", "a.csv", "b", "--out", "merged"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("to write it: predictor merge a.csv b --out merged --yes"), "{said}");
    assert!(said.contains("60 rounds counted once"), "{said}");
    let (code, said) = run(&["merge", "a.csv", "b", "--out", "merged", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let written = dir.path().join("merged/aviator_payouts_20260101_000000.csv");
    assert_eq!(fs::read_to_string(written).unwrap(), all);
    assert_eq!(run(&["merge", "a.csv", "--out", "merged"]).0, Some(2), "one file");
    assert_eq!(run(&["merge", "a.csv", "b", "--out", "b", "--yes"]).0, Some(2), "into itself");
}
