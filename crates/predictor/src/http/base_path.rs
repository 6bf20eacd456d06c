//! Strips the configured base path from requests.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use crate::config::BasePath;

/// Strips the base path. Requests without it are served as well: a proxy may have stripped it.
pub(crate) async fn strip(
    base: web::Data<BasePath>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match base.rest(request.path()) {
        None => {}
        Some("") => {
            let last = base.prefix().rsplit('/').next().unwrap_or_default();
            let slash = (header::LOCATION, format!("{last}/"));
            let moved = HttpResponse::PermanentRedirect().insert_header(slash).finish();
            return Ok(request.into_response(moved));
        }
        Some(rest) => {
            if let Some(uri) = with_path(request.uri(), rest) {
                request.match_info_mut().get_mut().update(&uri);
                request.head_mut().uri = uri;
            }
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_stays() {
        let uri: Uri = "/aviator/api/rounds?limit=2".parse().unwrap();
        assert_eq!(with_path(&uri, "/api/rounds").unwrap(), "/api/rounds?limit=2");
    }
}
