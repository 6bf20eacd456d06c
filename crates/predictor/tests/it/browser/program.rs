//! A running predictor with its own directory.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use chrono::{DateTime, SecondsFormat};
use tempfile::TempDir;

const FILE: &str = "aviator_payouts_20260101_000000.csv";

/// The program, its directory and its file of rounds.
pub(super) struct Program {
    process: Child,
    port: u16,
    directory: TempDir,
    rows: u32,
    has_file: bool,
    trains: bool,
}

impl Program {
    /// On an empty directory.
    pub(super) fn start() -> Self {
        Self::training(true)
    }

    /// The same, where nothing is trained until it is asked for.
    pub(super) fn untrained() -> Self {
        Self::training(false)
    }

    fn training(trains: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (process, port) = launch(&directory, 0, trains);
        Self { process, port, directory, rows: 0, has_file: false, trains }
    }

    pub(super) fn folder(&self) -> String {
        self.directory.path().to_str().unwrap().to_owned()
    }

    /// Puts a whole file into the directory, as another program would: at once.
    pub(super) fn write(&self, name: &str, content: &str) {
        let path = self.directory.path().join(name);
        let beside = self.directory.path().join(format!("{name}.tmp"));
        std::fs::write(&beside, content).unwrap();
        std::fs::rename(beside, path).unwrap();
    }

    /// A line that the collector leaves beside its rows.
    pub(super) fn note(&self, kind: &str) {
        let line = format!(
            "{{\"seq\":1,\"unix_ms\":1767225600000,\"kind\":\"{kind}\",\"source\":\"browser\",\"detail\":{{\"reason\":\"page closed\"}}}}\n"
        );
        let name = FILE.replace(".csv", ".events.jsonl");
        std::fs::write(self.directory.path().join(name), line).unwrap();
    }

    /// A line of the file that is no round.
    pub(super) fn write_bad_row(&mut self) {
        self.append_text("nonsense\n");
    }

    fn append_text(&mut self, text: &str) {
        let path = self.directory.path().join(FILE);
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        let head = if self.has_file { "" } else { "timestamp,multiplier\n" };
        self.has_file = true;
        file.write_all(format!("{head}{text}").as_bytes()).unwrap();
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// Rounds are appended as the collector does it: whole lines, at once.
    pub(super) fn append(&mut self, count: u32) {
        let mut text = String::new();
        for row in self.rows..self.rows + count {
            let cents = multiplier(row);
            let time = DateTime::from_timestamp(1_767_225_600 + 20 * i64::from(row), 0).unwrap();
            let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            writeln!(text, "{time},{}.{:02}", cents / 100, cents % 100).unwrap();
        }
        self.rows += count;
        self.append_text(&text);
    }

    /// Ends it without asking.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same directory and port.
    pub(super) fn restart(&mut self) {
        (self.process, self.port) = launch(&self.directory, self.port, self.trains);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have been ended before.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A fixed stream that looks like the game: 97 over a number that walks through 1 to 96.
fn multiplier(row: u32) -> u32 {
    let step = row * 37 % 96 + 1;
    (9_700 / step).max(100)
}

/// Starts the program and reads from its log where it listens.
fn launch(directory: &TempDir, port: u16, trains: bool) -> (Child, u16) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_predictor"))
        .arg("--data-dir")
        .arg(directory.path())
        .args(["--listen", &format!("127.0.0.1:{port}"), "--log-format", "pretty"])
        .args(["--auto-train", if trains { "true" } else { "false" }])
        .env("RUST_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut said = String::new();
    let port = loop {
        let before = said.len();
        assert!(log.read_line(&mut said).unwrap() > 0, "the predictor ended:\n{said}");
        if let Some((_, rest)) = said[before..].split_once("http://127.0.0.1:") {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            break rest[..digits].parse().unwrap();
        }
    };
    // A pipe nobody reads would one day stop the program.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    (process, port)
}
