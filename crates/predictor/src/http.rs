//! The HTTP server: routes, limits and middleware.

mod base_path;
mod body;
mod dashboard;
mod etag;
mod events;
mod export;
mod failed_tokens;
mod format;
mod gone;
mod guard;
mod login;
mod metrics;
mod openapi;
mod problem;
mod request_log;
mod round_routes;
mod simulation;
mod status_routes;
mod table_routes;
mod token_delays;

pub mod query;

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::error::QueryPayloadError;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, Resource, web};

pub(crate) use guard::{Guard, Hosts};

use self::problem::Problem;
use self::request_log::RequestLog;
use self::table_routes::ServedTables;
use crate::config::{ApiFormat, BasePath, CONNECTIONS_MAX, REQUEST_HEAD_WITHIN};
use crate::table::Table;

/// Handlers only read a snapshot, so two threads serve tens of thousands of requests a second.
const WORKERS: usize = 2;
/// Time that running requests get at shutdown, in seconds.
const DRAIN_SECONDS: u64 = 1;

/// The parts of the server.
#[derive(Debug)]
pub(crate) struct ServerParts<'a> {
    pub(crate) tables: &'a [Table],
    pub(crate) guard: Guard,
    pub(crate) base: BasePath,
    pub(crate) format: ApiFormat,
}

/// Returns a server on `listener` that runs when awaited and stops only through its handle.
///
/// # Errors
/// The listener cannot be used.
pub(crate) fn server(listener: TcpListener, parts: ServerParts<'_>) -> std::io::Result<Server> {
    let tables = web::Data::new(ServedTables::new(parts.tables));
    let (guard, base) = (web::Data::new(parts.guard), web::Data::new(parts.base));
    let format = web::Data::new(parts.format);
    let request_log = web::Data::new(RequestLog::default());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(tables.clone())
            .app_data(guard.clone())
            .app_data(base.clone())
            .app_data(format.clone())
            .app_data(request_log.clone())
            .configure(|config| routes(config, &tables))
            // The middleware that is added last is the outermost.
            .wrap(from_fn(guard::check))
            .wrap(from_fn(problem::render))
            .wrap(from_fn(request_log::trace))
            .wrap(from_fn(base_path::strip))
            .wrap(from_fn(guard::secure))
            .wrap(Compress::default())
    })
    .workers(WORKERS)
    .max_connections(CONNECTIONS_MAX / WORKERS)
    .client_request_timeout(REQUEST_HEAD_WITHIN)
    .h1_write_buffer_size(etag::CHUNK_BYTES)
    // A response is sent in chunks; Nagle's algorithm would delay the last by 40 ms.
    .tcp_nodelay(true)
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

/// A path below `/api` and its methods.
type Route = (&'static str, fn(Resource) -> Resource);

/// Routes of each table. Those of the first table are served below `/api`, for existing clients,
/// and below `/api/v1`, so that a later version can be added beside it.
const TABLE_ROUTES: &[Route] = &[
    ("/status", |it| it.get(status_routes::status).head(status_routes::status)),
    ("/load_csv", |it| it.get(status_routes::load_csv).head(status_routes::load_csv)),
    ("/predict", |it| it.get(status_routes::predict).head(status_routes::predict)),
    ("/train", |it| it.post(status_routes::train)),
    ("/events", |it| it.get(events::events)),
    ("/rounds", |it| it.get(round_routes::rounds).head(round_routes::rounds)),
    ("/distribution", |it| it.get(round_routes::distribution).head(round_routes::distribution)),
    ("/simulation", |it| it.get(simulation::simulation).head(simulation::simulation)),
    ("/history", |it| it.get(round_routes::history).head(round_routes::history)),
    ("/recorder", |it| it.get(round_routes::recorder).head(round_routes::recorder)),
    ("/rounds.csv", |it| it.get(export::rounds).head(export::rounds)),
    ("/predictions.csv", |it| it.get(export::predictions).head(export::predictions)),
];
/// Routes that exist once, below the same prefixes.
const SHARED_ROUTES: &[Route] = &[
    ("/tables", |it| it.get(table_routes::list).head(table_routes::list)),
    ("/openapi.json", |it| it.get(openapi::openapi).head(openapi::openapi)),
    ("/docs", |it| it.get(openapi::page).head(openapi::page)),
    ("/docs.css", |it| it.get(openapi::style).head(openapi::style)),
];
const PREFIXES: [&str; 2] = ["/api", "/api/v1"];
/// Routes without a prefix.
const ROOT_ROUTES: &[Route] = &[
    ("/healthz", |it| it.get(status_routes::healthz).head(status_routes::healthz)),
    ("/readyz", |it| it.get(status_routes::readyz).head(status_routes::readyz)),
    ("/metrics", |it| it.get(metrics::metrics).head(metrics::metrics)),
    ("/login", |it| it.get(login::form).head(login::form).post(login::log_in)),
];

fn routes(config: &mut web::ServiceConfig, tables: &ServedTables) {
    config.app_data(web::QueryConfig::default().error_handler(|error, _| {
        let QueryPayloadError::Deserialize(error) = error else { return error.into() };
        Problem::bad_query(error).into()
    }));
    for prefix in PREFIXES {
        for (path, methods) in TABLE_ROUTES.iter().chain(SHARED_ROUTES) {
            config.service(methods(web::resource(format!("{prefix}{path}"))));
        }
    }
    tables.mount(config, TABLE_ROUTES);
    for (path, methods) in ROOT_ROUTES {
        config.service(methods(web::resource(*path)));
    }
    for path in gone::BETTING {
        config.service(web::resource(path).to(gone::betting));
    }
    config.configure(dashboard::routes);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described_and_every_description_is_of_a_route() {
        let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let described: BTreeSet<String> =
            document["paths"].as_object().unwrap().keys().cloned().collect();
        let served =
            TABLE_ROUTES.iter().chain(SHARED_ROUTES).map(|(path, _)| format!("/api{path}"));
        let root = ROOT_ROUTES.iter().map(|(path, _)| (*path).to_owned());
        assert_eq!(described, served.chain(root).collect());
    }
}
