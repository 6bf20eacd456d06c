//! The HTTP face: routes, limits and who may ask.

mod api;
mod dashboard;
mod events;
mod guard;
mod problem;

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};

pub(crate) use api::Api;
pub(crate) use events::{Events, Topic};
pub(crate) use guard::Hosts;

use crate::config::{BODY_BYTES_MAX, CONNECTIONS_MAX, REQUEST_HEAD_WITHIN};

/// Handlers only read a snapshot, so two threads serve tens of thousands of requests a second.
const WORKERS: usize = 2;
/// Requests still running when the daemon stops get this long, in seconds.
const DRAIN_SECONDS: u64 = 1;

/// A server on `listener` that runs when awaited and stops only through its handle.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) fn server(
    listener: TcpListener,
    api: Api,
    events: Events,
    hosts: Hosts,
) -> std::io::Result<Server> {
    let (api, events) = (web::Data::new(api), web::Data::new(events));
    let hosts = web::Data::new(hosts);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(api.clone())
            .app_data(events.clone())
            .app_data(hosts.clone())
            .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
            .configure(routes)
            .wrap(from_fn(guard::check))
            .wrap(from_fn(problem::render))
            .wrap(from_fn(guard::secure))
            .wrap(Compress::default())
    })
    .workers(WORKERS)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(REQUEST_HEAD_WITHIN)
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/api/status").get(api::status).head(api::status))
        .service(web::resource("/api/load_csv").get(api::load_csv).head(api::load_csv))
        .service(web::resource("/api/predict").get(api::predict).head(api::predict))
        .service(web::resource("/api/train").post(api::train))
        .service(web::resource("/api/events").get(events::events))
        .service(web::resource("/healthz").get(api::healthz).head(api::healthz))
        .service(web::resource("/readyz").get(api::readyz).head(api::readyz))
        .configure(dashboard::routes);
}
