//! Reads and writes `MessagePack`.

use chrono::{DateTime, SecondsFormat};
use rmpv::decode::Error;
use rmpv::{Integer, Value as Packed};
use serde_json::{Map, Number, Value};

use super::{DEPTH_MAX, key, shortest, text_or_hex};

/// The extension type of a time.
const TIMESTAMP: i8 = -1;

/// Returns the first document of `bytes` and moves beyond it.
pub(super) fn read(bytes: &mut &[u8]) -> Result<Value, String> {
    match rmpv::decode::read_value_with_max_depth(bytes, DEPTH_MAX) {
        Ok(value) => Ok(json(value)),
        Err(Error::DepthLimitExceeded) => Err(format!("more than {DEPTH_MAX} levels")),
        Err(Error::InvalidMarkerRead(_) | Error::InvalidDataRead(_)) => {
            Err("it is cut short".to_owned())
        }
    }
}

/// Returns `document` in `MessagePack`.
pub(super) fn write(document: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &packed(document))
        .expect("writing to memory cannot fail");
    bytes
}

fn json(value: Packed) -> Value {
    match value {
        Packed::Nil => Value::Null,
        Packed::Boolean(is_true) => is_true.into(),
        Packed::Integer(number) => integer(number),
        Packed::F32(number) => shortest(f64::from(number)),
        Packed::F64(number) => shortest(number),
        Packed::String(text) => text_or_hex(text.as_bytes()),
        Packed::Array(elements) => elements.into_iter().map(json).collect(),
        Packed::Map(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (key(json(name)), json(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Packed::Ext(TIMESTAMP, bytes) => time(&bytes).unwrap_or_else(|| text_or_hex(&bytes)),
        Packed::Binary(bytes) | Packed::Ext(_, bytes) => text_or_hex(&bytes),
    }
}

fn integer(number: Integer) -> Value {
    let signed = || number.as_i64().map_or(Value::Null, Value::from);
    number.as_u64().map_or_else(signed, Value::from)
}

/// Reads a time of 4, 8 or 12 bytes.
fn time(bytes: &[u8]) -> Option<Value> {
    let (seconds, nanoseconds) = match *bytes {
        [a, b, c, d] => (i64::from(u32::from_be_bytes([a, b, c, d])), 0),
        [_, _, _, _, _, _, _, _] => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            (i64::try_from(both & 0x3_ffff_ffff).ok()?, u32::try_from(both >> 34).ok()?)
        }
        [a, b, c, d, ref seconds @ ..] => {
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes([a, b, c, d]))
        }
        _ => return None,
    };
    let time = DateTime::from_timestamp(seconds, nanoseconds)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true).into())
}

fn packed(value: &Value) -> Packed {
    match value {
        Value::Null => Packed::Nil,
        Value::Bool(is_true) => (*is_true).into(),
        Value::Number(number) => packed_number(number),
        Value::String(text) => text.as_str().into(),
        Value::Array(elements) => Packed::Array(elements.iter().map(packed).collect()),
        Value::Object(fields) => Packed::Map(
            fields.iter().map(|(name, value)| (name.as_str().into(), packed(value))).collect(),
        ),
    }
}

fn packed_number(number: &Number) -> Packed {
    let signed = || number.as_i64().map(Packed::from);
    let real = || number.as_f64().map_or(Packed::Nil, Packed::from);
    number.as_u64().map(Packed::from).or_else(signed).unwrap_or_else(real)
}
