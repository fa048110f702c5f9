//! A server for HTTP over TCP, and nothing of what it serves: that is brought by its guests, as [`Route`]s.
//!
//! - `reception` answers every request, by the `route` whose it is. Each has its turn on a `connection`, which slow
//!   clients cannot hold.
//! - `host` refuses requests that are meant for another machine, so that no page in a browser reads this one's under a
//!   name of its own.
//! - `crowd` bounds what one address asks for, in all and at once; `problem` is how programs are told what is wrong.
//! - `access` is who is let in: by `tls`, certificates and keys, and by the `token`. All of them are exchanged while
//!   they are used, when their files change (`watched`).

mod access;
mod connection;
mod crowd;
mod error;
mod host;
mod problem;
mod reception;
mod route;
#[cfg(test)]
mod tests;
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
    web,
};
use rustix::process::{getpriority_process, setpriority_process};
use tokio::task::JoinHandle;

use crate::config;
use access::Access;
use connection::{CONNECTIONS, Connection, Seats};
use host::Hosts;
use reception::{Reception, receive};

pub use crowd::{Crowd, Entered};
pub use error::{HttpError, TlsProblem};
pub use problem::{PROBLEM, Problem, problem, problem_at};
pub use route::{Asked, BadQuery, LetIn, Route, answer, refusal};

/// Threads that may wait for the disk, or for a client that takes its answer slowly.
const THREADS: usize = 256;
/// How much people who read give way to mail that is on its way (setpriority(2)). They need little, and whoever wants a page on a
/// busy machine is not to wait for seconds.
const NICE: i32 = 5;
/// How long a client may take for its TLS handshake, and for the header of its first request.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a connection without a request is kept: longer than the fifteen seconds after which Prometheus often
/// returns.
const IDLE: Duration = Duration::from_secs(20);
/// How long the end of a connection may take.
const DISCONNECT: Duration = Duration::from_secs(1);

/// HTTP that is served. Where it is dropped, its files are watched no more.
pub struct Http {
    handle: ServerHandle,
    addresses: Vec<String>,
    access: Arc<Access>,
    watching: Option<JoinHandle<()>>,
}

/// Serves what `routes` have, as `http` says. Needs a running actix system.
///
/// # Errors
/// The address is in use, or none; other machines reach it, and there is not what that takes; the certificate, the key
/// or the token cannot be used.
pub fn serve(http: &config::Http, routes: Vec<Route>) -> Result<Http, HttpError> {
    let with_token = routes.iter().filter(|route| route.let_in == LetIn::Token);
    let mut pages: Vec<&str> = with_token.map(|route| route.path).collect();
    pages.dedup();
    let access = Arc::new(Access::open(http, &pages.join(" and "))?);
    let listeners = listen(http)?;
    let reception = web::Data::new(Reception {
        routes,
        hosts: access.tls().is_none().then(|| Hosts::new(&http.listen, &http.hosts)),
        access: access.clone(),
        crowd: Crowd::new(http.requests_per_second, http.requests_at_once),
    });
    let (server, addresses) = bind(reception, listeners, &access).map_err(|source| HttpError::Listen {
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

    /// When the certificate that is shown expires, in seconds since 1970 UTC; `None` without TLS.
    pub fn certificate_expiry(&self) -> Option<i64> {
        self.access.certificate_expiry()
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

fn bind(
    reception: web::Data<Reception>,
    listeners: Vec<TcpListener>,
    access: &Access,
) -> io::Result<(Server, Vec<String>)> {
    let nice = getpriority_process(None).unwrap_or(0) + NICE;
    let app = move || {
        // Made on the server's own thread, once for each address. Those that it starts to wait for the disk are like it, as
        // Linux has it.
        let _ = setpriority_process(None, nice);
        App::new().app_data(reception.clone()).default_service(web::to(receive))
    };
    let seats = Seats::default();
    let mut server = HttpServer::new(app)
        .workers(1)
        .worker_max_blocking_threads(THREADS)
        .max_connections(CONNECTIONS)
        .client_request_timeout(REQUEST)
        .tls_handshake_timeout(REQUEST)
        .client_disconnect_timeout(DISCONNECT)
        .keep_alive(IDLE)
        // Otherwise the last piece of an answer waits up to 40 ms for the client to acknowledge the one before.
        .tcp_nodelay(true)
        .on_connect(move |stream, data| Connection::begun(stream, data, &seats))
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
