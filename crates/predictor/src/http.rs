//! The HTTP face: routes, limits and who may ask.

mod api;
mod caching;
mod dashboard;
mod events;
mod guard;
mod problem;
mod query;
mod rounds;
mod tables;

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::error::QueryPayloadError;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, Resource, web};

pub(crate) use api::Api;
pub(crate) use events::{Events, Topic};
pub(crate) use guard::Hosts;

use self::tables::Served;
use crate::config::{BODY_BYTES_MAX, CONNECTIONS_MAX, REQUEST_HEAD_WITHIN};
use crate::tables::Table;

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
    tables: &[Table],
    hosts: Hosts,
) -> std::io::Result<Server> {
    let tables = web::Data::new(Served::new(tables));
    let hosts = web::Data::new(hosts);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(tables.clone())
            .app_data(hosts.clone())
            .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
            .configure(|config| routes(config, &tables))
            .wrap(from_fn(guard::check))
            .wrap(from_fn(problem::render))
            .wrap(from_fn(guard::secure))
            .wrap(Compress::default())
    })
    .workers(WORKERS)
    .max_connections(CONNECTIONS_MAX / WORKERS)
    .client_request_timeout(REQUEST_HEAD_WITHIN)
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

/// A path below `/api` and what it takes.
type Route = (&'static str, fn(Resource) -> Resource);

/// Served below `/api` and below `/api/v1`: the first for the clients of today, the second for a
/// time when there is another.
const API: &[Route] = &[
    ("/status", |it| it.get(api::status).head(api::status)),
    ("/load_csv", |it| it.get(api::load_csv).head(api::load_csv)),
    ("/predict", |it| it.get(api::predict).head(api::predict)),
    ("/train", |it| it.post(api::train)),
    ("/events", |it| it.get(events::events)),
    ("/rounds", |it| it.get(rounds::rounds).head(rounds::rounds)),
    ("/distribution", |it| it.get(rounds::distribution).head(rounds::distribution)),
    ("/history", |it| it.get(rounds::history).head(rounds::history)),
    ("/recorder", |it| it.get(rounds::recorder).head(rounds::recorder)),
];
const PREFIXES: [&str; 2] = ["/api", "/api/v1"];

fn routes(config: &mut web::ServiceConfig, tables: &Served) {
    config.app_data(web::QueryConfig::default().error_handler(|error, _| {
        let QueryPayloadError::Deserialize(error) = error else { return error.into() };
        query::bad(error.to_string()).into()
    }));
    for prefix in PREFIXES {
        for (path, methods) in API {
            config.service(methods(web::resource(format!("{prefix}{path}"))));
        }
        config.service(
            web::resource(format!("{prefix}/tables")).get(tables::list).head(tables::list),
        );
    }
    tables.mount(config, API);
    config
        .service(web::resource("/healthz").get(api::healthz).head(api::healthz))
        .service(web::resource("/readyz").get(api::readyz).head(api::readyz))
        .configure(dashboard::routes);
}
