//! Parsing any message of a browser does not panic.
#![no_main]

use collector::cdp::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(Event::SocketMessage { base64, .. }) = Event::parse(text) {
        assert!(base64.len() <= text.len());
    }
});
