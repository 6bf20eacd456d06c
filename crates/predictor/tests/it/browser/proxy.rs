//! The page behind a reverse proxy that serves it below a path, as nginx does with
//! `location /games/aviator/ { proxy_pass http://127.0.0.1:5001/; }`.

use actix_web::dev::ServerHandle;
use actix_web::web::{Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::stream;
use reqwest::{Client, Method};

use super::program::Program;
use super::{Screen, next_round, with_tab};

const BELOW: &str = "/games/aviator/";

struct Proxy {
    address: String,
    handle: ServerHandle,
}

struct Upstream {
    address: String,
    client: Client,
}

impl Proxy {
    fn start(program: &Program) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let address = program.address();
        let server = HttpServer::new(move || {
            let upstream = Upstream { address: address.clone(), client: Client::new() };
            App::new()
                .app_data(Data::new(upstream))
                .app_data(PayloadConfig::default())
                .default_service(web::to(forward))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = format!("http://{}{BELOW}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        // On a thread of its own, because a browser keeps it busy while a test waits.
        std::thread::spawn(move || actix_web::rt::System::new().block_on(server));
        Self { address, handle }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// Passes on what lies below the path, piece by piece as it comes; everything else is not there.
async fn forward(request: HttpRequest, body: Bytes, upstream: Data<Upstream>) -> HttpResponse {
    let asked = request.uri().to_string();
    let Some(rest) = asked.strip_prefix(BELOW) else { return HttpResponse::NotFound().finish() };
    let method = Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut passed =
        upstream.client.request(method, format!("{}{rest}", upstream.address)).body(body);
    for (name, value) in request.headers() {
        passed = passed.header(name.as_str(), value.as_bytes());
    }
    let Ok(answer) = passed.send().await else { return HttpResponse::BadGateway().finish() };
    let status = actix_web::http::StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers() {
        if !["connection", "transfer-encoding", "content-length"].contains(&name.as_str()) {
            response.append_header((name.as_str(), value.as_bytes()));
        }
    }
    response.streaming(stream::unfold(answer, async |mut answer| {
        let piece = answer.chunk().await.ok()??;
        Some((Ok::<_, std::io::Error>(piece), answer))
    }))
}

/// All addresses of the page are relative, its stream and its buttons included.
#[tokio::test]
async fn the_page_works_below_any_path_of_a_proxy() {
    with_tab(Screen::Desk, async |tab| {
        let mut program = Program::start();
        let proxy = Proxy::start(&program);
        program.append(40);
        tab.open(&proxy.address).await;
        tab.reads("for-round", "#41").await;
        tab.reads("live-mode", "live").await;
        next_round(tab, &mut program).await;
        tab.scroll_to("law-plot").await;
        tab.reads("law-seen", "all 41 rounds").await;
        tab.click("#train").await;
        tab.reads("feedback", "Trained:").await;
        let export = tab.value("document.getElementById('rounds-csv').href").await;
        assert_eq!(export, format!("{}api/v1/rounds.csv", proxy.address));
        let strays = format!(
            "performance.getEntriesByType('resource').map((it) => it.name).filter((it) => !it.includes('{BELOW}'))"
        );
        assert_eq!(tab.value(&strays).await, serde_json::json!([]));
        assert_eq!(tab.complaints().await, Vec::<String>::new());
    })
    .await;
}
