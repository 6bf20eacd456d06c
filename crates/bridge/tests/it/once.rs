//! Every round is stored exactly once.

use std::fs;
use std::time::Duration;

use async_nats::jetstream;

use crate::nats::Server;
use crate::recorder::{Recorder, number, once, pull, push, round, rows};

const ROUNDS: u64 = 20_000;

/// Makes the hub forget message ids at once, as it does after minutes, so that only the subject identifies a repeated row.
fn forget_message_ids(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let hub = jetstream::new(async_nats::connect(url).await.unwrap());
        let stream = hub.get_stream("AVIATOR_default").await.unwrap();
        let mut config = stream.cached_info().config.clone();
        config.duplicate_window = Duration::from_millis(100);
        hub.update_stream(config).await.unwrap();
    });
}

#[test]
fn twenty_thousand_rounds_pushed_twice_are_stored_once() {
    let mut server = Server::quick();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Half of them have ids; the others are identified by their position alone.
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..ROUNDS / 2).for_each(|number| recorder.record(number));
    drop(recorder);
    let text: String = (ROUNDS / 2..ROUNDS).map(|number| round(number).to_row()).collect();
    let file = dir.path().join("aviator_payouts_20991231_000000.csv");
    fs::write(file, format!("timestamp,multiplier\n{text}")).unwrap();

    let first = once(&push(dir.path(), &server.url(), "attic"));
    assert_eq!((number(&first, "stored"), number(&first, "stored_already")), (ROUNDS, 0));
    forget_message_ids(&server.url());
    server.kill();
    server.restart();
    fs::remove_dir_all(dir.path().join(".bridge")).unwrap();
    let second = once(&push(dir.path(), &server.url(), "attic"));
    assert_eq!((number(&second, "stored"), number(&second, "stored_already")), (0, ROUNDS));
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

#[test]
fn acknowledged_rows_are_not_sent_again_after_a_restart() {
    let server = Server::quick();
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..300).for_each(|number| recorder.record(number));
    once(&push(dir.path(), &server.url(), "attic"));
    (300..400).for_each(|number| recorder.record(number));
    let output = once(&push(dir.path(), &server.url(), "attic"));
    assert_eq!((number(&output, "stored"), number(&output, "stored_already")), (100, 0));
}

#[test]
fn a_new_hub_gets_every_row_again() {
    let (first, second) = (Server::quick(), Server::quick());
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..50).for_each(|number| recorder.record(number));
    once(&push(dir.path(), &first.url(), "attic"));
    once(&push(dir.path(), &second.url(), "attic"));
    once(&pull(pulled.path(), &second.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

#[test]
fn the_event_of_a_round_and_its_discontinuities_travel_with_it() {
    let server = Server::quick();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    recorder.record(0);
    recorder.mark(1, rounds::EventKind::Gap);
    recorder.record(5);
    once(&push(dir.path(), &server.url(), "attic"));
    once(&pull(pulled.path(), &server.url()));
    let events = crate::recorder::events(pulled.path()).join("\n");
    for part in [
        "\"kind\":\"gap\"",
        "\"source\":\"feed\"",
        "\"round_id\":\"7000005.5\"",
        "\"site\":\"attic\"",
    ] {
        assert!(events.contains(part), "{part} in {events}");
    }
}

/// A collector writes a row and then its event with the id, which decides the subject of the row.
#[test]
fn a_row_is_sent_once_its_event_is_written_or_lost() {
    let server = Server::quick();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..5).for_each(|number| recorder.record(number));
    drop(recorder);
    let names = rounds::csv_names(dir.path()).unwrap();
    let event_file = dir.path().join(&names[0]).with_extension("events.jsonl");
    let whole = fs::read_to_string(&event_file).unwrap();
    let (before, last) = whole.trim_end().rsplit_once('\n').unwrap();
    fs::write(&event_file, format!("{before}\n{}", &last[..20])).unwrap();
    let output = once(&push(dir.path(), &server.url(), "attic"));
    assert!(output.contains("waits for its event"), "{output}");
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()).len(), 4);
    // After the next run of the collector the event counts as lost; the row is sent without it.
    Recorder::start(dir.path(), 100).record(100);
    once(&push(dir.path(), &server.url(), "attic"));
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}
