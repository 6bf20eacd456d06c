//! Any message of a browser is an event that concerns us or is none: no panic.
#![no_main]

use collector::cdp::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(Event::SocketSaid { base64, .. }) = Event::read(text) {
        assert!(base64.len() <= text.len());
    }
});
