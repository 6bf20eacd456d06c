//! JSON pointers (RFC 6901) into a message. They continue inside text that holds JSON, in which many feeds wrap their
//! messages.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::feed::redacted_shape;

/// A pointer such as `/payload/data/multiplier`; `""` is the whole message.
// Invariant: a well-formed RFC 6901 pointer.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(String);

/// A pointer that matches nothing, with what is there instead. Names keys, never values.
#[derive(Error, Clone, Debug, PartialEq, Eq)]
#[error("the pointer {pointer:?} matches nothing: {there}")]
pub struct Missing {
    pointer: String,
    there: String,
}

/// A text that is not a pointer.
#[derive(Error, Clone, Debug, PartialEq, Eq)]
pub enum PointerError {
    /// It does not begin with a slash.
    #[error("{0:?} is not a JSON pointer: write {suggestion:?}", suggestion = format!("/{}", .0.replace('.', "/")))]
    NoSlash(String),
    /// A `~` that is neither `~0` nor `~1`.
    #[error("{0:?} is not a JSON pointer: write ~0 for \"~\" and ~1 for \"/\" inside a key")]
    Tilde(String),
}

impl Pointer {
    /// Returns the pointer to the whole message.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// Returns the pointer to one element of a top-level list.
    pub fn element(index: usize) -> Self {
        Self(format!("/{index}"))
    }

    /// Returns the text of the pointer.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the value in `message`.
    ///
    /// # Errors
    ///
    /// Nothing is there; the error says which part of the pointer matches, and which keys exist there and at the top.
    pub fn find<'v>(&self, message: &'v Value) -> Result<Cow<'v, Value>, Missing> {
        self.find_silently(message).ok_or_else(|| self.missing(message))
    }

    /// Returns the value in `message`, `None` if there is none.
    pub fn find_silently<'v>(&self, message: &'v Value) -> Option<Cow<'v, Value>> {
        if let Some(value) = message.pointer(&self.0) {
            return Some(Cow::Borrowed(value));
        }
        let (end, reached) = self.deepest(message);
        let inner = opened(reached)?;
        let rest = Self(self.0[end..].to_owned());
        rest.find_silently(&inner).map(|value| Cow::Owned(value.into_owned()))
    }

    /// Returns the length of the longest part of the pointer that matches, and the value there.
    fn deepest<'v>(&self, message: &'v Value) -> (usize, &'v Value) {
        self.0
            .rmatch_indices('/')
            .find_map(|(end, _)| Some((end, message.pointer(&self.0[..end])?)))
            .unwrap_or((0, message))
    }

    fn missing(&self, message: &Value) -> Missing {
        let top = redacted_shape::contents(message);
        let (depth, reached) = self.deepest(message);
        let there = match depth {
            0 => format!("the message has {top}"),
            _ => format!(
                "{:?} has {}, and the message has {top}",
                &self.0[..depth],
                redacted_shape::contents(reached)
            ),
        };
        Missing { pointer: self.0.clone(), there }
    }
}

/// Returns the object or list that a text holds as JSON.
pub fn opened(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text).ok())?
}

impl TryFrom<String> for Pointer {
    type Error = PointerError;

    fn try_from(text: String) -> Result<Self, PointerError> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(PointerError::NoSlash(text));
        }
        let mut rest = text.as_str();
        while let Some(at) = rest.find('~') {
            rest = &rest[at + 1..];
            if !rest.starts_with(['0', '1']) {
                return Err(PointerError::Tilde(text));
            }
        }
        Ok(Self(text))
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::try_from(text.to_owned()).unwrap()
    }

    /// The document and the twelve pointers of RFC 6901, section 5.
    #[test]
    fn the_examples_of_the_standard_are_found() {
        let document = json!({
            "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
            "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8
        });
        let find = |text: &str| pointer(text).find(&document).unwrap().into_owned();
        assert_eq!(find(""), document);
        assert_eq!(find("/foo"), json!(["bar", "baz"]));
        assert_eq!(find("/foo/0"), json!("bar"));
        let keys = ["/", "/a~1b", "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ", "/m~0n"];
        for (expected, text) in keys.into_iter().enumerate() {
            assert_eq!(find(text), json!(expected), "{text}");
        }
    }

    #[test]
    fn a_pointer_continues_inside_text_that_is_json() {
        let innermost = json!({"rate": "2.31"}).to_string();
        let message = json!({"event": "end", "data": json!({"rows": [innermost]}).to_string()});
        let found = pointer("/data/rows/0/rate").find(&message).unwrap();
        assert_eq!(*found, json!("2.31"));
        let whole = Value::String(message.to_string());
        assert_eq!(*pointer("/event").find(&whole).unwrap(), json!("end"));
        assert_eq!(*pointer("/data").find(&message).unwrap(), message["data"]);
        missing(
            "/event/x",
            &message,
            r#"the pointer "/event/x" matches nothing: "/event" has text, and the message has the keys "data", "event""#,
        );
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        assert_eq!(Pointer::try_from(text.to_owned()).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_dotted_path_is_refused_with_the_pointer_to_use() {
        refused("data.crash", r#""data.crash" is not a JSON pointer: write "/data/crash""#);
    }

    #[test]
    fn a_stray_tilde_is_refused() {
        for text in ["/a~", "/a~2", "/~0~"] {
            refused(
                text,
                &format!(
                    "{text:?} is not a JSON pointer: write ~0 for \"~\" and ~1 for \"/\" inside a key"
                ),
            );
        }
    }

    #[track_caller]
    fn missing(text: &str, message: &Value, expected: &str) {
        assert_eq!(pointer(text).find(message).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_pointer_that_matches_nothing_is_reported_with_the_keys_but_no_values() {
        let message = json!({"type": "next", "token": "secret", "payload": {"data": {"limbo": 1}}});
        missing(
            "/payload/data/crash/event",
            &message,
            r#"the pointer "/payload/data/crash/event" matches nothing: "/payload/data" has the key "limbo", and the message has the keys "payload", "token", "type""#,
        );
        missing(
            "/data",
            &message,
            r#"the pointer "/data" matches nothing: the message has the keys "payload", "token", "type""#,
        );
        missing(
            "/token/x",
            &message,
            r#"the pointer "/token/x" matches nothing: "/token" has text, and the message has the keys "payload", "token", "type""#,
        );
        missing(
            "/2",
            &json!(["crash", {}]),
            r#"the pointer "/2" matches nothing: the message has a list of 2"#,
        );
    }
}
