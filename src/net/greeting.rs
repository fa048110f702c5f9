//! Waiting for the first words of a server, which may be another one than was meant, or wait for TLS.

use std::{future::pending, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    Found, Speaks,
    dial::buffered,
    speaks::{is_tls, recognise},
    tls::encrypt,
};
use crate::config::{Tls, Verify};

/// How long a server may be silent before we try whether it waits for TLS.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long that try may take.
const LOOK: Duration = Duration::from_secs(5);

/// Why there is no greeting of the server that was meant.
pub(crate) enum NoGreeting {
    /// Another server listens there.
    Wrong(Found),
    Lost(io::Error),
    /// It took the connection, and said nothing for as long as it may.
    Silent,
}

/// Waits until the server greets, at most for `most`, and leaves the greeting to be read. If it says nothing in clear
/// text for a while, a second connection, to `probe`, shows whether it waits for TLS.
///
/// # Errors
/// There is no greeting, or it is recognised as that of another protocol than `expected`.
pub(crate) async fn greeting<S>(
    host: &str,
    stream: &mut S,
    expected: Speaks,
    probe: Option<SocketAddr>,
    most: Duration,
) -> Result<(), NoGreeting>
where
    S: AsyncBufRead + Unpin,
{
    let looking = async {
        tokio::time::sleep(PATIENCE.min(most / 4)).await;
        let found = match probe {
            Some(peer) => look(host, peer, LOOK.min(most / 2)).await,
            None => None,
        };
        match found {
            // It is merely slow.
            None => pending().await,
            Some(Found::Other(speaks)) if speaks == expected => pending().await,
            Some(found) => found,
        }
    };
    let first = async {
        let first = stream.fill_buf().await?;
        match first.is_empty() {
            true => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Ok(recognise(first)),
        }
    };
    let came = tokio::select! {
        biased;
        came = timeout(most, first) => came,
        found = looking => return Err(NoGreeting::Wrong(found)),
    };
    match came {
        Ok(Ok(Some(speaks))) if speaks != expected => Err(NoGreeting::Wrong(Found::Other(speaks))),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(NoGreeting::Lost(error)),
        Err(_) => Err(NoGreeting::Silent),
    }
}

/// What a silent server waits for. It is sent nothing but the beginning of TLS, whatever its certificate is, and that
/// connection is closed.
async fn look(host: &str, peer: SocketAddr, most: Duration) -> Option<Found> {
    let look = async {
        let tcp = buffered(TcpStream::connect(peer).await.ok()?);
        let first = tcp.get_ref().first();
        let any = Tls {
            verify: Verify::None,
            ..Tls::default()
        };
        match encrypt(host, &any, tcp, most, &mut None).await {
            Ok(mut stream) => {
                let greeting = timeout(most / 2, stream.fill_buf()).await;
                Some(Found::Tls(greeting.ok().and_then(Result::ok).and_then(recognise)))
            }
            // An alert is TLS too, and a web server answers in its own words.
            Err(_) => match first.get()? {
                first if is_tls(first) => Some(Found::Tls(None)),
                first => recognise(first).map(Found::Other),
            },
        }
    };
    timeout(most, look).await.ok().flatten()
}
