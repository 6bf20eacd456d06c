//! The http source: JSON or HTML over HTTP, asked for again and again.

mod client;
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
use crate::feed::address::Address;
use crate::feed::error::{from_status, tolerate};
use crate::feed::health::FeedHealth;
use crate::feed::parsed::{FieldError, Heard};
use crate::feed::reader::Reader;
use crate::feed::rule::Rule;
use crate::feed::secret::Secret;
use crate::feed::{Feed, FeedOptions, diagnostics};
use crate::finding::Finding;
use crate::observation::{Observation, Report};
use crate::order::Order;
use crate::source_error::SourceError;
use page::{Page, PageOptions};

/// How often a feed is asked where nothing else is said.
const EVERY_DEFAULT: Duration = Duration::from_secs(10);
/// No more: a history of 25 rounds is over within minutes, and the session gives up a source that tells nothing new for five.
const EVERY: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(2);

/// The flags and the `[http]` section of the configuration file.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct HttpOptions {
    /// http: how often to ask [default: 10s]
    #[arg(long, env = "AVIATOR_EVERY", value_name = "DURATION")]
    pub every: Option<DurationArg>,

    /// What to post, where a feed wants to be asked so: JSON, or `env:NAME` or `file:PATH`.
    #[arg(skip)]
    pub body: Option<Secret>,

    /// What stands where in an entry that `--selector` finds in a page.
    #[arg(skip)]
    pub html: PageOptions,
}

/// Reads JSON or HTML over HTTP.
pub struct Http {
    address: Address,
    client: Client,
    body: Option<String>,
    timeout: Duration,
    bytes_max: usize,
    every: Duration,
    form: Form,
    health: FeedHealth,
    /// When to ask next.
    due: Instant,
    /// What the first answer of a connection said.
    first: Option<Report>,
    /// What the newest answer said, for an answer that says "as before", and how to ask for no more than that.
    known: Option<(Report, HeaderMap)>,
}

/// How the rounds of an answer are found.
#[derive(Debug)]
enum Form {
    Json(Reader),
    Html(Page),
}

impl Http {
    /// Checks what concerns this source; opens nothing.
    ///
    /// # Errors
    ///
    /// What is missing or wrong in the configuration, with its flag or key.
    pub fn new(
        options: &HttpOptions,
        feed: &FeedOptions,
        selector: Option<&str>,
        order: Order,
    ) -> Result<Self, ConfigError> {
        let mut feed = Feed::new(feed, order, &["http", "https"])?;
        let every = options.every.map_or(EVERY_DEFAULT, |span| span.0);
        if !EVERY.contains(&every) {
            return Err(ConfigError::flag("every", "is from 1s to 2m"));
        }
        let form = match selector {
            Some(_) if !feed.rules.is_empty() => {
                return Err(ConfigError::flag(
                    "selector",
                    "reads HTML and feed.rounds JSON: keep one of them",
                ));
            }
            Some(selector) => Form::Html(Page::new(selector, &options.html, order)?),
            None => Form::Json(Reader::new(identified(std::mem::take(&mut feed.rules))?)),
        };
        let body = options.body.as_ref().map(Secret::reveal).transpose();
        let accept = match form {
            Form::Json(_) => "application/json",
            Form::Html(_) => "text/html",
        };
        Ok(Self {
            client: client::client(&feed, accept)?,
            body: body.map_err(|problem| ConfigError::key("http.body", problem))?,
            address: feed.address,
            timeout: feed.timeout,
            bytes_max: feed.bytes_max,
            every,
            form,
            health: FeedHealth::default(),
            due: Instant::now(),
            first: None,
            known: None,
        })
    }

    /// Asks for the first time, or again after a loss.
    ///
    /// # Errors
    ///
    /// Why there is no answer, and whether trying again can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        let said = self.ask().await;
        self.first = Some(said.map_err(|error| tolerate(error, self.health.has_worked()))?);
        Ok(())
    }

    /// Waits for the next reading.
    ///
    /// # Errors
    ///
    /// Why the feed can be asked no longer.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        if let Some(said) = self.first.take() {
            return Ok(Observation::now(said));
        }
        sleep_until(self.due).await;
        let said = self.ask().await;
        said.map(Observation::now).map_err(|error| tolerate(error, self.health.has_worked()))
    }

    async fn ask(&mut self) -> Result<Report, SourceError> {
        self.due = Instant::now() + self.every;
        let url = self.address.url().clone();
        let request = match (&self.body, &self.known) {
            (Some(body), _) => {
                self.client.post(url).header(CONTENT_TYPE, "application/json").body(body.clone())
            }
            (None, Some((_, conditions))) => self.client.get(url).headers(conditions.clone()),
            (None, None) => self.client.get(url),
        };
        let failed = |error| client::failed(error, &self.address, self.timeout);
        let response = request.send().await.map_err(failed)?;
        if response.status() == StatusCode::NOT_MODIFIED
            && let Some((said, _)) = &self.known
        {
            return Ok(said.clone());
        }
        if !response.status().is_success() {
            let from = self.address.to_string();
            let (status, headers) = (response.status(), response.headers());
            return Err(from_status(status, headers, &from, clock::wall()));
        }
        let headers = response.headers().clone();
        let body = client::body(response, self.bytes_max, &self.address, self.timeout).await?;
        self.understand(&headers, &body)
    }

    /// What the answer says.
    fn understand(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Report, SourceError> {
        let heard = match &mut self.form {
            Form::Html(page) => page.read(&String::from_utf8_lossy(body)),
            Form::Json(reader) => {
                let document: Value = serde_json::from_slice(body)
                    .map_err(|_| client::not_json(headers, &self.address))?;
                let heard = reader.read(&document);
                let heard = if heard.is_matched { heard } else { unmatched(reader, &document) };
                self.health.keep(document);
                heard
            }
        };
        self.health.document(&heard, String::new)?;
        // An answer that was not understood must be asked for in full again.
        self.known = heard.said.clone().map(|said| (said, conditions(headers)));
        Ok(heard.said.unwrap_or(Report::Alive))
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Rules that can tell a round seen twice from two rounds: an answer is read again and again.
fn identified(rules: Vec<Rule>) -> Result<Vec<Rule>, ConfigError> {
    if rules.is_empty() {
        return Err(ConfigError::key(
            "feed.rounds",
            "is missing: say where in the answer the rounds stand, [[feed.rounds]] with list = \"/…\" and value = \"/…\", or give --selector for a page",
        ));
    }
    match rules.iter().find(|rule| rule.list.is_none() && rule.options.id.is_none()) {
        Some(rule) => Err(ConfigError::key(
            format!("{}.id", rule.key),
            "is missing: an answer with one round is read many times, and only its id tells when it is another; give `id`, or `list`",
        )),
        None => Ok(rules),
    }
}

fn unmatched(reader: &Reader, document: &Value) -> Heard {
    let problem = FieldError { key: "feed.rounds".to_owned(), problem: reader.why_not(document) };
    Heard { is_matched: true, said: None, problem: Some(problem) }
}

/// The headers that ask for an answer only if it is another than this one.
fn conditions(headers: &HeaderMap) -> HeaderMap {
    [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)]
        .into_iter()
        .filter_map(|(told, asked)| Some((asked, headers.get(told)?.clone())))
        .collect()
}

/// This source's part of `collector doctor`: asks once.
pub async fn diagnose(mut source: Http) -> Vec<Finding> {
    if let Err(error) = source.connect().await {
        return vec![diagnostics::unreachable(&error)];
    }
    diagnostics::answered(&source.address, source.first.as_ref(), source.health.last())
}
