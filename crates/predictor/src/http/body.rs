//! Reads request bodies, limited in size and time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Payload};

use super::problem::Problem;
use crate::config::BODY_BYTES_MAX;

/// Time limit for receiving a body.
const WITHIN: Duration = Duration::from_secs(5);

/// Reads the whole body.
pub(crate) async fn read(payload: Payload) -> Result<Bytes, Problem> {
    let plain = |status: StatusCode, detail: String| Problem::new("about:blank", status, detail);
    match tokio::time::timeout(WITHIN, payload.to_bytes_limited(BODY_BYTES_MAX)).await {
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", WITHIN.as_secs());
            Err(plain(StatusCode::REQUEST_TIMEOUT, detail))
        }
        Ok(Err(_)) => {
            let detail = format!("a body may have at most {BODY_BYTES_MAX} bytes");
            Err(plain(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
        Ok(Ok(Err(error))) => {
            Err(plain(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")))
        }
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

/// Returns whether the request declares a body of this content type.
pub(crate) fn is(request: &HttpRequest, kind: &str) -> bool {
    let declared = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    declared
        .and_then(|it| it.split(';').next())
        .is_some_and(|it| it.trim().eq_ignore_ascii_case(kind))
}
