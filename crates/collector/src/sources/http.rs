//! The http source: polls JSON, a binary format or HTML over HTTP.

pub(super) mod client;
pub mod page;

use std::time::Duration;

use clap::Args;
use reqwest::header::{
    CONTENT_TYPE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::config_error::ConfigError;
use crate::duration_arg::DurationArg;
use crate::feed::address::FeedAddress;
use crate::feed::error::{from_status, tolerate};
use crate::feed::health::FeedHealth;
use crate::feed::message_format::{MessageCodec, MessageFormat};
use crate::feed::parsed::{FieldError, ParsedMessage};
use crate::feed::reader::Reader;
use crate::feed::rule::Rule;
use crate::feed::secret::Secret;
use crate::feed::{Feed, FeedOptions, diagnostics};
use crate::finding::Finding;
use crate::observation::{Observation, Report};
use crate::order::Order;
use crate::source_error::SourceError;
use crate::sources::sse;
use page::{Page, PageOptions};

/// Default polling interval.
const EVERY_DEFAULT: Duration = Duration::from_secs(10);
/// Range of the polling interval: a history of 25 rounds covers a few minutes, and the session reconnects after five
/// without a new round.
const EVERY: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(2);

/// The flags and the `[http]` section of the configuration file.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct HttpOptions {
    /// http: polling interval [default: 10s]
    #[arg(long, env = "AVIATOR_EVERY", value_name = "DURATION")]
    pub every: Option<DurationArg>,

    /// The JSON to post, for a feed that expects POST requests; may be `env:NAME` or `file:PATH`.
    #[arg(skip)]
    pub body: Option<Secret>,

    /// Where the values are in an entry that `--selector` finds in a page.
    #[arg(skip)]
    pub html: PageOptions,
}

/// Reads JSON or HTML over HTTP.
pub struct Http {
    address: FeedAddress,
    client: Client,
    body: Option<String>,
    timeout: Duration,
    bytes_max: usize,
    every: Duration,
    codec: MessageCodec,
    format: Format,
    health: FeedHealth,
    /// When to send the next request.
    due: Instant,
    /// The first report of a connection.
    first: Option<Report>,
    /// The newest report, repeated on 304 Not Modified, and the headers of a conditional request.
    last_answer: Option<(Report, HeaderMap)>,
}

/// The format of the answers.
#[derive(Debug)]
enum Format {
    Documents(Reader),
    Html(Page),
}

impl Http {
    /// Checks the options; opens nothing.
    ///
    /// # Errors
    ///
    /// An option is missing or wrong; the error names its flag or key.
    pub fn new(
        options: &HttpOptions,
        feed: &FeedOptions,
        selector: Option<&str>,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let mut feed = Feed::new(feed, order, &["http", "https"])?;
        let every = options.every.map_or(EVERY_DEFAULT, |span| span.0);
        if !EVERY.contains(&every) {
            return Err(ConfigError::flag("every", "must be from 1s to 2m"));
        }
        let format = match selector {
            Some(_) if !feed.rules.is_empty() => {
                return Err(ConfigError::flag(
                    "selector",
                    "reads HTML and feed.rounds JSON: keep one of them",
                ));
            }
            Some(_) if feed.codec.format().is_binary() => {
                return Err(ConfigError::key("feed.format", "a page is HTML: leave it out"));
            }
            Some(selector) => Format::Html(Page::new(selector, &options.html, order)?),
            None => Format::Documents(Reader::new(require_ids(std::mem::take(&mut feed.rules))?)),
        };
        let body = options.body.as_ref().map(Secret::reveal).transpose();
        let accept = match (&format, feed.codec.format()) {
            (Format::Html(_), _) => "text/html",
            (Format::Documents(_), MessageFormat::Json) => "application/json",
            (Format::Documents(_), MessageFormat::MsgPack) => {
                "application/vnd.msgpack, application/msgpack"
            }
            (Format::Documents(_), MessageFormat::Cbor) => "application/cbor",
            (Format::Documents(_), MessageFormat::Protobuf) => {
                "application/protobuf, application/x-protobuf"
            }
        };
        Ok(Self {
            client: client::client(&feed, accept)?,
            body: body.map_err(|problem| ConfigError::key("http.body", problem))?,
            address: feed.address,
            timeout: feed.timeout,
            bytes_max: feed.bytes_max,
            codec: feed.codec,
            every,
            format,
            health: FeedHealth::default(),
            due: Instant::now(),
            first: None,
            last_answer: None,
        })
    }

    /// Sends the first request, or the first after a failure.
    ///
    /// # Errors
    ///
    /// The request failed; the error says why and whether another attempt can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        let report = self.request().await;
        self.first = Some(report.map_err(|error| tolerate(error, self.health.has_worked()))?);
        Ok(())
    }

    /// Waits for the next observation.
    ///
    /// # Errors
    ///
    /// The feed can no longer be read; the error says why.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        if let Some(report) = self.first.take() {
            return Ok(Observation::now(report));
        }
        sleep_until(self.due).await;
        let report = self.request().await;
        report.map(Observation::now).map_err(|error| tolerate(error, self.health.has_worked()))
    }

    async fn request(&mut self) -> Result<Report, SourceError> {
        self.due = Instant::now() + self.every;
        let url = self.address.url().clone();
        let request = match (&self.body, &self.last_answer) {
            (Some(body), _) => {
                self.client.post(url).header(CONTENT_TYPE, "application/json").body(body.clone())
            }
            (None, Some((_, conditions))) => self.client.get(url).headers(conditions.clone()),
            (None, None) => self.client.get(url),
        };
        let failed = |error| client::failed(error, &self.address, self.timeout);
        let response = request.send().await.map_err(failed)?;
        if response.status() == StatusCode::NOT_MODIFIED
            && let Some((report, _)) = &self.last_answer
        {
            return Ok(report.clone());
        }
        if !response.status().is_success() {
            let from = self.address.to_string();
            let (status, headers) = (response.status(), response.headers());
            return Err(from_status(status, headers, &from, clock::wall()));
        }
        if sse::is_event_stream(&response) {
            return Err(SourceError::Unusable(format!(
                "{} sends server-sent events; use source = \"sse\"",
                self.address
            )));
        }
        let headers = response.headers().clone();
        let body = client::body(response, self.bytes_max, &self.address, self.timeout).await?;
        self.parse(&headers, &body)
    }

    /// Returns what the answer reports.
    fn parse(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Report, SourceError> {
        let parsed = match &mut self.format {
            Format::Html(page) => page.read(&String::from_utf8_lossy(body)),
            Format::Documents(reader) => {
                let documents =
                    self.codec.decode(body).map_err(|problem| match self.codec.format() {
                        MessageFormat::Json => client::not_json(headers, &self.address),
                        _ => SourceError::Unusable(format!("{} sent {problem}", self.address)),
                    })?;
                let document = match <[Value; 1]>::try_from(documents) {
                    Ok([document]) => document,
                    // A list in everything but name.
                    Err(documents) => Value::Array(documents),
                };
                let parsed = reader.read(&document);
                let parsed = if parsed.is_matched { parsed } else { unmatched(reader, &document) };
                self.health.set_last_document(document);
                parsed
            }
        };
        self.health.document(&parsed, String::new)?;
        // After an answer that was not understood the next request must not be conditional.
        self.last_answer = parsed.report.clone().map(|report| (report, conditions(headers)));
        Ok(parsed.report.unwrap_or(Report::Alive))
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Returns the rules if each has a list or an id. The same answer is read many times, and only
/// these tell a round that is read twice from two rounds.
fn require_ids(rules: Vec<Rule>) -> Result<Vec<Rule>, ConfigError> {
    if rules.is_empty() {
        return Err(ConfigError::key(
            "feed.rounds",
            "is missing: say where in the answer the rounds are, [[feed.rounds]] with list = \"/…\" and value = \"/…\", or give --selector for a page",
        ));
    }
    match rules.iter().find(|rule| rule.list.is_none() && rule.options.id.is_none()) {
        Some(rule) => Err(ConfigError::key(
            format!("{}.id", rule.key),
            "is missing: an answer with one round is read many times, and only an id tells one round from the next; give `id`, or `list`",
        )),
        None => Ok(rules),
    }
}

fn unmatched(reader: &Reader, document: &Value) -> ParsedMessage {
    let problem =
        FieldError { key: "feed.rounds".to_owned(), problem: reader.mismatch_reason(document) };
    ParsedMessage { is_matched: true, report: None, problem: Some(problem) }
}

/// Returns the headers of a conditional request for a newer answer than this one.
fn conditions(headers: &HeaderMap) -> HeaderMap {
    [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)]
        .into_iter()
        .filter_map(|(told, asked)| Some((asked, headers.get(told)?.clone())))
        .collect()
}

/// Sends one request for `collector doctor`.
pub async fn diagnose(mut source: Http) -> Vec<Finding> {
    if let Err(error) = source.connect().await {
        return vec![diagnostics::unreachable(&error)];
    }
    let health = &source.health;
    diagnostics::answered(
        &source.address,
        source.first.as_ref(),
        health.last_document(),
        health.last_problem(),
    )
}
