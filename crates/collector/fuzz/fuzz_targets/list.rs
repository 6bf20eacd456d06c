//! Parsing any texts of a page does not panic and yields only valid multipliers.
#![no_main]

use collector::history_list::{ListTexts, ParsedList, parse_lists};
use collector::order::Order;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(lists) = serde_json::from_slice::<Vec<ListTexts>>(bytes) else { return };
    for order in [Order::NewestFirst, Order::OldestFirst] {
        if let ParsedList::List { entries, .. } = parse_lists(&lists, order) {
            assert!(entries.iter().all(|entry| entry.cents().is_none_or(|cents| cents >= 100)));
        }
    }
});
