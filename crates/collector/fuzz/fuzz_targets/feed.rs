//! Any JSON messages are read by the rules of every example, or refused: no panic, and what is read is a multiplier.
#![no_main]

use std::sync::LazyLock;

use collector::config::Options;
use collector::order::Order;
use collector::feed::reader::Reader;
use collector::feed::rule::Rule;
use collector::observation::Report;
use libfuzzer_sys::fuzz_target;

static EXAMPLES: LazyLock<Vec<Vec<Rule>>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../../../docs/examples/graphql-ws.toml"),
        include_str!("../../../../docs/examples/resold-feed.toml"),
        include_str!("../../../../docs/examples/socketio-hundredths.toml"),
        include_str!("../../../../docs/examples/json-list.toml"),
    ];
    texts.map(rules).into()
});

fn rules(text: &str) -> Vec<Rule> {
    let told: Options = toml::from_str(text).expect("an example is a configuration");
    let rules = told.feed.rounds.into_iter().enumerate();
    rules.map(|(at, rule)| rule.check(at, Order::NewestFirst).expect("its rules are sound")).collect()
}

fuzz_target!(|text: &str| {
    let messages: Vec<serde_json::Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for rules in EXAMPLES.iter() {
        let mut reader = Reader::new(rules.clone());
        for message in &messages {
            for report in reader.read(message).report {
                match report {
                    Report::Round { multiplier, .. } => assert!(multiplier.as_f64() >= 1.0),
                    Report::List(shown) => assert!(shown.iter().all(|round| round.as_f64() >= 1.0)),
                    Report::Ids(shown) => assert!(shown.iter().all(|(_, round)| round.as_f64() >= 1.0)),
                    _ => {}
                }
            }
        }
    }
});
