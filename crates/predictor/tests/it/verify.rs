//! `predictor verify`: public vectors, chains, rounds recorded with their seeds, and the step that does
//! not match.

use std::path::{Path, PathBuf};

use rounds::provably_fair::aviator::Claim;
use rounds::{Event, EventKind, Origin, Round, RoundLog};
use serde_json::json;

use crate::backtest::check_complaint;
use crate::program::check;

const SERVER: &str = "Kq3Zp9Vb2Lm8Xw4T";
const PLAYERS: [&str; 3] = [
    "b1f0c2d3e4a5968778695a4b3c2d1e0f",
    "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "ffeeddccbbaa99887766554433221100",
];
const COMMITMENT: &str = "6185563d64c1d1bcfd91817cba5ecfccf33cfecad054ae4159e6e398c561ca86";
const DIGEST: &str = "70f35c41852968709bcc43d08fc83485c641c08695e508111e12fc6ed0d580087612d12a0f9a970523462c32f1c806f3d5490a76dc657305a9121a40a172b167";

/// stdout, when all matches.
#[track_caller]
fn matches(args: &[&str]) -> String {
    let output = check(&[&["verify"], args].concat(), 0, "");
    assert!(output.stderr.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("NOT MATCH"), "{text}");
    text
}

/// stdout, when `step` does not match.
#[track_caller]
fn differs(args: &[&str], step: &str) -> String {
    let output = check(&[&["verify"], args].concat(), 1, step);
    String::from_utf8(output.stdout).unwrap()
}

fn aviator<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["--game", "aviator", "--server-seed", SERVER];
    for player in PLAYERS {
        args.extend(["--client-seed", player]);
    }
    args.extend(more);
    args
}

#[test]
fn an_aviator_round_is_recomputed_from_its_seeds() {
    let said = ["--commitment", COMMITMENT, "--hash", DIGEST, "--multiplier", "1.73x"];
    let text = matches(&aviator(&said));
    assert_eq!(text.matches("matches ").count(), 3, "{text}");
    let text = matches(&aviator(&[]));
    assert!(text.contains("computed        multiplier: 1.73"), "{text}");
}

#[test]
fn the_step_that_does_not_match_is_named() {
    let text =
        differs(&aviator(&["--commitment", COMMITMENT, "--multiplier", "1.74"]), "multiplier");
    assert!(text.contains("matches         SHA-256 of the server seed"), "{text}");
    assert!(text.contains("published: 1.74"), "{text}");
    let wrong = COMMITMENT.replace('6', "7");
    let text = differs(&aviator(&["--commitment", &wrong]), "SHA-256 of the server seed");
    assert!(text.contains(&format!("published: {wrong}")), "{text}");
    let wrong = DIGEST.replace('7', "8");
    differs(&aviator(&["--hash", &wrong]), "SHA-512 of all seeds");
    // Another order of the players is another digest.
    let mut turned = aviator(&["--hash", DIGEST]);
    turned.swap(5, 7);
    differs(&turned, "SHA-512 of all seeds");
}

#[test]
fn a_panel_without_seeds_is_checked_from_its_hash_on() {
    for (hash, decimal, multiplier) in [
        ("f2868c9116e73", "4266555165732467", "18.42"),
        (
            "f0fbffc79944c21b4ac70740860fdf88b1e724c743eb04b65bec578492b1e737049d77536500ba1e12b7a1e326fafac594fd98e07b835ee863b804c8e86808b3",
            "4239441899656268",
            "16.53",
        ),
        ("0000000000000", "0", "1.00"),
    ] {
        let text = matches(&["--hash", hash, "--multiplier", multiplier]);
        assert!(text.contains(decimal), "{text}");
    }
    assert!(matches(&["--hash", "7b014b8eb78af"]).contains("2163927885248687"));
    differs(&["--hash", "f2868c9116e73", "--multiplier", "18.43"], "multiplier");
}

#[test]
fn public_vectors_of_every_chain_match() {
    for (game, hash, multiplier) in [
        ("bustabit1", "0f81acc25a875c843f3ee3f9563bfa875be311d7585306e743120a4e68f51f0f", "1.12"),
        ("bustabit1", "1da773ad50c9f5ce2098713e90bfe667c467fb1e1b14d3623113336899cfff4c", "8.66"),
        ("bustabit2", "b2acd37fbdb5509926ab5d7329704c840f8467266c90019682f3b260a029bdba", "1.26"),
        ("bustabit2", "82886b71b3b26e4b162bbdf4e7024f50f6a7250c207fb9ce497ad56a3e7e700a", "1.18"),
        ("bustabit2", "cb7da3ec6cb68d4c0fccd9640641cabcac641f12ff97e7314ec3e074ac0981e0", "1.26"),
        ("bustabit2", "b459e199bac1342bf22d7aa6d19180aff35ab69f453d809949aab3e8d5e545aa", "3.77"),
        (
            "bustabit2",
            "5d07719b61b0abb6f1c3b17b1d69c838278f87f9b5e75077026e5fedf96c2eb2",
            "2055.90",
        ),
        ("bustabit3", "df5d54b8ca42cb40ea80e8ba74b3281f7b9d49bc27fecbe104847de1e91e4929", "38.65"),
        ("stake", "f951df36a7a0781b332493fe5d0fe38f64a0517d9318c20a664ff88142b89699", "1.21"),
        ("stake", "ec43103fc75da482a4fb4b7d8ff70606099693920c70b6bda002dca7d6711a80", "1.40"),
        ("stake", "0e1ab031cd19b6b72d077887ae1d44cbf301f6854c67d1a407fdbed80d048273", "3.96"),
        ("stake", "39b6c0b2ed6caad21580e2f76514e1eabf6e2aed57079cbd36a58c35091005d9", "6.46"),
        ("stake", "7bde4c13a179022e3c6d516f2e5b991699ca59bfca3d27a27908f14ab9f3bad0", "1.16"),
        ("roobet", "100af1b49f5e9f87efc81f838bf9b1f5e38293e5b4cf6d0b366c004e0a8d9987", "1.34"),
    ] {
        let args = ["--game", game, "--hash", hash, "--multiplier", multiplier];
        let text = matches(&args);
        assert!(text.contains("matches         multiplier"), "{game} {hash}: {text}");
    }
    let stake = "a7f71d980b02e79a570c164c1c075e164b20cf7f62024021992bd84623ec6cf6";
    let digest = "f50f7df8dfbf504e265de573acc349b4bad657bf339bf01a6f2a0c0cc0a5b67e";
    assert!(matches(&["--game", "stake", "--hash", stake]).contains(digest));
}

#[test]
fn a_chain_is_walked_backwards_to_its_published_end() {
    let hash = "0f81acc25a875c843f3ee3f9563bfa875be311d7585306e743120a4e68f51f0f";
    let before = "1da773ad50c9f5ce2098713e90bfe667c467fb1e1b14d3623113336899cfff4c";
    let game = ["--game", "bustabit1", "--hash", hash];
    let text = matches(&[&game[..], &["--chain", "4", "--previous", before]].concat());
    for line in ["0         1.12x", "1         8.66x", "2         1.67x", "3         3.89x"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    differs(&[&game[..], &["--previous", hash]].concat(), "hash of the game before");

    let last = "86728f5fc3bd99db94d3cdaf105d67788194e9701bf95d049ad0e1ee3d004277";
    let text = matches(&["--game", "bustabit2", "--hash", last, "--chain", "3"]);
    assert!(text.contains("published end of the chain is 0 games back: this is game 0"), "{text}");
    let roobet = "100af1b49f5e9f87efc81f838bf9b1f5e38293e5b4cf6d0b366c004e0a8d9987";
    let text = matches(&["--game", "roobet", "--hash", roobet, "--chain", "3"]);
    assert!(text.contains("1         1.45x") && text.contains("2         4.01x"), "{text}");
}

#[test]
fn bad_usage_names_its_flag() {
    for (args, says) in [
        (&[][..], &["nothing to verify", "--server-seed"][..]),
        (&["--server-seed", "a"], &["--client-seed"]),
        (&["--client-seed", "a"], &["--server-seed"]),
        (&["--hash", "xyz"], &["--hash", "hexadecimal", "xyz"]),
        (&["--hash", "f2868c9116e"], &["--hash", "at least 13"]),
        (&["--game", "stake"], &["--hash"]),
        (&["--game", "stake", "--hash", "12"], &["--hash", "64 hexadecimal"]),
        (&["--game", "stake", "--hash", DIGEST, "--server-seed", "a"], &["--game aviator"]),
        (&["--hash", DIGEST, "--chain", "3"], &["--chain", "--game"]),
        (&["--events", "nowhere"], &["--events", "nowhere"]),
    ] {
        check_complaint(&[&["verify"], args].concat(), 2, says);
    }
    check_complaint(
        &[&["verify"][..], &aviator(&["--commitment", "beef"])].concat(),
        2,
        &["--commitment"],
    );
    check(&["verify", "--game", "poker"], 2, "--game");
    check(&["verify", "--hash", DIGEST, "--multiplier", "0.5"], 2, "--multiplier");
    check(&["verify", "--events", ".", "--hash", DIGEST], 2, "--events");
}

/// A directory as the demo writes it.
struct Demo {
    dir: tempfile::TempDir,
    log: RoundLog,
}

fn seed(number: usize) -> String {
    format!("server{number:034}")
}

impl Demo {
    fn of(rounds: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let start = "2025-12-10T19:32:35Z".parse().unwrap();
        let mut log = RoundLog::open(dir.path(), Origin::Simulated, start).unwrap();
        log.note(start, &Event::new(EventKind::Start, "demo")).unwrap();
        let mut demo = Self { dir, log };
        for number in 0..rounds {
            demo.play(number, true);
        }
        demo
    }

    fn play(&mut self, number: usize, with_seeds: bool) {
        let clients = ["a", "b", "c"].map(|player| format!("{player}{number:019}"));
        let clients = [&*clients[0], &*clients[1], &*clients[2]];
        let claim = Claim::of(&seed(number), &clients);
        let time = chrono::DateTime::from_timestamp(1_765_395_155, 0).unwrap()
            + chrono::TimeDelta::seconds(20) * i32::try_from(number).unwrap();
        let round = Round { time, multiplier: claim.multiplier.unwrap() };
        let detail = json!({
            "simulated": true,
            "server_seed_sha256": claim.commitment,
            "server_seed": claim.server_seed,
            "client_seeds": claim.client_seeds,
            "combined_sha512": claim.digest,
            "next_server_seed_sha256": Claim::of(&seed(number + 1), &[]).commitment,
        });
        let kind = if number < 5 { EventKind::Backfill } else { EventKind::Live };
        let event = Event {
            round_id: Some(format!("demo-{number}")),
            detail: with_seeds.then_some(detail),
            ..Event::new(kind, "demo")
        };
        self.log.append(&round, &event).unwrap();
    }

    fn csv(&self) -> PathBuf {
        self.log.path().to_owned()
    }

    fn events(&self) -> PathBuf {
        self.csv().with_extension("events.jsonl")
    }

    /// Rewrites a file, and checks that the finding is told with code 1.
    #[track_caller]
    fn check(&self, file: &Path, change: impl Fn(String) -> String, says: &[&str]) {
        let whole = std::fs::read_to_string(file).unwrap();
        let changed = change(whole.clone());
        assert_ne!(changed, whole);
        std::fs::write(file, changed).unwrap();
        let dir = self.dir.path().to_str().unwrap();
        let output = check(&["verify", "--events", dir], 1, "not every round matches");
        let text = String::from_utf8(output.stdout).unwrap();
        for says in says {
            assert!(text.contains(says), "{says}: {text}");
        }
        std::fs::write(file, whole).unwrap();
    }
}

#[test]
fn rounds_recorded_with_their_seeds_are_verified() {
    let demo = Demo::of(40);
    for path in [demo.dir.path().to_owned(), demo.events()] {
        let text = matches(&["--events", path.to_str().unwrap()]);
        assert!(text.contains("40 rounds match in every step"), "{text}");
    }
}

#[test]
fn any_later_change_is_found() {
    let demo = Demo::of(12);
    let (csv, events) = (demo.csv(), demo.events());
    let row = |text: &str, row: usize| text.lines().nth(row).unwrap().to_owned();
    demo.check(
        &csv,
        |text| text.replace(&row(&text, 7), "2025-12-10T19:34:35.000Z,77.77"),
        &["row 7 (demo-6): multiplier does not match: published 77.77", "11 rounds match"],
    );
    demo.check(
        &csv,
        |text| text + "2025-12-10T20:00:00.000Z,2.00\n",
        &["1 row without an event", "row 13", "12 rounds match"],
    );
    demo.check(
        &csv,
        |text| text.replace(&format!("{}\n", row(&text, 12)), ""),
        &["row 12 (demo-11): no such row", "11 rounds match"],
    );
    demo.check(
        &events,
        |text| text.replace(&seed(3), &seed(33)),
        &["row 4 (demo-3): SHA-256 of the server seed does not match", "SHA-512 of all seeds"],
    );
    // A round whose seeds agree with each other, but are not those committed to.
    demo.check(
        &events,
        |text| {
            let next = Claim::of(&seed(3), &[]).commitment.unwrap();
            let key = "\"next_server_seed_sha256\":\"";
            text.replacen(&format!("{key}{next}"), &format!("{key}{}", "0".repeat(64)), 1)
        },
        &["row 4 (demo-3): commitment announced a round before does not match"],
    );
    demo.check(
        &events,
        |text| text.trim_end().to_owned(),
        &["ends before its newline", "1 row without an event"],
    );
}

#[test]
fn rounds_without_seeds_are_not_called_verified() {
    let mut demo = Demo::of(3);
    demo.play(3, false);
    let dir = demo.dir.path().to_str().unwrap().to_owned();
    check(&["verify", "--events", &dir], 1, "cannot verify 1 round recorded without seeds");
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    check_complaint(&["verify", "--events", empty], 1, &["recorded without seeds", "events.jsonl"]);
}
