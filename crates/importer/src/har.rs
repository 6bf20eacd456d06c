//! Recordings in a HAR file, which a browser's developer tools save: JSON responses and WebSocket messages.

use serde_json::{Map, Value};

use crate::header_names::{Role, role};
use crate::json::{self, Fields, Group, Rows};
use crate::options::Options;
use crate::refusal::{Refusal, RefusalKind};
use crate::table::Table;

/// Maximum depth at which a message is searched for objects.
const DEPTH_MAX: u32 = 8;
/// The column of the time at which a message arrived.
const FRAME_TIME: &str = "frame time";
/// The column of the name that Socket.IO puts before an event.
const EVENT: &str = "event";

/// Returns whether a document is a HAR file.
pub(crate) fn is_har(document: &Value) -> bool {
    document["log"]["entries"].is_array()
}

/// Returns the table of rounds in a HAR file.
///
/// The same list may have been requested repeatedly, so equal rounds count once wherever they are.
pub(crate) fn table(document: &Value, options: &Options) -> Result<Table, Refusal> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in document["log"]["entries"].as_array().into_iter().flatten() {
        let url = entry["request"]["url"].as_str().unwrap_or_default();
        let place = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        if let Some(answer) = answer(entry) {
            objects(&answer, place, &mut Context::default(), &mut groups);
        }
        for message in entry["_webSocketMessages"].as_array().into_iter().flatten() {
            frame(message, place, &mut groups);
        }
    }
    groups.retain(|group| matches!(&group.rows, Rows::Named(rows) if !rows.is_empty()));
    if groups.is_empty() {
        let message =
            "the HAR file holds no JSON answer and no WebSocket message with a multiplier in it";
        return Err(Refusal::new(RefusalKind::NoMultiplierColumn, message));
    }
    let mut table = json::choose(groups, "HAR", options)?;
    table.may_repeat = true;
    Ok(table)
}

fn answer(entry: &Value) -> Option<Value> {
    let content = &entry["response"]["content"];
    let text = content["text"].as_str()?;
    let decoded;
    let text = if content["encoding"] == "base64" {
        decoded = data_encoding::BASE64
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())?;
        decoded.as_str()
    } else {
        text
    };
    text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text).ok())?
}

/// Extracts the JSON of a received text message, skipping any prefix of its protocol.
fn frame(message: &Value, place: &str, groups: &mut Vec<Group>) {
    if message["type"] == "send" {
        return;
    }
    let Some(data) = message["data"].as_str() else { return };
    let Some(start) = data.find(['{', '[']).filter(|start| *start < 40) else { return };
    let Some(value) =
        serde_json::Deserializer::from_str(&data[start..]).into_iter::<Value>().next()
    else {
        return;
    };
    let Ok(value) = value else { return };
    let mut context = Context::default();
    if let Some(time) = json::scalar(&message["time"]).filter(|time| !time.is_empty()) {
        context.fields.push((FRAME_TIME.into(), time));
    }
    objects(&value, place, &mut context, groups);
}

/// What the enclosing objects provide.
#[derive(Debug, Default, Clone)]
struct Context<'a> {
    fields: Fields<'a>,
    depth: u32,
    is_in_list: bool,
}

/// Collects the objects that have a multiplier.
fn objects<'a>(value: &'a Value, path: &str, context: &mut Context<'a>, groups: &mut Vec<Group>) {
    if context.depth > DEPTH_MAX {
        return;
    }
    context.depth += 1;
    match value {
        Value::Object(fields) => object(fields, path, context, groups),
        Value::Array(items) => {
            let mut below = context.clone();
            match items.first() {
                Some(Value::String(event)) => below.fields.push((EVENT.into(), event.into())),
                _ => below.is_in_list = true,
            }
            for item in items {
                objects(item, path, &mut below.clone(), groups);
            }
        }
        _ => {}
    }
}

fn object<'a>(
    fields: &'a Map<String, Value>,
    path: &str,
    context: &Context<'a>,
    groups: &mut Vec<Group>,
) {
    let own: Fields<'_> =
        fields.iter().filter_map(|(key, value)| Some((key.into(), json::scalar(value)?))).collect();
    let is_round = own.iter().any(|(name, value)| {
        let is_number = value.starts_with(|c: char| c.is_ascii_digit());
        matches!(role(name), Role::Multiplier | Role::MaybeMultiplier) && is_number
    });
    if is_round {
        let mut row = json::flat(fields);
        // The rounds of a list are older than the message that brought them.
        let outer =
            context.fields.iter().filter(|(name, _)| !context.is_in_list || name != FRAME_TIME);
        for (name, value) in outer {
            if !row.iter().any(|(key, _)| key == name) {
                row.push((name.clone(), value.clone()));
            }
        }
        json::push(groups, path, Rows::Named([row].into_iter().collect()));
        return;
    }
    let mut below = context.clone();
    below.fields.extend(own);
    for (key, value) in fields {
        if value.is_object() || value.is_array() {
            objects(value, &format!("{path} {key}"), &mut below.clone(), groups);
        }
    }
}
