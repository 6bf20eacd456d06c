//! Conditional responses: an `ETag`, and 304 where the client has the current version.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{
    self, CacheControl, CacheDirective, ETag, EntityTag, Header as _, IfNoneMatch,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::api_json;

/// Maximum length of a chunk of a body. Together with the head it fits into the first buffer of a
/// connection, 8 KiB.
pub(crate) const CHUNK_BYTES: usize = 7000;

/// How a browser may cache an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caching {
    /// Store it, and revalidate it each time.
    Revalidate,
    /// Do not store it: it contains ages, which change with time.
    NoStore,
}

/// Answers 304 if the client has the current version; otherwise makes the answer.
///
/// Tags are weak: the same answer is sent with and without compression.
pub(crate) fn answer<T: Into<Answer>>(
    request: &HttpRequest,
    tag: &EntityTag,
    caching: Caching,
    make: impl FnOnce() -> T,
) -> HttpResponse {
    let is_known = knows(request, tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    let directive = match caching {
        Caching::Revalidate => CacheDirective::NoCache,
        Caching::NoStore => CacheDirective::NoStore,
    };
    response.insert_header(ETag(tag.clone())).insert_header(CacheControl(vec![directive]));
    if is_known {
        return response.finish();
    }
    let Answer { kind, body } = make().into();
    response.insert_header((header::CONTENT_TYPE, kind)).body(ChunkedBody(body.into()))
}

/// A body in parts with its content type.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<Bytes>,
}

/// A body that is sent in chunks, so that a connection does not grow its buffer and ten thousand
/// connections that wait for the same answer share its text.
struct ChunkedBody(VecDeque<Bytes>);

impl MessageBody for ChunkedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.iter().map(|part| part.len() as u64).sum())
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let parts = &mut self.0;
        while parts.front().is_some_and(Bytes::is_empty) {
            parts.pop_front();
        }
        let chunk = parts.front_mut().map(|part| part.split_to(part.len().min(CHUNK_BYTES)));
        Poll::Ready(chunk.map(Ok))
    }
}

impl Answer {
    /// Returns a value as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        Self::json_text(api_json::to_vec(value))
    }

    /// Returns a JSON text as an answer.
    pub(crate) fn json_text(text: Vec<u8>) -> Self {
        Self { kind: "application/json", body: vec![text.into()] }
    }
}

/// JSON whose first part is shared by all requests.
impl From<(Arc<[u8]>, String)> for Answer {
    fn from((shared, own): (Arc<[u8]>, String)) -> Self {
        let body = vec![Bytes::from_owner(shared), own.into()];
        Self { kind: "application/json", body }
    }
}

/// Returns a weak tag made from these numbers.
pub(crate) fn tag(parts: &[u64]) -> EntityTag {
    let numbers: Vec<String> = parts.iter().map(|part| format!("{part:x}")).collect();
    EntityTag::new_weak(numbers.join("-"))
}

/// Returns whether the client has the version of this tag.
pub(crate) fn knows(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Err(_) => false,
    }
}
