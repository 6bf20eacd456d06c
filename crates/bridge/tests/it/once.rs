//! A round is stored once, for ever.

use std::fs;
use std::time::Duration;

use async_nats::jetstream;

use crate::nats::Server;
use crate::recorder::{Recorder, number, once, pull, push, round, rows};

const ROUNDS: u64 = 20_000;

/// So that only the subject can tell that a row was sent before, as after hours.
fn forget_ids_at_once(url: &str) {
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
    // Half of them with ids, half of them known by their place alone.
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..ROUNDS / 2).for_each(|number| recorder.hear(number));
    drop(recorder);
    let text: String = (ROUNDS / 2..ROUNDS).map(|number| round(number).to_row()).collect();
    let file = dir.path().join("aviator_payouts_20991231_000000.csv");
    fs::write(file, format!("timestamp,multiplier\n{text}")).unwrap();

    let first = once(&push(dir.path(), &server.url(), "attic"));
    assert_eq!((number(&first, "stored"), number(&first, "stored_already")), (ROUNDS, 0));
    forget_ids_at_once(&server.url());
    server.kill();
    server.restart();
    fs::remove_dir_all(dir.path().join(".bridge")).unwrap();
    let second = once(&push(dir.path(), &server.url(), "attic"));
    assert_eq!((number(&second, "stored"), number(&second, "stored_already")), (0, ROUNDS));
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

#[test]
fn what_is_acknowledged_is_not_sent_again_after_a_restart() {
    let server = Server::quick();
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..300).for_each(|number| recorder.hear(number));
    once(&push(dir.path(), &server.url(), "attic"));
    (300..400).for_each(|number| recorder.hear(number));
    let said = once(&push(dir.path(), &server.url(), "attic"));
    assert_eq!((number(&said, "stored"), number(&said, "stored_already")), (100, 0));
}

#[test]
fn a_hub_that_was_set_up_anew_gets_every_row_again() {
    let (first, second) = (Server::quick(), Server::quick());
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..50).for_each(|number| recorder.hear(number));
    once(&push(dir.path(), &first.url(), "attic"));
    once(&push(dir.path(), &second.url(), "attic"));
    once(&pull(pulled.path(), &second.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

#[test]
fn what_is_known_of_a_round_travels_with_it() {
    let server = Server::quick();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    recorder.hear(0);
    recorder.mark(1, rounds::EventKind::Gap);
    recorder.hear(5);
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

/// A collector writes a row, and its event with the id after it: which subject the row has is decided once.
#[test]
fn a_row_is_sent_when_its_event_is_there_or_never_will_be() {
    let server = Server::quick();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..5).for_each(|number| recorder.hear(number));
    drop(recorder);
    let names = rounds::csv_names(dir.path()).unwrap();
    let side = dir.path().join(&names[0]).with_extension("events.jsonl");
    let whole = fs::read_to_string(&side).unwrap();
    let (before, last) = whole.trim_end().rsplit_once('\n').unwrap();
    fs::write(&side, format!("{before}\n{}", &last[..20])).unwrap();
    let said = once(&push(dir.path(), &server.url(), "attic"));
    assert!(said.contains("waits for its event"), "{said}");
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()).len(), 4);
    // The next run of the collector: the event is lost, the row is not.
    Recorder::start(dir.path(), 100).hear(100);
    once(&push(dir.path(), &server.url(), "attic"));
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}
