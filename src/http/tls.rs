//! The certificate that is shown, its key, and whose certificates are asked for.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use parking_lot::RwLock;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, InconsistentKeys, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime},
    server::{
        ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{HttpError, TlsProblem};
use crate::{
    account::why_unreadable,
    config::{Exposed, Guarded, HttpTls},
};

/// No chain of certificates is as large.
const MOST_BYTES: u64 = 1 << 20;

/// What connections that begin now are shown and asked for.
pub(super) struct Tls {
    config: ServerConfig,
    shown: Arc<Shown>,
    /// Seconds since 1970 UTC.
    not_after: AtomicI64,
    clients: Option<Arc<Clients>>,
}

impl Tls {
    /// # Errors
    /// A file cannot be used, or the key is not that of the certificate.
    pub fn open(files: &HttpTls) -> Result<Self, HttpError> {
        let provider = Arc::new(ring::default_provider());
        let loaded = Loaded::read(files, &provider)?;
        loaded.log_dates(files);
        let not_after = AtomicI64::new(loaded.not_after);
        let shown = Arc::new(Shown(RwLock::new(loaded.shown)));
        let clients = loaded.clients.map(|clients| Arc::new(Clients(RwLock::new(clients))));
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = match &clients {
            Some(clients) => builder.with_client_cert_verifier(clients.clone()),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(shown.clone());
        // Who resumes a session is neither shown a certificate nor asked for one, so exchanged ones would not count.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            config,
            shown,
            not_after,
            clients,
        })
    }

    /// When the certificate expires, in seconds since 1970 UTC.
    pub fn not_after(&self) -> i64 {
        self.not_after.load(Ordering::Relaxed)
    }

    /// For a listener.
    pub fn config(&self) -> ServerConfig {
        self.config.clone()
    }

    /// Takes the files as they are now.
    ///
    /// # Errors
    /// As [`open`](Self::open); nothing is exchanged.
    pub fn exchange(&self, files: &HttpTls) -> Result<(), HttpError> {
        let loaded = Loaded::read(files, self.config.crypto_provider())?;
        loaded.log_dates(files);
        self.not_after.store(loaded.not_after, Ordering::Relaxed);
        warn_of_readers("tls.key_file", &files.key_file);
        *self.shown.0.write() = loaded.shown;
        if let (Some(clients), Some(new)) = (&self.clients, loaded.clients) {
            *clients.0.write() = new;
        }
        Ok(())
    }
}

/// The files, read and found good.
struct Loaded {
    shown: Arc<CertifiedKey>,
    /// Seconds since 1970 UTC.
    not_before: i64,
    not_after: i64,
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

impl Loaded {
    fn read(files: &HttpTls, provider: &Arc<CryptoProvider>) -> Result<Self, HttpError> {
        let chain = certificates("cert_file", &files.cert_file)?;
        let (not_before, not_after) =
            validity(&chain).ok_or_else(|| problem("cert_file", &files.cert_file, TlsProblem::BadCertificate))?;
        let key = private_key(&files.key_file)?;
        let shown = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let cert_file = files.cert_file.clone();
                problem("key_file", &files.key_file, TlsProblem::Mismatch { cert_file })
            }
            Error::InvalidCertificate(_) => problem("cert_file", &files.cert_file, TlsProblem::BadCertificate),
            error => problem("key_file", &files.key_file, TlsProblem::BadKey(error)),
        })?;
        let clients = files.client_ca_file.as_deref().map(|file| authorities(file, provider));
        Ok(Self {
            shown: Arc::new(shown),
            not_before,
            not_after,
            clients: clients.transpose()?,
        })
    }

    /// A date is no reason to refuse them: monitoring that ends over one would be missed when it is needed.
    fn log_dates(&self, files: &HttpTls) {
        let file = files.cert_file.display();
        let now = Timestamp::now().as_second();
        let shown = |seconds| Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |time| time.to_string());
        if now > self.not_after {
            let since = shown(self.not_after);
            tracing::warn!("http.tls.cert_file {file}: the certificate expired on {since}; clients will refuse it");
        } else if now < self.not_before {
            let from = shown(self.not_before);
            tracing::warn!(
                "http.tls.cert_file {file}: the certificate is not valid before {from}; clients will refuse it"
            );
        }
    }
}

fn problem(key: &'static str, file: &Path, problem: impl Into<TlsProblem>) -> HttpError {
    HttpError::Tls {
        key,
        file: file.to_owned(),
        problem: problem.into(),
    }
}

/// The certificates of a PEM file, of which there must be one.
fn certificates(key: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let pem = read(key, file)?;
    let found: Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_slice()).collect();
    let found = found.map_err(|error| problem(key, file, TlsProblem::NoPem(error)))?;
    match found.is_empty() {
        true => Err(problem(key, file, TlsProblem::NoCertificate)),
        false => Ok(found),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, HttpError> {
    const KEY: &str = "key_file";
    let pem = read(KEY, file)?;
    rustls_pemfile::private_key(&mut pem.as_slice())
        .map_err(|error| problem(KEY, file, TlsProblem::NoPem(error)))?
        .ok_or_else(|| problem(KEY, file, TlsProblem::NoKey))
}

/// What judges certificates of clients by the authorities of a PEM file.
fn authorities(file: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, HttpError> {
    const KEY: &str = "client_ca_file";
    let refused = |error: String| problem(KEY, file, TlsProblem::NoAuthority(error));
    let mut roots = RootCertStore::empty();
    for certificate in certificates(KEY, file)? {
        roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    builder.build().map_err(|error| refused(error.to_string()))
}

fn read(key: &'static str, file: &Path) -> Result<Vec<u8>, HttpError> {
    let unreadable = |error| problem(key, file, TlsProblem::Unreadable(why_unreadable(file, &error)));
    let metadata = fs::metadata(file).map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(problem(key, file, TlsProblem::NoFile));
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(MOST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// From when until when the first certificate of a chain is valid.
fn validity(chain: &[CertificateDer<'_>]) -> Option<(i64, i64)> {
    let (_, leaf) = X509Certificate::from_der(chain.first()?).ok()?;
    let validity = leaf.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// Says that a secret which was exchanged is no secret. Of those at the start `Config::exposed` speaks.
pub(super) fn warn_of_readers(key: &str, file: &Path) {
    if let Some(exposed) = Exposed::look(&format!("http.{key}"), file, Guarded::Secret) {
        tracing::warn!("{exposed}");
    }
}

impl HttpTls {
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let files = [&self.cert_file, &self.key_file].into_iter();
        files.chain(&self.client_ca_file).cloned().collect()
    }
}

/// The certificate of whoever asks now.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().clone())
    }
}

/// Judges clients by the current authorities.
#[derive(Debug)]
struct Clients(RwLock<Arc<dyn ClientCertVerifier>>);

impl Clients {
    fn now(&self) -> Arc<dyn ClientCertVerifier> {
        self.0.read().clone()
    }
}

impl ClientCertVerifier for Clients {
    /// None: clients have one certificate for this, and need not choose.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.now().verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().supported_verify_schemes()
    }
}
