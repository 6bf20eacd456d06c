//! Two recorders of one table.

use std::fs;

use rounds::{EventKind, Multiplier, Round, last_rounds};

use crate::nats::Server;
use crate::recorder::{Recorder, events, finish, id, once, pull, push, round, rows};

const ROUNDS: u64 = 400;

fn truth() -> Vec<Round> {
    (0..ROUNDS).map(round).collect()
}

#[test]
fn two_recorders_with_different_gaps_give_one_complete_series() {
    let server = Server::quick();
    let [attic, cellar, pulled] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (mut first, mut second) =
        (Recorder::start(attic.path(), 0), Recorder::start(cellar.path(), 0));
    for number in 0..ROUNDS {
        let (is_first_away, is_second_away) =
            ((50..90).contains(&number), number % 7 == 3 || number < 10);
        if !is_first_away {
            first.record(number);
        }
        if !is_second_away || is_first_away {
            second.record(number);
        }
    }
    first.mark(90, EventKind::Gap);
    let output = once(&push(attic.path(), &server.url(), "attic"));
    assert!(output.contains("\"stored\":360,"), "{output}");
    let output = once(&push(cellar.path(), &server.url(), "cellar"));
    assert!(output.contains("\"stored\":40,"), "{output}");
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(last_rounds(pulled.path(), usize::MAX).unwrap(), truth());
}

#[test]
fn a_round_with_two_multipliers_is_reported_and_the_first_one_is_kept() {
    let server = Server::quick();
    let [attic, cellar, pulled] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (mut first, mut second) =
        (Recorder::start(attic.path(), 0), Recorder::start(cellar.path(), 0));
    for number in 0..20 {
        first.record(number);
        let mut recorded = round(number);
        if number == 7 {
            recorded.multiplier = Multiplier::from_cents(99_999).unwrap();
        }
        second.write(&recorded, Some(id(number)));
    }
    once(&push(attic.path(), &server.url(), "attic"));
    for _ in 0..2 {
        let output = once(&push(cellar.path(), &server.url(), "cellar"));
        assert!(output.contains("disagree on a round"), "{output}");
        fs::remove_dir_all(cellar.path().join(".bridge")).unwrap();
    }
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(attic.path()));
    let events = events(pulled.path());
    let conflicts: Vec<_> =
        events.iter().filter(|line| line.contains("\"kind\":\"conflict\"")).collect();
    assert_eq!(conflicts.len(), 1, "{conflicts:?}");
    for part in
        ["7000007.7", "\"now_cents\":99999", "\"first_site\":\"attic\"", "\"site\":\"cellar\""]
    {
        assert!(conflicts[0].contains(part), "{part} in {conflicts:?}");
    }
    // The conflict has a sequence number, so it is not written again.
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()).len(), 20);
}

/// A collector that is killed between a row and its event leaves a row without its id.
#[test]
fn a_round_whose_id_one_recorder_lost_is_written_once() {
    let server = Server::quick();
    let [attic, cellar, pulled] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (mut first, mut second) =
        (Recorder::start(attic.path(), 0), Recorder::start(cellar.path(), 0));
    for number in 0..20 {
        first.write(&round(number), (number != 4).then(|| id(number)));
        second.write(&round(number), (number != 9).then(|| id(number)));
    }
    once(&push(attic.path(), &server.url(), "attic"));
    once(&push(cellar.path(), &server.url(), "cellar"));
    once(&pull(pulled.path(), &server.url()));
    assert_eq!(rows(pulled.path()), rows(attic.path()));
}

#[test]
fn rows_without_ids_of_two_sites_are_not_mixed() {
    let server = Server::quick();
    let [attic, cellar, pulled] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for (dir, site) in [(&attic, "attic"), (&cellar, "cellar")] {
        let mut recorder = Recorder::start(dir.path(), 0);
        (0..20).for_each(|number| recorder.write(&round(number), None));
        once(&push(dir.path(), &server.url(), site));
    }
    let whole = pull(pulled.path(), &server.url());
    let arguments: Vec<&str> = whole.iter().map(String::as_str).collect();
    let (code, output) = finish(&[&arguments[..], &["--once"]].concat());
    assert_eq!(code, Some(2), "{output}");
    for part in ["attic", "cellar", "--only-site", "bridge merge"] {
        assert!(output.contains(part), "{part} in {output}");
    }
    for (dir, site) in [(&attic, "attic"), (&cellar, "cellar")] {
        let own = pulled.path().join(site);
        let only = ["--only-site".to_owned(), site.to_owned()];
        once(&[pull(&own, &server.url()), only.to_vec()].concat());
        assert_eq!(rows(&own), rows(dir.path()));
    }
}
