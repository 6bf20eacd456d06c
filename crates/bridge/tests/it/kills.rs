//! Whatever process is killed, the pulled rows equal the pushed rows.

use crate::nats::Server;
use crate::proxy::Proxy;
use crate::recorder::{Recorder, Running, once, pull, push, rows};

const ROUNDS: u64 = 6000;

/// The process that is killed after a batch of rounds: 8 times the server, 20 times each bridge.
#[derive(Clone, Copy)]
enum Victim {
    Server,
    Push,
    Pull,
}

fn victims() -> Vec<Victim> {
    let step = |step: u64| match step % 12 {
        0 | 6 => Victim::Server,
        1 | 3 | 5 | 8 | 10 => Victim::Push,
        _ => Victim::Pull,
    };
    (0..48).map(step).collect()
}

#[test]
fn after_forty_eight_kills_every_row_has_arrived_once_and_in_order() {
    let mut server = Server::start();
    let proxy = Proxy::to(server.address);
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let to_hub = push(dir.path(), &proxy.url(), "attic");
    let from_hub = pull(pulled.path(), &proxy.url());
    let (mut pushing, mut pulling) = (Running::start(&to_hub), Running::start(&from_hub));
    let mut recorder = Recorder::start(dir.path(), 0);
    let victims = victims();
    let batch = ROUNDS / victims.len() as u64;
    for (victim, step) in victims.iter().zip(0..) {
        if step == 24 {
            // Restart the recorder once, too.
            drop(recorder);
            recorder = Recorder::start(dir.path(), step * batch);
        }
        (step * batch..(step + 1) * batch).for_each(|number| recorder.record(number));
        let moment = usize::try_from(1 + step * 37 % 90).unwrap();
        match victim {
            Victim::Server => {
                pushing.wait_for("Stored.", moment);
                server.kill();
                proxy.cut();
                server.restart();
                proxy.restore(server.address);
            }
            Victim::Push => {
                pushing.wait_for("Stored.", moment);
                pushing.kill();
                pushing = Running::start(&to_hub);
            }
            Victim::Pull => {
                pulling.wait_for("Written.", moment);
                pulling.kill();
                pulling = Running::start(&from_hub);
            }
        }
    }
    pushing.kill();
    pulling.kill();
    once(&to_hub);
    once(&from_hub);
    let (sent, arrived) = (rows(dir.path()), rows(pulled.path()));
    assert_eq!(sent.len() as u64, ROUNDS);
    assert_eq!(arrived.len(), sent.len());
    assert_eq!(arrived, sent);
}

/// The kills above seldom fall between a row and its event; here every one does.
#[test]
fn rows_whose_events_were_not_written_are_not_pulled_again() {
    let server = Server::quick();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..40).for_each(|number| recorder.record(number));
    once(&push(dir.path(), &server.url(), "attic"));
    once(&pull(pulled.path(), &server.url()));
    for lost in [1, 2, 7] {
        let names = rounds::csv_names(pulled.path()).unwrap();
        let newest = names.iter().rfind(|name| {
            std::fs::read_to_string(pulled.path().join(name)).unwrap().lines().count() > 1
        });
        let event_file = pulled.path().join(newest.unwrap()).with_extension("events.jsonl");
        let text = std::fs::read_to_string(&event_file).unwrap();
        // The last line is the stop event.
        let keep = text.lines().count() - 1 - lost;
        let kept: String = text.split_inclusive('\n').take(keep).collect();
        std::fs::write(&event_file, kept).unwrap();
        // The start events of later runs would record the full position.
        for name in names.iter().skip_while(|name| Some(*name) != newest).skip(1) {
            std::fs::remove_file(pulled.path().join(name)).unwrap();
            std::fs::remove_file(pulled.path().join(name).with_extension("events.jsonl")).unwrap();
        }
        once(&pull(pulled.path(), &server.url()));
        assert_eq!(rows(pulled.path()), rows(dir.path()), "{lost} events lost");
    }
}
