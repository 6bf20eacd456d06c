//! Any texts of a page are a list or are not: no panic, and what is read is a multiplier.
#![no_main]

use collector::order::Order;
use collector::history_list::{ParsedList, ListTexts, parse_lists};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(lists) = serde_json::from_slice::<Vec<ListTexts>>(bytes) else { return };
    for order in [Order::NewestFirst, Order::OldestFirst] {
        if let ParsedList::List { multipliers, .. } = parse_lists(&lists, order) {
            assert!(multipliers.iter().all(|multiplier| multiplier.as_f64() >= 1.0));
        }
    }
});
