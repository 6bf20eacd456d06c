//! The program: exit codes, error lines and shutdown.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;

use crate::test_app::{Data, row};

pub(crate) fn predictor(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_predictor"));
    command.args(args).env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    let names =
        ["DATA_DIR", "STATE_DIR", "LISTEN", "PREDICTOR_CONFIG", "WATCH", "AUTO_TRAIN", "TIMEZONE"];
    for name in names {
        command.env_remove(format!("AVIATOR_{name}"));
    }
    command
}

#[track_caller]
pub(crate) fn check(args: &[&str], code: i32, says: &str) -> Output {
    let output = predictor(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(says), "{args:?}: {said}");
    output
}

#[test]
fn bad_usage_ends_with_2_before_anything_is_opened() {
    check(&["--no-such-flag"], 2, "--no-such-flag");
    check(&["--listen", "nowhere"], 2, "--listen");
    check(&["--listen", "0.0.0.0:0"], 2, "--token-file");
    check(&["--listen", "0.0.0.0:0", "--token-file", "/no/such/token"], 2, "/no/such/token");
    check(&["--base-path", "aviator"], 2, "--base-path");
    check(&["--config", "/no/such/file.toml"], 2, "/no/such/file.toml");
    let file = tempfile::NamedTempFile::new().unwrap();
    check(&["--data-dir", file.path().to_str().unwrap()], 2, "is not a directory");
}

#[test]
fn a_port_in_use_ends_with_1_and_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = check(&["--listen", &address, "--data-dir", "nowhere"], 1, &address);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("--listen"), "{said}");
}

/// Starts it and waits for its address.
pub(crate) fn serving(data: &Data) -> (Child, String) {
    let dir = data.path().to_str().unwrap();
    let flags = ["--data-dir", dir, "--listen", "127.0.0.1:0", "--log-format", "json"];
    started(&mut predictor(&flags))
}

pub(crate) fn started(command: &mut Command) -> (Child, String) {
    let (child, address, log) = started_with_log(command);
    // Somebody has to read on, or the pipe fills.
    std::thread::spawn(move || log.lines().for_each(drop));
    (child, address)
}

/// Also returns the rest of its log.
fn started_with_log(command: &mut Command) -> (Child, String, BufReader<ChildStderr>) {
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "the program ended");
        if let Some((_, address)) = line.split_once("\"url\":\"") {
            break address.split('"').next().unwrap().to_owned();
        }
    };
    (child, address, log)
}

#[cfg(unix)]
async fn stops_at(signal: rustix::process::Signal) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let data = Data::with_rounds(5);
    let (mut child, address) = serving(&data);
    let mut stream = reqwest::get(format!("{address}/api/events")).await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, signal).unwrap();
    // The stream is ended in good order: a connection that is cut would be an error here.
    while stream.chunk().await.unwrap().is_some() {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_with_0_despite_an_open_event_stream() {
    stops_at(rustix::process::Signal::TERM).await;
    stops_at(rustix::process::Signal::INT).await;
}

/// The program is suspended meanwhile, so that both signals reach it together.
#[cfg(unix)]
#[test]
fn signals_that_arrive_together_end_it_with_0() {
    use rustix::process::{Pid, Signal, kill_process};
    let data = Data::with_rounds(5);
    let (mut child, _) = serving(&data);
    for signal in [Signal::STOP, Signal::INT, Signal::TERM, Signal::CONT] {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn doctor_reports_problems() {
    let data = Data::with_rounds(40);
    let dir = data.path().to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = check(&["doctor", "--data-dir", dir, "--listen", &address], 1, "1 problem keeps");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("FAILED   address: cannot listen") && said.contains(&address), "{said}");
    assert!(said.contains("40 rounds"), "{said}");
    let output = check(&["doctor", "--data-dir", dir, "--listen", "127.0.0.1:0", "--json"], 0, "");
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings["ok"], true);
    let checks =
        findings["findings"].as_array().unwrap().iter().map(|it| it["check"].as_str().unwrap());
    let checks: Vec<&str> = checks.collect();
    assert_eq!(checks, ["rounds", "origin", "notifications", "forecasts", "address", "alerts"]);
}

#[test]
fn doctor_judges_the_recording_as_the_dashboard_does() {
    let data = Data::with_rounds(0);
    let rows: String = (1..500).map(row).collect();
    let halves: Vec<String> = rows
        .lines()
        .map(|line| {
            let (time, multiplier) = line.split_once(',').unwrap();
            let multiplier: f64 = multiplier.parse().unwrap();
            format!("{time},{:.2}\n", (2.0 * multiplier).floor() / 2.0)
        })
        .collect();
    data.write(
        "aviator_payouts_20260101_000000.csv",
        format!("timestamp,multiplier\n{}", halves.concat()),
    );
    let dir = data.path().to_str().unwrap();
    let output = check(&["doctor", "--data-dir", dir, "--listen", "127.0.0.1:0"], 0, "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let finding = "the rounds are not what was played: all multipliers are multiples of 0.50";
    assert!(said.contains(finding), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_log_that_nobody_reads_any_more_stops_nothing_and_is_counted() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let data = Data::with_rounds(40);
    let flags = ["--data-dir", data.path().to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let (mut child, address, log) = started_with_log(&mut predictor(&flags));
    drop((log, child.stdout.take()));
    let client = reqwest::Client::new();
    let mut metrics = String::new();
    // Each training logs its result.
    while metrics.is_empty() || metrics.contains("aviator_log_lines_lost_total 0\n") {
        let trained = client.post(format!("{address}/api/train")).send().await.unwrap();
        // 409 while the first training still runs.
        assert!(trained.status().is_success() || trained.status() == 409, "{trained:?}");
        let page = client.get(format!("{address}/metrics")).send().await.unwrap();
        metrics = page.text().await.unwrap();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
