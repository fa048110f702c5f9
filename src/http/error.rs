//! Why HTTP is not served.

use std::{io, path::PathBuf};

use crate::{account::absolute, config::ConfigError};

/// Each of these ends `serve` with exit code 2. Of what is exchanged later, it is logged.
#[derive(thiserror::Error, Debug)]
pub enum HttpError {
    #[error("cannot listen on {listen}: {source}; change http.listen")]
    Listen { listen: String, source: io::Error },
    #[error("http.listen: {0}")]
    Exposed(String),
    /// The token.
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("http.tls.{key} {}{} {problem}", absolute(file).display(), problem.colon())]
    Tls {
        key: &'static str,
        file: PathBuf,
        problem: TlsProblem,
    },
    #[error("cannot set up TLS: {0}; this is a bug in dropkeep")]
    Rustls(#[from] rustls::Error),
}

/// What is wrong with a file.
#[derive(thiserror::Error, Debug)]
pub enum TlsProblem {
    #[error("{0}")]
    Unreadable(String),
    #[error("this is not a PEM file: not a regular file, or far too large")]
    NoFile,
    #[error("this is not a valid PEM file: {0}")]
    NoPem(io::Error),
    #[error("it contains no certificate in PEM format (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[error(
        "it contains no private key in PEM format (-----BEGIN PRIVATE KEY-----); a key with a passphrase cannot be used"
    )]
    NoKey,
    #[error("its first certificate cannot be read")]
    BadCertificate,
    #[error("its key cannot be used ({0}): use RSA with 2048 bits or more, ECDSA with P-256 or P-384, or Ed25519")]
    BadKey(rustls::Error),
    #[error("it is not the key of the certificate in {}", absolute(cert_file).display())]
    Mismatch { cert_file: PathBuf },
    #[error("its certificates cannot be used as authorities: {0}")]
    NoAuthority(String),
}

impl TlsProblem {
    /// What stands before it, where it does not go on with the sentence that the file begins.
    fn colon(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "",
            _ => ":",
        }
    }
}
