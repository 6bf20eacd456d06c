//! The page, embedded in the program.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};

/// Adds `/` and the files it needs.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/").get(page).head(page));
}

async fn page() -> HttpResponse {
    let page = "<!doctype html><title>Aviator predictor</title><a href=/api/status>Status</a>";
    HttpResponse::Ok().content_type(ContentType::html()).body(page)
}
