//! From a host name to a TCP connection.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use tokio::{
    io::BufReader,
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{NetError, Phase, Prompt};

/// TCP with a read buffer, so that many small answers cost few system calls.
pub(crate) type Tcp = BufReader<Prompt>;

/// Bytes that are read at once.
pub(crate) const READ_BUFFER: usize = 64 << 10;

/// Resolves a name, and connects to the first of its addresses that takes it. Each attempt may take `most`.
///
/// # Errors
/// There is no such host, or none of its addresses takes the connection.
pub(crate) async fn reach(host: &str, port: u16, most: Duration) -> Result<(Tcp, SocketAddr), NetError> {
    let addresses = resolve(host, port, most).await?;
    connect(host, port, &addresses, most).await
}

/// The addresses of a host, with the port.
///
/// # Errors
/// The name has none, or no name server says so within `most`.
pub(crate) async fn resolve(host: &str, port: u16, most: Duration) -> Result<Vec<SocketAddr>, NetError> {
    let found = within(host, Phase::Resolve, most, lookup_host((host, port))).await?;
    found.map(Iterator::collect).map_err(|source| not_found(host, source))
}

/// Connects to the first of these addresses that takes it. Each attempt may take `most`.
///
/// # Errors
/// None does; the error is that of the last.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    addresses: &[SocketAddr],
    most: Duration,
) -> Result<(Tcp, SocketAddr), NetError> {
    let no_address = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    let mut failure = not_found(host, no_address);
    for address in addresses {
        match within(host, Phase::Connect, most, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok((buffered(tcp), *address)),
            Ok(Err(source)) => {
                let host = host.to_owned();
                failure = NetError::Connect { host, port, source };
            }
            Err(silent) => failure = silent,
        }
    }
    Err(failure)
}

pub(super) fn buffered(tcp: TcpStream) -> Tcp {
    BufReader::with_capacity(READ_BUFFER, Prompt::new(tcp))
}

/// Ends one phase of a connection after `most`.
pub(super) async fn within<T>(
    host: &str,
    phase: Phase,
    most: Duration,
    doing: impl Future<Output = T>,
) -> Result<T, NetError> {
    let host = || host.to_owned();
    let silent = |_| NetError::Timeout {
        host: host(),
        phase,
        after: most,
    };
    timeout(most, doing).await.map_err(silent)
}

fn not_found(host: &str, source: io::Error) -> NetError {
    let host = host.to_owned();
    NetError::Resolve { host, source }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn all_addresses_of_a_host_are_tried() {
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        let listening = open.local_addr().unwrap();
        // Nobody listens where somebody did.
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let most = Duration::from_secs(5);
        let (_, peer) = connect("localhost", 1, &[closed, listening], most).await.unwrap();
        assert_eq!(peer, listening);
        let refused = connect("localhost", 1, &[closed, closed], most).await.unwrap_err();
        assert!(matches!(refused, NetError::Connect { port: 1, .. }), "{refused:?}");
        let nowhere = connect("localhost", 1, &[], most).await.unwrap_err();
        assert!(matches!(nowhere, NetError::Resolve { .. }), "{nowhere:?}");
    }
}
