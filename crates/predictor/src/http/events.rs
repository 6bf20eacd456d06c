//! `GET /api/events`: the events of a table as a stream.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use actix_web_lab::sse;

use super::problem::Problem;
use crate::config::{EVENT_STREAMS_MAX, EVENT_STREAMS_PER_CLIENT_MAX};
use crate::events::Events;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// `GET /api/events`.
pub(crate) async fn events(request: HttpRequest, events: web::Data<Events>) -> HttpResponse {
    let address = request.peer_addr().map(|address| address.ip());
    let Some(stream) = events.stream(address) else {
        let detail = format!(
            "too many event streams: {EVENT_STREAMS_MAX} event streams are open already, or {EVENT_STREAMS_PER_CLIENT_MAX} to this address"
        );
        let problem = Problem::new("too-many-streams", StatusCode::SERVICE_UNAVAILABLE, detail);
        return HttpResponse::from_error(problem);
    };
    sse::Sse::from_infallible_stream(Box::pin(stream))
        .with_keep_alive(KEEP_ALIVE)
        .with_retry_duration(RETRY_AFTER)
        .respond_to(&request)
        .map_into_boxed_body()
}
