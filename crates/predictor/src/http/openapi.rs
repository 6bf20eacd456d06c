//! The `OpenAPI` description, as JSON and as a page, from one file: `docs/openapi.json`.
//!
//! The file is maintained by hand. Tests compare every answer of every route with it, and its routes with
//! those of the server.

mod page;

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::LazyLock;

use actix_web::http::header::EntityTag;
use actix_web::{HttpRequest, HttpResponse};

use super::etag::{Answer, Caching, answer, tag};

pub(super) const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");
const STYLE: &str = include_str!("openapi/docs.css");

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document = serde_json::from_str(DOCUMENT).expect("a test parses it");
    page::page(&document)
});

/// `GET /api/openapi.json`.
pub(crate) async fn openapi(request: HttpRequest) -> HttpResponse {
    // The root of all routes, relative to this address.
    let root = if request.path().starts_with("/api/v1/") { "../.." } else { ".." };
    let text = DOCUMENT.replacen("\"url\": \"..\"", &format!("\"url\": \"{root}\""), 1);
    serve(&request, "application/json", text)
}

/// `GET /api/docs`.
pub(crate) async fn page(request: HttpRequest) -> HttpResponse {
    serve(&request, "text/html; charset=utf-8", PAGE.clone())
}

/// `GET /api/docs.css`.
pub(crate) async fn style(request: HttpRequest) -> HttpResponse {
    serve(&request, "text/css; charset=utf-8", STYLE.to_owned())
}

fn serve(request: &HttpRequest, kind: &'static str, text: String) -> HttpResponse {
    let tag = tag_of(&text);
    answer(request, &tag, Caching::Revalidate, || Answer { kind, body: vec![text.into()] })
}

fn tag_of(text: &str) -> EntityTag {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    tag(&[hasher.finish()])
}
