//! From a configuration to a stream on which a session can log in: resolve, connect, TLS, and wait for the greeting.

use std::{
    future::{Future, pending},
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
    time::Instant,
};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{
    PeerCertificate, SourceError, Step, Steps,
    guard::{self, Guard, READ_BUFFER, Tcp, Wire},
    prompt::Prompt,
    tls, upgrade,
    wrong::{Found, Speaks, is_tls, told_by},
};
use crate::config::{Encryption, Server, Tls};

/// How long a server may be silent before it is looked whether it waits for TLS.
pub(crate) const PATIENCE: Duration = Duration::from_secs(4);
/// How long that look may take.
const LOOK: Duration = Duration::from_secs(5);

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
    let (mut tcp, peer) = reach(server, steps).await?;
    let is_near = is_near(peer.ip());
    match server.access.encryption() {
        Encryption::Never => {
            greeted(server, &mut tcp, Some(peer)).await?;
            Ok(Dialled {
                guard: Guard::new(Wire::Plain(tcp), server.timeout(), steps.received.clone()),
                certificate: None,
                greeted: false,
                is_near,
            })
        }
        Encryption::Implicit => encrypt(server, tcp, (false, is_near), steps).await,
        Encryption::Upgrade => {
            let began = Instant::now();
            greeted(server, &mut tcp, Some(peer)).await?;
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

async fn reach(server: &Server, steps: &mut Steps) -> Result<(Tcp, SocketAddr), SourceError> {
    let (host, port) = (&server.host, server.port());
    let began = Instant::now();
    let resolved = within(server, Step::Resolve, lookup_host((host.as_str(), port)));
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
        match within(server, Step::Connect, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                steps.done.push((Step::Connect, address.to_string(), began.elapsed()));
                return Ok((BufReader::with_capacity(READ_BUFFER, Prompt::new(tcp)), address));
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
    let first = tcp.get_ref().first();
    let handshake = tls::handshake(&server.host, &server.tls, tcp, &mut steps.certificate);
    let mut stream = match within(server, Step::Tls, handshake).await? {
        Err(SourceError::Tls { host, detail }) => {
            // What came before TLS was due, as before STARTTLS, says nothing of this.
            let speaks = first.get().filter(|_| !greeted).and_then(|first| told_by(first));
            return Err(match speaks {
                Some(speaks) => wrong(server, Found::Clear(speaks)),
                None => SourceError::Tls { host, detail },
            });
        }
        stream => stream?,
    };
    let certificate = steps.certificate.clone();
    let detail = certificate.as_ref().map_or_else(String::new, ToString::to_string);
    steps.done.push((Step::Tls, detail, began.elapsed()));
    if !greeted {
        self::greeted(server, &mut stream, None).await?;
    }
    Ok(Dialled {
        guard: Guard::new(Wire::Tls(Box::new(stream)), server.timeout(), steps.received.clone()),
        certificate,
        greeted,
        is_near,
    })
}

/// Gives one step of connecting the server's time-out.
async fn within<T>(server: &Server, step: Step, doing: impl Future<Output = T>) -> Result<T, SourceError> {
    let after: Duration = server.timeout();
    timeout(after, doing).await.map_err(|_| SourceError::Timeout {
        host: server.host.clone(),
        during: format!(" during {}", step.as_str()),
        after,
        step: Some(step),
    })
}

/// Waits until the server greets, and leaves the greeting to be read. Where it says nothing in clear text for a while, it
/// is looked on a second connection, to `probe`, whether it waits for TLS.
async fn greeted<S>(server: &Server, stream: &mut S, probe: Option<SocketAddr>) -> Result<(), SourceError>
where
    S: AsyncBufRead + Unpin,
{
    let most = server.timeout();
    let patience = PATIENCE.min(most / 4);
    let looking = async {
        tokio::time::sleep(patience).await;
        let found = match probe {
            Some(peer) => look(&server.host, peer, LOOK.min(most / 2)).await,
            None => None,
        };
        match found {
            // One that is merely slow.
            Some(Found::Other(speaks)) if speaks.family() == Some(server.access.family()) => pending().await,
            Some(found) => wrong(server, found),
            None => pending().await,
        }
    };
    let came = async {
        let first = stream.fill_buf().await?;
        match first.is_empty() {
            true => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Ok(told_by(first)),
        }
    };
    let came: Result<Result<Option<Speaks>, io::Error>, _> = tokio::select! {
        biased;
        came = timeout(most, came) => came,
        wrong = looking => return Err(wrong),
    };
    match came {
        Ok(Ok(Some(speaks))) if speaks.family() != Some(server.access.family()) => {
            Err(wrong(server, Found::Other(speaks)))
        }
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(guard::failure(&server.host, GREETING, &error).at(&server.host, Step::Greeting)),
        Err(_) => Err(SourceError::Silent {
            port: server.port(),
            access: server.access,
            after: most,
        }),
    }
}

/// How errors call the greeting.
pub(super) const GREETING: &str = "the greeting";

/// What a server that is silent waits for. Nothing is sent but the beginning of TLS, whatever its certificate is, and
/// that connection is closed. It takes no longer than `most`.
pub(crate) async fn look(host: &str, peer: SocketAddr, most: Duration) -> Option<Found> {
    timeout(most, look_at(host, peer, most / 2)).await.ok().flatten()
}

async fn look_at(host: &str, peer: SocketAddr, greeting: Duration) -> Option<Found> {
    let tcp = BufReader::new(Prompt::new(TcpStream::connect(peer).await.ok()?));
    let first = tcp.get_ref().first();
    let any = Tls {
        verify: crate::config::Verify::None,
        ..Tls::default()
    };
    match tls::handshake(host, &any, tcp, &mut None).await {
        Ok(mut stream) => {
            let greeting = timeout(greeting, stream.fill_buf()).await;
            Some(Found::Tls(greeting.ok().and_then(Result::ok).and_then(told_by)))
        }
        // An alert is TLS too, and a web server answers in its own words.
        Err(_) => match first.get()? {
            first if is_tls(first) => Some(Found::Tls(None)),
            first => told_by(first).map(Found::Other),
        },
    }
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
