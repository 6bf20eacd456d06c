//! A full chunk of rounds, stored as differences from one round to the next in variable-length
//! integers (unsigned LEB128; DWARF 5, section 7.6).
//!
//! Rounds eight seconds apart, with times in milliseconds and multipliers in hundredths, take two bytes
//! for the time and one or two for the multiplier. A chunk is packed only if unpacking returns every
//! round to the bit.

use chrono::{DateTime, Utc};
use rounds::{Multiplier, Round};

use super::extremes;

/// A chunk of rounds that no longer changes.
#[derive(Debug)]
pub(super) struct Chunk {
    form: Form,
    last_time: DateTime<Utc>,
    extremes: (usize, usize),
}

/// The rounds of a chunk, packed if possible.
#[derive(Debug)]
enum Form {
    Packed { coding: Coding, first: i64, bytes: Box<[u8]> },
    Plain(Box<[Round]>),
}

/// The units of the packed integers.
#[derive(Debug, Clone, Copy)]
struct Coding {
    clock: Clock,
    /// Steps of a multiplier from one whole number to the next.
    steps: f64,
}

#[derive(Debug, Clone, Copy)]
enum Clock {
    Millis,
    Nanos,
}

/// The codings in the order they are tried; the first is that of the collector's rows.
const CODINGS: [Coding; 4] = [
    Coding { clock: Clock::Millis, steps: 1e2 },
    Coding { clock: Clock::Nanos, steps: 1e2 },
    Coding { clock: Clock::Millis, steps: 1e4 },
    Coding { clock: Clock::Nanos, steps: 1e4 },
];

impl Chunk {
    /// Packs these rounds.
    ///
    /// # Panics
    /// Without a round.
    pub(super) fn of(rounds: &[Round]) -> Self {
        let packed = CODINGS.iter().find_map(|coding| coding.pack(rounds));
        Self {
            form: packed.unwrap_or_else(|| Form::Plain(rounds.into())),
            last_time: rounds.last().expect("a chunk has rounds").time,
            extremes: extremes(rounds.iter().copied()).expect("a chunk has rounds"),
        }
    }

    /// Returns all rounds but the first `skip`.
    pub(super) fn rounds(&self, skip: usize) -> impl Iterator<Item = Round> + '_ {
        let (packed, plain) = match &self.form {
            Form::Packed { coding, first, bytes } => {
                let mut unpacked = Unpacked { coding: *coding, ticks: *first, bytes };
                unpacked.skip_rounds(skip);
                (Some(unpacked), None)
            }
            Form::Plain(rounds) => (None, rounds.get(skip..)),
        };
        let plain = plain.unwrap_or_default().iter().copied();
        packed.into_iter().flatten().chain(plain)
    }

    /// Returns the time of the last round.
    pub(super) fn last_time(&self) -> DateTime<Utc> {
        self.last_time
    }

    /// Returns the positions of the smallest and the largest multiplier; the first of equal ones.
    pub(super) fn extremes(&self) -> (usize, usize) {
        self.extremes
    }
}

impl Coding {
    /// Packs rounds; `None` if unpacking would not return the same rounds.
    fn pack(&self, rounds: &[Round]) -> Option<Form> {
        let first = self.ticks(rounds.first()?.time)?;
        let (mut before, mut bytes) = (first, Vec::with_capacity(4 * rounds.len()));
        for round in rounds {
            let (ticks, steps) = (self.ticks(round.time)?, self.steps(round.multiplier));
            if self.round(ticks, steps).as_ref() != Some(round) {
                return None;
            }
            // A step back in time wraps around, which takes more bytes but unpacks correctly.
            put(&mut bytes, ticks.wrapping_sub(before).cast_unsigned());
            put(&mut bytes, steps);
            before = ticks;
        }
        Some(Form::Packed { coding: *self, first, bytes: bytes.into() })
    }

    fn ticks(&self, time: DateTime<Utc>) -> Option<i64> {
        match self.clock {
            Clock::Millis => Some(time.timestamp_millis()),
            Clock::Nanos => time.timestamp_nanos_opt(),
        }
    }

    /// Returns the number of steps above 1.00, which is small for most multipliers.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 0; a number that is too large saturates and fails the check in `pack`"
    )]
    fn steps(&self, multiplier: Multiplier) -> u64 {
        (multiplier.as_f64() * self.steps - self.steps).round() as u64
    }

    fn round(&self, ticks: i64, steps: u64) -> Option<Round> {
        let time = match self.clock {
            Clock::Millis => DateTime::from_timestamp_millis(ticks)?,
            Clock::Nanos => DateTime::from_timestamp_nanos(ticks),
        };
        // The quotient is correctly rounded, as is a number parsed from text.
        let multiplier = Multiplier::new((steps as f64 + self.steps) / self.steps).ok()?;
        Some(Round { time, multiplier })
    }
}

struct Unpacked<'a> {
    coding: Coding,
    /// Time of the round before.
    ticks: i64,
    bytes: &'a [u8],
}

impl Unpacked<'_> {
    fn skip_rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
        }
    }

    fn step(&mut self) -> Option<(i64, u64)> {
        let since = take(&mut self.bytes)?;
        self.ticks = self.ticks.wrapping_add(since.cast_signed());
        Some((self.ticks, take(&mut self.bytes)?))
    }
}

impl Iterator for Unpacked<'_> {
    type Item = Round;

    fn next(&mut self) -> Option<Round> {
        let (ticks, steps) = self.step()?;
        Some(self.coding.round(ticks, steps).expect("`pack` has checked every round"))
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let byte = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            return bytes.push(byte);
        }
        bytes.push(byte | 0x80);
    }
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(time: &str, multiplier: f64) -> Round {
        Round { time: time.parse().unwrap(), multiplier: Multiplier::new(multiplier).unwrap() }
    }

    /// Checks the number of bytes they take when packed; `None` for plain rounds.
    #[track_caller]
    fn check(rounds: &[Round], bytes: Option<usize>) {
        let chunk = Chunk::of(rounds);
        for skip in 0..=rounds.len() + 1 {
            assert!(chunk.rounds(skip).eq(rounds.iter().skip(skip).copied()), "{skip}");
        }
        assert_eq!(chunk.last_time(), rounds.last().unwrap().time);
        let packed = match &chunk.form {
            Form::Packed { bytes, .. } => Some(bytes.len()),
            Form::Plain(_) => None,
        };
        assert_eq!(packed, bytes);
    }

    #[test]
    fn rounds_of_the_collector_take_a_few_bytes() {
        let rounds = [
            round("2026-03-01T12:00:00.250Z", 1.0),
            round("2026-03-01T12:00:08.251Z", 2.27),
            round("2026-03-01T12:00:16.250Z", 2.28),
            round("2026-03-01T12:00:16.250Z", 164.83),
            round("2026-03-01T12:01:00.000Z", 164.84),
        ];
        check(&rounds, Some((1 + 1) + (2 + 1) + (2 + 2) + (1 + 2) + (3 + 3)));
    }

    #[test]
    fn every_multiplier_in_hundredths_is_given_back() {
        let time = DateTime::from_timestamp_millis(1_772_366_400_123).unwrap();
        let cents = (100..200_000).chain((200_000..100_000_000).step_by(9_973));
        let rounds: Vec<Round> = cents
            .map(|cents| Round { time, multiplier: Multiplier::from_cents(cents).unwrap() })
            .collect();
        assert!(matches!(Chunk::of(&rounds).form, Form::Packed { .. }));
        assert!(Chunk::of(&rounds).rounds(0).eq(rounds));
    }

    #[test]
    fn what_others_write_is_given_back_too() {
        let (time, finer) = ("2026-03-01T12:00:00Z", "2026-03-01T12:00:01.000000001Z");
        // Thousandths and ten-thousandths, as read from a text.
        check(&[round(time, 1.015), round(time, "3.0001".parse().unwrap())], Some(3 + 4));
        check(&[round(time, 1.5), round(finer, 1.5)], Some(2 + 6));
        check(&[round(time, 1.015), round(finer, 1.015)], Some(3 + 7));
        // Backwards.
        check(&[round(finer, 1.5), round(time, 1.5)], Some(2 + 11));
    }

    #[test]
    fn what_cannot_be_packed_stays_as_it_is() {
        let time = "2026-03-01T12:00:00Z";
        check(&[round(time, 1.0 + f64::EPSILON)], None);
        check(&[round(time, 1e300)], None);
        check(&[round(time, std::f64::consts::PI)], None);
        // Nanoseconds since 1970 fit 64 bits only back to 1677.
        check(&[round("1600-01-01T00:00:00.000000001Z", 2.0)], None);
        // A leap second cannot be stored as a number of milliseconds.
        check(&[round("2016-12-31T23:59:60.5Z", 2.0)], None);
    }

    #[test]
    fn numbers_of_any_length_come_back() {
        let numbers: Vec<u64> = (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit]).collect();
        let mut bytes = Vec::new();
        numbers.iter().chain(&[u64::MAX]).for_each(|&number| put(&mut bytes, number));
        let mut rest = &bytes[..];
        for &number in numbers.iter().chain(&[u64::MAX]) {
            assert_eq!(take(&mut rest), Some(number));
        }
        assert_eq!(take(&mut rest), None);
        // As in the table of DWARF 5, section 7.6.
        let mut example = Vec::new();
        for number in [2, 127, 128, 129, 12_857] {
            put(&mut example, number);
        }
        assert_eq!(example, [2, 0x7f, 0x80, 1, 0x81, 1, 0xb9, 0x64]);
    }
}
