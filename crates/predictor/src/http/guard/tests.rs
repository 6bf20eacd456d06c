use actix_web::middleware::from_fn;
use actix_web::{App, test as client};
use std::time::Duration;
use tokio::time::Instant;

use super::*;
use crate::config::BasePath;
use crate::http::login;
use crate::http::problem;
use crate::http::request_log::{self, RequestLog};

const TOKEN: &str = "correct-horse-battery";

fn token() -> TokenFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOKEN).unwrap();
    TokenFile::open(file.path().to_owned()).unwrap()
}

/// Hosts of a server that listens on this machine only.
fn hosts() -> Hosts {
    Hosts::new("127.0.0.1:5001".parse().unwrap(), &[])
}

async fn answer() -> &'static str {
    "answered"
}

async fn cached() -> HttpResponse {
    let own = (header::CONTENT_SECURITY_POLICY, "default-src 'self'");
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=9"))
        .insert_header(own)
        .finish()
}

/// Returns the guard's answer to a request, with `token` as its secret.
async fn ask(
    token: Option<TokenFile>,
    request: client::TestRequest,
) -> ServiceResponse<impl MessageBody> {
    ask_guard(&guard(token), request).await
}

fn guard(token: Option<TokenFile>) -> Guard {
    Guard::new(hosts(), token, CancellationToken::new())
}

/// Returns the answer of a guard that has answered earlier requests.
async fn ask_guard(
    guard: &Guard,
    request: client::TestRequest,
) -> ServiceResponse<impl MessageBody + use<>> {
    let app = App::new()
        .app_data(web::Data::new(guard.clone()))
        .app_data(web::Data::new(BasePath::parse("/x").unwrap()))
        .app_data(web::Data::new(RequestLog::default()))
        .route("/login", web::get().to(login::form))
        .route("/login", web::post().to(login::log_in))
        .route("/cached", web::get().to(cached))
        .default_service(web::to(answer))
        .wrap(from_fn(check))
        .wrap(from_fn(problem::render))
        .wrap(from_fn(request_log::trace))
        .wrap(from_fn(secure));
    let app = client::init_service(app).await;
    client::call_service(&app, request.to_request()).await
}

fn get(path: &str) -> client::TestRequest {
    client::TestRequest::get().uri(path).insert_header((header::HOST, "localhost"))
}

fn post(path: &str) -> client::TestRequest {
    client::TestRequest::post().uri(path).insert_header((header::HOST, "localhost"))
}

fn header_of<B>(response: &ServiceResponse<B>, name: impl header::AsHeaderName) -> Option<&str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

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
        "localhost:x",
        "localhost:5001.evil.example",
        "127.0.0.1:5001@evil.example",
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
    let request_parts =
        RequestParts { method: &Method::POST, path: "/api/train", headers: &map, target: None };
    let refused = Guard::new(hosts, None, CancellationToken::new()).refusal(&request_parts);
    assert_eq!(refused.map(|it| it.status_code().as_u16()), status, "{headers:?}");
}

#[test]
fn a_change_is_taken_from_tools_and_from_our_own_page() {
    check_post(&[("host", "localhost")], None);
    let own_header = ("x-requested-with", "aviator");
    check_post(&[("host", "localhost"), own_header, ("origin", "http://127.0.0.1:9")], None);
    check_post(&[("host", "localhost"), own_header, ("sec-fetch-site", "same-origin")], None);
}

#[test]
fn a_page_that_does_not_send_our_header_is_not_ours() {
    for sign in [("origin", "http://127.0.0.1:9"), ("sec-fetch-site", "same-origin")] {
        check_post(&[("host", "localhost"), sign], Some(403));
        let other = ("x-requested-with", "XMLHttpRequest");
        check_post(&[("host", "localhost"), sign, other], Some(403));
    }
    check_post(&[("host", "localhost"), ("cookie", "a=b")], Some(403));
}

#[test]
fn a_change_is_not_taken_from_another_sites_page() {
    check_post(&[("host", "localhost"), ("origin", "https://evil.example")], Some(403));
    check_post(&[("host", "localhost"), ("origin", "null")], Some(403));
    check_post(&[("host", "localhost"), ("sec-fetch-site", "cross-site")], Some(403));
    check_post(&[("host", "localhost"), ("sec-fetch-site", "same-site")], Some(403));
    check_post(&[("host", "evil.example")], Some(421));
}

#[track_caller]
fn check_get(path: &str, headers: &[(&str, &str)], status: Option<u16>) {
    let mut map = HeaderMap::new();
    map.append(header::HOST, HeaderValue::from_static("a7.localhost:5001"));
    for (name, value) in headers {
        map.append(name.parse().unwrap(), value.parse().unwrap());
    }
    let request_parts = RequestParts { method: &Method::GET, path, headers: &map, target: None };
    let refused = guard(None).refusal(&request_parts);
    assert_eq!(refused.map(|it| it.status_code().as_u16()), status, "{path} {headers:?}");
}

#[test]
fn another_sites_page_reads_nothing_and_opens_no_stream() {
    let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    for path in ["/api/events", "/api/v1/tables/a/events", "/api/status", "/api/predict"] {
        for site in ["cross-site", "same-site"] {
            check_get(path, &[("sec-fetch-site", site)], Some(403));
            check_get(path, &[("sec-fetch-site", site), ("sec-fetch-mode", "navigate")], Some(403));
            let is_stream = path.ends_with("/events");
            let followed = [("sec-fetch-site", site), link[0], link[1]];
            check_get(path, &followed, is_stream.then_some(403));
        }
        check_get(path, &[("origin", "https://evil.example")], Some(403));
        check_get(path, &[("origin", "http://localhost:5001")], None);
        check_get(path, &[("sec-fetch-site", "same-origin")], None);
        check_get(path, &[("sec-fetch-site", "none")], None);
        check_get(path, &[], None);
    }
    check_get("/", &[("sec-fetch-site", "cross-site")], None);
}

#[test]
fn a_request_without_a_host_or_with_two_is_refused() {
    check_post(&[], Some(400));
    check_post(&[("host", "localhost"), ("host", "evil.example")], Some(400));
}

#[actix_web::test]
async fn what_shows_nothing_is_open_and_all_else_needs_the_token() {
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/login", 200),
        ("/favicon.ico", 200),
        ("/assets/js/app.js", 200),
        ("/assets", 401),
        ("/healthz/more", 401),
        ("/loginx", 401),
        ("/metrics", 401),
        ("/api/status", 401),
        ("/", 401),
    ] {
        assert_eq!(ask(Some(token()), get(path)).await.status(), status, "{path}");
        assert_eq!(ask(None, get("/api/status")).await.status(), 200, "no token, no question");
    }
}

#[actix_web::test]
async fn the_token_comes_as_a_bearer_or_as_the_cookie_of_the_login() {
    let cookie = format!("aviator_session={}", token().current().cookie());
    let bearer = |text: &str| (header::AUTHORIZATION, text.to_owned());
    for (sent, status) in [
        (bearer(&format!("Bearer {TOKEN}")), 200),
        (bearer(&format!("bearer   {TOKEN} ")), 200),
        (bearer(&format!("Basic {TOKEN}")), 401),
        (bearer(TOKEN), 401),
        (bearer("Bearer correct-horse-batterx"), 401),
        ((header::COOKIE, cookie.clone()), 200),
        ((header::COOKIE, format!("a=b; {cookie}; c=d")), 200),
        ((header::COOKIE, format!("aviator_session={TOKEN}")), 401),
        ((header::COOKIE, cookie.replace("aviator_session", "session")), 401),
        ((header::COOKIE, "aviator_session".to_owned()), 401),
    ] {
        let response = ask(Some(token()), get("/api/status").insert_header(sent.clone())).await;
        assert_eq!(response.status(), status, "{sent:?}");
    }
    let both = get("/api/status")
        .insert_header(bearer("Bearer correct-horse-batterx"))
        .insert_header((header::COOKIE, cookie));
    let refused = ask(Some(token()), both).await;
    assert_eq!(refused.status(), 401, "a wrong header is not made good by a cookie");
    let text = client::read_body(refused).await;
    assert!(std::str::from_utf8(&text).unwrap().contains("wrong token"));
    let text = client::read_body(ask(Some(token()), get("/api/status")).await).await;
    assert!(std::str::from_utf8(&text).unwrap().contains("send the token"));
}

/// Whoever guesses waits longer and longer; whoever knows the token, from the same address, does not.
#[tokio::test(start_paused = true)]
async fn wrong_tokens_and_logins_are_answered_ever_later_and_right_ones_at_once() {
    let guard = guard(Some(token()));
    let from = |request: client::TestRequest| request.peer_addr("10.0.0.7:999".parse().unwrap());
    let bearer = |text: &str| {
        from(get("/api/status").insert_header((header::AUTHORIZATION, format!("Bearer {text}"))))
    };
    let login = |text: &str| {
        let form = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        from(post("/login").insert_header(form).set_payload(format!("token={text}")))
    };
    for (request, status, after) in [
        (bearer("wrong-token-number-1"), 401, 100),
        (login("wrong-token-number-2"), 401, 200),
        (bearer(TOKEN), 200, 0),
        (bearer("wrong-token-number-3"), 401, 400),
        (login(TOKEN), 303, 0),
        (from(get("/api/status")), 401, 0),
        (bearer("wrong-token-number-4"), 401, 800),
    ] {
        let start = Instant::now();
        let response = ask_guard(&guard, request).await;
        assert_eq!(response.status(), status);
        assert_eq!(start.elapsed(), Duration::from_millis(after));
    }
}

#[actix_web::test]
async fn only_a_person_who_wants_the_page_is_led_to_the_login() {
    let html = ("accept", "text/html,*/*");
    let led = ask(Some(token()), get("/").insert_header(html)).await;
    assert_eq!((led.status().as_u16(), header_of(&led, header::LOCATION)), (303, Some("login")));
    for request in [
        get("/"),
        get("/").insert_header((header::ACCEPT, "application/json")),
        get("/api/status").insert_header(html),
        post("/").insert_header(html),
    ] {
        let refused = ask(Some(token()), request).await;
        assert_eq!((refused.status().as_u16(), header_of(&refused, header::LOCATION)), (401, None));
        assert_eq!(header_of(&refused, header::WWW_AUTHENTICATE), Some("Bearer realm=\"aviator\""));
    }
    let foreign = get("/").insert_header(html).insert_header((header::HOST, "evil.example"));
    assert_eq!(ask(Some(token()), foreign).await.status(), 421);
}

#[actix_web::test]
async fn every_answer_says_what_the_page_may_do_and_is_kept_by_nobody() {
    for request in [get("/api/status"), get("/").insert_header((header::HOST, "evil.example"))] {
        let response = ask(None, request).await;
        for (name, value) in HEADERS {
            assert_eq!(header_of(&response, &name), Some(value), "{name}");
        }
        assert_eq!(header_of(&response, header::CACHE_CONTROL), Some("no-store"));
    }
    let file = ask(None, get("/assets/js/app.js")).await;
    assert_eq!(header_of(&file, header::CACHE_CONTROL), None);
    let own = ask(None, get("/cached")).await;
    assert_eq!(header_of(&own, header::CACHE_CONTROL), Some("max-age=9"));
    assert_eq!(header_of(&own, header::CONTENT_SECURITY_POLICY), Some("default-src 'self'"));
}

#[actix_web::test]
async fn the_host_of_an_absolute_target_counts_too() {
    let target =
        |uri: &str| client::TestRequest::get().uri(uri).insert_header((header::HOST, "localhost"));
    assert_eq!(ask(None, target("http://localhost/api/status")).await.status(), 200);
    assert_eq!(ask(None, target("http://evil.example/api/status")).await.status(), 421);
}

#[test]
fn a_refusal_names_the_host_that_could_be_allowed() {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, "box.example:5001".parse().unwrap());
    let request_parts =
        RequestParts { method: &Method::GET, path: "/", headers: &headers, target: None };
    let refused = hosts().refusal(&request_parts).unwrap().to_string();
    assert!(refused.contains("--allowed-host box.example if"), "{refused}");
}

#[test]
fn an_address_that_others_reach_is_insecure_without_a_token() {
    for (listen, is_local) in
        [("127.0.0.1:1", true), ("[::1]:1", true), ("0.0.0.0:1", false), ("192.168.7.7:1", false)]
    {
        let hosts = Hosts::new(listen.parse().unwrap(), &[]);
        let guard = |token| Guard::new(hosts.clone(), token, CancellationToken::new());
        assert_eq!(guard(None).is_insecure(), !is_local, "{listen}");
        assert!(!guard(Some(token())).is_insecure(), "{listen}");
    }
}

#[test]
fn on_every_address_every_address_is_ours_and_no_name() {
    let hosts = Hosts::new("0.0.0.0:5001".parse().unwrap(), &[]);
    for (authority, is_known) in [
        ("203.0.113.9:80", true),
        ("[2001:db8::1]", true),
        ("[2001:db8::1]:5001", true),
        ("evil.example", false),
    ] {
        assert_eq!(hosts.knows(authority), is_known, "{authority}");
    }
}

/// Returns a submission of the login form.
fn filled(token: &str) -> client::TestRequest {
    let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
    post("/login").insert_header(kind).set_payload(format!("token={token}"))
}

#[actix_web::test]
async fn the_login_gives_a_cookie_for_the_token_and_for_nothing_else() {
    let origin = |text: &'static str| (header::ORIGIN, text);
    for (sent, over_tls) in [
        (filled(TOKEN), ""),
        (filled("+correct-horse-battery+"), ""),
        (filled(TOKEN).insert_header(origin("http://localhost")), ""),
        (filled(TOKEN).insert_header(origin("https://localhost")), "; Secure"),
    ] {
        let given = ask(Some(token()), sent).await;
        assert_eq!(
            (given.status().as_u16(), header_of(&given, header::LOCATION)),
            (303, Some("./"))
        );
        let cookie = format!(
            "aviator_session={}; Path=/x/; Max-Age=2592000; HttpOnly; SameSite=Strict{over_tls}",
            token().current().cookie()
        );
        assert_eq!(header_of(&given, header::SET_COOKIE), Some(&*cookie));
    }
    let wrong = ask(Some(token()), filled("something-else-entirely")).await;
    assert_eq!((wrong.status().as_u16(), header_of(&wrong, header::SET_COOKIE)), (401, None));
    assert_eq!(header_of(&wrong, header::CONTENT_TYPE), Some("text/html; charset=utf-8"));
    let text = client::read_body(wrong).await;
    assert!(std::str::from_utf8(&text).unwrap().contains("Wrong token."));
}

#[actix_web::test]
async fn the_form_shows_itself_only_where_there_is_a_token() {
    let form = ask(Some(token()), get("/login")).await;
    assert_eq!(form.status(), 200);
    let policy = header_of(&form, header::CONTENT_SECURITY_POLICY).unwrap();
    assert!(policy.contains("form-action 'self'"), "{policy}");
    let text = client::read_body(form).await;
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains("<form") && !text.contains("Wrong token."));
    for request in [get("/login"), filled(TOKEN)] {
        let led = ask(None, request).await;
        assert_eq!((led.status().as_u16(), header_of(&led, header::LOCATION)), (303, Some("./")));
        assert_eq!(header_of(&led, header::SET_COOKIE), None);
    }
}

#[actix_web::test]
async fn a_login_takes_a_form_and_no_more_than_a_body_may_have() {
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        (form, format!("token={}", "x".repeat(70_000)), 413),
        (form, "no=token".to_owned(), 400),
        ("application/json", format!("token={TOKEN}"), 415),
        ("", format!("token={TOKEN}"), 415),
    ] {
        let request = post("/login").insert_header((header::CONTENT_TYPE, kind)).set_payload(body);
        let refused = ask(Some(token()), request).await;
        assert_eq!(refused.status(), status, "{kind}");
        assert_eq!(header_of(&refused, header::CONTENT_TYPE), Some("application/problem+json"));
    }
}

#[actix_web::test]
async fn the_login_of_another_site_is_refused() {
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(
            ask(Some(token()), filled(TOKEN).insert_header((name, value))).await.status(),
            403
        );
    }
    let from_address_bar = filled(TOKEN).insert_header(("sec-fetch-site", "none"));
    assert_eq!(ask(Some(token()), from_address_bar).await.status(), 303);
}
