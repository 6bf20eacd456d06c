//! Decodes the binary messages of `SmartFoxServer` 2X. A packet that does not follow the format is
//! skipped, never guessed at.
//!
//! A WebSocket message holds one packet or several:
//!
//! ```text
//! flags:1 | length:2 or, with the flag for big ones, length:4 | payload
//! ```
//!
//! and a payload is one object or array of typed values (big-endian), optionally deflated.

mod aviator;
mod value;

use std::io::Read as _;

use flate2::read::{DeflateDecoder, ZlibDecoder};
use thiserror::Error;

pub use aviator::Message;
pub use value::Value;

const BINARY: u8 = 0x80;
const ENCRYPTED: u8 = 0x40;
const COMPRESSED: u8 = 0x20;
const BIG: u8 = 0x08;

/// Maximum size of a payload in bytes, after inflation. The largest real payloads are a few
/// kilobytes long.
const PAYLOAD_BYTES_MAX: usize = 4 << 20;
/// Maximum nesting of objects and arrays; real messages have five levels.
const DEPTH_MAX: usize = 16;
/// Maximum number of values in one packet, over all levels.
const VALUES_MAX: usize = 200_000;

/// Why a packet was skipped.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum PacketError {
    /// The message ends before the packet does.
    #[error("the message ends within a packet")]
    Truncated,
    /// The first byte is not a valid flags byte.
    #[error("flags {0:#04x} are not those of a packet")]
    Flags(u8),
    /// The packet is encrypted.
    #[error("the packet is encrypted")]
    Encrypted,
    /// The payload cannot be inflated, or exceeds the limit when inflated.
    #[error("the payload cannot be inflated to at most {PAYLOAD_BYTES_MAX} bytes")]
    Inflate,
    /// The payload is over the size limit.
    #[error("a payload of {0} bytes exceeds the limit of {PAYLOAD_BYTES_MAX}")]
    TooLarge(usize),
    /// The payload is neither an object nor an array.
    #[error("a payload cannot begin with type {0}")]
    Root(u8),
    /// A type code that the format does not have.
    #[error("unknown type {0}")]
    Type(u8),
    /// A length field exceeds the rest of the payload.
    #[error("a value is longer than its payload")]
    Length,
    /// A text is not UTF-8.
    #[error("a string is not UTF-8")]
    Text,
    /// The payload is nested too deeply or has too many values.
    #[error("more than {DEPTH_MAX} levels or {VALUES_MAX} values")]
    TooMuch,
    /// Bytes follow the payload's value.
    #[error("{0} bytes are left over after the payload's value")]
    Leftover(usize),
}

/// Returns the packets of one WebSocket message, in order.
///
/// A packet that cannot be decoded yields an error. The packets after it still follow, unless its length is unknown.
pub fn packets(message: &[u8]) -> Packets<'_> {
    Packets { rest: message, begun: &[] }
}

/// The iterator that [`packets`] returns.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
    begun: &'a [u8],
}

impl<'a> Packets<'a> {
    /// Returns the bytes of the last packet if the message ended within it: its rest may follow in the next message.
    pub fn begun(&self) -> &'a [u8] {
        self.begun
    }
}

impl Iterator for Packets<'_> {
    type Item = Result<Value, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match split(self.rest) {
            Ok((flags, payload, rest)) => {
                self.rest = rest;
                Some(decode_payload(flags, payload))
            }
            Err(error) => {
                let rest = std::mem::take(&mut self.rest);
                if error == PacketError::Truncated {
                    self.begun = rest;
                }
                Some(Err(error))
            }
        }
    }
}

/// Splits off the first packet; returns its flags, its payload and the rest of the message.
fn split(message: &[u8]) -> Result<(u8, &[u8], &[u8]), PacketError> {
    let (&flags, rest) = message.split_first().ok_or(PacketError::Truncated)?;
    if flags & BINARY == 0 {
        return Err(PacketError::Flags(flags));
    }
    let (length, rest) = if flags & BIG == 0 {
        let (head, rest) = rest.split_first_chunk::<2>().ok_or(PacketError::Truncated)?;
        (usize::from(u16::from_be_bytes(*head)), rest)
    } else {
        let (head, rest) = rest.split_first_chunk::<4>().ok_or(PacketError::Truncated)?;
        let length = u32::from_be_bytes(*head);
        (usize::try_from(length).map_err(|_| PacketError::Truncated)?, rest)
    };
    let (payload, rest) = rest.split_at_checked(length).ok_or(PacketError::Truncated)?;
    Ok((flags, payload, rest))
}

fn decode_payload(flags: u8, payload: &[u8]) -> Result<Value, PacketError> {
    if flags & ENCRYPTED != 0 {
        return Err(PacketError::Encrypted);
    }
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(PacketError::TooLarge(payload.len()));
    }
    if flags & COMPRESSED == 0 {
        return value::decode(payload);
    }
    // The original server sends zlib; some front ends omit its two header bytes.
    let inflated =
        inflate(ZlibDecoder::new(payload)).or_else(|_| inflate(DeflateDecoder::new(payload)))?;
    value::decode(&inflated)
}

fn inflate(decoder: impl std::io::Read) -> Result<Vec<u8>, PacketError> {
    let mut bytes = Vec::new();
    let read = decoder.take(PAYLOAD_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    match read {
        Ok(length) if length <= PAYLOAD_BYTES_MAX => Ok(bytes),
        Ok(_) | Err(_) => Err(PacketError::Inflate),
    }
}

#[cfg(test)]
mod tests;
