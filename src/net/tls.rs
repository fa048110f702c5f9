//! TLS: roots, and the handshake.

use std::{io, path::Path, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, Error, RootCertStore,
    client::WebPkiServerVerifier,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    NetError, PeerCertificate, Phase, Tcp,
    dial::within,
    speaks::recognise,
    verifier::{Judge, Refusal, Seen},
};
use crate::{
    account::{self, why_unreadable},
    config::{Tls, Verify},
    harmless::plain,
};

/// Begins TLS on a connection; the handshake may take `most`. The certificate that the server shows is put into
/// `certificate`, also if it is refused.
///
/// # Errors
/// The handshake fails, the certificate is refused, or `ca_file` cannot be used.
pub(crate) async fn encrypt(
    host: &str,
    tls: &Tls,
    tcp: Tcp,
    most: Duration,
    certificate: &mut Option<PeerCertificate>,
) -> Result<TlsStream<Tcp>, NetError> {
    within(host, Phase::Tls, most, handshake(host, tls, tcp, certificate)).await?
}

async fn handshake(
    host: &str,
    tls: &Tls,
    tcp: Tcp,
    certificate: &mut Option<PeerCertificate>,
) -> Result<TlsStream<Tcp>, NetError> {
    let first = tcp.get_ref().first();
    let failed = |detail: String| NetError::Tls {
        host: host.to_owned(),
        detail,
        speaks: first.get().and_then(|first| recognise(first)),
    };
    let ascii = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned());
    let name = ServerName::try_from(ascii).map_err(|_| {
        failed("this is neither a host name nor an address, so no certificate can be for it".to_owned())
    })?;
    let judge = Arc::new(judge(tls).await?);
    let config = ClientConfig::builder_with_provider(judge.provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(judge.clone())
        .with_no_client_auth();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
    let Some(Seen { leaf, against }) = judge.seen() else {
        return connected.map_err(|error| failed(detail(&error)));
    };
    let version = connected
        .as_ref()
        .ok()
        .and_then(|stream| stream.get_ref().1.protocol_version());
    let version = version.and_then(|version| version.as_str()).map(shown);
    let peer = PeerCertificate::read(&leaf, version, against.is_none());
    let fingerprint = peer.fingerprint;
    *certificate = Some(peer);
    connected.map_err(|error| match against {
        Some(Refusal { why, mend }) if tls.verify != Verify::None => NetError::Certificate {
            host: host.to_owned(),
            why,
            mend,
            pin: Some(Box::new(fingerprint)),
        },
        _ => failed(detail(&error)),
    })
}

/// `TLSv1_3` is how rustls writes it.
fn shown(version: &str) -> String {
    version.replace('_', ".")
}

fn detail(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidMessage(_)) => {
            "what the server answers is not TLS; the port may be another server's".to_owned()
        }
        _ if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection during the handshake".to_owned()
        }
        _ => plain(&error.to_string()),
    }
}

async fn judge(tls: &Tls) -> Result<Judge, NetError> {
    let own = match &tls.ca_file {
        Some(file) => certificates(file)?,
        None => Vec::new(),
    };
    let provider = Arc::new(ring::default_provider());
    let mut store = RootCertStore::empty();
    // Reads and parses files: some milliseconds.
    let native = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    store.add_parsable_certificates(native.map(|found| found.certs).unwrap_or_default());
    // A server's own certificate need not be one that webpki takes for a root.
    store.add_parsable_certificates(own.iter().cloned());
    let roots = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
        .build()
        .ok();
    Ok(Judge {
        verify: tls.verify,
        pin: tls.pin,
        roots,
        own,
        provider,
        seen: Default::default(),
    })
}

/// The certificates of a PEM file.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let failed = |detail: String| NetError::CaFile {
        file: file.display().to_string(),
        detail,
    };
    let pem = std::fs::read(file).map_err(|error| failed(why_unreadable(file, &error)))?;
    let found: Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_slice()).collect();
    let found = found.map_err(|error| failed(format!("cannot be read: {}", account::plain(&error))))?;
    match found.is_empty() {
        true => Err(failed(
            "has no certificate in PEM form in it (-----BEGIN CERTIFICATE-----)".to_owned(),
        )),
        false => Ok(found),
    }
}
