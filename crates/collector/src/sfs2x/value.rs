//! The typed values of a packet, and their decoder.

use super::{DEPTH_MAX, PacketError, VALUES_MAX};

/// A value of a packet. The format's eight number types map to two variants, its ten list types to
/// one.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of one, two, four or eight bytes.
    Int(i64),
    /// A floating-point number of four or eight bytes.
    Double(f64),
    /// A text.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A list.
    Array(Vec<Self>),
    /// Named values, in the order sent.
    Object(Vec<(String, Self)>),
}

impl Value {
    /// Returns the value of an object's field; the first one if the name occurs twice.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Returns the value of an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the value of an integer or floating-point number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            Self::Int(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// Returns the text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the elements of a list.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }
}

const ARRAY: u8 = 17;
const OBJECT: u8 = 18;

/// Decodes a payload, which is one object or array.
pub(super) fn decode(payload: &[u8]) -> Result<Value, PacketError> {
    let mut reader = ValueReader { rest: payload, values_left: VALUES_MAX };
    let root = reader.byte()?;
    if root != ARRAY && root != OBJECT {
        return Err(PacketError::Root(root));
    }
    let value = reader.value(root, 1)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(PacketError::Leftover(reader.rest.len())) }
}

struct ValueReader<'a> {
    rest: &'a [u8],
    values_left: usize,
}

impl ValueReader<'_> {
    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, PacketError> {
        if depth > DEPTH_MAX {
            return Err(PacketError::TooMuch);
        }
        self.values_left = self.values_left.checked_sub(1).ok_or(PacketError::TooMuch)?;
        Ok(match kind {
            0 => Value::Null,
            1..=7 => self.number(kind)?,
            8 => Value::Text(self.short_text()?),
            10 => {
                let length = self.long_length()?;
                Value::Bytes(self.bytes(length)?.to_vec())
            }
            9 | 11..=16 => self.list(kind - 8, depth)?,
            ARRAY => self.array(depth)?,
            OBJECT => self.object(depth)?,
            20 => {
                let length = self.long_length()?;
                Value::Text(self.text(length)?)
            }
            unknown => return Err(PacketError::Type(unknown)),
        })
    }

    fn number(&mut self, kind: u8) -> Result<Value, PacketError> {
        Ok(match kind {
            1 => Value::Bool(self.byte()? != 0),
            2 => Value::Int(i8::from_be_bytes(self.chunk()?).into()),
            3 => Value::Int(i16::from_be_bytes(self.chunk()?).into()),
            4 => Value::Int(i32::from_be_bytes(self.chunk()?).into()),
            5 => Value::Int(i64::from_be_bytes(self.chunk()?)),
            6 => Value::Double(widened(f32::from_be_bytes(self.chunk()?))),
            7 => Value::Double(f64::from_be_bytes(self.chunk()?)),
            unknown => return Err(PacketError::Type(unknown)),
        })
    }

    /// Decodes a list of values of one type, which the format does not repeat per value.
    fn list(&mut self, kind: u8, depth: usize) -> Result<Value, PacketError> {
        (0..self.short_length()?)
            .map(|_| self.value(kind, depth + 1))
            .collect::<Result<_, _>>()
            .map(Value::Array)
    }

    fn array(&mut self, depth: usize) -> Result<Value, PacketError> {
        let mut values = Vec::new();
        for _ in 0..self.short_length()? {
            let kind = self.byte()?;
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    fn object(&mut self, depth: usize) -> Result<Value, PacketError> {
        let mut fields = Vec::new();
        for _ in 0..self.short_length()? {
            let name = self.short_text()?;
            let kind = self.byte()?;
            fields.push((name, self.value(kind, depth + 1)?));
        }
        Ok(Value::Object(fields))
    }

    fn short_text(&mut self) -> Result<String, PacketError> {
        let length = self.short_length()?;
        self.text(length)
    }

    fn text(&mut self, length: usize) -> Result<String, PacketError> {
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| PacketError::Text)
    }

    fn short_length(&mut self) -> Result<usize, PacketError> {
        Ok(u16::from_be_bytes(self.chunk()?).into())
    }

    fn long_length(&mut self) -> Result<usize, PacketError> {
        usize::try_from(u32::from_be_bytes(self.chunk()?)).map_err(|_| PacketError::Length)
    }

    fn byte(&mut self) -> Result<u8, PacketError> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], PacketError> {
        let (chunk, rest) = self.rest.split_first_chunk::<N>().ok_or(PacketError::Length)?;
        self.rest = rest;
        Ok(*chunk)
    }

    fn bytes(&mut self, length: usize) -> Result<&[u8], PacketError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(PacketError::Length)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Converts a float to the double that the sender meant: the shortest decimal that gives this float. A plain conversion of
/// 1.88 gives 1.879 999 995, which is 187 hundredths.
fn widened(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}
