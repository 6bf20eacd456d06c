//! The decoders of untrusted input: any input is decoded or refused, and nothing is invented.

use std::io;
use std::path::Path;

use collector::cdp::Event;
use collector::config::{Config, Options};
use collector::feed::reader::Reader;
use collector::feed::rule::Rule;
use collector::history_list::{LIST_LEN_MIN, ListTexts, ParsedList, parse_lists};
use collector::observation::Report;
use collector::order::Order;
use collector::sfs2x::{Message, Value, packets};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rounds::Cursor;

use crate::simulator::sfs2x::{Field, compressed_packet, packet};

/// Returns the files of a corpus with their names.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus");
    test_support::files_in(&corpora.join(name))
}

fn messages(bytes: &[u8]) -> Vec<Message> {
    packets(bytes).flatten().filter_map(|packet| Message::of(&packet)).collect()
}

#[test]
fn the_corpus_yields_only_rounds_histories_and_logins() {
    let found: Vec<(String, Vec<&str>)> = corpus("sfs2x")
        .into_iter()
        .map(|(name, bytes)| {
            let kinds = messages(&bytes).into_iter().map(|message| match message {
                Message::Instance(_) => "instance",
                Message::History(_) => "history",
                Message::Finished { .. } => "round",
            });
            (name, kinds.collect())
        })
        .filter(|(_, kinds): &(_, Vec<_>)| !kinds.is_empty())
        .collect();
    let expected = [
        ("good-then-truncated", vec!["round"]),
        ("history", vec!["history"]),
        ("history-zlib", vec!["history"]),
        ("login", vec!["instance"]),
        ("round", vec!["round"]),
        ("round-float", vec!["round"]),
        ("round-long-length", vec!["round"]),
        ("two-packets", vec!["round", "history"]),
    ];
    assert_eq!(found, expected.map(|(name, kinds)| (name.to_owned(), kinds)));
}

#[test]
fn the_corpus_yields_only_lists() {
    let mut read = Vec::new();
    for (name, bytes) in corpus("list") {
        let lists: Vec<ListTexts> = serde_json::from_slice(&bytes).unwrap();
        if let ParsedList::List { .. } = parse_lists(&lists, Order::NewestFirst) {
            read.push(name);
        }
    }
    let expected = [
        "comma",
        "double",
        "found-thousands",
        "hole",
        "older-client",
        "placeholder",
        "popup-only",
        "spaces-and-signs",
        "usual",
    ];
    assert_eq!(read, expected);
}

#[test]
fn the_corpus_yields_only_events_of_the_browser() {
    for (name, bytes) in corpus("cdp") {
        let event = Event::parse(std::str::from_utf8(&bytes).unwrap());
        assert_eq!(event.is_none(), name.starts_with("no-"), "{name}: {event:?}");
    }
}

/// Checks how many rounds the rules of an example find in each file of the corpus.
#[track_caller]
fn check_feed(example: &str, expected: &[(&str, usize)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples").join(example);
    let config = Config::load(&Options::default(), Some(&path)).unwrap();
    let rules = config.feed.rounds.into_iter().enumerate();
    let rules: Vec<Rule> =
        rules.map(|(index, rule)| rule.check(index, Order::NewestFirst).unwrap()).collect();
    let mut found = Vec::new();
    for (name, bytes) in corpus("feed") {
        let mut reader = Reader::new(rules.clone());
        let text = String::from_utf8(bytes).unwrap();
        let rounds = text.lines().flat_map(|line| {
            reader.read(&serde_json::from_str(line).unwrap()).report.into_iter().map(rounds_of)
        });
        found.push((name, rounds.sum()));
    }
    found.retain(|(_, rounds)| *rounds > 0);
    let expected: Vec<(String, usize)> =
        expected.iter().map(|&(name, rounds)| (name.to_owned(), rounds)).collect();
    assert_eq!(found, expected);
}

fn rounds_of(report: Report) -> usize {
    match report {
        Report::Round { .. } => 1,
        Report::List(shown) => shown.len(),
        Report::Ids(shown) => shown.len(),
        _ => 0,
    }
}

#[test]
fn each_feed_reads_only_its_own_rounds_from_the_corpus() {
    check_feed("socketio-hundredths.toml", &[("bustabit", 2), ("history", 2), ("numbers", 3)]);
    check_feed("graphql-ws.toml", &[("graphql", 2)]);
    check_feed("resold-feed.toml", &[("resold", 1)]);
    check_feed("json-list.toml", &[("list", 3)]);
}

#[test]
fn every_whole_row_of_the_corpus_is_read_or_reported_and_no_torn_one() {
    let mut found = Vec::new();
    for (name, bytes) in corpus("rows") {
        let mut cursor = Cursor::default();
        let length = u64::try_from(bytes.len()).unwrap();
        let piece = cursor.read(&mut io::Cursor::new(&bytes), length).unwrap();
        assert!(piece.rounds.iter().all(|round| round.multiplier.as_f64() >= 1.0));
        found.push((name, piece.rounds.len(), piece.rejected_count, piece.torn_bytes));
    }
    let expected = [
        ("found-ends-torn", 0, 3, 49),
        ("found-header-not-text", 0, 3, 0),
        ("found-mark-and-tabs", 0, 2, 0),
        ("found-short-rows", 0, 16, 0),
        ("huge", 0, 4, 0),
        ("mixed", 1, 3, 0),
        ("no-header", 0, 3, 0),
        ("not-text", 0, 3, 0),
        ("other-columns", 0, 3, 0),
        ("ours", 2, 0, 0),
        ("quotes", 0, 3, 0),
        ("torn", 1, 0, 26),
    ];
    assert_eq!(
        found,
        expected.map(|(name, rounds, rejected, torn)| (name.to_owned(), rounds, rejected, torn))
    );
}

fn field() -> impl Strategy<Value = Field> {
    let leaf = prop_oneof![
        any::<i8>().prop_map(Field::Byte),
        any::<i16>().prop_map(Field::Short),
        any::<i32>().prop_map(Field::Int),
        (-1e9..1e9).prop_map(Field::Double),
        "\\PC{0,20}".prop_map(Field::Text),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Field::List),
            prop::collection::vec(
                (prop::sample::select(&["c", "a", "p", "roundId"][..]), inner),
                0..6
            )
            .prop_map(Field::Object),
        ]
    })
}

fn value(field: &Field) -> Value {
    match field {
        Field::Byte(value) => Value::Int((*value).into()),
        Field::Short(value) => Value::Int((*value).into()),
        Field::Int(value) => Value::Int((*value).into()),
        Field::Double(value) => Value::Double(*value),
        Field::Text(text) => Value::Text(text.clone()),
        Field::List(values) => Value::Array(values.iter().map(value).collect()),
        Field::Object(fields) => Value::Object(
            fields.iter().map(|(name, field)| ((*name).to_owned(), value(field))).collect(),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn messages_as_a_server_writes_them_are_decoded(payload in field().prop_map(|field| Field::List(vec![field]))) {
        let message = [packet(&payload), compressed_packet(&payload)].concat();
        let read: Vec<_> = packets(&message).collect();
        prop_assert_eq!(read, vec![Ok(value(&payload)), Ok(value(&payload))]);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        packets(&bytes).for_each(drop);
    }

    /// Changed real messages reach deeper into the decoder than random bytes.
    #[test]
    fn a_changed_message_never_panics(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let corpus = corpus("sfs2x");
        let mut bytes = which.get(&corpus).1.clone();
        for (index, byte) in changes {
            *index.get_mut(&mut bytes) = byte;
        }
        packets(&bytes).for_each(drop);
    }

    #[test]
    fn a_list_is_read_alike_from_either_end(texts in prop::collection::vec("[0-9.,x— ]{0,6}", 0..30)) {
        let list = |texts: Vec<String>| [ListTexts { texts, ..ListTexts::default() }];
        let reversed = texts.iter().rev().cloned().collect();
        let read = |parse_lists: ParsedList| match parse_lists {
            ParsedList::List { entries, .. } => Some(entries),
            _ => None,
        };
        let first = read(parse_lists(&list(texts.clone()), Order::NewestFirst));
        let last = read(parse_lists(&list(reversed), Order::OldestFirst));
        prop_assert_eq!(&first, &last);
        if let Some(multipliers) = first {
            prop_assert!((LIST_LEN_MIN..=texts.len()).contains(&multipliers.len()));
        }
    }
}
