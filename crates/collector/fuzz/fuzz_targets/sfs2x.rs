//! Any message of a socket is read or refused: no panic, no unbounded work.
#![no_main]

use collector::sfs2x::{Message, packets};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for packet in packets(bytes).flatten() {
        let _message = Message::of(&packet);
    }
});
