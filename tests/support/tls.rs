//! Certificates of a test's own, and a server's side of TLS with them.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::{Arc, OnceLock},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// What a certificate says; `common_name` tells it from others.
pub fn parameters(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters
}

/// A certificate with its key.
pub struct Identity {
    pub der: CertificateDer<'static>,
    pub pem: String,
    /// In PEM form.
    pub key: String,
}

impl Identity {
    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// One that nobody else has signed.
    pub fn self_signed(parameters: &CertificateParams) -> Self {
        let key = KeyPair::generate().expect("a key");
        Self::new(&parameters.self_signed(&key).expect("a certificate"), &key)
    }

    /// That of this machine, which nobody else has signed: made once, for all tests of a program.
    pub fn of_localhost() -> &'static Self {
        static MADE: OnceLock<Identity> = OnceLock::new();
        MADE.get_or_init(|| Self::self_signed(&parameters("localhost", &["localhost", "127.0.0.1"])))
    }

    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        let key = rustls_pemfile::private_key(&mut self.key.as_bytes());
        key.expect("PEM").expect("a key")
    }

    /// A server that shows it.
    pub fn config(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], self.private_key())
            .expect("a certificate with its key");
        Arc::new(config)
    }

    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// The value of `pin` that means it.
    pub fn pin(&self) -> String {
        format!("sha256:{}", hex::encode(self.sha256()))
    }

    /// It alone, as a `ca_file`.
    pub fn file(&self) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(self.pem.as_bytes()).expect("a certificate");
        file
    }
}

/// An authority of a test's own.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub own: Identity,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut parameters = parameters(name, &[name]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("an authority");
        let own = Identity::new(issuer.as_ref(), issuer.key());
        Self { issuer, own }
    }

    pub fn signs(&self, parameters: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        Identity::new(&parameters.signed_by(&key, &self.issuer).expect("a certificate"), &key)
    }
}

/// A connection, in clear text or encrypted.
pub trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// A server's side of a connection, encrypted where there is a configuration for that.
///
/// # Errors
/// The configuration is of no use.
pub fn wire(tcp: TcpStream, config: Option<Arc<ServerConfig>>) -> io::Result<Box<dyn Wire>> {
    let Some(config) = config else {
        return Ok(Box::new(tcp));
    };
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(connection, tcp)))
}
