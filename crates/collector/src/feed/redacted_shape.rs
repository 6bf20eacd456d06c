//! Describes a message by its keys and types, never its values, so that it may be logged.

use serde_json::Value;

/// Number of keys named per object; the others are only counted.
const KEYS_MAX: usize = 12;
/// Maximum length of a key; ids and tokens are sometimes used as keys.
const KEY_CHARS_MAX: usize = 32;
/// Maximum depth.
const DEPTH_MAX: usize = 6;

/// Describes the top level of `value`: `the keys "a", "b"`, `a list of 3`, `a number`.
pub fn contents(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "no keys".to_owned(),
        Value::Object(fields) => {
            let named: Vec<String> = fields.keys().take(KEYS_MAX).map(|key| quoted(key)).collect();
            let more = match fields.len() - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let word = if fields.len() == 1 { "key" } else { "keys" };
            format!("the {word} {}{more}", named.join(", "))
        }
        Value::Array(elements) => format!("a list of {}", elements.len()),
        Value::String(_) => "text".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

/// Describes all of `value`: `{"id": number, "rows": [25 of {"crash": text}]}`.
pub fn shape(value: &Value) -> String {
    let mut text = String::new();
    write(value, DEPTH_MAX, &mut text);
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(fields) if depth == 0 && !fields.is_empty() => text.push_str("{…}"),
        Value::Object(fields) => {
            text.push('{');
            for (index, (key, field)) in fields.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                if index == KEYS_MAX {
                    text.push('…');
                    break;
                }
                text.push_str(&quoted(key));
                text.push_str(": ");
                write(field, depth - 1, text);
            }
            text.push('}');
        }
        Value::Array(elements) if elements.is_empty() => text.push_str("[]"),
        Value::Array(_) if depth == 0 => text.push_str("[…]"),
        Value::Array(elements) => write_list(elements, depth, text),
        Value::String(_) => text.push_str("text"),
        Value::Number(_) => text.push_str("number"),
        Value::Bool(_) => text.push_str("bool"),
        Value::Null => text.push_str("null"),
    }
}

/// Describes a list: elements of the same shape once, a short mixed list (an event's name and its fields) completely.
fn write_list(elements: &[Value], depth: usize, text: &mut String) {
    let same = |a: &Value, b: &Value| std::mem::discriminant(a) == std::mem::discriminant(b);
    if elements.len() > 1 && elements.iter().all(|element| same(element, &elements[0])) {
        text.push('[');
        text.push_str(&elements.len().to_string());
        text.push_str(" of ");
        write(&elements[0], depth - 1, text);
        text.push(']');
        return;
    }
    text.push('[');
    for (index, element) in elements.iter().take(KEYS_MAX).enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        write(element, depth - 1, text);
    }
    text.push_str(if elements.len() > KEYS_MAX { ", …]" } else { "]" });
}

fn quoted(key: &str) -> String {
    match key.char_indices().nth(KEY_CHARS_MAX) {
        Some((end, _)) => format!("{:?}…", &key[..end]),
        None => format!("{key:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shape_has_every_key_and_no_value() {
        let message = json!({
            "type": "next", "ok": true, "none": null, "empty": [], "nothing": {},
            "rows": [{"crash": 1.5, "hash": "aa"}, {"crash": 2, "hash": "bb"}]
        });
        assert_eq!(
            shape(&message),
            r#"{"empty": [], "none": null, "nothing": {}, "ok": bool, "rows": [2 of {"crash": number, "hash": text}], "type": text}"#
        );
    }

    #[test]
    fn an_event_and_its_fields_are_shown_side_by_side() {
        assert_eq!(
            shape(&json!(["game_crash", {"game_crash": 231}])),
            r#"[text, {"game_crash": number}]"#
        );
    }

    #[test]
    fn a_long_key_is_cut_and_many_keys_are_counted() {
        let many: Value = (0..20).map(|n| (format!("key{n:02}"), json!(n))).collect();
        assert!(contents(&many).ends_with(r#""key11" and 8 more"#), "{}", contents(&many));
        assert!(shape(&many).ends_with(r#""key11": number, …}"#), "{}", shape(&many));
        let long = json!({ "k".repeat(100): 1 });
        assert_eq!(contents(&long), format!("the key \"{}\"…", "k".repeat(32)));
    }

    #[test]
    fn a_deep_message_is_shown_only_to_a_limited_depth() {
        let deep = (0..50).fold(json!({"end": 1}), |inner, _| json!({ "a": inner }));
        let text = shape(&deep);
        assert!(text.contains("{…}") && text.len() < 100, "{text}");
        let lists = (0..50).fold(json!([1]), |inner, _| json!([inner]));
        assert!(shape(&lists).contains("[…]"));
    }
}
