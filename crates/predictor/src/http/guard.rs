//! Who may ask: a web page in the user's browser must not be able to use this API.
//!
//! A page of another site can send requests to a loopback address (cross-site requests), and by
//! pointing its own name at 127.0.0.1 it can even read the answers (DNS rebinding). Against the
//! second every request must name a host that is ours; "Origin equals Host" would be no check, as
//! both come from the attacker then. Against the first, requests that change something must not
//! come from elsewhere. Ports are not compared: forwarding changes them, and they protect nothing.

use std::net::{IpAddr, SocketAddr};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError as _, web};

use super::problem::Problem;

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

/// The host names a request may be addressed to.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    listen: IpAddr,
    allowed: Vec<String>,
}

impl Hosts {
    /// Loopback names, the address listened on, and those the user allowed.
    pub(crate) fn new(listen: SocketAddr, allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|host| plain(host)).collect();
        Self { listen: listen.ip(), allowed }
    }

    /// `authority` is what a `Host` header or an origin after its scheme carries.
    fn knows(&self, authority: &str) -> bool {
        let host = plain(without_port(authority));
        if host == "localhost" || host.ends_with(".localhost") || self.allowed.contains(&host) {
            return true;
        }
        // An address is no name, so it cannot be made to point elsewhere.
        host.parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() || ip == self.listen || self.listen.is_unspecified())
    }
}

/// Refuses what does not name this machine, and changes that another site asks for.
pub(crate) async fn check(
    hosts: web::Data<Hosts>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match refusal(&hosts, request.method(), request.headers(), request.uri().host()) {
        Some(problem) => Ok(request.into_response(problem.error_response())),
        None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
    }
}

/// Adds the headers that tell a browser how little this page needs.
pub(crate) async fn secure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_file = request.path().starts_with("/assets/");
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !is_file && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

fn refusal(
    hosts: &Hosts,
    method: &Method,
    headers: &HeaderMap,
    target: Option<&str>,
) -> Option<Problem> {
    let mut named = headers.get_all(header::HOST).map(|value| value.to_str().unwrap_or(""));
    let (Some(host), None) = (named.next(), named.next()) else {
        let detail = "a request has exactly one Host header";
        return Some(Problem::new("bad-host", StatusCode::BAD_REQUEST, detail));
    };
    // An absolute target (`GET http://host/`) overrides the header.
    if let Some(foreign) = [Some(host), target].into_iter().flatten().find(|it| !hosts.knows(it)) {
        let name = without_port(foreign);
        let detail = format!(
            "{name} is not a name of this server; start it with --allowed-host {name} if it should be"
        );
        return Some(Problem::new("foreign-host", StatusCode::MISDIRECTED_REQUEST, detail));
    }
    if method.is_safe() || is_own_page(hosts, headers) {
        return None;
    }
    let detail = "this request comes from the page of another site";
    Some(Problem::new("foreign-origin", StatusCode::FORBIDDEN, detail))
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

/// Lower case, without brackets and the root's dot.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_host(authority: &str, is_known: bool) {
        let hosts = Hosts::new("192.168.7.7:5001".parse().unwrap(), &["Box.Example".to_owned()]);
        assert_eq!(hosts.knows(authority), is_known, "{authority:?}");
    }

    #[test]
    fn names_of_this_machine_are_known_whatever_the_port() {
        for known in [
            "localhost",
            "LOCALHOST:5001",
            "localhost.:80",
            "a.localhost",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]",
            "[::1]:5001",
            "192.168.7.7:80",
            "box.example",
            "BOX.example.:9",
        ] {
            check_host(known, true);
        }
    }

    #[test]
    fn names_of_others_are_not() {
        for foreign in [
            "",
            "evil.example",
            "evil.example:5001",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "192.168.7.8",
            "[::2]:5001",
            "a@localhost:x",
            "0.0.0.0",
        ] {
            check_host(foreign, false);
        }
    }

    #[track_caller]
    fn check_post(headers: &[(&str, &str)], status: Option<u16>) {
        let hosts = Hosts::new("127.0.0.1:5001".parse().unwrap(), &[]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse().unwrap(), value.parse().unwrap());
        }
        let refused = refusal(&hosts, &Method::POST, &map, None);
        assert_eq!(refused.map(|it| actix_web::ResponseError::status_code(&it).as_u16()), status);
    }

    #[test]
    fn a_change_is_taken_from_tools_and_from_our_own_page() {
        check_post(&[("host", "localhost")], None);
        check_post(&[("host", "localhost"), ("origin", "http://127.0.0.1:9")], None);
        check_post(&[("host", "localhost"), ("sec-fetch-site", "same-origin")], None);
    }

    #[test]
    fn a_change_is_not_taken_from_another_sites_page() {
        check_post(&[("host", "localhost"), ("origin", "https://evil.example")], Some(403));
        check_post(&[("host", "localhost"), ("origin", "null")], Some(403));
        check_post(&[("host", "localhost"), ("sec-fetch-site", "cross-site")], Some(403));
        check_post(&[("host", "localhost"), ("sec-fetch-site", "same-site")], Some(403));
        check_post(&[("host", "evil.example")], Some(421));
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_refused() {
        check_post(&[], Some(400));
        check_post(&[("host", "localhost"), ("host", "evil.example")], Some(400));
    }
}
