//! The program itself: what it refuses, and how it ends.

use std::fs;
use std::process::Command;

use async_nats::jetstream::stream::{Config, StorageType};
use rounds::{Origin, RoundLog};

use crate::nats::Server;
use crate::recorder::{Recorder, Running, finish, once, pull, push, time};

#[test]
fn a_stream_that_would_forget_is_refused_by_name() {
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
    Recorder::start(dir.path(), 0).hear(0);
    for arguments in
        [push(dir.path(), &server.url(), "attic"), pull(&dir.path().join("p"), &server.url())]
    {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, said) = finish(&arguments);
        assert_eq!(code, Some(2), "{said}");
        for part in ["AVIATOR_default", "storage", "max_msgs_per_subject", "bridge init"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

#[test]
fn rounds_of_another_origin_never_share_a_table() {
    let server = Server::quick();
    let dir = tempfile::tempdir().unwrap();
    let (code, said) =
        finish(&["init", "--hub", &server.url(), "--origin", "simulated", "--max-mib", "5"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("5242880"), "{said}");
    Recorder::start(dir.path(), 0).hear(0);
    let arguments = push(dir.path(), &server.url(), "attic");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, said) = finish(&arguments);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("holds simulated rounds"), "{said}");
}

#[test]
fn a_hub_without_jetstream_says_so() {
    let dir = tempfile::tempdir().unwrap();
    Recorder::start(dir.path(), 0).hear(0);
    let server = Server::with("enabled: false", "");
    let arguments = push(dir.path(), &server.url(), "attic");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, said) = finish(&arguments);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cannot store rounds"), "{said}");
}

#[test]
fn a_full_hub_is_named_and_nothing_is_lost() {
    let server = Server::quick();
    let dir = tempfile::tempdir().unwrap();
    let (code, said) = finish(&["init", "--hub", &server.url(), "--max-mib", "1"]);
    assert_eq!(code, Some(0), "{said}");
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..6000).for_each(|number| recorder.hear(number));
    let mut pushing = Running::start(&push(dir.path(), &server.url(), "attic"));
    pushing.hear("the hub is full", 1);
    let (code, _) = pushing.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn a_directory_that_is_not_the_bridges_own_is_left_alone() {
    let server = Server::quick();
    let [foreign, held] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(foreign.path(), 0);
    (0..3).for_each(|number| recorder.hear(number));
    once(&push(foreign.path(), &server.url(), "attic"));
    let _log = RoundLog::open(held.path(), Origin::Recorded, time(0)).unwrap();
    for (dir, expected, part) in
        [(&held, 3, "another collector"), (&foreign, 2, "choose an empty directory")]
    {
        let arguments = pull(dir.path(), &server.url());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, said) = finish(&arguments);
        assert_eq!(code, Some(expected), "{said}");
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn wrong_usage_is_two() {
    for arguments in [
        &["push"][..],
        &["push", "--site", "Not A Name"],
        &["pull"],
        &["push", "--site", "a", "--hub", "http://127.0.0.1"],
        &["push", "--site", "a", "--plain", "--ca-file", "/dev/null"],
        &["nonsense"],
    ] {
        let (code, said) = finish(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
    }
}

#[test]
fn the_configuration_that_is_handed_out_is_valid() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scripts/ops/nats/nats-server.conf");
    let text = fs::read_to_string(file).unwrap();
    let server = Server::handed_out(&text);
    let [dir, pulled] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    Recorder::start(dir.path(), 0).hear(0);
    once(&push(dir.path(), &server.url(), "attic"));
    once(&pull(pulled.path(), &server.url()));
}

fn says(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    let output = command.args(arguments).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn shells_get_completions_and_manuals_their_pages() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = says(&["completions", shell]);
        assert!(script.contains("merge") && script.contains("data-dir"), "{shell}");
    }
    let dir = tempfile::tempdir().unwrap();
    says(&["man", "--dir", dir.path().to_str().unwrap()]);
    for name in ["", "-push", "-pull", "-merge", "-init", "-key", "-completions", "-man"] {
        let page = fs::read_to_string(dir.path().join(format!("bridge{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH bridge{name} 1")), "{page}");
    }
    assert!(says(&["man"]).contains(".TH bridge 1"));
}
