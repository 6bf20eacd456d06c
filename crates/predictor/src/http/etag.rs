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

/// A connection begins with a buffer of 8 KiB; the head of an answer has room in it too.
pub(crate) const PIECE_BYTES: usize = 7000;

/// What a browser may do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Keep it, and ask each time whether it still holds.
    AndAsk,
    /// Keep nothing: it tells the time.
    Nothing,
}

/// An answer that is only made when the client does not have it.
///
/// Tags are weak: the same answer travels with and without compression.
pub(crate) fn answer<T: Into<Answer>>(
    request: &HttpRequest,
    tag: &EntityTag,
    keep: Keep,
    make: impl FnOnce() -> T,
) -> HttpResponse {
    let is_known = knows(request, tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    let directive = match keep {
        Keep::AndAsk => CacheDirective::NoCache,
        Keep::Nothing => CacheDirective::NoStore,
    };
    response.insert_header(ETag(tag.clone())).insert_header(CacheControl(vec![directive]));
    if is_known {
        return response.finish();
    }
    let Answer { kind, body } = make().into();
    response.insert_header((header::CONTENT_TYPE, kind)).body(Pieces(body.into()))
}

/// A body in parts, and what it is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<Bytes>,
}

/// A body that is handed to its connection in pieces. With them, a connection needs no larger buffer
/// than it begins with, and ten thousand that wait for the same answer share its text.
struct Pieces(VecDeque<Bytes>);

impl MessageBody for Pieces {
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
        let piece = parts.front_mut().map(|part| part.split_to(part.len().min(PIECE_BYTES)));
        Poll::Ready(piece.map(Ok))
    }
}

impl Answer {
    /// Something as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("text keys and plain values");
        Self { kind: "application/json", body: vec![body.into()] }
    }
}

/// JSON of which the first part is shared by all who ask.
impl From<(Arc<[u8]>, String)> for Answer {
    fn from((shared, own): (Arc<[u8]>, String)) -> Self {
        let body = vec![Bytes::from_owner(shared), own.into()];
        Self { kind: "application/json", body }
    }
}

/// A tag of what an answer was made from.
pub(crate) fn tag(parts: &[u64]) -> EntityTag {
    let words: Vec<String> = parts.iter().map(|part| format!("{part:x}")).collect();
    EntityTag::new_weak(words.join("-"))
}

/// Whether the client has what the tag names.
pub(crate) fn knows(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Err(_) => false,
    }
}
