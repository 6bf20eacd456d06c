//! Access control: a web page in the user's browser must not be able to use this API.
//!
//! A page of another site can send requests to a loopback address (cross-site requests), and by
//! pointing its own name at 127.0.0.1 it can even read the answers (DNS rebinding). Against the
//! second every request must name a host of this server; "Origin equals Host" would be no check, as
//! both come from the attacker then. Against the first, requests that change something must not
//! come from elsewhere, and must carry a header that no page of another site can add. Ports are not
//! compared: forwarding changes them, and they protect nothing. Reading the API is refused to other sites too, unless the user
//! follows a link: they could not see the answer, but could use up the event streams.
//!
//! If there is a token, every request that reads or changes anything needs it: in a header, or as
//! the cookie that the login gave in exchange for it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError as _, web};
use tokio_util::sync::CancellationToken;

use super::failed_tokens::FailedTokens;
use super::problem::Problem;
use super::token_delays::{TokenDelays, TooManyAttempts};
use crate::config::{Token, TokenFile};

/// The cookie that a login sets.
pub(super) const COOKIE: &str = "aviator_session";
/// Sent with every response. Everything the page needs comes from this server.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Header that the dashboard sends with every request that changes something. A page of another
/// site would need permission (CORS) to send it, which this server never grants.
const OWN_PAGE: (HeaderName, &str) = (HeaderName::from_static("x-requested-with"), "aviator");

/// Served without a token: the health checks, and what a browser needs to log in. Assets are public.
const OPEN: [&str; 4] = ["/healthz", "/readyz", "/login", "/favicon.ico"];
const OPEN_BELOW: &str = "/assets/";

/// The access rules.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    hosts: Hosts,
    token: Option<TokenFile>,
    failed: FailedTokens,
    delays: TokenDelays,
}

impl Guard {
    /// `stop` is cancelled when the server stops.
    pub(crate) fn new(hosts: Hosts, token: Option<TokenFile>, stop: CancellationToken) -> Self {
        let (failed, delays) = (FailedTokens::default(), TokenDelays::new(stop));
        Self { hosts, token, failed, delays }
    }

    /// Returns the token that clients must send, if there is one.
    pub(crate) fn token(&self) -> Option<Arc<Token>> {
        self.token.as_ref().map(TokenFile::current)
    }

    /// Counts a wrong token, logs it, and resolves when it may be answered.
    ///
    /// # Errors
    /// This client keeps too many answers waiting.
    pub(super) async fn record_failure(&self, client: Option<SocketAddr>) -> Result<(), Problem> {
        let address = client.map(|address| address.ip());
        self.failed.record(address);
        self.delays.wait(address).await.map_err(|TooManyAttempts| {
            let detail = "too many wrong tokens from this address";
            Problem::new("too-many-attempts", StatusCode::TOO_MANY_REQUESTS, detail)
        })
    }

    /// Returns whether other machines can use the API without a token.
    pub(crate) fn is_insecure(&self) -> bool {
        self.token.is_none() && !self.hosts.listen.is_loopback()
    }

    fn refusal(&self, request_parts: &RequestParts<'_>) -> Option<Problem> {
        self.hosts
            .refusal(request_parts)
            .or_else(|| self.missing_token(request_parts))
            .or_else(|| self.foreign_page(request_parts))
    }

    fn missing_token(&self, request_parts: &RequestParts<'_>) -> Option<Problem> {
        let token = self.token()?;
        if OPEN.contains(&request_parts.path) || request_parts.path.starts_with(OPEN_BELOW) {
            return None;
        }
        let (bearer, cookie) = (request_parts.bearer(), session_cookie(request_parts.headers));
        // A valid cookie does not override a wrong header.
        let is_known = match bearer {
            Some(bearer) => token.is(bearer),
            None => cookie.is_some_and(|cookie| token.is_cookie(cookie)),
        };
        if is_known {
            return None;
        }
        let detail = match bearer {
            Some(_) => "wrong token",
            None => "send the token: Authorization: Bearer …, or log in with a browser at /login",
        };
        Some(Problem::new("unauthorized", StatusCode::UNAUTHORIZED, detail))
    }

    fn foreign_page(&self, request_parts: &RequestParts<'_>) -> Option<Problem> {
        let is_safe = request_parts.method.is_safe();
        if is_safe && (!request_parts.is_api() || request_parts.is_link()) {
            return None;
        }
        if !is_own_page(&self.hosts, request_parts.headers) {
            let detail = "this request comes from another site's page";
            return Some(Problem::new("foreign-origin", StatusCode::FORBIDDEN, detail));
        }
        if is_safe {
            return None;
        }
        let (name, value) = OWN_PAGE;
        let is_own =
            request_parts.headers.get(&name).is_some_and(|it| it.as_bytes() == value.as_bytes());
        // The login form cannot send the header, but it sends the token, which no other site knows.
        if is_own || request_parts.path == "/login" || !request_parts.is_from_browser() {
            return None;
        }
        let detail = format!("a change requires the header {name}: {value}");
        Some(Problem::new("missing-header", StatusCode::FORBIDDEN, detail))
    }
}

/// The parts of a request that the rules examine.
struct RequestParts<'a> {
    method: &'a Method,
    path: &'a str,
    headers: &'a HeaderMap,
    /// The host of an absolute target (`GET http://host/`), which overrides the header.
    target: Option<&'a str>,
}

impl RequestParts<'_> {
    fn bearer(&self) -> Option<&str> {
        let text = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Returns whether a browser sent the request: browsers send an origin with a change, or a
    /// cookie; other tools send neither.
    fn is_from_browser(&self) -> bool {
        [header::ORIGIN, header::COOKIE].iter().any(|name| self.headers.contains_key(name))
            || self.headers.contains_key("sec-fetch-site")
    }

    /// Returns whether the request is for data. A page of another site cannot read the answer, but it could hold open
    /// every event stream there is.
    fn is_api(&self) -> bool {
        self.path.starts_with("/api")
    }

    /// Returns whether the user follows a link to something that ends.
    fn is_link(&self) -> bool {
        let is = |name, value: &str| {
            self.headers.get(name).is_some_and(|it: &HeaderValue| it.as_bytes() == value.as_bytes())
        };
        is("sec-fetch-mode", "navigate")
            && is("sec-fetch-dest", "document")
            && !self.path.ends_with("/events")
    }

    /// Returns whether a browser navigates to the dashboard.
    fn wants_page(&self) -> bool {
        let accepts = self.headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
        self.method == Method::GET
            && self.path == "/"
            && accepts.is_some_and(|it| it.contains("text/html"))
    }
}

/// The host names a request may be addressed to.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    listen: IpAddr,
    allowed: Vec<String>,
}

impl Hosts {
    /// Allows loopback names, the address listened on, and `allowed`.
    pub(crate) fn new(listen: SocketAddr, allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|host| plain(host)).collect();
        Self { listen: listen.ip(), allowed }
    }

    /// Returns whether the host is allowed. `authority` is the value of a `Host` header, or an
    /// origin without its scheme.
    fn knows(&self, authority: &str) -> bool {
        let host = plain(without_port(authority));
        if host == "localhost" || host.ends_with(".localhost") || self.allowed.contains(&host) {
            return true;
        }
        // An IP address involves no DNS, so it cannot be rebound.
        host.parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() || ip == self.listen || self.listen.is_unspecified())
    }

    fn refusal(&self, request_parts: &RequestParts<'_>) -> Option<Problem> {
        let mut named =
            request_parts.headers.get_all(header::HOST).map(|it| it.to_str().unwrap_or(""));
        let (Some(host), None) = (named.next(), named.next()) else {
            let detail = "a request has exactly one Host header";
            return Some(Problem::new("bad-host", StatusCode::BAD_REQUEST, detail));
        };
        let hosts = [Some(host), request_parts.target];
        let foreign = hosts.into_iter().flatten().find(|it| !self.knows(it))?;
        let name = without_port(foreign);
        let detail = format!(
            "{name} is not a name of this server; start it with --allowed-host {name} if it should be"
        );
        Some(Problem::new("foreign-host", StatusCode::MISDIRECTED_REQUEST, detail))
    }
}

/// Refuses requests that name another host, that lack the token, or that change something on behalf of
/// another site.
pub(crate) async fn check(
    guard: web::Data<Guard>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let request_parts = RequestParts {
        method: request.method(),
        path: request.path(),
        headers: request.headers(),
        target: request.uri().host(),
    };
    let Some(mut problem) = guard.refusal(&request_parts) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    if problem.status_code() == StatusCode::UNAUTHORIZED && request_parts.bearer().is_some() {
        problem = guard.record_failure(request.peer_addr()).await.err().unwrap_or(problem);
    }
    let is_unauthorized = problem.status_code() == StatusCode::UNAUTHORIZED;
    let response = if is_unauthorized && request_parts.wants_page() {
        HttpResponse::SeeOther().insert_header((header::LOCATION, "login")).finish()
    } else {
        problem.error_response()
    };
    Ok(request.into_response(response))
}

/// Adds the security headers.
pub(crate) async fn secure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_file = request.path().contains(OPEN_BELOW);
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !is_file && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

fn is_own_page(hosts: &Hosts, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_same_site = site.is_none_or(|site| site == b"same-origin" || site == b"none");
    let is_known_origin = headers.get_all(header::ORIGIN).all(|origin| {
        let origin = origin.to_str().unwrap_or("");
        origin.split_once("://").is_some_and(|(_, authority)| hosts.knows(authority))
    });
    is_same_site && is_known_origin
}

/// Returns a host name in lower case, without brackets and trailing dot.
fn plain(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') && is_port(&authority[colon + 1..]) => {
            &authority[..colon]
        }
        _ => authority,
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the session cookie of a request.
fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let texts = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

#[cfg(test)]
mod tests;
