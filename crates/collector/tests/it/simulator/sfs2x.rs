//! The counterpart of the decoder: encodes messages as the game's server does.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A value to be encoded.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    Byte(i8),
    Short(i16),
    Int(i32),
    Double(f64),
    Text(String),
    List(Vec<Field>),
    Object(Vec<(&'static str, Field)>),
}

use Field::{Byte, Double, Int, List, Object, Short, Text};

/// Returns an extension message.
pub(crate) fn call(command: &str, parameters: Vec<(&'static str, Field)>) -> Field {
    let body = Object(vec![("c", Text(command.to_owned())), ("p", Object(parameters))]);
    Object(vec![("c", Byte(1)), ("a", Short(13)), ("p", body)])
}

/// Returns a packet with this payload.
pub(crate) fn packet(payload: &Field) -> Vec<u8> {
    framed(0x80, &encoded(payload))
}

/// Returns a packet with this payload, deflated.
pub(crate) fn compressed_packet(payload: &Field) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&encoded(payload)).unwrap();
    framed(0xa0, &encoder.finish().unwrap())
}

fn framed(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(length) = u16::try_from(payload.len()) {
        bytes.push(flags);
        bytes.extend(length.to_be_bytes());
    } else {
        bytes.push(flags | 0x08);
        bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}

fn encoded(field: &Field) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(field, &mut bytes);
    bytes
}

fn write(field: &Field, out: &mut Vec<u8>) {
    match field {
        Byte(value) => {
            out.push(2);
            out.extend(value.to_be_bytes());
        }
        Short(value) => {
            out.push(3);
            out.extend(value.to_be_bytes());
        }
        Int(value) => {
            out.push(4);
            out.extend(value.to_be_bytes());
        }
        Double(value) => {
            out.push(7);
            out.extend(value.to_be_bytes());
        }
        Text(text) => {
            out.push(8);
            write_text(text, out);
        }
        List(values) => {
            out.push(17);
            out.extend(u16::try_from(values.len()).unwrap().to_be_bytes());
            for value in values {
                write(value, out);
            }
        }
        Object(fields) => {
            out.push(18);
            out.extend(u16::try_from(fields.len()).unwrap().to_be_bytes());
            for (name, value) in fields {
                write_text(name, out);
                write(value, out);
            }
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend(text.as_bytes());
}
