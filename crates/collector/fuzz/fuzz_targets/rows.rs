//! Reading any bytes as a CSV file does not panic, stops at the last newline, and yields only valid multipliers.
#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;
use rounds::Cursor;

fuzz_target!(|bytes: &[u8]| {
    let mut cursor = Cursor::default();
    let mut file = io::Cursor::new(bytes);
    let piece = cursor.read(&mut file, bytes.len() as u64).expect("memory can be read");
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    assert!(cursor.offset() <= whole as u64);
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    assert!(piece.rounds.len() <= lines);
    assert!(piece.rounds.iter().all(|round| round.multiplier.as_f64() >= 1.0));
    let again = cursor.read(&mut file, bytes.len() as u64).expect("memory can be read");
    assert!(again.rounds.is_empty() || again.from_start);
});
