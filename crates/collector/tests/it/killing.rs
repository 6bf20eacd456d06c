//! Kills a collector repeatedly and compares its files with the rounds that it printed before.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rounds::last_rounds;

/// Returns the multiplier in a console line such as `2026-01-01 12:00:00  2.31x  (#121)`.
fn multiplier(line: &str) -> String {
    line.split_whitespace().find_map(|word| word.strip_suffix('x')).unwrap().to_owned()
}

/// Returns the server seeds in the event files of a directory; each seed is drawn for one round only.
fn seeds(dir: &Path) -> Vec<String> {
    let is_event_file = |path: &Path| path.to_string_lossy().ends_with(".events.jsonl");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| is_event_file(path));
    let lines = files.iter().flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
    });
    let values = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    values.filter_map(|event| Some(event["detail"]["server_seed"].as_str()?.to_owned())).collect()
}

/// Reads console lines until there are `count` rounds; returns their multipliers and the rest of the output.
pub(crate) fn read_rounds(
    child: &mut Child,
    count: usize,
) -> (Vec<String>, BufReader<ChildStdout>) {
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut found = Vec::new();
    while found.len() < count {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the collector ended by itself");
        found.push(multiplier(&line));
    }
    (found, reader)
}

/// Kills the program `cycles` times during a demo with a round every millisecond, and checks that every printed round is in
/// the files once and in order. Returns a summary.
pub(crate) fn kill_repeatedly(program: &Path, dir: &Path, cycles: usize) -> String {
    let mut printed = Vec::new();
    for cycle in 0..cycles {
        let mut command = Command::new(program);
        command
            .args(["--source", "demo", "--history", "0", "--pace", "0.001", "--data-dir"])
            .arg(dir);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (first, mut rest) = read_rounds(&mut child, 1 + cycle * 7 % 23);
        child.kill().unwrap();
        printed.extend(first);
        // Complete lines in the pipe count as printed; a torn line does not.
        let mut text = String::new();
        rest.read_to_string(&mut text).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        printed.extend(whole.lines().map(multiplier));
        child.wait().unwrap();
    }
    let kept = last_rounds(dir, usize::MAX).unwrap();
    let mut written = kept.iter().map(|round| round.multiplier.to_string());
    for round in &printed {
        assert!(written.any(|row| row == *round), "{round} was printed but is not in the files");
    }
    // At each kill, one round may be written but not printed yet.
    assert!(kept.len() >= printed.len() && kept.len() <= printed.len() + cycles);
    let seeds = seeds(dir);
    // A kill between row and event loses only the event.
    assert!(seeds.len() + cycles >= kept.len(), "{} of {}", seeds.len(), kept.len());
    assert_eq!(
        seeds.iter().collect::<HashSet<_>>().len(),
        seeds.len(),
        "a round was written twice"
    );
    format!(
        "killed {cycles} times: {} rounds printed, {} in the CSV files, {} in the event files; none missing, none twice",
        printed.len(),
        kept.len(),
        seeds.len()
    )
}
