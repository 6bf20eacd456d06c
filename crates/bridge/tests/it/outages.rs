//! An unavailable hub: nothing is lost, the outage is logged once, and waiting rows arrive soon afterwards.

use crate::nats::Server;
use crate::proxy::Proxy;
use crate::recorder::{Recorder, Running, once, pull, push, rows};

const UNAVAILABLE: &str = "Unavailable; retrying";

#[track_caller]
fn logged_once(bridge: &Running) {
    assert_eq!(bridge.output.iter().filter(|line| line.contains(UNAVAILABLE)).count(), 1);
}

#[test]
fn rounds_wait_in_their_files_while_the_hub_is_unavailable() {
    let server = Server::quick();
    let proxy = Proxy::to(server.address);
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut pushing = Running::start(&push(dir.path(), &proxy.url(), "attic"));
    let mut pulling = Running::start(&pull(pulled.path(), &proxy.url()));
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..100).for_each(|number| recorder.record(number));
    pulling.wait_for("Written.", 100);
    (pushing.output, pulling.output) = (Vec::new(), Vec::new());
    proxy.cut();
    (100..600).for_each(|number| recorder.record(number));
    for bridge in [&mut pushing, &mut pulling] {
        bridge.wait_for(UNAVAILABLE, 1);
        bridge.wait_for("Still unavailable.", 2);
    }
    proxy.restore(server.address);
    pulling.wait_for("Written.", 500);
    logged_once(&pushing);
    logged_once(&pulling);
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

/// The connection stays open but nothing arrives; only the missing answers reveal it.
#[test]
fn a_connection_that_falls_silent_is_replaced() {
    let server = Server::quick();
    let proxy = Proxy::to(server.address);
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut pushing = Running::start(&push(dir.path(), &proxy.url(), "attic"));
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..10).for_each(|number| recorder.record(number));
    pushing.wait_for("Stored.", 10);
    proxy.freeze();
    (10..300).for_each(|number| recorder.record(number));
    pushing.wait_for(UNAVAILABLE, 1);
    proxy.cut();
    proxy.restore(server.address);
    pushing.wait_for("Every row in the files is at the hub.", 1);
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
}

#[test]
fn a_bridge_waits_for_a_hub_and_a_table_that_appear_later() {
    let server = Server::quick();
    let proxy = Proxy::to(server.address);
    proxy.cut();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut pulling = Running::start(&pull(pulled.path(), &proxy.url()));
    pulling.wait_for(UNAVAILABLE, 1);
    proxy.restore(server.address);
    pulling.wait_for("no stream AVIATOR_default yet", 1);
    let _pushing = Running::start(&push(&dir.path().join("not-there-yet"), &proxy.url(), "attic"));
    let mut recorder = Recorder::start(&dir.path().join("not-there-yet"), 0);
    (0..10).for_each(|number| recorder.record(number));
    pulling.wait_for("Written.", 10);
    let (code, _) = pulling.stop();
    assert_eq!(code, Some(0));
    assert_eq!(rows(pulled.path()).len(), 10);
}
