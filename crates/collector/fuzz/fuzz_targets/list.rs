//! Any texts of a page are a list or are not: no panic, and what is read is a multiplier.
#![no_main]

use collector::config::Order;
use collector::extract::{Sight, Texts, sight};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(lists) = serde_json::from_slice::<Vec<Texts>>(bytes) else { return };
    for order in [Order::NewestFirst, Order::OldestFirst] {
        if let Sight::List { multipliers, .. } = sight(&lists, order) {
            assert!(multipliers.iter().all(|multiplier| multiplier.as_f64() >= 1.0));
        }
    }
});
