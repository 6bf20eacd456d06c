//! A running predictor on a directory of its own.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

const FILE: &str = "aviator_payouts_20260101_000000.csv";

/// The program, its directory and its file of rounds.
pub(super) struct Program {
    process: Child,
    port: u16,
    directory: TempDir,
    rows: u32,
}

impl Program {
    /// On an empty directory.
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (process, port) = launch(&directory, 0);
        Self { process, port, directory, rows: 0 }
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
        if self.rows == 0 {
            text.push_str("timestamp,multiplier\n");
        }
        for row in self.rows..self.rows + count {
            let (minute, second) = (row / 3 % 60, row % 3 * 20);
            let cents = multiplier(row);
            writeln!(
                text,
                "2026-01-01T00:{minute:02}:{second:02}.000Z,{}.{:02}",
                cents / 100,
                cents % 100
            )
            .unwrap();
        }
        self.rows += count;
        let path = self.directory.path().join(FILE);
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Ends it without asking.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same directory and port.
    pub(super) fn restart(&mut self) {
        (self.process, self.port) = launch(&self.directory, self.port);
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
fn launch(directory: &TempDir, port: u16) -> (Child, u16) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_predictor"))
        .arg("--data-dir")
        .arg(directory.path())
        .args(["--listen", &format!("127.0.0.1:{port}"), "--log-format", "pretty"])
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
