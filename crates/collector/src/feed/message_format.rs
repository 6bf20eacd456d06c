//! The format of a feed's messages. JSON, `MessagePack`, CBOR and Protocol Buffers are read into the same tree of values,
//! so that pointers and filters work alike on all of them.

mod cbor;
mod message_pack;
pub mod protobuf;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config_error::ConfigError;
use crate::feed::rule::Rule;
use protobuf::{FieldPaths, FieldTypes};

/// Maximum nesting of a binary message.
const DEPTH_MAX: usize = 32;
/// Maximum number of documents in one message.
const DOCUMENTS_MAX: usize = 1000;

/// The format of a feed's messages.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum MessageFormat {
    /// Text.
    #[default]
    Json,
    /// `MessagePack`.
    MsgPack,
    /// CBOR, RFC 8949.
    Cbor,
    /// Protocol Buffers: keys are field numbers.
    Protobuf,
}

impl MessageFormat {
    /// Returns the name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::MsgPack => "MessagePack",
            Self::Cbor => "CBOR",
            Self::Protobuf => "Protocol Buffers",
        }
    }

    /// Returns whether messages are bytes and not text.
    pub fn is_binary(self) -> bool {
        self != Self::Json
    }
}

/// Converts a feed's messages to JSON documents, and documents to messages.
#[derive(Clone, Debug, Default)]
pub struct MessageCodec {
    format: MessageFormat,
    /// What is known about the fields of Protocol Buffers.
    fields: FieldPaths,
}

impl MessageCodec {
    /// Creates a codec; `types` are the field types of Protocol Buffers that the configuration gives, and the pointers of
    /// `rules` say which fields are messages and lists.
    ///
    /// # Errors
    ///
    /// `types` are given for another format, or are not paths of field numbers.
    pub fn new(
        format: MessageFormat,
        types: &FieldTypes,
        rules: &[Rule],
    ) -> Result<Self, ConfigError> {
        if format != MessageFormat::Protobuf && !types.is_empty() {
            return Err(ConfigError::key(
                "feed.protobuf",
                "gives the types of fields: it needs feed.format = \"protobuf\"",
            ));
        }
        Ok(Self { format, fields: FieldPaths::new(types, rules)? })
    }

    /// Returns the format.
    pub fn format(&self) -> MessageFormat {
        self.format
    }

    /// Returns the documents in a message.
    ///
    /// # Errors
    ///
    /// The message is not of the format; the text says where it differs, and never holds its content.
    pub fn decode(&self, bytes: &[u8]) -> Result<Vec<Value>, String> {
        let decoded = match self.format {
            MessageFormat::Json => serde_json::from_slice(bytes)
                .map(|document| vec![document])
                .map_err(|error| format!("{:?} at byte {}", error.classify(), error.column())),
            MessageFormat::MsgPack => sequence(bytes, message_pack::read),
            MessageFormat::Cbor => sequence(bytes, cbor::read),
            MessageFormat::Protobuf => self.fields.read(bytes).map(|document| vec![document]),
        };
        decoded.map_err(|problem| {
            format!("{} bytes that are not {} ({problem})", bytes.len(), self.format.name())
        })
    }

    /// Returns `message` as sent: JSON in the feed's format. For Protocol Buffers it is hexadecimal.
    ///
    /// # Errors
    ///
    /// The message is not JSON, or not hexadecimal.
    pub fn encode(&self, message: &str) -> Result<Vec<u8>, String> {
        if self.format == MessageFormat::Protobuf {
            return HEXLOWER_PERMISSIVE.decode(message.trim().as_bytes()).map_err(|_| {
                "is not hexadecimal, which a message of Protocol Buffers needs".to_owned()
            });
        }
        if self.format == MessageFormat::Json {
            return Ok(message.as_bytes().to_vec());
        }
        let document: Value = serde_json::from_str(message)
            .map_err(|_| format!("is not JSON, which is sent as {}", self.format.name()))?;
        Ok(match self.format {
            MessageFormat::Cbor => cbor::write(&document),
            _ => message_pack::write(&document),
        })
    }
}

/// Guesses the binary format of `bytes`: the one in which all of it is objects and lists.
pub fn recognized(bytes: &[u8]) -> Option<MessageFormat> {
    let is_container = |documents: Vec<Value>| {
        !documents.is_empty()
            && documents.iter().all(|document| document.is_object() || document.is_array())
    };
    [MessageFormat::MsgPack, MessageFormat::Cbor].into_iter().find(|format| {
        let codec = MessageCodec { format: *format, ..MessageCodec::default() };
        codec.decode(bytes).is_ok_and(is_container)
    })
}

/// Reads documents that follow one another without anything in between.
fn sequence(
    mut bytes: &[u8],
    read: impl Fn(&mut &[u8]) -> Result<Value, String>,
) -> Result<Vec<Value>, String> {
    let mut documents = Vec::new();
    while !bytes.is_empty() {
        if documents.len() == DOCUMENTS_MAX {
            return Err(format!("more than {DOCUMENTS_MAX} documents"));
        }
        documents.push(read(&mut bytes)?);
    }
    if documents.is_empty() { Err("nothing".to_owned()) } else { Ok(documents) }
}

/// Returns bytes as text if they are text, and in hexadecimal otherwise.
fn text_or_hex(bytes: &[u8]) -> Value {
    let is_text = |text: &&str| !text.chars().any(char::is_control);
    match std::str::from_utf8(bytes).ok().filter(is_text) {
        Some(text) => text.into(),
        None => HEXLOWER.encode(bytes).into(),
    }
}

/// Returns a number that was perhaps sent in single precision as its shortest decimal: 2.31 and not 2.309999942779541.
#[expect(clippy::cast_possible_truncation, reason = "the result is compared with the original")]
fn shortest(number: f64) -> Value {
    let narrow = number as f32;
    let shortest = match f64::from(narrow).total_cmp(&number) {
        std::cmp::Ordering::Equal => narrow.to_string().parse().unwrap_or(number),
        _ => number,
    };
    shortest.into()
}

/// Returns a value as the key of an object.
fn key(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
