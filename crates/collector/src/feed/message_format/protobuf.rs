//! Reads Protocol Buffers without their schema: the wire format has field numbers and four kinds of values, and the rules
//! of the feed say the rest.
//!
//! A message becomes an object whose keys are field numbers. A field on the way of a pointer is a message; the field that a
//! `list` names is a list, even of one element; of any other field on a pointer that occurs repeatedly the last value
//! counts, as the format demands. Where neither a pointer nor the configuration says what a field of bytes is, it is text
//! if it is printable, a message if it is one, and hexadecimal otherwise.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{DEPTH_MAX, shortest, text_or_hex};
use crate::config_error::ConfigError;
use crate::feed::pointer::Pointer;
use crate::feed::rule::{Condition, Rule};

/// Maximum number of fields in one message, over all levels.
const FIELDS_MAX: usize = 200_000;
/// Number of bits of a varint.
const VARINT_BITS: u32 = 64;

/// The type of a field where the wire format leaves several possible.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A text.
    Text,
    /// A message.
    Message,
    /// Bytes, read as hexadecimal.
    Hex,
    /// A signed number in zigzag encoding, `sint32` or `sint64`.
    Zigzag,
    /// A whole number of fixed length, `fixed32` or `fixed64`, rather than `float` or `double`.
    Fixed,
    /// A list of `double` in one field.
    PackedDouble,
    /// A list of `float` in one field.
    PackedFloat,
    /// A list of whole numbers in one field.
    PackedInteger,
}

/// The types of fields by their path: `{ "/2/1" = "zigzag" }`.
pub type FieldTypes = BTreeMap<String, FieldType>;

/// What is known about the fields of a feed, by their paths.
#[derive(Clone, Debug, Default)]
pub struct FieldPaths {
    types: FieldTypes,
    /// Fields that are messages themselves.
    messages: BTreeSet<String>,
    /// Fields that are lists.
    lists: BTreeSet<String>,
    /// Fields on the path of a pointer that are not lists.
    single: BTreeSet<String>,
}

impl FieldPaths {
    /// Collects what the configuration and the pointers of `rules` say.
    ///
    /// # Errors
    ///
    /// A path is not one of field numbers.
    pub(super) fn new(types: &FieldTypes, rules: &[Rule]) -> Result<Self, ConfigError> {
        let is_number = |part: &str| part.parse::<u32>().is_ok_and(|number| number > 0);
        for path in types.keys() {
            if !path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_number)) {
                return Err(ConfigError::key(
                    "feed.protobuf",
                    format!("{path:?} is not a path of field numbers such as \"/2/1\""),
                ));
            }
        }
        let mut paths = Self { types: types.clone(), ..Self::default() };
        for path in types.keys() {
            paths.add_messages(path);
        }
        for rule in rules {
            paths.add_rule(rule);
        }
        paths.single = &paths.single - &paths.lists;
        Ok(paths)
    }

    fn add_rule(&mut self, rule: &Rule) {
        let options = &rule.options;
        let list = options.list.as_ref().map(Pointer::as_str).unwrap_or_default();
        if !list.is_empty() {
            self.lists.insert(list.to_owned());
            self.add_messages(list);
        }
        let in_entry = [Some(&options.value), options.id.as_ref(), options.time.as_ref()];
        for pointer in in_entry.into_iter().flatten().chain(options.detail.values()) {
            self.add(&format!("{list}{}", pointer.as_str()));
        }
        let conditions = [Some(&rule.when), rule.tick.as_ref().map(|(when, _)| when)];
        let id_condition = rule.id_rule.as_ref().map(|(when, _)| when);
        for pointer in
            conditions.into_iter().flatten().chain(id_condition).flat_map(Condition::pointers)
        {
            self.add(pointer.as_str());
        }
        for (_, pointer) in rule.tick.iter().chain(&rule.id_rule) {
            self.add(pointer.as_str());
        }
    }

    fn add(&mut self, path: &str) {
        self.add_messages(path);
        self.single.insert(path.to_owned());
    }

    /// Notes that every field on the way to `path` is a message.
    fn add_messages(&mut self, path: &str) {
        for (end, _) in path.match_indices('/').skip(1) {
            self.messages.insert(path[..end].to_owned());
            self.single.insert(path[..end].to_owned());
        }
    }

    /// Returns the document in `bytes`.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Value, String> {
        let mut fields_left = FIELDS_MAX;
        self.message(bytes, "", DEPTH_MAX, &mut fields_left)
    }

    fn message(
        &self,
        mut bytes: &[u8],
        path: &str,
        depth: usize,
        fields_left: &mut usize,
    ) -> Result<Value, String> {
        if depth == 0 {
            return Err(format!("more than {DEPTH_MAX} levels"));
        }
        let mut fields: Map<String, Value> = Map::new();
        while !bytes.is_empty() {
            *fields_left =
                fields_left.checked_sub(1).ok_or(format!("more than {FIELDS_MAX} fields"))?;
            let (number, raw) = field(&mut bytes)?;
            let name = number.to_string();
            let inner = format!("{path}/{name}");
            let value = self.value(raw, &inner, depth, fields_left)?;
            self.insert(&mut fields, name, &inner, value);
        }
        Ok(Value::Object(fields))
    }

    fn insert(&self, fields: &mut Map<String, Value>, name: String, path: &str, value: Value) {
        let is_list = self.lists.contains(path);
        match (fields.get_mut(&name), value) {
            // Packed elements.
            (None, value @ Value::Array(_)) => {
                fields.insert(name, value);
            }
            (Some(Value::Array(elements)), Value::Array(more)) => elements.extend(more),
            (None, value) => {
                fields.insert(name, if is_list { Value::Array(vec![value]) } else { value });
            }
            (Some(earlier), value) if self.single.contains(path) => *earlier = value,
            (Some(Value::Array(elements)), value) => elements.push(value),
            (Some(earlier), value) => *earlier = Value::Array(vec![earlier.take(), value]),
        }
    }

    fn value(
        &self,
        raw: Raw<'_>,
        path: &str,
        depth: usize,
        fields_left: &mut usize,
    ) -> Result<Value, String> {
        let declared = self.types.get(path);
        Ok(match (raw, declared) {
            (Raw::Varint(number), Some(FieldType::Zigzag)) => zigzag(number).into(),
            (Raw::Varint(number), _) => varint_number(number),
            (Raw::Fixed32(bits), Some(FieldType::Fixed)) => bits.into(),
            (Raw::Fixed32(bits), _) => shortest(f64::from(f32::from_bits(bits))),
            (Raw::Fixed64(bits), Some(FieldType::Fixed)) => bits.into(),
            (Raw::Fixed64(bits), _) => f64::from_bits(bits).into(),
            (Raw::Bytes(bytes), Some(FieldType::Text)) => String::from_utf8_lossy(bytes).into(),
            (Raw::Bytes(bytes), Some(FieldType::Hex)) => HEXLOWER.encode(bytes).into(),
            (
                Raw::Bytes(bytes),
                Some(
                    packed @ (FieldType::PackedDouble
                    | FieldType::PackedFloat
                    | FieldType::PackedInteger),
                ),
            ) => packed_list(bytes, *packed)?,
            (Raw::Bytes(bytes), Some(FieldType::Message)) => {
                self.message(bytes, path, depth - 1, fields_left)?
            }
            (Raw::Bytes(bytes), _) if self.messages.contains(path) => {
                self.message(bytes, path, depth - 1, fields_left)?
            }
            (Raw::Bytes(bytes), _) => match text_or_hex(bytes) {
                Value::String(text) if text.as_bytes() == bytes => text.into(),
                hex => self.message(bytes, path, depth - 1, fields_left).unwrap_or(hex),
            },
        })
    }
}

/// A value as the wire format has it.
#[derive(Clone, Copy)]
enum Raw<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'b [u8]),
}

/// Reads one field: its number and its value.
fn field<'b>(bytes: &mut &'b [u8]) -> Result<(u64, Raw<'b>), String> {
    let cut = || "it is cut short".to_owned();
    let tag = varint(bytes)?;
    let number = tag >> 3;
    if number == 0 {
        return Err("a field has the number 0".to_owned());
    }
    let raw = match tag & 7 {
        0 => Raw::Varint(varint(bytes)?),
        1 => Raw::Fixed64(u64::from_le_bytes(*take(bytes).ok_or_else(cut)?)),
        2 => {
            let length = usize::try_from(varint(bytes)?).map_err(|_| cut())?;
            let (value, rest) = bytes.split_at_checked(length).ok_or_else(cut)?;
            *bytes = rest;
            Raw::Bytes(value)
        }
        5 => Raw::Fixed32(u32::from_le_bytes(*take(bytes).ok_or_else(cut)?)),
        kind => return Err(format!("a field has the wire type {kind}")),
    };
    Ok((number, raw))
}

fn take<'b, const N: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(head)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0;
    for shift in (0..VARINT_BITS).step_by(7) {
        let [byte] = *take::<1>(bytes).ok_or("it is cut short")?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number has more than ten bytes".to_owned())
}

/// Returns a varint as a number: negative ones are sent as the complement of 64 bits.
fn varint_number(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| number.cast_signed().into(), Value::from)
}

fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn packed_list(mut bytes: &[u8], of: FieldType) -> Result<Value, String> {
    let cut = || "a packed list is cut short".to_owned();
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        elements.push(match of {
            FieldType::PackedDouble => {
                f64::from_le_bytes(*take(&mut bytes).ok_or_else(cut)?).into()
            }
            FieldType::PackedFloat => {
                shortest(f64::from(f32::from_le_bytes(*take(&mut bytes).ok_or_else(cut)?)))
            }
            _ => varint_number(varint(&mut bytes)?),
        });
    }
    Ok(Value::Array(elements))
}
