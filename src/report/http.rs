//! HTTP over TCP: metrics and health, and nothing of what is archived.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};
use metrics_exporter_prometheus::PrometheusHandle;

use super::metrics::before_scrape;

/// Whether the appliance is ready: the store open, the supervisors up, nothing closed for writing.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Serves `/metrics`, `/healthz` and `/readyz` on `listen`; gives the server, to be awaited, and the
/// addresses it took.
///
/// # Errors
/// The address is not one, or in use.
pub fn serve(
    listen: &str,
    metrics: PrometheusHandle,
    readiness: Readiness,
) -> io::Result<(Server, Vec<std::net::SocketAddr>)> {
    let app = move || {
        App::new()
            .app_data(web::Data::new(metrics.clone()))
            .app_data(web::Data::new(readiness.clone()))
            .route("/metrics", web::get().to(metrics_page))
            .route("/healthz", web::get().to(|| async { "ok\n" }))
            .route("/readyz", web::get().to(ready))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().bind(listen)?;
    let addresses = server.addrs();
    Ok((server.run(), addresses))
}

async fn metrics_page(metrics: web::Data<PrometheusHandle>) -> HttpResponse {
    before_scrape();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(metrics.render())
}

async fn ready(readiness: web::Data<Readiness>) -> HttpResponse {
    match readiness.get() {
        true => HttpResponse::Ok().body("ready\n"),
        false => HttpResponse::ServiceUnavailable().body("not ready\n"),
    }
}
