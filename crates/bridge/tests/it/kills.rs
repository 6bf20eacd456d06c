//! Whatever is killed in between, the pulled rows are the pushed rows.

use crate::nats::Server;
use crate::proxy::Proxy;
use crate::recorder::{Recorder, Running, once, pull, push, rows};

const ROUNDS: u64 = 6000;

/// Who is killed after a batch of rounds: 8 times the server, 20 times each bridge.
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
fn killed_forty_eight_times_every_row_arrives_once_and_in_order() {
    let mut server = Server::start();
    let wire = Proxy::to(server.address);
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let to_hub = push(dir.path(), &wire.url(), "attic");
    let from_hub = pull(pulled.path(), &wire.url());
    let (mut pushing, mut pulling) = (Running::start(&to_hub), Running::start(&from_hub));
    let mut recorder = Recorder::start(dir.path(), 0);
    let victims = victims();
    let batch = ROUNDS / victims.len() as u64;
    for (victim, step) in victims.iter().zip(0..) {
        if step == 24 {
            // The recorder, too, is started again some time.
            drop(recorder);
            recorder = Recorder::start(dir.path(), step * batch);
        }
        (step * batch..(step + 1) * batch).for_each(|number| recorder.hear(number));
        let moment = usize::try_from(1 + step * 37 % 90).unwrap();
        match victim {
            Victim::Server => {
                pushing.hear("Stored.", moment);
                server.kill();
                wire.cut();
                server.restart();
                wire.mend(server.address);
            }
            Victim::Push => {
                pushing.hear("Stored.", moment);
                pushing.kill();
                pushing = Running::start(&to_hub);
            }
            Victim::Pull => {
                pulling.hear("Written.", moment);
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

/// The kill above seldom falls between a row and its event; here it always does.
#[test]
fn rows_whose_place_was_not_written_are_not_pulled_again() {
    let server = Server::quick();
    let (dir, pulled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = Recorder::start(dir.path(), 0);
    (0..40).for_each(|number| recorder.hear(number));
    once(&push(dir.path(), &server.url(), "attic"));
    once(&pull(pulled.path(), &server.url()));
    for lost in [1, 2, 7] {
        let names = rounds::csv_names(pulled.path()).unwrap();
        let newest = names.iter().rfind(|name| {
            std::fs::read_to_string(pulled.path().join(name)).unwrap().lines().count() > 1
        });
        let side = pulled.path().join(newest.unwrap()).with_extension("events.jsonl");
        let text = std::fs::read_to_string(&side).unwrap();
        // The last line tells of the orderly end.
        let keep = text.lines().count() - 1 - lost;
        let kept: String = text.split_inclusive('\n').take(keep).collect();
        std::fs::write(&side, kept).unwrap();
        // Later runs would say that everything is there.
        for name in names.iter().skip_while(|name| Some(*name) != newest).skip(1) {
            std::fs::remove_file(pulled.path().join(name)).unwrap();
            std::fs::remove_file(pulled.path().join(name).with_extension("events.jsonl")).unwrap();
        }
        once(&pull(pulled.path(), &server.url()));
        assert_eq!(rows(pulled.path()), rows(dir.path()), "{lost} events lost");
    }
}
