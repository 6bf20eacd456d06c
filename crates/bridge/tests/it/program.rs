//! The program: what it rejects, and its exit codes.

use std::fs;
use std::process::Command;

use async_nats::jetstream::stream::{Config, StorageType};
use rounds::{Origin, RoundLog};

use crate::nats::Server;
use crate::recorder::{Recorder, Running, finish, once, pull, push, time};

#[test]
fn a_stream_that_could_lose_rounds_is_refused_and_its_settings_are_named() {
    let server = Server::quick();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(server.url()).await.unwrap();
        let config = Config {
            name: "AVIATOR_default".to_owned(),
            subjects: vec!["aviator.rounds.recorded.default.>".to_owned()],
            storage: StorageType::Memory,
            ..Config::default()
        };
        async_nats::jetstream::new(client).create_stream(config).await.unwrap();
    });
    let dir = tempfile::tempdir().unwrap();
    Recorder::start(dir.path(), 0).record(0);
    for arguments in
        [push(dir.path(), &server.url(), "attic"), pull(&dir.path().join("p"), &server.url())]
    {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, output) = finish(&arguments);
        assert_eq!(code, Some(2), "{output}");
        for part in ["AVIATOR_default", "storage", "max_msgs_per_subject", "bridge init"] {
            assert!(output.contains(part), "{part} in {output}");
        }
    }
}

#[test]
fn rounds_of_another_origin_never_share_a_table() {
    let server = Server::quick();
    let dir = tempfile::tempdir().unwrap();
    let (code, output) =
        finish(&["init", "--hub", &server.url(), "--origin", "simulated", "--max-mib", "5"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("5242880"), "{output}");
    Recorder::start(dir.path(), 0).record(0);
    let arguments = push(dir.path(), &server.url(), "attic");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, output) = finish(&arguments);
    assert_eq!(code, Some(2), "{output}");
    assert!(output.contains("holds simulated rounds"), "{output}");
}

#[test]
fn a_hub_without_jetstream_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    Recorder::start(dir.path(), 0).record(0);
    let server = Server::with("enabled: false", "");
    let arguments = push(dir.path(), &server.url(), "attic");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, output) = finish(&arguments);
    assert_eq!(code, Some(2), "{output}");
    assert!(output.contains("cannot store rounds"), "{output}");
}

#[test]
fn a_full_hub_is_reported_and_the_push_keeps_running() {
    let server = Server::quick();
    let dir = tempfile::tempdir().unwrap();
    let (code, output) = finish(&["init", "--hub", &server.url(), "--max-mib", "1"]);
    assert_eq!(code, Some(0), "{output}");
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..6000).for_each(|number| recorder.record(number));
    let mut pushing = Running::start(&push(dir.path(), &server.url(), "attic"));
    pushing.wait_for("the hub is full", 1);
    let (code, _) = pushing.stop();
    assert_eq!(code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn rows_arrive_although_the_log_is_on_a_full_disk() {
    let server = Server::quick();
    let [dir, pulled] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    Recorder::start(dir.path(), 0).record(0);
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in [push(dir.path(), &server.url(), "attic"), pull(pulled.path(), &server.url())]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        command.args(arguments).arg("--once").stdout(full()).stderr(full());
        assert_eq!(command.status().unwrap().code(), Some(0));
    }
    assert_eq!(rounds::last_rounds(pulled.path(), 10).unwrap().len(), 1);
}

#[test]
fn messages_that_are_no_rounds_are_skipped_and_hold_nothing_up() {
    let server = Server::quick();
    let [dir, pulled] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    recorder.record(0);
    once(&push(dir.path(), &server.url(), "attic"));
    let forged = [
        "",
        "{\"evil\":",
        "[]",
        "{\"v\":99}",
        r#"{"v":1,"site":"a b","file":"f","row":1,"time":"2026-01-01T00:00:00Z","multiplier":2.0,"kind":"live","source":"x"}"#,
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
        for (number, body) in forged.into_iter().enumerate() {
            let subject = format!("aviator.rounds.recorded.default.forged.{number}");
            stream.publish(subject, body.into()).await.unwrap().await.unwrap();
        }
    });
    recorder.record(1);
    once(&push(dir.path(), &server.url(), "attic"));
    for _ in 0..2 {
        let output = once(&pull(pulled.path(), &server.url()));
        assert!(!output.contains("ERROR"), "{output}");
        assert_eq!(rounds::last_rounds(pulled.path(), 10).unwrap().len(), 2);
    }
    // Only a message of a later version can be a round that is missing now.
    let is_csv = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "csv");
    let files = fs::read_dir(pulled.path()).unwrap().map(|entry| entry.unwrap().path());
    let events = files.filter(is_csv).flat_map(|csv| rounds::read_events(&csv).unwrap());
    assert_eq!(events.filter(|line| line.event.kind == rounds::EventKind::Gap).count(), 1);
}

#[test]
fn a_directory_of_another_program_is_refused() {
    let server = Server::quick();
    let [foreign, held] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(foreign.path(), 0);
    (0..3).for_each(|number| recorder.record(number));
    once(&push(foreign.path(), &server.url(), "attic"));
    let _log = RoundLog::open(held.path(), Origin::Recorded, time(0)).unwrap();
    for (dir, expected, part) in
        [(&held, 3, "another collector"), (&foreign, 2, "choose an empty directory")]
    {
        let arguments = pull(dir.path(), &server.url());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, output) = finish(&arguments);
        assert_eq!(code, Some(expected), "{output}");
        assert!(output.contains(part), "{output}");
    }
}

#[test]
fn wrong_usage_exits_with_two() {
    for arguments in [
        &["push"][..],
        &["push", "--site", "Not A Name"],
        &["pull"],
        &["push", "--site", "a", "--hub", "http://127.0.0.1"],
        &["push", "--site", "a", "--plain", "--ca-file", "/dev/null"],
        &["nonsense"],
    ] {
        let (code, output) = finish(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {output}");
    }
}

#[test]
fn the_shipped_configuration_is_valid() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scripts/ops/nats/nats-server.conf");
    let text = fs::read_to_string(file).unwrap();
    let server = Server::with_shipped_config(&text);
    let [dir, pulled] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    Recorder::start(dir.path(), 0).record(0);
    once(&push(dir.path(), &server.url(), "attic"));
    once(&pull(pulled.path(), &server.url()));
}

fn stdout_of(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    let output = command.args(arguments).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn completions_and_manual_pages_are_generated() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout_of(&["completions", shell]);
        assert!(script.contains("merge") && script.contains("data-dir"), "{shell}");
    }
    let dir = tempfile::tempdir().unwrap();
    stdout_of(&["man", "--dir", dir.path().to_str().unwrap()]);
    for name in ["", "-push", "-pull", "-merge", "-init", "-key", "-completions", "-man"] {
        let page = fs::read_to_string(dir.path().join(format!("bridge{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH bridge{name} 1")), "{page}");
    }
    assert!(stdout_of(&["man"]).contains(".TH bridge 1"));
}
