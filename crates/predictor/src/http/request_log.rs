//! Gives each request an id, counts it and logs it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use daemon::prometheus::Histogram;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ID_LENGTH_MAX: usize = 64;
/// Route under which all unknown paths are counted together, because clients can send any number of
/// them.
const UNKNOWN_ROUTE: &str = "other";

/// The id of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Returns the id that the client has sent, if it is safe to log.
    fn given(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(REQUEST_ID)?.to_str().ok()?;
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let is_fit = (1..=ID_LENGTH_MAX).contains(&text.len()) && text.bytes().all(is_plain);
        is_fit.then(|| Self(text.to_owned()))
    }
}

/// Upper ends of the buckets of answers' times, in seconds. A training that is waited for takes the longest.
const SECONDS: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 30.0];

/// The answers of a route.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    /// Number of answers by status.
    pub(crate) by_status: BTreeMap<u16, u64>,
    /// Seconds until the head of the answer was ready.
    pub(crate) seconds: Histogram,
}

impl Default for Answers {
    fn default() -> Self {
        Self { by_status: BTreeMap::new(), seconds: Histogram::new(&SECONDS) }
    }
}

/// The answers of each route, and the source of ids.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    routes: Mutex<BTreeMap<String, Answers>>,
    hasher: RandomState,
    issued: AtomicU64,
}

impl RequestLog {
    /// Returns the answers by route.
    pub(crate) fn routes(&self) -> BTreeMap<String, Answers> {
        self.routes.lock().expect("nothing panics under this lock").clone()
    }

    fn count(&self, route: Option<String>, status: u16, took: Duration) {
        let route = route.unwrap_or_else(|| UNKNOWN_ROUTE.to_owned());
        let mut routes = self.routes.lock().expect("nothing panics under this lock");
        let answers = routes.entry(route).or_default();
        *answers.by_status.entry(status).or_default() += 1;
        answers.seconds.observe(took.as_secs_f64());
    }

    fn new_id(&self) -> RequestId {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:016x}", self.hasher.hash_one(number)))
    }
}

/// Gives a request its id, counts the answer and logs it.
pub(crate) async fn trace(
    request_log: web::Data<RequestLog>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = RequestId::given(request.headers()).unwrap_or_else(|| request_log.new_id());
    let header = HeaderValue::from_str(id.text());
    request.extensions_mut().insert(id.clone());
    let mut response = next.call(request).await?;
    if let Ok(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    let status = response.status().as_u16();
    let took = started.elapsed();
    request_log.count(response.request().match_pattern(), status, took);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
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
    fn an_id_of_the_client_is_used_if_it_is_safe_to_log() {
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
    fn ids_differ() {
        let request_log = RequestLog::default();
        assert_ne!(request_log.new_id().0, request_log.new_id().0);
    }
}
