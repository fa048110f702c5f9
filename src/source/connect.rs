//! From a configuration to a stream on which a session can log in: resolve, connect, TLS, and wait for the greeting.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use tokio::io::AsyncBufRead;

use super::{
    ConnectStep, SourceError, Steps,
    guard::{self, Guard, Wire},
    upgrade::{self, GREETING},
};
use crate::{
    config::{Encryption, Family, Server},
    net::{self, Found, NetError, NoGreeting, PeerCertificate, Speaks, Tcp},
    said::{Said, Say},
};

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
/// Every one has a [`ConnectStep`].
pub(super) async fn dial(server: &Server, steps: &mut Steps) -> Result<Dialled, SourceError> {
    let host = &server.host;
    let (mut tcp, peer) = reach(server, steps).await?;
    let is_near = is_near(peer.ip());
    match server.access.encryption() {
        Encryption::Never => {
            greeted(server, &mut tcp, Some(peer)).await?;
            Ok(Dialled {
                guard: Guard::new(Wire::Left(tcp), server.timeout(), steps.received.clone()),
                certificate: None,
                greeted: false,
                is_near,
            })
        }
        Encryption::Implicit => encrypt(server, tcp, (false, is_near), steps).await,
        Encryption::Upgrade => {
            let began = Instant::now();
            greeted(server, &mut tcp, Some(peer)).await?;
            let guard = Guard::new(Wire::Left(tcp), server.timeout(), steps.received.clone());
            let (words, tcp) = upgrade::upgrade(server.access.family(), host, guard).await?;
            steps.did(ConnectStep::Greeting, Said::quoted(words), began);
            encrypt(server, tcp, (true, is_near), steps).await
        }
    }
}

/// What [`dial`] would give, over a stream on which somebody plays the server. Where encryption is due it ends where
/// the handshake would begin, as an attack.
///
/// # Errors
/// Every one has a [`ConnectStep`].
#[cfg(any(test, fuzzing))]
pub(super) async fn play(
    server: &Server,
    stream: impl super::guard::Stream + 'static,
    steps: &mut Steps,
) -> Result<Dialled, SourceError> {
    let wire = Wire::Right(Box::new(stream));
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

async fn reach(server: &Server, steps: &mut Steps) -> Result<(Tcp, SocketAddr), SourceError> {
    let (host, port, most) = (&server.host, server.port(), server.timeout());
    let began = Instant::now();
    let addresses = net::resolve(host, port, most).await?;
    let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    steps.did(ConnectStep::Resolve, Said::quoted(shown.join(", ")), began);
    let began = Instant::now();
    let (tcp, peer) = net::connect(host, port, &addresses, most).await?;
    steps.did(ConnectStep::Connect, Said::quoted(peer.to_string()), began);
    Ok((tcp, peer))
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
    let encrypted = net::encrypt(&server.host, &server.tls, tcp, server.timeout(), &mut steps.certificate).await;
    let mut stream = encrypted.map_err(|error| match error {
        // What came before TLS was due, as before STARTTLS, says nothing of this.
        NetError::Tls {
            speaks: Some(speaks), ..
        } if !greeted => wrong(server, Found::Clear(speaks)),
        error => error.into(),
    })?;
    let certificate = steps.certificate.clone();
    let detail = certificate.as_ref().map(Say::said).unwrap_or_default();
    steps.did(ConnectStep::Tls, detail, began);
    if !greeted {
        self::greeted(server, &mut stream, None).await?;
    }
    Ok(Dialled {
        guard: Guard::new(Wire::Right(Box::new(stream)), server.timeout(), steps.received.clone()),
        certificate,
        greeted,
        is_near,
    })
}

/// Waits until the server greets, and leaves the greeting to be read.
async fn greeted<S>(server: &Server, stream: &mut S, probe: Option<SocketAddr>) -> Result<(), SourceError>
where
    S: AsyncBufRead + Unpin,
{
    let (host, most) = (&server.host, server.timeout());
    let expected = match server.access.family() {
        Family::Imap => Speaks::Imap,
        Family::Pop3 => Speaks::Pop3,
    };
    let greeting = net::greeting(host, stream, expected, probe, most).await;
    greeting.map_err(|missing| match missing {
        NoGreeting::Wrong(found) => wrong(server, found),
        NoGreeting::Lost(error) => guard::failure(host, GREETING, &error).at(host, ConnectStep::Greeting),
        NoGreeting::Silent => SourceError::Silent {
            port: server.port(),
            access: server.access,
            after: most,
        },
    })
}

fn wrong(server: &Server, found: Found) -> SourceError {
    SourceError::WrongPort {
        port: server.port(),
        access: server.access,
        found,
    }
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
