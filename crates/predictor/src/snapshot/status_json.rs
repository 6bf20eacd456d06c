//! The status as JSON text, serialised once per snapshot: only the ages at its end depend on the time
//! of the request.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::Snapshot;
use crate::api_json;

/// The part of the status that does not depend on the time.
#[derive(Debug, Clone)]
pub(crate) struct StatusText {
    /// An object without its closing brace.
    body: Arc<[u8]>,
    collector: Option<Collector>,
    hash: u64,
}

#[derive(Debug, Clone)]
struct Collector {
    /// An object without its closing brace, and whether it has keys.
    body: String,
    is_empty: bool,
    updated_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Status<'a> {
    success: bool,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}

impl StatusText {
    fn of(snapshot: &Snapshot) -> Self {
        let body = open_object(&Status { success: true, snapshot });
        let collector = snapshot.collector.as_ref().map(Collector::of);
        let mut hasher = DefaultHasher::new();
        hasher.write(body.as_bytes());
        hasher.write(collector.as_ref().map_or(&[], |it| it.body.as_bytes()));
        Self { body: body.into_bytes().into(), collector, hash: hasher.finish() }
    }
}

impl Collector {
    fn of(status: &Value) -> Self {
        let updated = status.get("updated_at").and_then(Value::as_str);
        let updated = updated.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let mut status = status.clone();
        let fields = status.as_object_mut();
        let is_empty = fields.is_none_or(|fields| {
            fields.remove("age_seconds");
            fields.is_empty()
        });
        let updated_at = updated.map(|updated| updated.to_utc());
        Self { body: open_object(&status), is_empty, updated_at }
    }
}

impl Snapshot {
    /// Returns the status at `now` in two parts: one that all requests share, and the rest.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> (Arc<[u8]>, String) {
        let StatusText { body, collector, .. } = self.status_text();
        let age = |earlier: Option<DateTime<Utc>>| {
            earlier.map_or_else(|| "null".to_owned(), |it| seconds_between(it, now).to_string())
        };
        let mut text = String::new();
        let result = match collector {
            None => write!(text, ",\"collector\":null"),
            Some(Collector { body, is_empty, updated_at }) => {
                let comma = if *is_empty { "" } else { "," };
                let age = age(*updated_at);
                write!(text, ",\"collector\":{body}{comma}\"age_seconds\":{age}}}")
            }
        };
        let data_age = age(self.latest_timestamp);
        let now = api_json::time_text(now);
        result
            .and_then(|()| write!(text, ",\"data_age_seconds\":{data_age},\"now\":\"{now}\"}}"))
            .expect("a text can be written to");
        (Arc::clone(body), text)
    }

    /// Returns a hash of the status without its ages.
    pub(crate) fn hash(&self) -> u64 {
        self.status_text().hash
    }

    fn status_text(&self) -> &StatusText {
        self.status_text.get_or_init(|| StatusText::of(self))
    }
}

/// Returns a JSON object without its closing brace.
fn open_object(value: &impl Serialize) -> String {
    let mut text = api_json::to_string(value);
    text.pop();
    text
}

/// Returns the seconds from `earlier` to `now`; 0 if `earlier` lies ahead, because the clocks of
/// two programs differ.
fn seconds_between(earlier: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    ((now - earlier).num_milliseconds() as f64 / 1000.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn read(snapshot: &Snapshot, second: i64) -> Value {
        let (shared, rest) = snapshot.status(at(second));
        serde_json::from_slice(&[&shared[..], rest.as_bytes()].concat()).unwrap()
    }

    #[test]
    fn ages_are_those_at_the_time_of_the_request() {
        let collector = json!({ "state": "connected", "updated_at": at(100), "age_seconds": -7 });
        let snapshot = Snapshot {
            latest_timestamp: Some(at(90)),
            collector: Some(collector),
            ..Snapshot::default()
        };
        for second in [100, 103] {
            let status = read(&snapshot, second);
            assert_eq!(status["success"], true);
            assert_eq!(status["data_age_seconds"].as_f64(), Some((second - 90) as f64));
            assert_eq!(status["collector"]["age_seconds"].as_f64(), Some((second - 100) as f64));
            assert_eq!(status["collector"]["state"], "connected");
            assert_eq!(status["now"], api_json::time_text(at(second)));
        }
        assert_eq!(read(&snapshot, 80)["data_age_seconds"].as_f64(), Some(0.0), "never negative");
    }

    #[test]
    fn the_status_is_an_object_with_no_or_an_empty_collector_status() {
        let mut snapshot = Snapshot::default();
        assert_eq!(read(&snapshot, 1)["collector"], Value::Null);
        assert_eq!(read(&snapshot, 1)["data_age_seconds"], Value::Null);
        snapshot = Snapshot { collector: Some(json!({})), ..Snapshot::default() };
        assert_eq!(read(&snapshot, 1)["collector"], json!({ "age_seconds": null }));
    }

    #[test]
    fn the_hash_changes_with_the_status_and_not_with_the_time() {
        let of = |records, state| Snapshot {
            csv_records: records,
            collector: Some(json!({ "state": state })),
            ..Snapshot::default()
        };
        assert_eq!(of(1, "connected").hash(), of(1, "connected").hash());
        assert_ne!(of(1, "connected").hash(), of(2, "connected").hash());
        assert_ne!(of(1, "connected").hash(), of(1, "stalled").hash());
    }
}
