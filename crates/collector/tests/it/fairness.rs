//! The demo is provably fair, from the commitment to the row, and across restarts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rounds::provably_fair::aviator;
use rounds::{EventKind, EventLine, last_rounds};
use serde_json::Value;
use tempfile::tempdir;

fn play(dir: &Path, history: &str, rounds: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collector"));
    command.args(["--history", history, "--rounds", rounds, "--pace", "max", "--data-dir"]);
    let output = command.arg(dir).env_clear().stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found
}

fn events(dir: &Path) -> Vec<EventLine> {
    let texts =
        files(dir, ".events.jsonl").into_iter().map(|path| fs::read_to_string(path).unwrap());
    let lines: Vec<String> =
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the seeds of every round in a directory, in order.
fn seeds(dir: &Path) -> Vec<Value> {
    let is_round =
        |line: &EventLine| matches!(line.event.kind, EventKind::Live | EventKind::Backfill);
    events(dir).into_iter().filter(is_round).map(|line| line.event.detail.unwrap()).collect()
}

fn text<'a>(seeds: &'a Value, key: &str) -> &'a str {
    seeds[key].as_str().unwrap()
}

#[test]
fn every_row_of_the_demo_follows_from_previously_committed_seeds() {
    let dir = tempdir().unwrap();
    play(dir.path(), "30", "70");
    let (rows, seeds) = (last_rounds(dir.path(), usize::MAX).unwrap(), seeds(dir.path()));
    assert_eq!((rows.len(), seeds.len()), (100, 100));
    let mut promised: Option<String> = None;
    for (row, seeds) in rows.iter().zip(&seeds) {
        let server = text(seeds, "server_seed");
        let clients: Vec<&str> = seeds["client_seeds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|seed| seed.as_str().unwrap())
            .collect();
        assert_eq!(aviator::commit(server), text(seeds, "server_seed_sha256"));
        assert!(promised.is_none_or(|promised| promised == aviator::commit(server)));
        let digest = aviator::digest(server, &clients);
        assert_eq!(digest, text(seeds, "combined_sha512"));
        assert_eq!(aviator::multiplier(&digest).unwrap(), row.multiplier);
        promised = Some(text(seeds, "next_server_seed_sha256").to_owned());
    }
}

#[test]
fn a_restarted_demo_continues_in_a_new_file_and_writes_nothing_twice() {
    let dir = tempdir().unwrap();
    play(dir.path(), "20", "5");
    let first = files(dir.path(), ".csv");
    let before = fs::read(&first[0]).unwrap();
    play(dir.path(), "20", "5");
    let both = files(dir.path(), ".csv");
    assert_eq!((first.len(), both.len()), (1, 2));
    assert_eq!(fs::read(&first[0]).unwrap(), before, "the first file is left as it was");
    let rows = last_rounds(dir.path(), usize::MAX).unwrap();
    assert!(rows.windows(2).all(|pair| pair[0].time <= pair[1].time), "in order over both");
    let seeds = seeds(dir.path());
    assert_eq!(seeds.len(), rows.len());
    let mut servers: Vec<&str> = seeds.iter().map(|seeds| text(seeds, "server_seed")).collect();
    servers.sort_unstable();
    servers.dedup();
    assert_eq!(servers.len(), rows.len(), "each round once");
    let (starts, stops): (Vec<_>, Vec<_>) = events(dir.path())
        .into_iter()
        .map(|line| line.event.kind)
        .filter(|kind| matches!(kind, EventKind::Start | EventKind::Stop))
        .partition(|kind| *kind == EventKind::Start);
    assert_eq!((starts.len(), stops.len()), (2, 2));
}
