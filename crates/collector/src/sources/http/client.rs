//! Sends HTTP requests and maps their errors.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, ClientBuilder, Error, Response};
use url::Url;

use crate::config_error::ConfigError;
use crate::feed::Feed;
use crate::feed::address::FeedAddress;
use crate::feed::error::excerpt;
use crate::source_error::SourceError;
use crate::tls;

/// Maximum number of redirects, all on the same host.
const REDIRECTS_MAX: usize = 5;

/// Returns a client for `feed` that accepts the media type `accept`.
///
/// # Errors
///
/// A certificate of `feed.ca_file` cannot be used.
pub(in crate::sources) fn client(feed: &Feed, accept: &'static str) -> Result<Client, ConfigError> {
    build(feed, accept, |builder| builder.timeout(feed.timeout))
}

/// Like [`client`], for answers that do not end: only connecting has a timeout.
///
/// # Errors
///
/// As [`client`].
pub(in crate::sources) fn streaming(
    feed: &Feed,
    accept: &'static str,
) -> Result<Client, ConfigError> {
    build(feed, accept, |builder| builder)
}

fn build(
    feed: &Feed,
    accept: &'static str,
    limited: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, ConfigError> {
    tls::install();
    let mut headers = feed.headers.clone();
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static(accept));
    let unusable = |error: Error| ConfigError::key("feed.ca_file", chain(&error));
    let authorities = feed
        .authorities
        .iter()
        .map(|certificate| Certificate::from_der(certificate))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unusable)?;
    let mut builder = limited(Client::builder())
        .default_headers(headers)
        .connect_timeout(feed.timeout)
        .redirect(Policy::custom(redirect_policy))
        .tls_certs_merge(authorities);
    if feed.address.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(unusable)
}

/// Follows redirects on the same origin, or from http to https: headers may hold a token for this host only.
fn redirect_policy(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let Some(first) = attempt.previous().first() else { return attempt.follow() };
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error(format!("it redirects more than {REDIRECTS_MAX} times"));
    }
    if is_same_origin(first, attempt.url()) {
        return attempt.follow();
    }
    let elsewhere = attempt.url().origin().ascii_serialization();
    attempt.error(format!("it redirects to {elsewhere}; if that is the feed, make it feed.url"))
}

fn is_same_origin(from: &Url, to: &Url) -> bool {
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https";
    from.origin() == to.origin() || (is_upgrade && from.host() == to.host())
}

/// Returns what a failed request means.
pub(in crate::sources) fn failed(
    error: Error,
    address: &FeedAddress,
    timeout: Duration,
) -> SourceError {
    if error.is_timeout() {
        return SourceError::TimedOut { peer: address.to_string(), after: timeout };
    }
    let (is_redirect, is_request) = (error.is_redirect(), error.is_builder());
    let text = tls::explained(format!("{address}: {}", chain(&error.without_url())));
    if is_redirect || is_request {
        SourceError::Unusable(text)
    } else {
        SourceError::Disconnected(text)
    }
}

/// Reads the body of an answer.
///
/// # Errors
///
/// The body is longer than `bytes_max`, or the connection was lost.
pub(in crate::sources) async fn body(
    mut response: Response,
    bytes_max: usize,
    address: &FeedAddress,
    timeout: Duration,
) -> Result<Vec<u8>, SourceError> {
    let mut body = Vec::new();
    let lost = |error| failed(error, address, timeout);
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(SourceError::Unusable(format!(
                "{address} sent more than {bytes_max} bytes; check feed.max_message_bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns the error for an answer that is not JSON.
pub(in crate::sources) fn not_json(headers: &HeaderMap, address: &FeedAddress) -> SourceError {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("nothing");
    let advice = if kind.contains("html") { "; a page is read with --selector" } else { "" };
    SourceError::Unusable(format!("{address} sent {} instead of JSON{advice}", excerpt(kind)))
}

/// Returns the error and its causes in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
