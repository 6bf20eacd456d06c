//! Writes files as a collector does, and runs bridges on them.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::Receiver;

use chrono::{DateTime, Utc};
use rounds::{Event, EventKind, EventLine, Multiplier, Round};

use crate::nats::{TIMEOUT, lines_of};

/// Round number `number` as it was really played.
pub(crate) fn round(number: u64) -> Round {
    // Pseudo-random, but the same in every run.
    let hash = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let share = (hash as f64 + 1.0) / f64::from(1 << 24);
    let cents = (97.0 / share).clamp(100.0, 1e7);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
    let multiplier = Multiplier::from_cents(cents as u64).unwrap();
    Round { time: time(number), multiplier }
}

pub(crate) fn time(number: u64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_765_395_155_123 + 20_000 * number.cast_signed()).unwrap()
}

/// Writes rounds as a collector does: the row, then its event.
///
/// It takes no lock: a process that another test is starting inherits the lock and may hold it a moment too long.
pub(crate) struct Recorder {
    rows: File,
    events: File,
    row: u64,
    seq: u64,
}

impl Recorder {
    /// Starts a run at the time of a round.
    pub(crate) fn start(dir: &Path, number: u64) -> Self {
        fs::create_dir_all(dir).unwrap();
        let path = dir.join(time(number).format("aviator_payouts_%Y%m%d_%H%M%S.csv").to_string());
        let events = File::create_new(path.with_extension("events.jsonl")).unwrap();
        let mut rows = File::create_new(path).unwrap();
        rows.write_all(b"timestamp,multiplier\n").unwrap();
        let mut recorder = Self { rows, events, row: 0, seq: 0 };
        recorder.mark(number, EventKind::Start);
        recorder
    }

    /// Writes a round with its id.
    pub(crate) fn record(&mut self, number: u64) {
        self.write(&round(number), Some(id(number)));
    }

    /// Writes a round, with an id if the feed provided one.
    pub(crate) fn write(&mut self, round: &Round, id: Option<String>) {
        self.rows.write_all(round.to_row().as_bytes()).unwrap();
        self.row += 1;
        let event = Event { round_id: id, ..Event::new(EventKind::Live, "feed") };
        self.write_event(event, round.time, Some(self.row));
    }

    pub(crate) fn mark(&mut self, number: u64, kind: EventKind) {
        self.write_event(Event::new(kind, "feed"), time(number), None);
    }

    fn write_event(&mut self, event: Event, time: DateTime<Utc>, row: Option<u64>) {
        self.seq += 1;
        let unix_ms = time.timestamp_millis();
        let line = EventLine { seq: self.seq, unix_ms, event, row, file: None };
        let text = format!("{}\n", serde_json::to_string(&line).unwrap());
        self.events.write_all(text.as_bytes()).unwrap();
    }
}

pub(crate) fn id(number: u64) -> String {
    format!("{}.{}", 7_000_000 + number, number % 10)
}

/// Returns all rows of a directory, file after file.
pub(crate) fn rows(dir: &Path) -> Vec<String> {
    let names = rounds::csv_names(dir).unwrap();
    let texts = names.iter().map(|name| fs::read_to_string(dir.join(name)).unwrap());
    texts.flat_map(|text| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Returns all lines of the event files of a directory.
pub(crate) fn events(dir: &Path) -> Vec<String> {
    let names = rounds::csv_names(dir).unwrap();
    let texts = names
        .iter()
        .map(|name| fs::read_to_string(dir.join(name).with_extension("events.jsonl")).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.args(arguments).args(["--log", "info,bridge=debug", "--log-format", "json"]);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a bridge to its end; returns its exit code and its output.
pub(crate) fn finish(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    (status.code(), String::from_utf8([stderr, stdout].concat()).unwrap())
}

pub(crate) fn push(dir: &Path, hub: &str, site: &str) -> Vec<String> {
    let dir = dir.to_str().unwrap();
    ["push", "--data-dir", dir, "--hub", hub, "--site", site].map(str::to_owned).to_vec()
}

pub(crate) fn pull(dir: &Path, hub: &str) -> Vec<String> {
    ["pull", "--data-dir", dir.to_str().unwrap(), "--hub", hub].map(str::to_owned).to_vec()
}

/// Runs a bridge with `--once`, which must succeed; returns its output.
#[track_caller]
pub(crate) fn once(arguments: &[String]) -> String {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--once"]).collect();
    let (code, output) = finish(&arguments);
    assert_eq!(code, Some(0), "{output}");
    output
}

/// Returns the last number logged under a field.
pub(crate) fn number(output: &str, field: &str) -> u64 {
    let (_, after) = output.rsplit_once(&format!("\"{field}\":")).unwrap();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// A running bridge.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    pub(crate) output: Vec<String>,
}

impl Running {
    pub(crate) fn start(arguments: &[String]) -> Self {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = command(&arguments).spawn().unwrap();
        let lines = lines_of(child.stderr.take().unwrap());
        Self { child, lines, output: Vec::new() }
    }

    /// Waits until the log contains `text` in `times` more lines.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str, times: usize) {
        let mut found = 0;
        while found < times {
            let line = self.lines.recv_timeout(TIMEOUT).unwrap_or_else(|_| {
                let last = &self.output[self.output.len().saturating_sub(10)..];
                unreachable!("`{text}` was not logged {times} times; last lines: {last:#?}")
            });
            found += usize::from(line.contains(text));
            self.output.push(line);
        }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop; returns its exit code and its log.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> (Option<i32>, Vec<String>) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        while let Ok(line) = self.lines.recv_timeout(TIMEOUT) {
            self.output.push(line);
        }
        (code, std::mem::take(&mut self.output))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
