//! Two recorders of a table without round ids, each with its own gaps, are pushed, pulled and merged.

use chrono::TimeDelta;
use rounds::{Round, last_rounds};

use crate::nats::Server;
use crate::recorder::{Recorder, finish, once, pull, push, round};

const ROUNDS: u64 = 500;

fn multipliers(rounds: impl IntoIterator<Item = Round>) -> Vec<u64> {
    rounds.into_iter().map(|round| round.multiplier.cents()).collect()
}

#[test]
fn the_gaps_of_two_recorders_are_filled_after_the_hub() {
    let server = Server::quick();
    let [attic, cellar, pulled] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (mut first, mut second) =
        (Recorder::start(attic.path(), 0), Recorder::start(cellar.path(), 0));
    for number in 0..ROUNDS {
        let is_first_away = (100..180).contains(&number) || number % 9 == 0;
        let is_second_away = (300..350).contains(&number) || number % 9 == 1;
        if !is_first_away {
            first.write(&round(number), None);
        }
        if is_first_away || !is_second_away {
            // The clock of the second recorder is 41 s ahead.
            let Round { time, multiplier } = round(number);
            second.write(&Round { time: time + TimeDelta::seconds(41), multiplier }, None);
        }
    }
    let mut from = Vec::new();
    for (dir, site) in [(&attic, "attic"), (&cellar, "cellar")] {
        once(&push(dir.path(), &server.url(), site));
        let own = pulled.path().join(site);
        once(
            &[pull(&own, &server.url()), vec!["--only-site".to_owned(), site.to_owned()]].concat(),
        );
        from.push(format!("{site}={}", own.display()));
    }
    let whole = pulled.path().join("whole");
    let arguments =
        ["merge", "--from", &from[0], "--from", &from[1], "--data-dir", whole.to_str().unwrap()];
    for written in [ROUNDS, 0] {
        let (code, output) = finish(&arguments);
        assert_eq!(code, Some(0), "{output}");
        assert!(
            output.contains(&format!(
                "\"written\":{written},\"conflicts\":0,\"no_room\":0,\"unplaced\":0"
            )),
            "{output}"
        );
    }
    let merged = last_rounds(&whole, usize::MAX).unwrap();
    assert_eq!(multipliers(merged), multipliers((0..ROUNDS).map(round)));
}
