//! Answers that a client may already have.

use actix_web::http::header::{
    self, CacheControl, CacheDirective, ETag, EntityTag, Header as _, IfNoneMatch,
};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

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
    response.insert_header((header::CONTENT_TYPE, kind)).body(body)
}

/// A body and what it is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Something as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("text keys and plain values");
        Self { kind: "application/json", body }
    }
}

/// Text that is JSON already.
impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self { kind: "application/json", body: text.into_bytes() }
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
