//! A hub that is away: nothing is lost, it is said once, and what waited is there soon after.

use crate::nats::Server;
use crate::proxy::Proxy;
use crate::recorder::{Recorder, Running, once, pull, push, rows};

const AWAY: &str = "Unavailable; retrying";

#[track_caller]
fn said_once(bridge: &Running) {
    assert_eq!(bridge.said.iter().filter(|line| line.contains(AWAY)).count(), 1);
}

#[test]
fn rounds_wait_in_their_files_while_the_hub_is_away() {
    let server = Server::quick();
    let wire = Proxy::to(server.address);
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut pushing = Running::start(&push(dir.path(), &wire.url(), "attic"));
    let mut pulling = Running::start(&pull(pulled.path(), &wire.url()));
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..100).for_each(|number| recorder.hear(number));
    pulling.hear("Written.", 100);
    (pushing.said, pulling.said) = (Vec::new(), Vec::new());
    wire.cut();
    (100..600).for_each(|number| recorder.hear(number));
    for bridge in [&mut pushing, &mut pulling] {
        bridge.hear(AWAY, 1);
        bridge.hear("Still unavailable.", 2);
    }
    wire.mend(server.address);
    pulling.hear("Written.", 500);
    said_once(&pushing);
    said_once(&pulling);
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

/// The connection stands and nothing comes: only the missing answers tell.
#[test]
fn a_hub_that_falls_silent_is_left_and_used_again() {
    let server = Server::quick();
    let wire = Proxy::to(server.address);
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut pushing = Running::start(&push(dir.path(), &wire.url(), "attic"));
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..10).for_each(|number| recorder.hear(number));
    pushing.hear("Stored.", 10);
    wire.freeze();
    (10..300).for_each(|number| recorder.hear(number));
    pushing.hear(AWAY, 1);
    wire.cut();
    wire.mend(server.address);
    pushing.hear("Every row in the files is at the hub.", 1);
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

#[test]
fn a_bridge_waits_for_a_hub_and_a_table_that_come_later() {
    let server = Server::quick();
    let wire = Proxy::to(server.address);
    wire.cut();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut pulling = Running::start(&pull(pulled.path(), &wire.url()));
    pulling.hear(AWAY, 1);
    wire.mend(server.address);
    pulling.hear("no stream AVIATOR_default yet", 1);
    let _pushing = Running::start(&push(&dir.path().join("not-there-yet"), &wire.url(), "attic"));
    let mut recorder = Recorder::start(&dir.path().join("not-there-yet"), 0);
    (0..10).for_each(|number| recorder.hear(number));
    pulling.hear("Written.", 10);
    let (code, _) = pulling.stop();
    assert_eq!(code, Some(0));
    assert_eq!(rows(pulled.path()).len(), 10);
}
