//! HTTP over TCP: metrics and health, and nothing of what is archived.
//!
//! - `pages` answers, once on each `connection`; `readiness` is what `/readyz` says.
//! - `host` is for whom a request must be meant: no page in a browser reads them under a name of its own.
//! - `access` is who is let in: by `tls`, certificates and keys, and the `token` for `/metrics`. All of them are exchanged
//!   while they are served, when their files change (`watched`).

mod access;
mod connection;
mod error;
mod host;
mod pages;
mod readiness;
mod tls;
mod token;
mod watched;

use std::{
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    http::KeepAlive,
    web,
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;

use crate::config;
use access::Access;
use connection::Connection;
use host::Hosts;
use pages::Pages;

pub use error::{HttpError, TlsProblem};
pub use readiness::Readiness;

/// Connections at once; further ones wait until one of them ends.
const CONNECTIONS: usize = 128;
/// Pages made at once on threads of their own; each is held in memory.
const THREADS: usize = 2;
/// How long a client may take for its TLS handshake, and for the header of a request.
const REQUEST: Duration = Duration::from_secs(5);
/// How long the end of a connection may take.
const DISCONNECT: Duration = Duration::from_secs(1);

/// HTTP that is served. Where it is dropped, its files are watched no more.
pub struct Http {
    handle: ServerHandle,
    addresses: Vec<String>,
    access: Arc<Access>,
    watching: Option<JoinHandle<()>>,
}

/// Serves `/metrics`, `/healthz` and `/readyz` as `http` says. Needs a running actix system.
///
/// # Errors
/// The address is in use, or none; other machines reach it, and there is not what that takes; the certificate, the key or
/// the token cannot be used.
pub fn serve(http: &config::Http, metrics: PrometheusHandle, readiness: Readiness) -> Result<Http, HttpError> {
    let access = Arc::new(Access::open(http)?);
    let listeners = listen(http)?;
    let pages = web::Data::new(Pages {
        metrics,
        readiness,
        hosts: access.tls().is_none().then(|| Hosts::new(&http.listen, &http.hosts)),
        access: access.clone(),
    });
    let (server, addresses) = bind(pages, listeners, &access).map_err(|source| HttpError::Listen {
        listen: http.listen.clone(),
        source,
    })?;
    let handle = server.handle();
    actix_rt::spawn(server);
    Ok(Http {
        handle,
        addresses,
        watching: access
            .is_watched()
            .then(|| actix_rt::spawn(access::watch(access.clone()))),
        access,
    })
}

impl Http {
    /// Where it is served, as `http://127.0.0.1:8080`.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Reads certificates, key and token again now. What is wrong with new ones is logged, and the old ones stay.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn reload(&self) -> Result<(), HttpError> {
        self.access.reload()
    }

    /// Ends it, whoever is connected.
    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        if let Some(watching) = &self.watching {
            watching.abort();
        }
    }
}

/// Listens on every address that `listen` means, if each of them is one that may be served.
fn listen(http: &config::Http) -> Result<Vec<TcpListener>, HttpError> {
    let failed = |source| HttpError::Listen {
        listen: http.listen.clone(),
        source,
    };
    let addresses: Vec<SocketAddr> = http.listen.to_socket_addrs().map_err(failed)?.collect();
    if addresses.is_empty() {
        return Err(failed(io::Error::new(
            io::ErrorKind::NotFound,
            "this name has no address",
        )));
    }
    for address in &addresses {
        http.allows(*address).map_err(HttpError::Exposed)?;
    }
    let (mut listeners, mut refused) = (Vec::new(), None);
    for address in addresses {
        match TcpListener::bind(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => refused = Some(error),
        }
    }
    // A name of which the machine has only one kind of address is served on that.
    match (listeners.is_empty(), refused) {
        (true, Some(error)) => Err(failed(error)),
        _ => Ok(listeners),
    }
}

fn bind(pages: web::Data<Pages>, listeners: Vec<TcpListener>, access: &Access) -> io::Result<(Server, Vec<String>)> {
    let app = move || {
        App::new()
            .app_data(pages.clone())
            .default_service(web::to(pages::answer))
    };
    let mut server = HttpServer::new(app)
        .workers(1)
        .worker_max_blocking_threads(THREADS)
        .max_connections(CONNECTIONS)
        .client_request_timeout(REQUEST)
        .tls_handshake_timeout(REQUEST)
        .client_disconnect_timeout(DISCONNECT)
        .keep_alive(KeepAlive::Disabled)
        .on_connect(Connection::begun)
        .disable_signals();
    for listener in listeners {
        server = match access.tls() {
            None => server.listen(listener)?,
            Some(config) => server.listen_rustls_0_23(listener, config)?,
        };
    }
    let addresses = server.addrs_with_scheme();
    let addresses = addresses
        .iter()
        .map(|(address, scheme)| format!("{scheme}://{address}"));
    let addresses = addresses.collect();
    Ok((server.run(), addresses))
}
