//! From a configuration to a stream on which a session can log in: resolve, connect, TLS.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
    time::Instant,
};

use tokio::{
    io::BufReader,
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{
    PeerCertificate, SourceError, Step, Steps,
    guard::{Guard, READ_BUFFER, Tcp, Wire},
    prompt::Prompt,
    tls, upgrade,
};
use crate::config::{Encryption, Server};

/// A connection that is encrypted where it is to be, and not yet logged in.
pub(super) struct Dialled {
    pub guard: Guard,
    pub certificate: Option<PeerCertificate>,
    /// The greeting was read already: it comes before STARTTLS and STLS, and not again.
    pub greeted: bool,
    /// The server is on this machine or in a private network.
    pub is_near: bool,
}

/// Resolves, connects, and encrypts.
///
/// # Errors
/// Every one has a [`Step`].
pub(super) async fn dial(server: &Server, steps: &mut Steps) -> Result<Dialled, SourceError> {
    let host = &server.host;
    let tcp = reach(server, steps).await?;
    // Where it cannot be told any more, the next read says why.
    let is_near = tcp.get_ref().get_ref().peer_addr().is_ok_and(|peer| is_near(peer.ip()));
    match server.access.encryption() {
        Encryption::Never => Ok(Dialled {
            guard: Guard::new(Wire::Plain(tcp), server.timeout(), steps.received.clone()),
            certificate: None,
            greeted: false,
            is_near,
        }),
        Encryption::Implicit => encrypt(server, tcp, (false, is_near), steps).await,
        Encryption::Upgrade => {
            let began = Instant::now();
            let guard = Guard::new(Wire::Plain(tcp), server.timeout(), steps.received.clone());
            let (words, tcp) = upgrade::upgrade(server.access.family(), host, guard).await?;
            steps.done.push((Step::Greeting, words, began.elapsed()));
            encrypt(server, tcp, (true, is_near), steps).await
        }
    }
}

/// What [`dial`] would give, over a stream on which somebody plays the server. Where encryption is due it ends where the
/// handshake would begin, as an attack.
///
/// # Errors
/// Every one has a [`Step`].
#[cfg(any(test, fuzzing))]
pub(super) async fn play(
    server: &Server,
    stream: impl super::guard::Played + 'static,
    steps: &mut Steps,
) -> Result<Dialled, SourceError> {
    let wire = Wire::Played(Box::new(stream));
    let guard = Guard::new(wire, server.timeout(), steps.received.clone());
    if server.access.encryption() == Encryption::Upgrade {
        upgrade::upgrade(server.access.family(), &server.host, guard).await?;
        unreachable!("TLS begins on TCP only");
    }
    Ok(Dialled {
        guard,
        certificate: None,
        greeted: false,
        is_near: false,
    })
}

async fn reach(server: &Server, steps: &mut Steps) -> Result<Tcp, SourceError> {
    let (host, port) = (&server.host, server.port());
    let began = Instant::now();
    let resolved = within(
        server,
        Step::Resolve,
        "the look-up of its address",
        lookup_host((host.as_str(), port)),
    );
    let addresses: Vec<SocketAddr> = match resolved.await? {
        Ok(found) => found.collect(),
        Err(source) => {
            let host = host.clone();
            return Err(SourceError::Resolve { host, source });
        }
    };
    let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    steps.done.push((Step::Resolve, shown.join(", "), began.elapsed()));

    let began = Instant::now();
    let mut failure = SourceError::Resolve {
        host: host.clone(),
        source: io::Error::new(io::ErrorKind::NotFound, "it has no address"),
    };
    for address in addresses {
        let connected = within(
            server,
            Step::Connect,
            "the connection attempt",
            TcpStream::connect(address),
        );
        match connected.await {
            Ok(Ok(tcp)) => {
                steps.done.push((Step::Connect, address.to_string(), began.elapsed()));
                return Ok(BufReader::with_capacity(READ_BUFFER, Prompt::new(tcp)));
            }
            Ok(Err(source)) => {
                let host = host.clone();
                failure = SourceError::Connect { host, port, source };
            }
            Err(silent) => failure = silent,
        }
    }
    Err(failure)
}

/// Whether an address is of this machine or of a private network (RFC 1918, RFC 4193), link-local ones included.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

async fn encrypt(
    server: &Server,
    tcp: Tcp,
    (greeted, is_near): (bool, bool),
    steps: &mut Steps,
) -> Result<Dialled, SourceError> {
    let began = Instant::now();
    let handshake = tls::handshake(&server.host, &server.tls, tcp, &mut steps.certificate);
    let stream = within(server, Step::Tls, "the TLS handshake", handshake).await??;
    let certificate = steps.certificate.clone();
    let detail = certificate.as_ref().map_or_else(String::new, ToString::to_string);
    steps.done.push((Step::Tls, detail, began.elapsed()));
    Ok(Dialled {
        guard: Guard::new(Wire::Tls(Box::new(stream)), server.timeout(), steps.received.clone()),
        certificate,
        greeted,
        is_near,
    })
}

/// Gives one step of connecting the server's time-out.
async fn within<T>(server: &Server, step: Step, what: &str, doing: impl Future<Output = T>) -> Result<T, SourceError> {
    let after: Duration = server.timeout();
    timeout(after, doing).await.map_err(|_| SourceError::Timeout {
        host: server.host.clone(),
        during: format!(" during {what}"),
        after,
        step: Some(step),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_told_by_the_address() {
        let near = |text: &str| is_near(text.parse().unwrap());
        for ip in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(near(ip), "{ip}");
        }
        for ip in ["172.32.0.1", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(!near(ip), "{ip}");
        }
    }
}
