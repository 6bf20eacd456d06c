//! Gives each request an id, counts it and logs it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ID_LENGTH_MAX: usize = 64;
/// Paths that nothing is served at are counted together: anyone can make up as many as they like.
const ELSEWHERE: &str = "other";

/// The name of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The one that came with the request, if it is fit to stand in a log.
    fn given(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(REQUEST_ID)?.to_str().ok()?;
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let is_fit = (1..=ID_LENGTH_MAX).contains(&text.len()) && text.bytes().all(is_plain);
        is_fit.then(|| Self(text.to_owned()))
    }
}

/// What was answered how often, and the names given out.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    answered: Mutex<BTreeMap<String, BTreeMap<u16, u64>>>,
    names: RandomState,
    named: AtomicU64,
}

impl RequestLog {
    /// Answers by route and status.
    pub(crate) fn answered(&self) -> BTreeMap<String, BTreeMap<u16, u64>> {
        self.answered.lock().expect("nothing panics under this lock").clone()
    }

    fn count(&self, route: Option<String>, status: u16) {
        let route = route.unwrap_or_else(|| ELSEWHERE.to_owned());
        let mut answered = self.answered.lock().expect("nothing panics under this lock");
        *answered.entry(route).or_default().entry(status).or_default() += 1;
    }

    fn new_id(&self) -> RequestId {
        let number = self.named.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:016x}", self.names.hash_one(number)))
    }
}

/// Names, counts and logs.
pub(crate) async fn trace(
    access: web::Data<RequestLog>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let id = RequestId::given(request.headers()).unwrap_or_else(|| access.new_id());
    let name = HeaderValue::from_str(id.text());
    request.extensions_mut().insert(id.clone());
    let mut response = next.call(request).await?;
    if let Ok(name) = name {
        response.headers_mut().insert(REQUEST_ID, name);
    }
    let status = response.status().as_u16();
    access.count(response.request().match_pattern(), status);
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let request = response.request();
    tracing::debug!(
        request_id = id.text(), method = %request.method(), path = request.path(), status, micros,
        "Answered."
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_if_it_is_fit_to_stand_in_a_log() {
        let given = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(text).unwrap());
            RequestId::given(&headers).map(|id| id.0)
        };
        assert_eq!(given(b"a.B-c_1:2"), Some("a.B-c_1:2".to_owned()));
        for unfit in [&b""[..], b"two words", b"a\"b", b"\xff", &[b'a'; 65]] {
            assert_eq!(given(unfit), None);
        }
    }

    #[test]
    fn names_differ() {
        let access = RequestLog::default();
        assert_ne!(access.new_id().0, access.new_id().0);
    }
}
