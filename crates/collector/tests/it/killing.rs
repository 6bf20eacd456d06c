//! A collector that is killed without a word again and again, and what it had shown until then.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rounds::last_rounds;

/// A line per round: `2026-01-01 12:00:00  2.31x  (#121)`.
fn multiplier(line: &str) -> String {
    line.split_whitespace().find_map(|word| word.strip_suffix('x')).unwrap().to_owned()
}

/// The server seeds of all rounds a directory's side files tell of; each is drawn for one round only.
fn seeds(dir: &Path) -> Vec<String> {
    let is_side_file = |path: &Path| path.to_string_lossy().ends_with(".events.jsonl");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| is_side_file(path));
    let lines = files.iter().flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
    });
    let values = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    values.filter_map(|event| Some(event["detail"]["server_seed"].as_str()?.to_owned())).collect()
}

/// Reads lines of rounds until there are `count`.
pub(crate) fn hear(child: &mut Child, count: usize) -> (Vec<String>, BufReader<ChildStdout>) {
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut heard = Vec::new();
    while heard.len() < count {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "it ended by itself");
        heard.push(multiplier(&line));
    }
    (heard, reader)
}

/// Kills it `cycles` times amid a demo of a round every millisecond. Every round that it showed is in the files, in order and
/// once. Says how many.
pub(crate) fn kill(program: &Path, dir: &Path, cycles: usize) -> String {
    let mut shown = Vec::new();
    for cycle in 0..cycles {
        let mut command = Command::new(program);
        command
            .args(["--source", "demo", "--history", "0", "--pace", "0.001", "--data-dir"])
            .arg(dir);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (heard, mut rest) = hear(&mut child, 1 + cycle * 7 % 23);
        child.kill().unwrap();
        shown.extend(heard);
        // What was in the pipe was shown as well; a line without its end was not.
        let mut text = String::new();
        rest.read_to_string(&mut text).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        shown.extend(whole.lines().map(multiplier));
        child.wait().unwrap();
    }
    let kept = last_rounds(dir, usize::MAX).unwrap();
    let mut places = kept.iter().map(|round| round.multiplier.to_string());
    for round in &shown {
        assert!(places.any(|place| place == *round), "{round} was shown and is not in the files");
    }
    // One more than shown is possible at each kill: written, and not yet shown.
    assert!(kept.len() >= shown.len() && kept.len() <= shown.len() + cycles);
    let seeds = seeds(dir);
    // A kill between row and event loses the event, not the row.
    assert!(seeds.len() + cycles >= kept.len(), "{} of {}", seeds.len(), kept.len());
    assert_eq!(seeds.iter().collect::<HashSet<_>>().len(), seeds.len(), "a round is there twice");
    format!(
        "killed {cycles} times: {} rounds shown, {} in the files, {} in the side files; none missing, none twice",
        shown.len(),
        kept.len(),
        seeds.len()
    )
}
