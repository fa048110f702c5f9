//! How a certificate is judged, and why one is refused.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::certificate::{fingerprint, instant, parse};
use crate::config::{Fingerprint, Verify};

/// By what a certificate is judged.
#[derive(Debug)]
pub(super) struct Judge {
    pub verify: Verify,
    pub pin: Option<Fingerprint>,
    /// Chains and names, by the roots; `None` where there are no roots.
    pub roots: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates of `ca_file`, any of which may be the server's own.
    pub own: Vec<CertificateDer<'static>>,
    pub provider: Arc<CryptoProvider>,
    pub seen: Mutex<Option<Seen>>,
}

/// The certificate that the server showed, and the judgement.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub leaf: CertificateDer<'static>,
    /// What speaks against it, in plain words.
    pub against: Option<String>,
}

impl Judge {
    pub fn seen(&self) -> Option<Seen> {
        // Nothing panics while it holds the lock, and what it guards is whole at any time.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn against(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Option<String> {
        if self.verify == Verify::Pin {
            let pinned = self.pin == Some(fingerprint(leaf));
            return (!pinned).then(|| "it is not the pinned one".to_owned());
        }
        let judged = if self.own.iter().any(|own| own == leaf) {
            by_itself(leaf, name, now)
        } else {
            match &self.roots {
                Some(roots) => roots
                    .verify_server_cert(leaf, intermediates, name, ocsp, now)
                    .map(|_| ()),
                None => {
                    return Some("this machine has no root certificates (Debian: package ca-certificates)".to_owned());
                }
            }
        };
        judged.err().map(|error| explain(&error, leaf, name))
    }
}

/// Judges a certificate that the administrator gave as the server's own: by name and dates.
/// webpki refuses one that is its own authority (`CaUsedAsEndEntity`).
fn by_itself(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
    let certificate = parse(leaf).ok_or(CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > certificate.validity().not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    if now < certificate.validity().not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    Ok(())
}

/// A refusal in plain words.
fn explain(error: &Error, leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> String {
    let Error::InvalidCertificate(why) = error else {
        return error.to_string();
    };
    let certificate = parse(leaf);
    let validity = certificate.as_ref().map(|certificate| certificate.validity());
    let since = |seconds: Option<i64>| seconds.map_or_else(String::new, |at| format!(" {}", instant(at)));
    let not_after = since(validity.map(|validity| validity.not_after.timestamp()));
    let not_before = since(validity.map(|validity| validity.not_before.timestamp()));
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("it has expired, on{not_after}")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("it is not valid before{not_before}")
        }
        CertificateError::NotValidForName => format!("it is not for {}", name.to_str()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<&str> = presented.iter().map(|name| shown_name(name)).collect();
            let names = match names.is_empty() {
                true => "names no host".to_owned(),
                false => format!("is for {}", names.join(", ")),
            };
            format!("it {names}, and not for {}", name.to_str())
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not meant for servers".to_owned()
        }
        CertificateError::BadEncoding => "it cannot be read".to_owned(),
        // Also where a root of the same name does not fit its signature, or it is an authority itself.
        _ => match &certificate {
            Some(certificate) if certificate.issuer() == certificate.subject() => {
                "it is self-signed, and not in `ca_file`".to_owned()
            }
            Some(certificate) if *why == CertificateError::UnknownIssuer => format!(
                "its issuer ({}) is not known: neither to this machine nor by `ca_file`",
                certificate.issuer()
            ),
            _ => why.to_string(),
        },
    }
}

/// rustls shows presented names as `DnsName("mail.example.com")`.
fn shown_name(presented: &str) -> &str {
    let inner = presented
        .split_once("(\"")
        .and_then(|(_, rest)| rest.strip_suffix("\")"));
    inner.unwrap_or(presented)
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let against = self.against(leaf, intermediates, name, ocsp, now);
        let refused = against.is_some() && self.verify != Verify::None;
        let seen = Seen {
            leaf: leaf.clone().into_owned(),
            against,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        match refused {
            true => Err(CertificateError::ApplicationVerificationFailure.into()),
            false => Ok(ServerCertVerified::assertion()),
        }
    }

    // Whatever is made of the certificate, the server must hold its key.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
