//! `collector browser` as a process, with a real Chromium.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::tempdir;

use crate::chromium::process::Chromium;
use crate::simulator::{Channels, Game};

/// The command, with arguments for a browser without a screen that runs as root.
fn command(data: &Path, profile: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collector"));
    command
        .arg("browser")
        .args(arguments)
        .args([
            "--browser-arg=--headless=new",
            "--browser-arg=--no-sandbox",
            "--browser-arg=--disable-gpu",
        ])
        .args(["--browser-arg=--site-per-process", "--baseline", "all", "--log-format", "json"])
        .arg("--data-dir")
        .arg(data)
        .arg("--profile")
        .arg(profile)
        .env("TMPDIR", profile)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The processes of a test; ended when dropped. The browser has a process group of its own, whose processes are those that
/// name its profile.
struct Ended<'p> {
    child: Child,
    profile: &'p Path,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        for id in browser_processes(self.profile) {
            // It may have ended by itself meanwhile.
            drop(Command::new("kill").args(["-KILL", &id]).stderr(Stdio::null()).status());
        }
    }
}

/// Returns the ids of the processes that use this profile.
fn browser_processes(profile: &Path) -> Vec<String> {
    let argument = format!("--user-data-dir={}", profile.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).split('\0').any(|part| part == argument) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_leads_from_nothing_to_the_first_row_and_on_after_the_window_was_closed() {
    let (data, profile) = (tempdir().unwrap(), tempdir().unwrap());
    let profile_directory = profile.path().join("new/profile");
    let game = Game::open(Channels::Both, 1).await;
    let url = game.url();
    let began = Instant::now();
    let child = command(data.path(), &profile_directory, &[&url]).spawn().unwrap();
    let mut running = Ended { child, profile: &profile_directory };
    let mut rows = BufReader::new(running.child.stdout.take().unwrap()).lines();
    let mut log = BufReader::new(running.child.stderr.take().unwrap()).lines();
    let first = tokio::task::spawn_blocking(move || {
        let first = rows.next().unwrap().unwrap();
        (first, rows)
    });
    let (first, _rows) = first.await.unwrap();
    println!("{:.1} s from the command to the first row: {first}", began.elapsed().as_secs_f64());

    for id in browser_processes(&profile_directory) {
        drop(Command::new("kill").args(["-TERM", &id]).stderr(Stdio::null()).status());
    }
    let closed = tokio::task::spawn_blocking(move || {
        log.by_ref().map_while(Result::ok).find(|line| line.contains("The browser was closed;"))
    });
    let closed = closed.await.unwrap().unwrap();
    assert!(closed.contains("run collector browser in another terminal"), "{closed}");
}

#[test]
fn a_machine_without_a_browser_is_told_which_ones_there_are() {
    let (data, profile) = (tempdir().unwrap(), tempdir().unwrap());
    let output = command(data.path(), profile.path(), &[])
        .env("PATH", "")
        .env("HOME", profile.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("no browser was found (Chrome, Edge, Brave or Chromium); install one of them, or name the program with --browser"),
        "{text}"
    );
    assert!(!data.path().join("aviator_payouts.lock").exists());
}

#[test]
fn a_program_that_is_no_browser_is_quoted() {
    let (data, profile) = (tempdir().unwrap(), tempdir().unwrap());
    let refused = |program: &str| {
        let output =
            command(data.path(), profile.path(), &["--browser", program]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let text = refused("/no/such/browser");
    assert!(text.contains("/no/such/browser cannot be started"), "{text}");
    let text = refused("/bin/ls");
    assert!(text.contains("ended before it opened its debugging port with code 2: "), "{text}");
}

#[test]
fn a_profile_that_another_browser_uses_is_reported() {
    let (data, profile) = (tempdir().unwrap(), tempdir().unwrap());
    let mut other = Chromium::start(profile.path());
    // As a browser without a debugging port has none.
    // The file may appear a moment after the port.
    while fs::remove_file(profile.path().join("DevToolsActivePort")).is_err() {
        std::thread::yield_now();
    }
    let output = command(data.path(), profile.path(), &[]).output().unwrap();
    other.kill();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("another browser without a debugging port uses the profile"), "{text}");
    assert!(text.contains("close all of its windows and run this again"), "{text}");
}

#[test]
fn the_address_of_another_browser_is_refused() {
    let (data, profile) = (tempdir().unwrap(), tempdir().unwrap());
    let output =
        command(data.path(), profile.path(), &["--cdp", "http://127.0.0.1:9222"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("--cdp: names a browser that is open already"), "{text}");
}
