//! Access control on every described route, in both versions.

use futures_util::future::join_all;
use predictor::config::Config;
use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect};

use crate::openapi::operations;
use crate::test_app::{Data, TestApp};

const TOKEN: &str = "correct-horse-battery-staple";
/// They show nothing of the data: whether the process lives, whether a model serves, and the login.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/login"];

/// Every route under every address it has.
fn routes() -> Vec<(String, Method)> {
    let mut routes = Vec::new();
    for (path, method, _) in operations() {
        if let Some(rest) = path.strip_prefix("/api/") {
            routes.push((format!("/api/v1/{rest}"), method.clone()));
        }
        routes.push((path, method));
    }
    routes.push(("/".to_owned(), Method::GET));
    routes.push(("/nothing/here".to_owned(), Method::GET));
    routes
}

fn with_token(data: &Data) -> Config {
    let path = data.file("token");
    std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
    Config { token_file: Some(path), ..data.config() }
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

/// The login's form, filled in.
fn filled_form(client: &Client, url: &str) -> RequestBuilder {
    let kind = "application/x-www-form-urlencoded";
    client.post(url).header("content-type", kind).body(format!("token={TOKEN}"))
}

fn patient() -> Client {
    Client::builder().redirect(redirect::Policy::none()).build().unwrap()
}

#[tokio::test]
async fn a_foreign_host_gets_nothing_anywhere() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(with_token(&data));
    assert!(routes().len() > 40);
    for (path, method) in routes() {
        let request = app.client.request(method.clone(), app.url(&path));
        let foreign = request.bearer_auth(TOKEN).header("host", "evil.example");
        assert_eq!(status(foreign).await, StatusCode::MISDIRECTED_REQUEST, "{method} {path}");
    }
}

#[tokio::test]
async fn without_the_right_token_every_route_is_refused() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(with_token(&data));
    for (path, method) in routes() {
        let ask = || app.client.request(method.clone(), app.url(&path));
        let is_open = OPEN.contains(&path.as_str());
        for (who, request) in [
            ("nobody", ask()),
            ("the token as a cookie", ask().header("cookie", format!("aviator_session={TOKEN}"))),
            ("another scheme", ask().header("authorization", format!("Basic {TOKEN}"))),
        ] {
            let status = status(request).await;
            let is_refused = status == StatusCode::UNAUTHORIZED;
            let is_expected = is_refused != is_open;
            assert!(is_expected, "{who}: {method} {path} {status}");
        }
    }
    let refused = app.ask(Method::GET, "/api/status").await;
    assert_eq!(refused.headers()["www-authenticate"], "Bearer realm=\"aviator\"");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
}

/// All are sent at once, because each wrong token of one address is answered later than the one before; to two servers,
/// because one keeps no more than 64 waiting.
#[tokio::test]
async fn with_a_wrong_token_every_route_is_refused() {
    let data = [Data::with_rounds(5), Data::with_rounds(5)];
    let apps = data.each_ref().map(|data| TestApp::start(with_token(data)));
    let asked = routes().into_iter().zip(apps.iter().cycle()).map(async |((path, method), app)| {
        let ask = app.client.request(method.clone(), app.url(&path));
        let is_refused = status(ask.bearer_auth("correct-horse-battery-stapl")).await
            == StatusCode::UNAUTHORIZED;
        assert_ne!(is_refused, OPEN.contains(&path.as_str()), "{method} {path}");
    });
    join_all(asked).await;
}

#[tokio::test]
async fn with_the_token_everything_answers() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(with_token(&data));
    for (path, method) in routes() {
        let response = app.client.request(method.clone(), app.url(&path)).bearer_auth(TOKEN).send();
        let status = response.await.unwrap().status();
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_ne!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}

#[tokio::test]
async fn a_foreign_page_can_change_nothing() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(with_token(&data));
    let changing: Vec<_> =
        routes().into_iter().filter(|(_, method)| *method == Method::POST).collect();
    assert_eq!(changing.len(), 3);
    for (path, method) in changing {
        for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "same-site")] {
            let request = app.client.request(method.clone(), app.url(&path)).bearer_auth(TOKEN);
            let foreign = request.header("x-requested-with", "aviator").header(name, value);
            assert_eq!(status(foreign).await, StatusCode::FORBIDDEN, "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_browser_logs_in_once() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(with_token(&data));
    let browser = patient();
    let page = browser.get(app.url("/")).header("accept", "text/html,*/*").send().await.unwrap();
    assert_eq!(
        (page.status(), &page.headers()["location"]),
        (StatusCode::SEE_OTHER, &"login".parse().unwrap())
    );
    let form = browser.get(app.url("/login")).send().await.unwrap();
    let policy = form.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self'") && policy.contains("default-src 'none'"));

    let log_in = |token: &str| {
        let form = format!("token={token}");
        let kind = "application/x-www-form-urlencoded";
        let post = browser.post(app.url("/login")).header("content-type", kind).body(form);
        post.header("origin", app.url("")).header("sec-fetch-site", "same-origin")
    };
    let wrong = log_in("something-else-entirely").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(!wrong.headers().contains_key("set-cookie"));
    assert!(wrong.text().await.unwrap().contains("Wrong token."));

    let right = log_in(TOKEN).send().await.unwrap();
    assert_eq!(
        (right.status(), &right.headers()["location"]),
        (StatusCode::SEE_OTHER, &"./".parse().unwrap())
    );
    let cookie = right.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/;"),
        "{cookie}"
    );
    assert!(!cookie.contains("Secure") && !cookie.contains(TOKEN), "{cookie}");

    let cookie = cookie.split(';').next().unwrap().to_owned();
    let seen = browser.get(app.url("/api/status")).header("cookie", format!("a=b; {cookie}"));
    assert_eq!(status(seen).await, StatusCode::OK);
    let train = || browser.post(app.url("/api/train")).header("cookie", &cookie);
    assert_eq!(status(train()).await, StatusCode::FORBIDDEN, "a cookie alone changes nothing");
    let ours = train().header("x-requested-with", "aviator").header("origin", app.url(""));
    assert_ne!(status(ours).await, StatusCode::FORBIDDEN);

    // Behind a proxy that speaks TLS the browser says so.
    let over_tls = filled_form(&browser, &app.url("/login"))
        .header("origin", "https://localhost")
        .send()
        .await
        .unwrap();
    assert!(over_tls.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn without_a_token_the_login_redirects_to_the_dashboard() {
    let app = TestApp::start(Data::empty().config());
    let page = patient().get(app.url("/login")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_route_works_below_a_base_path() {
    let data = Data::with_rounds(5);
    let app = TestApp::start(Config { base_path: "/x/aviator".to_owned(), ..with_token(&data) });
    let ask = |path: &str| patient().get(app.url(path)).bearer_auth(TOKEN);
    let slash = ask("/x/aviator").send().await.unwrap();
    assert_eq!(
        (slash.status(), &slash.headers()["location"]),
        (StatusCode::PERMANENT_REDIRECT, &"aviator/".parse().unwrap())
    );
    for path in
        ["/", "/assets/js/app.js", "/api/status", "/api/rounds?limit=2", "/healthz", "/api/docs"]
    {
        let (with, without) = (ask(&format!("/x/aviator{path}")), ask(path));
        let (with, without) = (with.send().await.unwrap(), without.send().await.unwrap());
        assert_eq!((with.status(), without.status()), (StatusCode::OK, StatusCode::OK), "{path}");
    }
    let refused = patient().get(app.url("/x/aviator/api/status"));
    assert_eq!(status(refused).await, StatusCode::UNAUTHORIZED);
    let post = filled_form(&patient(), &app.url("/x/aviator/login"));
    let cookie = post.send().await.unwrap().headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; Path=/x/aviator/;"), "{cookie}");
}

#[tokio::test]
async fn each_answer_has_a_request_id_that_its_error_repeats() {
    let app = TestApp::start(Data::empty().config());
    let given = app.client.get(app.url("/nothing")).header("x-request-id", "mine-1");
    let given = given.send().await.unwrap();
    assert_eq!(given.headers()["x-request-id"], "mine-1");
    let document: serde_json::Value = given.json().await.unwrap();
    assert_eq!(document["request_id"], "mine-1");
    let made = app.ask(Method::GET, "/api/status").await;
    assert_eq!(made.headers()["x-request-id"].len(), 16);
}
