//! How a certificate is judged, and why one is refused.

use std::sync::Arc;

use parking_lot::Mutex;
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

use super::{
    Mend,
    certificate::{fingerprint, instant, parse},
};
use crate::{
    config::{Fingerprint, Verify},
    harmless::plain,
    said::{Said, said},
};

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
    /// What speaks against it.
    pub against: Option<Refusal>,
}

/// Why a certificate is refused, in plain words, and what is to be done about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub why: Said,
    pub mend: Mend,
}

impl Judge {
    pub fn seen(&self) -> Option<Seen> {
        // Nothing panics while it holds the lock, and what it guards is whole at any time.
        self.seen.lock().clone()
    }

    fn against(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Option<Refusal> {
        if self.verify == Verify::Pin {
            let pinned = self.pin == Some(fingerprint(leaf));
            let why = said!(
                CertificateNotPinned,
                "it is not the pinned one (either it was renewed, or another server answers)"
            );
            return (!pinned).then(|| refusal(why, Mend::Pin));
        }
        let judged = if self.own.iter().any(|own| own == leaf) {
            by_itself(leaf, name, now)
        } else {
            match &self.roots {
                Some(roots) => roots
                    .verify_server_cert(leaf, intermediates, name, ocsp, now)
                    .map(|_| ()),
                None => {
                    let mend = Mend::Here(said!(MendCaCertificates, "install the package ca-certificates"));
                    return Some(refusal(said!(NoRoots, "this machine has no root certificates"), mend));
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

fn refusal(why: Said, mend: Mend) -> Refusal {
    Refusal { why, mend }
}

/// A refusal in plain words.
fn explain(error: &Error, leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> Refusal {
    let another = || Mend::Server(said!(MendAnother, "the server needs another certificate"));
    let Error::InvalidCertificate(why) = error else {
        return refusal(error.to_string().into(), another());
    };
    let certificate = parse(leaf);
    let validity = certificate.as_ref().map(|certificate| certificate.validity());
    let since = |seconds: Option<i64>| seconds.map_or_else(String::new, |at| instant(at).to_string());
    let not_after = since(validity.map(|validity| validity.not_after.timestamp()));
    let not_before = since(validity.map(|validity| validity.not_before.timestamp()));
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let mend = Mend::Server(said!(MendRenew, "renew it on the server (or set this machine's clock)"));
            refusal(said!(CertificateExpired, "it expired on {0}", not_after), mend)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let mend = Mend::Here(said!(MendClock, "check this machine's clock"));
            refusal(said!(CertificateNotYet, "it is not valid before {0}", not_before), mend)
        }
        CertificateError::NotValidForName => refusal(is_not_for(name), Mend::Host { names: 0 }),
        CertificateError::NotValidForNameContext { presented, .. } => for_others(presented),
        CertificateError::Revoked => refusal(said!(CertificateRevoked, "it was revoked"), another()),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            refusal(said!(CertificateNotOfServers, "it is not meant for servers"), another())
        }
        CertificateError::BadEncoding => refusal(said!(CertificateUnreadable, "it cannot be read"), another()),
        // Also where a root of the same name does not fit its signature, or it is an authority itself.
        _ => match &certificate {
            Some(certificate) if certificate.issuer() == certificate.subject() => {
                let missing = said!(ThatCertificate, "it");
                unknown(said!(CertificateSelfSigned, "it is self-signed"), missing, leaf, name)
            }
            Some(certificate) if *why == CertificateError::UnknownIssuer => {
                let issuer = plain(&certificate.issuer().to_string());
                let why = said!(CertificateIssuer, "this machine does not know its issuer ({0})", issuer);
                let missing = said!(IssuersCertificate, "the issuer's certificate");
                unknown(why, missing, leaf, name)
            }
            _ => refusal(why.to_string().into(), another()),
        },
    }
}

/// Names of a certificate that an error shows.
const NAMES: usize = 5;

/// A certificate that no root vouches for, and `missing` would. Where it is for other names as well, that alone does
/// not do.
fn unknown(why: Said, missing: Said, leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> Refusal {
    let fits = ParsedCertificate::try_from(leaf).and_then(|leaf| verify_server_name(&leaf, name));
    let Err(Error::InvalidCertificate(other)) = fits else {
        return refusal(why, Mend::CaFile(missing));
    };
    let others = match other {
        CertificateError::NotValidForNameContext { presented, .. } => for_others(&presented).why,
        CertificateError::NotValidForName => is_not_for(name),
        _ => return refusal(why, Mend::CaFile(missing)),
    };
    refusal(said!(And, "{0}, and {1}", why, others), Mend::Pinning)
}

fn is_not_for(name: &ServerName<'_>) -> Said {
    said!(CertificateNotFor, "it is not for {0}", name.to_str())
}

/// A certificate for other names than the configured host, and which these are.
fn for_others(presented: &[String]) -> Refusal {
    let names: Vec<String> = presented.iter().map(|name| plain(shown_name(name))).collect();
    if names.is_empty() {
        let mend = Mend::Server(said!(
            MendSubjectAltName,
            "the server needs one with its name as a subjectAltName"
        ));
        return refusal(said!(CertificateNamesNone, "it names no host"), mend);
    }
    let mut shown: Vec<&str> = names.iter().map(String::as_str).take(NAMES).collect();
    let why = match (names.len() - shown.len(), shown.pop()) {
        (0, last) => {
            let last = last.unwrap_or_default();
            let first = shown.join(", ");
            match first.is_empty() {
                true => said!(CertificateFor, "it is for {0}", last),
                false => said!(CertificateForAnd, "it is for {0} and {1}", first, last),
            }
        }
        (more, last) => {
            shown.extend(last);
            said!(CertificateForMore, "it is for {0} and {1} more", shown.join(", "), more)
        }
    };
    refusal(why, Mend::Host { names: names.len() })
}

/// rustls shows names as `DnsName("mail.example.com")` and `IpAddress(192.0.2.1)`.
fn shown_name(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(presented).trim_matches('"')
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
        *self.seen.lock() = Some(seen);
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
