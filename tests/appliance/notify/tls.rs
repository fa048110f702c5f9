//! A certificate for `localhost` that nobody has signed, and a server's side of TLS with it.

use std::{path::PathBuf, sync::Arc};

use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use sha2::{Digest, Sha256};

pub struct Tls {
    pub config: Arc<ServerConfig>,
    pub fingerprint: String,
    folder: tempfile::TempDir,
}

impl Tls {
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        let tls = Self {
            config: Arc::new(config),
            fingerprint: Sha256::digest(made.cert.der())
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        std::fs::write(tls.file(), made.cert.pem()).expect("a file");
        tls
    }

    /// The certificate, in PEM form.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}
