//! Reads request bodies, limited in size and time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Payload};

use super::problem::Problem;
use crate::config::BODY_BYTES_MAX;

/// A body that has not come by then does not come.
const WITHIN: Duration = Duration::from_secs(5);

/// The whole body.
pub(crate) async fn read(payload: Payload) -> Result<Bytes, Problem> {
    let plain = |status: StatusCode, detail: String| Problem::new("about:blank", status, detail);
    match tokio::time::timeout(WITHIN, payload.to_bytes_limited(BODY_BYTES_MAX)).await {
        Err(_) => {
            let detail = format!("the body has not come within {} s", WITHIN.as_secs());
            Err(plain(StatusCode::REQUEST_TIMEOUT, detail))
        }
        Ok(Err(_)) => {
            let detail = format!("a body may have {BODY_BYTES_MAX} bytes");
            Err(plain(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
        Ok(Ok(Err(error))) => {
            Err(plain(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")))
        }
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

/// Whether the request says that its body is of this kind.
pub(crate) fn is(request: &HttpRequest, kind: &str) -> bool {
    let said = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    said.and_then(|said| said.split(';').next())
        .is_some_and(|said| said.trim().eq_ignore_ascii_case(kind))
}
