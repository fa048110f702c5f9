//! The certificate that a server shows, as people read it.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{
    config::Fingerprint,
    said::{Said, Say, said},
};

/// A server's certificate, and what was made of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PeerCertificate {
    /// `TLSv1.3`, say; `None` where the handshake went no further than the certificate.
    pub version: Option<String>,
    pub subject: String,
    pub issuer: String,
    pub not_after: Timestamp,
    #[serde(rename = "sha256", serialize_with = "as_text")]
    pub fingerprint: Fingerprint,
    /// It stands up to the check that the configuration asks for: the pin where there is one,
    /// else the roots. With `verify = "none"` a certificate that does not is taken all the same.
    pub trusted: bool,
}

fn as_text<S: Serializer>(fingerprint: &Fingerprint, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(fingerprint)
}

impl PeerCertificate {
    /// The version for people.
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or("TLS")
    }

    pub(super) fn read(der: &CertificateDer<'_>, version: Option<String>, trusted: bool) -> Self {
        let parsed = parse(der);
        let shown = |name: Option<String>| name.unwrap_or_else(|| "(unreadable)".to_owned());
        Self {
            version,
            subject: shown(parsed.as_ref().map(|certificate| certificate.subject().to_string())),
            issuer: shown(parsed.as_ref().map(|certificate| certificate.issuer().to_string())),
            not_after: parsed.as_ref().map_or(Timestamp::UNIX_EPOCH, |certificate| {
                instant(certificate.validity().not_after.timestamp())
            }),
            fingerprint: fingerprint(der),
            trusted,
        }
    }
}

impl Say for PeerCertificate {
    fn said(&self) -> Said {
        let (version, subject) = (self.version(), &self.subject);
        match self.trusted {
            true => said!(Encrypted, "{0}, certificate of {1}", version, subject),
            false => said!(
                EncryptedUntrusted,
                "{0}, certificate of {1}, not trusted",
                version,
                subject
            ),
        }
    }
}

pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

pub(super) fn fingerprint(der: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

/// Seconds since 1970 UTC; what jiff cannot hold becomes its nearest bound.
pub(super) fn instant(seconds: i64) -> Timestamp {
    let bound = match seconds < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    };
    Timestamp::from_second(seconds).unwrap_or(bound)
}
