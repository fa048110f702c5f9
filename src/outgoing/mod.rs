//! Connections to servers that are no sources: token endpoints, webhooks, and those that take mail. Encrypted, where that
//! is due, as it is with sources.

mod post;

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::client::TlsStream;

use crate::{
    config::{Fingerprint, Tls},
    source::{self, Mend, SourceError},
};

pub use post::{Post, Reply, post};

/// There is no connection, or no answer over it.
#[derive(thiserror::Error, Debug)]
pub enum OutgoingError {
    #[error("{}", source::not_found(host, source))]
    Resolve { host: String, source: io::Error },
    #[error("{}", source::not_connected(host, *port, source))]
    Connect { host: String, port: u16, source: io::Error },
    #[error("{host} did not answer within {}", humantime::format_duration(*after))]
    Timeout { host: String, after: Duration },
    #[error("TLS with {host} failed: {detail}")]
    Tls { host: String, detail: String },
    #[error("the certificate of {host} is refused: {why}")]
    Certificate {
        host: String,
        why: String,
        fingerprint: Fingerprint,
    },
    #[error("ca_file {file} {detail}")]
    CaFile { file: String, detail: String },
    /// It is not what the protocol allows.
    #[error("the answer of {host} makes no sense: {detail}")]
    Answer { host: String, detail: String },
}

/// Connects to the first address that takes it.
///
/// # Errors
/// None does.
pub async fn connect(host: &str, port: u16) -> Result<TcpStream, OutgoingError> {
    let name = host.to_owned();
    let addresses = match lookup_host((host, port)).await {
        Ok(addresses) => addresses,
        Err(source) => return Err(OutgoingError::Resolve { host: name, source }),
    };
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = error,
        }
    }
    Err(OutgoingError::Connect {
        host: name,
        port,
        source: failure,
    })
}

/// Begins TLS on a stream.
///
/// # Errors
/// The handshake fails, or the certificate is refused.
pub async fn encrypt<S>(host: &str, tls: &Tls, stream: S) -> Result<TlsStream<S>, OutgoingError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let encrypted = source::handshake(host, tls, stream, &mut None).await;
    encrypted.map_err(|error| match error {
        SourceError::Certificate {
            host,
            why,
            mend,
            fingerprint,
        } => {
            let mend = match mend {
                Mend::Host { names: 1.. } => ": use a name that it is for".to_owned(),
                Mend::Pinning => String::new(),
                Mend::Pin => ": if it is the server's new certificate, write its pin".to_owned(),
                mend => format!(": {}", mend.words()),
            };
            let why = format!("{why}{mend}");
            OutgoingError::Certificate { host, why, fingerprint }
        }
        SourceError::CaFile { file, detail } => OutgoingError::CaFile { file, detail },
        SourceError::Tls { host, detail } => OutgoingError::Tls { host, detail },
        other => OutgoingError::Tls {
            host: host.to_owned(),
            detail: other.to_string(),
        },
    })
}
