//! Reading any JSON messages by the rules of the examples does not panic and yields only valid multipliers.
#![no_main]

use std::sync::LazyLock;

use collector::config::Options;
use collector::feed::reader::Reader;
use collector::feed::rule::Rule;
use collector::observation::Report;
use collector::order::Order;
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
    let options: Options = toml::from_str(text).expect("an example is a configuration");
    let rules = options.feed.rounds.into_iter().enumerate();
    rules.map(|(index, rule)| rule.check(index, Order::NewestFirst).expect("its rules are valid")).collect()
}

fuzz_target!(|text: &str| {
    let messages: Vec<serde_json::Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for rules in EXAMPLES.iter() {
        let mut reader = Reader::new(rules.clone());
        for message in &messages {
            match reader.read(message).report {
                Some(Report::Round { multiplier, .. }) => assert!(multiplier.as_f64() >= 1.0),
                Some(Report::List(list)) => assert!(list.iter().all(|entry| entry.cents() >= Some(100))),
                Some(Report::Ids(list)) => {
                    assert!(list.iter().all(|(_, round)| round.as_f64() >= 1.0));
                }
                _ => {}
            }
        }
    }
});
