//! One request over HTTP: something is posted, a bounded answer comes back. Redirects are not followed.

use std::{path::Path, time::Duration, time::SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Request, StatusCode,
    client::conn::http1,
    header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    NetError, Phase,
    dial::{reach, within},
    tls::encrypt,
};
use crate::config::{Endpoint, Secret, Tls};

/// Bytes of an answer, and of its header.
const LONGEST: usize = 64 << 10;

/// What is posted.
pub(crate) struct Post<'a> {
    pub endpoint: &'a Endpoint,
    /// Further roots for its certificate, or that itself.
    pub ca_file: Option<&'a Path>,
    /// How long all of it may take.
    pub most: Duration,
    pub content_type: &'static str,
    /// By which the endpoint knows who posts.
    pub bearer: Option<&'a Secret>,
    pub body: Bytes,
}

/// What an endpoint answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub location: Option<String>,
    pub body: Bytes,
}

/// Posts, and waits for all of the answer.
///
/// # Errors
/// There is no connection, or what comes back is not HTTP. No error shows what was posted.
pub(crate) async fn post(what: &Post<'_>) -> Result<Reply, NetError> {
    let endpoint = what.endpoint;
    let exchange = async {
        let (tcp, _) = reach(&endpoint.host, endpoint.port, what.most).await?;
        if !endpoint.https {
            return send(what, tcp).await;
        }
        let tls = Tls {
            ca_file: what.ca_file.map(Path::to_owned),
            ..Tls::default()
        };
        match encrypt(&endpoint.host, &tls, tcp, what.most, &mut None).await {
            Ok(stream) => send(what, stream).await,
            // The configuration has no place for a pin.
            Err(NetError::Certificate { host, why, mend, .. }) => Err(NetError::Certificate {
                host,
                why,
                mend,
                pin: None,
            }),
            Err(error) => Err(error),
        }
    };
    within(&endpoint.host, Phase::Answer, what.most, exchange).await?
}

fn request(what: &Post<'_>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let mut request = Request::post(&what.endpoint.target)
        .header(HOST, &what.endpoint.authority)
        .header(USER_AGENT, concat!("dropkeep/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, what.content_type)
        .header(CONNECTION, "close");
    if let Some(token) = what.bearer {
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.reveal()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Full::new(what.body.clone()))
}

async fn send<S>(what: &Post<'_>, stream: S) -> Result<Reply, NetError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let failed = |detail: String| NetError::Answer {
        host: what.endpoint.host.clone(),
        detail,
    };
    let broken = |error: hyper::Error| failed(error.to_string());
    let request = request(what).map_err(|error| failed(error.to_string()))?;
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

/// Retry-After (RFC 9110, 10.2.3): seconds, or a date.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    const MOST: Duration = Duration::from_secs(3600);
    let after = match value.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value.trim())
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(after.min(MOST))
}

#[test]
fn retry_after_is_read_in_both_its_forms() {
    let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    let read = |value| retry_after(value, now).map(|after| after.as_secs());
    assert_eq!(read("120"), Some(120));
    assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
    assert_eq!(read("Sun, 06 Nov 1994 08:40:00 GMT"), Some(0));
    assert_eq!(read("99999999999"), Some(3600), "not for ever");
    assert_eq!(read("soon"), None);
}
