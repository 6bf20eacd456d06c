//! Decoding any message of the game's socket does not panic and takes bounded time.
#![no_main]

use collector::sfs2x::{Message, packets};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for packet in packets(bytes).flatten() {
        let _message = Message::of(&packet);
    }
});
