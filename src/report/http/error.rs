//! Why HTTP is not served.

use std::{io, path::PathBuf};

use crate::config::ConfigError;

/// Each of these ends `serve` with exit code 2. Of what is exchanged later, it is logged.
#[derive(thiserror::Error, Debug)]
pub enum HttpError {
    #[error("cannot listen on {listen}: {source}; see http.listen")]
    Listen { listen: String, source: io::Error },
    #[error("http.listen: {0}")]
    Exposed(String),
    /// The token.
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("http.tls.{key} {}: {problem}", file.display())]
    Tls {
        key: &'static str,
        file: PathBuf,
        problem: TlsProblem,
    },
    #[error("TLS cannot be set up: {0}; this is a fault of dropkeep")]
    Rustls(#[from] rustls::Error),
}

/// What is wrong with a file.
#[derive(thiserror::Error, Debug)]
pub enum TlsProblem {
    #[error("{0}")]
    Unreadable(String),
    #[error("it is no file, or far too large for one in PEM form")]
    NoFile,
    #[error("it is damaged: {0}")]
    NoPem(io::Error),
    #[error("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[error("it holds no private key in PEM form (-----BEGIN PRIVATE KEY-----); one with a passphrase cannot be used")]
    NoKey,
    #[error("its first certificate cannot be read")]
    BadCertificate,
    #[error("its key cannot be used ({0}); RSA from 2048 bits, ECDSA with P-256 or P-384 and Ed25519 can")]
    BadKey(rustls::Error),
    #[error("it is not the key of the certificate in {}", cert_file.display())]
    Mismatch { cert_file: PathBuf },
    #[error("its certificates cannot be those of an authority: {0}")]
    NoAuthority(String),
}
