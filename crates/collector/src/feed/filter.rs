//! Selects the messages that a rule applies to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::feed::pointer::Pointer;

/// One condition on a message: `{ pointer = "/status", equals = "crash" }`, or `in = [...]`, or `exists = true`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(try_from = "FilterOptions", into = "FilterOptions")]
pub struct Filter {
    /// Where the value is.
    pub pointer: Pointer,
    /// The condition on the value.
    pub claim: Claim,
}

/// A condition on a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// It equals one of these; numbers compare by value, so 1 is 1.0.
    OneOf(Vec<Value>),
    /// It is there and not null.
    Exists,
    /// It is missing or null.
    Absent,
}

/// A filter as written in the configuration file.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct FilterOptions {
    pointer: Pointer,
    #[serde(skip_serializing_if = "Option::is_none")]
    equals: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#in: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
}

impl Filter {
    /// Returns a filter on the event name: the first element of a top-level list, as Socket.IO sends it.
    pub fn event(name: &str) -> Self {
        Self { pointer: Pointer::element(0), claim: Claim::OneOf(vec![Value::from(name)]) }
    }

    /// Returns whether the condition holds for `message`.
    pub fn holds(&self, message: &Value) -> bool {
        let found = self.pointer.find_silently(message).filter(|value| !value.is_null());
        match &self.claim {
            Claim::Exists => found.is_some(),
            Claim::Absent => found.is_none(),
            Claim::OneOf(allowed) => {
                found.is_some_and(|value| allowed.iter().any(|one| is_same(one, &value)))
            }
        }
    }
}

fn is_same(wanted: &Value, found: &Value) -> bool {
    wanted == found
        || matches!((wanted, found), (Value::Number(a), Value::Number(b))
            if a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a.total_cmp(&b).is_eq()))
}

impl TryFrom<FilterOptions> for Filter {
    type Error = String;

    fn try_from(options: FilterOptions) -> Result<Self, String> {
        let FilterOptions { pointer, equals, r#in, exists } = options;
        let claim = match (equals, r#in, exists) {
            (Some(value), None, None) => Claim::OneOf(vec![value]),
            (None, Some(values), None) if !values.is_empty() => Claim::OneOf(values),
            (None, None, Some(true)) => Claim::Exists,
            (None, None, Some(false)) => Claim::Absent,
            _ => {
                return Err(format!(
                    "the filter on {pointer} needs exactly one of equals = …, in = […, …] and exists = true"
                ));
            }
        };
        Ok(Self { pointer, claim })
    }
}

impl From<Filter> for FilterOptions {
    fn from(filter: Filter) -> Self {
        let mut options = Self { pointer: filter.pointer, equals: None, r#in: None, exists: None };
        match filter.claim {
            Claim::OneOf(values) => options.r#in = Some(values),
            Claim::Exists => options.exists = Some(true),
            Claim::Absent => options.exists = Some(false),
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(filter: Value, message: &Value, expected: bool) {
        let filter: Filter = serde_json::from_value(filter).unwrap();
        assert_eq!(filter.holds(message), expected, "{filter:?} on {message}");
        let again: Filter = serde_json::from_value(serde_json::to_value(&filter).unwrap()).unwrap();
        assert_eq!(again, filter);
    }

    #[test]
    fn equals_compares_text_with_text_and_numbers_with_numbers() {
        let message = json!({"status": "crash", "code": 1, "flag": true, "none": null});
        check(json!({"pointer": "/status", "equals": "crash"}), &message, true);
        check(json!({"pointer": "/status", "equals": "Crash"}), &message, false);
        check(json!({"pointer": "/code", "equals": 1.0}), &message, true);
        check(json!({"pointer": "/code", "equals": "1"}), &message, false);
        check(json!({"pointer": "/flag", "equals": true}), &message, true);
        check(json!({"pointer": "/absent", "equals": "crash"}), &message, false);
        check(json!({"pointer": "/none", "equals": false}), &message, false);
    }

    #[test]
    fn in_accepts_any_of_several_values() {
        let message = json!(["game_crash", {}]);
        check(json!({"pointer": "/0", "in": ["crash", "game_crash"]}), &message, true);
        check(json!({"pointer": "/0", "in": ["tick"]}), &message, false);
    }

    #[test]
    fn exists_means_present_and_not_null() {
        let message = json!({"a": 0, "b": null});
        check(json!({"pointer": "/a", "exists": true}), &message, true);
        check(json!({"pointer": "/b", "exists": true}), &message, false);
        check(json!({"pointer": "/c", "exists": true}), &message, false);
        check(json!({"pointer": "/b", "exists": false}), &message, true);
        check(json!({"pointer": "/a", "exists": false}), &message, false);
    }

    #[test]
    fn a_filter_has_exactly_one_condition() {
        for wrong in [
            json!({"pointer": "/a"}),
            json!({"pointer": "/a", "equals": 1, "exists": true}),
            json!({"pointer": "/a", "in": []}),
        ] {
            let error = serde_json::from_value::<Filter>(wrong).unwrap_err().to_string();
            assert!(error.contains("exactly one of"), "{error}");
        }
        let error = serde_json::from_value::<Filter>(json!({"pointer": "/a", "equal": 1}));
        assert!(error.unwrap_err().to_string().contains("unknown field `equal`"));
    }
}
