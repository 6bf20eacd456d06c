//! Splits a stream of server-sent events, as the HTML standard defines it, section 9.2.6.

use std::time::Duration;

use serde_json::{Value, json};

/// The name of an event that has none.
const DEFAULT_NAME: &str = "message";
/// The longest pause that a server may ask for.
const RETRY_MAX: Duration = Duration::from_hours(1);

/// Collects the events of a stream.
#[derive(Debug)]
pub(super) struct EventStream {
    /// The bytes of the last line, which may be incomplete.
    line: Vec<u8>,
    /// The last line ended with CR, so an LF that follows belongs to it.
    after_cr: bool,
    is_first_line: bool,
    name: String,
    data: String,
    has_data: bool,
    bytes_max: usize,
    /// The id of the last event, with which a new connection continues.
    pub(super) last_id: String,
    /// The pause before a new connection that the server asks for.
    pub(super) retry: Option<Duration>,
}

/// An event is longer than the limit, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong(pub(super) usize);

impl EventStream {
    /// Creates the state of a new connection after the event `last_id`. Longer events than `bytes_max` are refused.
    pub(super) fn new(bytes_max: usize, last_id: String) -> Self {
        Self {
            line: Vec::new(),
            after_cr: false,
            is_first_line: true,
            name: String::new(),
            data: String::new(),
            has_data: false,
            bytes_max,
            last_id,
            retry: None,
        }
    }

    /// Returns the events that end in `bytes`, each as a list of its name, its data and the id of the last event that had
    /// one: `["crash", {"x": 2.31}, "17"]`. Data that is not JSON is text.
    ///
    /// # Errors
    ///
    /// An event is longer than the limit.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Value>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            let continues_end = std::mem::take(&mut self.after_cr) && *byte == b'\n';
            match byte {
                _ if continues_end => {}
                b'\r' | b'\n' => {
                    self.after_cr = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_line(&line));
                }
                byte => self.line.push(*byte),
            }
            if self.line.len() + self.data.len() > self.bytes_max {
                return Err(TooLong(self.bytes_max));
            }
        }
        Ok(events)
    }

    /// Reads a line; returns the event that it ends.
    fn end_line(&mut self, line: &[u8]) -> Option<Value> {
        let text = String::from_utf8_lossy(line);
        let is_first = std::mem::take(&mut self.is_first_line);
        let text = if is_first { text.trim_start_matches('\u{feff}') } else { &*text };
        if text.is_empty() {
            return self.end_event();
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.last_id),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(|ms| Duration::from_millis(ms).min(RETRY_MAX));
            }
            // A comment, or a field that later versions add.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Value> {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if !std::mem::take(&mut self.has_data) {
            return None;
        }
        let name = if name.is_empty() { DEFAULT_NAME } else { &name };
        let data = serde_json::from_str(&data).unwrap_or(Value::String(data));
        Some(json!([name, data, self.last_id]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> EventStream {
        EventStream::new(1000, String::new())
    }

    /// The examples of the standard, section 9.2.6.
    #[test]
    fn the_examples_of_the_standard_are_read() {
        let cases = [
            (
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
                vec![
                    json!(["message", "first event", "1"]),
                    json!(["message", "second event", ""]),
                ],
            ),
            (
                "data\n\ndata\ndata\n\ndata:",
                vec![json!(["message", "", ""]), json!(["message", "\n", ""])],
            ),
            (
                "data:test\n\ndata: test\n\n",
                vec![json!(["message", "test", ""]), json!(["message", "test", ""])],
            ),
            (
                "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
                vec![json!(["add", 73_857_293, ""]), json!(["remove", 2153, ""])],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(stream().push(text.as_bytes()).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_stream_is_read_alike_however_it_is_cut_and_whatever_ends_its_lines() {
        let text =
            "\u{feff}event: crash\nid: 17\ndata: {\"x\":\ndata: 2.31}\n\n: alive\nretry: 2500\n\n";
        for end in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', end);
            for size in 1..text.len() {
                let mut stream = stream();
                let pieces = text.as_bytes().chunks(size);
                let events: Vec<Value> =
                    pieces.flat_map(|piece| stream.push(piece).unwrap()).collect();
                assert_eq!(events, [json!(["crash", {"x": 2.31}, "17"])], "{end:?} {size}");
                assert_eq!(stream.last_id, "17");
                assert_eq!(stream.retry, Some(Duration::from_millis(2500)));
            }
        }
    }

    #[test]
    fn an_event_without_data_only_moves_the_id() {
        let mut stream = stream();
        assert_eq!(
            stream.push(b"event: crash\nid: 3\n\nretry: soon\nid: a\0b\n\n").unwrap(),
            [] as [Value; 0]
        );
        assert_eq!((stream.last_id.as_str(), stream.retry), ("3", None));
    }

    #[test]
    fn an_event_that_never_ends_is_refused() {
        assert_eq!(stream().push(&[b'x'; 2000]), Err(TooLong(1000)));
        let mut stream = stream();
        let result = (0..100).try_for_each(|_| stream.push(b"data: 0123456789\n").map(drop));
        assert_eq!(result, Err(TooLong(1000)));
    }
}
