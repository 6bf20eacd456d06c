//! The har source: the network log that a browser's developer tools save, read with the rules of a live feed. Without rules
//! it is the socket of the game that the browser source reads.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use url::Url;

use crate::clock;
use crate::config_error::ConfigError;
use crate::feed::FeedOptions;
use crate::feed::address::FeedAddress;
use crate::feed::message_format::MessageCodec;
use crate::feed::reader::Reader;
use crate::feed::redacted_shape::shape;
use crate::observation::{Observation, Report};
use crate::order::Order;
use crate::sfs2x::{self, Message};
use crate::sources::replay::ReplayOptions;
use crate::sources::websocket::WebSocketOptions;
use crate::sources::websocket::framing::{Arrival, Decoder, Framing};

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Maximum length of a document that is split over messages.
const DOCUMENT_BYTES_MAX: usize = 64 << 20;
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// Reads the rounds in a HAR file.
#[derive(Debug)]
pub struct Har {
    file: PathBuf,
    /// Only requests to this address are read.
    address: Option<FeedAddress>,
    framing: Framing,
    namespace: String,
    codec: MessageCodec,
    /// `None` without rules.
    reader: Option<Reader>,
    observations: VecDeque<Observation>,
}

/// Something that arrived, and when.
struct Received {
    at: DateTime<Utc>,
    content: Content,
}

enum Content {
    Document(Value),
    Report(Report),
}

impl Har {
    /// Checks the options and reads the file.
    ///
    /// # Errors
    ///
    /// `--file` is missing, cannot be read, is no HAR file or holds no rounds (the error shows the shape of its last
    /// message), or an option of the feed is wrong.
    pub fn new(
        options: &ReplayOptions,
        websocket: &WebSocketOptions,
        feed: &FeedOptions,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let Some(file) = options.file.clone() else {
            return Err(ConfigError::flag(
                "file",
                "a HAR file is needed, as the developer tools save it",
            ));
        };
        if let Err(error) = File::open(&file) {
            return Err(ConfigError::flag("file", format!("{}: {error}", file.display())));
        }
        let rules = feed.rules(order)?;
        let codec = MessageCodec::new(feed.format.unwrap_or_default(), &feed.protobuf, &rules)?;
        let address = feed.url.as_ref().map(|url| FeedAddress::new(Some(url), &SCHEMES));
        let mut har = Self {
            file,
            address: address.transpose()?,
            framing: websocket.framing.unwrap_or_default(),
            namespace: websocket.namespace.clone().unwrap_or_else(|| "/".to_owned()),
            codec,
            reader: (!rules.is_empty()).then(|| Reader::new(rules)),
            observations: VecDeque::new(),
        };
        har.read()?;
        Ok(har)
    }

    /// Reads the file.
    fn read(&mut self) -> Result<(), ConfigError> {
        let name = self.file.display().to_string();
        let wrong = |problem: String| ConfigError::flag("file", format!("{name}: {problem}"));
        let length = fs::metadata(&self.file).map_err(|error| wrong(error.to_string()))?.len();
        if length > FILE_BYTES_MAX {
            return Err(wrong("is larger than 1 GiB".to_owned()));
        }
        let text = fs::read(&self.file).map_err(|error| wrong(error.to_string()))?;
        let log: Value = serde_json::from_slice(&text)
            .map_err(|_| wrong("is not JSON, and so no HAR file".to_owned()))?;
        let Some(entries) = log["log"]["entries"].as_array() else {
            return Err(wrong("has no log.entries, and so is no HAR file".to_owned()));
        };
        let mut received: Vec<Received> = entries
            .iter()
            .filter(|entry| self.is_wanted(entry))
            .flat_map(|entry| self.entry(entry))
            .collect();
        received.sort_by_key(|received| received.at);
        let last = received.iter().rev().find_map(|received| match &received.content {
            Content::Document(document) => Some(document.clone()),
            Content::Report(_) => None,
        });
        self.observations = self.observed(received);
        if self.observations.is_empty() {
            return Err(wrong(self.why_nothing(last.as_ref())));
        }
        Ok(())
    }

    /// Returns the next observation; [`Report::End`] after the last.
    pub fn next_observation(&mut self) -> Observation {
        self.observations.pop_front().unwrap_or_else(|| Observation::now(Report::End))
    }

    fn is_wanted(&self, entry: &Value) -> bool {
        let Some(address) = &self.address else { return true };
        let url = entry["request"]["url"].as_str().and_then(|url| Url::parse(url).ok());
        url.is_some_and(|url| {
            url.host() == address.url().host() && url.path() == address.url().path()
        })
    }

    /// Returns what arrived in answer to one request.
    fn entry(&self, entry: &Value) -> Vec<Received> {
        let messages = entry["_webSocketMessages"].as_array();
        if let Some(messages) = messages {
            let mut decoder = Decoder::new(self.framing, &self.namespace, DOCUMENT_BYTES_MAX);
            return messages
                .iter()
                .filter(|message| message["type"] == "receive")
                .flat_map(|message| self.message(message, &mut decoder))
                .collect();
        }
        let content = &entry["response"]["content"];
        let Some(text) = content["text"].as_str() else { return Vec::new() };
        let bytes = bytes_of(text, content["encoding"] == "base64");
        let began =
            entry["startedDateTime"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
        let took = entry["time"].as_f64().map_or(TimeDelta::zero(), milliseconds);
        let (Some(began), Ok(documents)) = (began, self.codec.decode(&bytes)) else {
            return Vec::new();
        };
        let received =
            |document| Received { at: began + took, content: Content::Document(document) };
        documents.into_iter().map(received).collect()
    }

    fn message(&self, message: &Value, decoder: &mut Decoder) -> Vec<Received> {
        let data = message["data"].as_str().unwrap_or_default();
        let is_binary = message["opcode"].as_f64().is_some_and(|opcode| opcode > 1.5);
        let seconds = message["time"].as_f64().unwrap_or_default();
        let at = DateTime::UNIX_EPOCH + milliseconds(seconds * 1e3);
        let bytes = bytes_of(data, is_binary);
        let contents: Vec<Content> = if self.reader.is_none() {
            reports(&bytes).map(Content::Report).collect()
        } else if self.codec.format().is_binary() {
            self.codec
                .decode(&bytes)
                .unwrap_or_default()
                .into_iter()
                .map(Content::Document)
                .collect()
        } else {
            let document = |arrival| match arrival {
                Arrival::Document(document) => Some(Content::Document(document)),
                _ => None,
            };
            decoder
                .decode(&String::from_utf8_lossy(&bytes))
                .into_iter()
                .filter_map(document)
                .collect()
        };
        contents.into_iter().map(|content| Received { at, content }).collect()
    }

    /// Applies the rules in the order of arrival. The monotonic times are as far apart as those of the file.
    fn observed(&mut self, received: Vec<Received>) -> VecDeque<Observation> {
        let (Some(first), Some(last)) = (received.first(), received.last()) else {
            return VecDeque::new();
        };
        let (first, span) = (first.at, (last.at - first.at).to_std().unwrap_or_default());
        let now = clock::mono();
        let base = now.checked_sub(span).unwrap_or(now);
        let mut observations = VecDeque::new();
        for Received { at, content } in received {
            let report = match (content, &mut self.reader) {
                (Content::Report(report), _) => Some(report),
                (Content::Document(document), Some(reader)) => reader.read(&document).report,
                (Content::Document(_), None) => None,
            };
            let mono = base + (at - first).to_std().unwrap_or(Duration::ZERO);
            observations.extend(report.map(|report| Observation {
                mono,
                wall: at,
                report: timed(report, at),
            }));
        }
        observations
    }

    fn why_nothing(&self, last: Option<&Value>) -> String {
        match (&self.reader, last) {
            (None, _) => "holds no message of the game's socket; for another game say where its rounds are, with [[feed.rounds]] in a --config file".to_owned(),
            (Some(_), None) => "holds no message that can be read; check feed.url, feed.format and websocket.framing".to_owned(),
            (Some(reader), Some(last)) => {
                format!("holds no rounds; the last message was {}; {}", shape(last), reader.mismatch_reason(last))
            }
        }
    }
}

/// Returns the bytes that the file holds as text or in Base64.
fn bytes_of(text: &str, is_base64: bool) -> Vec<u8> {
    if is_base64 { STANDARD.decode(text).unwrap_or_default() } else { text.as_bytes().to_vec() }
}

/// Returns what the packets of the game's socket report.
fn reports(bytes: &[u8]) -> impl Iterator<Item = Report> {
    sfs2x::packets(bytes).filter_map(|packet| Some(Message::of(&packet.ok()?)?.into_report(None)))
}

/// Returns the report with the time at which it arrived, if it has none of its own.
fn timed(mut report: Report, at: DateTime<Utc>) -> Report {
    if let Report::Round { ended_at, .. } = &mut report {
        ended_at.get_or_insert(at);
    }
    report
}

#[expect(clippy::cast_possible_truncation, reason = "a time beyond the range is cut to it")]
fn milliseconds(number: f64) -> TimeDelta {
    let limit = 1e14;
    TimeDelta::milliseconds(number.clamp(-limit, limit).round() as i64)
}
