//! Reads and writes CBOR, RFC 8949.

use ciborium::Value as Item;
use ciborium::de::Error;
use serde_json::{Map, Value};

use super::{DEPTH_MAX, key, shortest, text_or_hex};

/// Returns the first document of `bytes` and moves beyond it.
pub(super) fn read(bytes: &mut &[u8]) -> Result<Value, String> {
    match ciborium::de::from_reader_with_recursion_limit(bytes, DEPTH_MAX) {
        Ok(item) => Ok(json(item)),
        Err(Error::Io(_)) => Err("it is cut short".to_owned()),
        Err(Error::Syntax(at)) => Err(format!("syntax at byte {at}")),
        Err(Error::Semantic(_, _)) => Err("a value that the format does not allow".to_owned()),
        Err(Error::RecursionLimitExceeded) => Err(format!("more than {DEPTH_MAX} levels")),
    }
}

/// Returns `document` in CBOR.
pub(super) fn write(document: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(document, &mut bytes).expect("writing to memory cannot fail");
    bytes
}

fn json(item: Item) -> Value {
    match item {
        Item::Integer(number) => {
            let number = i128::from(number);
            let signed = || i64::try_from(number).map_or(Value::Null, Value::from);
            u64::try_from(number).map_or_else(|_| signed(), Value::from)
        }
        Item::Bytes(bytes) => text_or_hex(&bytes),
        Item::Float(number) => shortest(number),
        Item::Text(text) => text.into(),
        Item::Bool(is_true) => is_true.into(),
        // A tag says what its value means, such as a time; the configuration says that here.
        Item::Tag(_, tagged) => json(*tagged),
        Item::Array(elements) => elements.into_iter().map(json).collect(),
        Item::Map(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (key(json(name)), json(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}
