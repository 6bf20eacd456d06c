//! The login form, which exchanges the token for a session cookie.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::body;
use super::guard::{COOKIE, Guard};
use super::problem::{Problem, Rendered};
use crate::config::BasePath;

/// Lifetime of the session cookie: 30 days, in seconds.
const COOKIE_AGE: u32 = 30 * 24 * 60 * 60;
const PAGE: &str = include_str!("login.html");
/// The content security policy of the login page, the only page with a form.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// The fields of the login form.
#[derive(Deserialize)]
struct LoginForm {
    token: String,
}

/// `GET /login`: the login form, if a token is required.
pub(crate) async fn form(guard: web::Data<Guard>) -> HttpResponse {
    if guard.token().is_some() { page(StatusCode::OK) } else { to_dashboard().finish() }
}

/// `POST /login`: exchanges the token for a session cookie.
pub(crate) async fn log_in(
    request: HttpRequest,
    payload: web::Payload,
    guard: web::Data<Guard>,
    base: web::Data<BasePath>,
) -> Result<HttpResponse, Problem> {
    if !body::is(&request, "application/x-www-form-urlencoded") {
        let detail = "the login expects a form: application/x-www-form-urlencoded";
        return Err(Problem::new("not-a-form", StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let sent = body::read(payload).await?;
    let text = std::str::from_utf8(&sent).unwrap_or_default();
    let form = web::Query::<LoginForm>::from_query(text).map_err(|error| {
        let detail = format!("the form cannot be parsed: {error}");
        Problem::new("not-a-form", StatusCode::BAD_REQUEST, detail)
    })?;
    let Some(token) = guard.token() else { return Ok(to_dashboard().finish()) };
    if !token.is(form.token.trim()) {
        guard.record_failure(request.peer_addr()).await?;
        return Ok(page(StatusCode::UNAUTHORIZED));
    }
    let cookie = format!(
        "{COOKIE}={}; Path={}/; Max-Age={COOKIE_AGE}; HttpOnly; SameSite=Strict{}",
        token.cookie(),
        base.prefix(),
        if is_encrypted(request.headers()) { "; Secure" } else { "" }
    );
    Ok(to_dashboard().insert_header((header::SET_COOKIE, cookie)).finish())
}

/// Returns whether the browser uses HTTPS. Forms always send their origin; behind a proxy nothing else
/// shows the scheme.
fn is_encrypted(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

fn page(status: StatusCode) -> HttpResponse {
    let is_wrong = status == StatusCode::UNAUTHORIZED;
    let message = if is_wrong { "<p role=\"alert\">Wrong token.</p>" } else { "" };
    let mut response = HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)))
        .body(PAGE.replace("<!-- message -->", message));
    response.extensions_mut().insert(Rendered);
    response
}

/// Redirects by a relative address, as a proxy may add any prefix.
fn to_dashboard() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, "./"));
    response
}
