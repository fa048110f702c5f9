//! One request to a token endpoint: a form goes out, a bounded answer comes back. Redirects are not followed.

use std::{path::Path, time::Duration, time::SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Request, StatusCode,
    client::conn::http1,
    header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{TokenError, grant::retry_after};
use crate::{
    config::{Tls, TokenEndpoint},
    source::{self, SourceError},
};

/// Bytes of an answer, and of its header.
const LONGEST: usize = 64 << 10;

/// What an endpoint answered.
pub(super) struct Reply {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub location: Option<String>,
    pub body: Bytes,
}

/// Sends a form, and waits at most `most` for all of the answer.
///
/// # Errors
/// There is none, or it is none of HTTP. None of them shows the form.
pub(super) async fn post(
    endpoint: &TokenEndpoint,
    ca_file: Option<&Path>,
    most: Duration,
    form: String,
) -> Result<Reply, TokenError> {
    let exchange = async {
        let tcp = connect(endpoint).await?;
        if !endpoint.https {
            return send(endpoint, tcp, form).await;
        }
        let tls = Tls {
            ca_file: ca_file.map(Path::to_owned),
            ..Tls::default()
        };
        let stream = source::handshake(&endpoint.host, &tls, tcp, &mut None).await;
        send(endpoint, stream.map_err(|error| untrusted(endpoint, error))?, form).await
    };
    let silent = |_| TokenError::Timeout {
        endpoint: endpoint.to_string(),
        after: most,
    };
    timeout(most, exchange).await.map_err(silent)?
}

async fn connect(endpoint: &TokenEndpoint) -> Result<TcpStream, TokenError> {
    let (host, port) = (endpoint.host.clone(), endpoint.port);
    let addresses = match lookup_host((endpoint.host.as_str(), port)).await {
        Ok(addresses) => addresses,
        Err(source) => return Err(TokenError::Resolve { host, source }),
    };
    let mut failure = std::io::Error::new(std::io::ErrorKind::NotFound, "it has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = error,
        }
    }
    Err(TokenError::Connect {
        host,
        port,
        source: failure,
    })
}

/// What TLS says, as it is with an endpoint: there are no pins, and it has a `ca_file` of its own.
fn untrusted(endpoint: &TokenEndpoint, error: SourceError) -> TokenError {
    let host = endpoint.host.clone();
    match error {
        SourceError::Certificate { why, .. } => TokenError::Certificate { host, why },
        SourceError::CaFile { file, detail } => TokenError::CaFile { file, detail },
        SourceError::Tls { detail, .. } => TokenError::Tls { host, detail },
        other => TokenError::Tls {
            host,
            detail: other.to_string(),
        },
    }
}

async fn send<S>(endpoint: &TokenEndpoint, stream: S, form: String) -> Result<Reply, TokenError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let failed = |detail: String| TokenError::Answer {
        endpoint: endpoint.to_string(),
        detail,
    };
    let broken = |error: hyper::Error| failed(error.to_string());
    let request = Request::post(&endpoint.target)
        .header(HOST, &endpoint.authority)
        .header(USER_AGENT, concat!("dropkeep/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(form)))
        .map_err(|error| failed(error.to_string()))?;
    let mut http = http1::Builder::new();
    let handshake = http.max_buf_size(LONGEST).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let (head, body) = response.into_parts();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| {
            failed(match error.is::<LengthLimitError>() {
                true => format!("it is longer than {} KiB", LONGEST >> 10),
                false => error.to_string(),
            })
        })?;
        Ok(Reply {
            status: head.status,
            retry_after: header(RETRY_AFTER).and_then(|value| retry_after(value, SystemTime::now())),
            location: header(LOCATION).map(str::to_owned),
            body: body.to_bytes(),
        })
    };
    let (mut exchange, connection) = (std::pin::pin!(exchange), std::pin::pin!(connection));
    tokio::select! {
        biased;
        reply = &mut exchange => reply,
        // The endpoint closes after its answer, of which the rest is at hand then. What went wrong shows there.
        _ = connection => exchange.await,
    }
}
