//! Errors as a client sees them: RFC 9457 problem documents, for our own errors and for actix's.

use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

use super::request_log::RequestId;
use crate::http::query::BadQuery;

/// Seconds after which a client should retry.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Marks a failed response that has its own body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rendered;

/// The error of a request.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    kind: &'static str,
    title: &'static str,
    status: StatusCode,
    detail: String,
    extra: Map<String, Value>,
}

impl Problem {
    /// Creates a problem; docs/reference/api.md must have a line for its `kind`.
    pub(crate) fn new(kind: &'static str, status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { kind, title, status, detail: detail.into(), extra: Map::new() }
    }

    /// Adds a member beyond the five of the standard.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    /// The query string is invalid.
    pub(crate) fn bad_query(error: impl fmt::Display) -> Self {
        Self::new("bad-query", StatusCode::BAD_REQUEST, error.to_string())
    }

    /// Fewer rounds than a model needs.
    pub(crate) fn too_few_rounds(have: u64, need: u64) -> Self {
        Self::new(
            "too-few-rounds",
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{have} of {need} rounds"),
        )
        .with("rounds_have", have)
        .with("rounds_needed", need)
    }

    /// The daemon is stopping.
    pub(crate) fn stopping() -> Self {
        Self::new("stopping", StatusCode::SERVICE_UNAVAILABLE, "the predictor is stopping")
    }

    /// Returns the problem for an error response of actix.
    fn of_status(status: StatusCode, path: &str) -> Self {
        let detail = match status {
            StatusCode::NOT_FOUND => format!("nothing is served at {path}"),
            StatusCode::METHOD_NOT_ALLOWED => format!("{path} does not support this method"),
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!("a body may have at most {} bytes", crate::config::BODY_BYTES_MAX)
            }
            _ => status.canonical_reason().unwrap_or("the request failed").to_lowercase(),
        };
        Self::new("about:blank", status, detail)
    }

    fn document(&self, path: &str, request_id: Option<&str>) -> String {
        let kind = match self.kind {
            "about:blank" => self.kind.to_owned(),
            kind => format!("/problems/{kind}"),
        };
        let document = Document {
            kind: &kind,
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: path,
            success: false,
            error: &self.detail,
            message: &self.detail,
            request_id,
            extra: &self.extra,
        };
        serde_json::to_string(&document).expect("text keys and plain values always serialise")
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    success: bool,
    /// The detail, under the names of the Python original.
    error: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl From<BadQuery> for Problem {
    fn from(error: BadQuery) -> Self {
        Self::bad_query(error)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        // The body is written by `render`, which knows the request.
        let mut response = HttpResponse::new(self.status);
        response.extensions_mut().insert(self.clone());
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                let how = HeaderValue::from_static("Bearer realm=\"aviator\"");
                headers.insert(header::WWW_AUTHENTICATE, how);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            // The rest of the body may still arrive, and nothing reads it: close the connection.
            StatusCode::REQUEST_TIMEOUT => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

/// Replaces the body of every failed response by a problem document.
pub(crate) async fn render(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Passing errors on is safe: handlers and `guard` return a response even when they fail.
    // (Keeping a clone of the request to answer an error with would make actix's router panic.)
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    let is_rendered = response.response().extensions().contains::<Rendered>();
    if is_rendered || !(status.is_client_error() || status.is_server_error()) {
        return Ok(response);
    }
    let path = response.request().path().to_owned();
    let problem = response.response().extensions().get::<Problem>().cloned();
    let problem = problem.unwrap_or_else(|| Problem::of_status(status, &path));
    let id = response.request().extensions().get::<RequestId>().cloned();
    let document = problem.document(&path, id.as_ref().map(RequestId::text));
    let mut response = response.map_body(|_, _| BoxBody::new(document));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Ok(response)
}
