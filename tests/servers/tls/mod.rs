//! TLS: which certificates are taken, why others are refused, and that nothing is said in
//! clear text where TLS is due.

mod upgrade;

use crate::scripted;

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::scripted::{Move, Scripted, hear, say};
use dropkeep::{
    config::{Access, Fingerprint, Secret, Server, Tls, Verify},
    net::{NetError, PeerCertificate},
    source::{ConnectStep, Credential, Disposition, Session, SourceError, Steps},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};

/// A certificate with its key.
struct Identity {
    der: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Identity {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(&self.der).into())
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key")
    }

    fn config(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], self.key())
            .expect("a certificate with its key");
        Arc::new(config)
    }

    /// The certificate as a `ca_file`.
    fn file(&self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, &self.pem).expect("a file");
        (folder, file)
    }
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new([name.to_owned()]).expect("a name");
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

fn self_signed(parameters: &CertificateParams) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    Identity {
        der: certificate.der().clone(),
        pem: certificate.pem(),
        key,
    }
}

fn authority() -> (Identity, CertificateParams) {
    let mut parameters = parameters("Test Authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (self_signed(&parameters), parameters)
}

fn signed_by(parameters: &CertificateParams, (authority, issuer): &(Identity, CertificateParams)) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let issuer = Issuer::from_params(issuer, &authority.key);
    let certificate = parameters.signed_by(&key, &issuer).expect("a certificate");
    Identity {
        der: certificate.der().clone(),
        pem: certificate.pem(),
        key,
    }
}

/// What follows the greeting in an IMAP session.
fn login() -> Vec<Move> {
    vec![
        hear("CAPABILITY"),
        say(&["* CAPABILITY IMAP4rev1", "{tag} OK done"]),
        hear("LOGIN"),
        say(&["{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS] welcome"]),
    ]
}

fn script(before: Vec<Move>, after: Vec<Move>) -> Scripted {
    Scripted::play(before.into_iter().chain(after).collect())
}

fn imap_ssl(config: Arc<ServerConfig>) -> Scripted {
    script(vec![Move::Tls(config), say(&["* OK ready"])], login())
}

fn refusing(config: Arc<ServerConfig>) -> Scripted {
    Scripted::play(vec![Move::Tls(config), Move::Hang])
}

async fn connect(access: Access, port: u16, tls: Tls) -> (Result<Session, SourceError>, Steps) {
    let mut server = Server::new(access, "localhost", port, "user").with_timeout(Duration::from_secs(20));
    server.tls = tls;
    let mut steps = Steps::default();
    let session = Session::connect(&server, &Credential::Password(Secret::new("password")), &mut steps).await;
    (session, steps)
}

fn trusting(file: &std::path::Path) -> Tls {
    Tls {
        ca_file: Some(file.to_owned()),
        ..Tls::default()
    }
}

fn pinned(fingerprint: Fingerprint) -> Tls {
    Tls {
        verify: Verify::Pin,
        pin: Some(fingerprint),
        ..Tls::default()
    }
}

fn unverified() -> Tls {
    Tls {
        verify: Verify::None,
        ..Tls::default()
    }
}

/// Connects where the certificate is taken.
async fn taken(identity: &Identity, tls: Tls) -> PeerCertificate {
    let scripted = imap_ssl(identity.config());
    let (session, steps) = connect(Access::ImapSsl, scripted.port, tls).await;
    let session = session.expect("a session");
    let certificate = session.certificate().expect("a certificate").clone();
    assert_eq!(Some(&certificate), steps.certificate.as_ref());
    assert_eq!(certificate.fingerprint, identity.fingerprint());
    assert_eq!(certificate.version.as_deref(), Some("TLSv1.3"));
    scripted.done();
    certificate
}

/// Connects where the certificate is refused, and returns why.
async fn refused(identity: &Identity, tls: Tls) -> String {
    let scripted = refusing(identity.config());
    let (session, steps) = connect(Access::ImapSsl, scripted.port, tls).await;
    let error = session.expect_err("a refused certificate");
    let certificate = steps.certificate.expect("the certificate is shown all the same");
    assert!(!certificate.trusted);
    assert_eq!(certificate.fingerprint, identity.fingerprint());
    assert_eq!(
        (error.step(), error.disposition()),
        (Some(ConnectStep::Tls), Disposition::Unreachable)
    );
    assert!(
        error
            .to_string()
            .contains(&format!("pin = \"{}\"", identity.fingerprint())),
        "{error}"
    );
    scripted.done();
    match error {
        SourceError::Net(NetError::Certificate { why, .. }) => why,
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_and_the_pin_is_told() {
    let why = refused(&self_signed(&parameters("localhost")), Tls::default()).await;
    assert!(why.contains("self-signed"), "{why}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_by_its_name() {
    let why = refused(&signed_by(&parameters("localhost"), &authority()), Tls::default()).await;
    assert!(why.contains("Test Authority"), "{why}");
}

#[tokio::test]
async fn a_pinned_certificate_is_taken_whatever_it_says() {
    let mut wrong = parameters("elsewhere.example.com");
    wrong.not_after = date_time_ymd(2020, 1, 1);
    let identity = self_signed(&wrong);
    let certificate = taken(&identity, pinned(identity.fingerprint())).await;
    assert!(certificate.trusted);
    assert!(certificate.subject.contains("elsewhere.example.com"));
    assert_eq!(certificate.not_after.to_string(), "2020-01-01T00:00:00Z");
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused_though_the_roots_know_it() {
    let authority = authority();
    let (_folder, file) = authority.0.file();
    let tls = Tls {
        ca_file: Some(file),
        ..pinned(Fingerprint([7; 32]))
    };
    let why = refused(&signed_by(&parameters("localhost"), &authority), tls).await;
    assert!(why.contains("pinned"), "{why}");
}

#[tokio::test]
async fn any_certificate_is_taken_without_verification_and_is_not_called_trusted() {
    let certificate = taken(&self_signed(&parameters("elsewhere.example.com")), unverified()).await;
    assert!(!certificate.trusted);
    let shown = serde_json::to_value(&certificate).expect("JSON");
    assert_eq!(shown["sha256"], certificate.fingerprint.to_string());
    assert_eq!(shown["trusted"], false);
}

#[tokio::test]
async fn a_certificate_of_an_authority_in_ca_file_is_taken() {
    let authority = authority();
    let (_folder, file) = authority.0.file();
    let certificate = taken(&signed_by(&parameters("localhost"), &authority), trusting(&file)).await;
    assert!(certificate.trusted);
    assert!(certificate.issuer.contains("Test Authority"));
}

#[tokio::test]
async fn the_servers_own_certificate_in_ca_file_is_taken_also_as_its_own_authority() {
    for is_ca in [
        IsCa::Ca(BasicConstraints::Unconstrained),
        IsCa::ExplicitNoCa,
        IsCa::NoCa,
    ] {
        let mut own = parameters("localhost");
        own.is_ca = is_ca;
        let identity = self_signed(&own);
        let (_folder, file) = identity.file();
        assert!(taken(&identity, trusting(&file)).await.trusted);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_both_names_are_told() {
    let authority = authority();
    let (_folder, file) = authority.0.file();
    let other = signed_by(&parameters("mail.example.com"), &authority);
    let why = refused(&other, trusting(&file)).await;
    assert!(why.contains("for mail.example.com"), "{why}");

    let mut own = parameters("mail.example.com");
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = self_signed(&own);
    let (_folder, file) = own.file();
    let why = refused(&own, trusting(&file)).await;
    assert!(why.contains("for mail.example.com"), "{why}");
}

#[tokio::test]
async fn certificates_out_of_their_time_are_refused_with_the_date() {
    let authority = authority();
    let (_folder, file) = authority.0.file();
    let mut expired = parameters("localhost");
    expired.not_before = date_time_ymd(2019, 1, 1);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let why = refused(&signed_by(&expired, &authority), trusting(&file)).await;
    assert!(why.contains("expired") && why.contains("2020-01-01"), "{why}");

    let own = self_signed(&expired);
    let (_folder, own_file) = own.file();
    let why = refused(&own, trusting(&own_file)).await;
    assert!(why.contains("expired") && why.contains("2020-01-01"), "{why}");

    let mut early = parameters("localhost");
    early.not_before = date_time_ymd(2150, 1, 1);
    early.not_after = date_time_ymd(2160, 1, 1);
    let why = refused(&signed_by(&early, &authority), trusting(&file)).await;
    assert!(why.contains("not valid before 2150-01-01"), "{why}");
}

#[tokio::test]
async fn a_ca_file_that_holds_no_certificate_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "nothing").expect("a file");
    for file in [file, folder.path().join("missing.pem")] {
        let scripted = Scripted::play(vec![Move::Hang]);
        let (session, _) = connect(Access::ImapSsl, scripted.port, trusting(&file)).await;
        let error = session.expect_err("no certificates");
        assert!(matches!(error, SourceError::Net(NetError::CaFile { .. })), "{error:?}");
        scripted.done();
    }
}

/// Shows a certificate whose key it does not have.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

#[tokio::test]
async fn a_server_without_the_key_of_its_certificate_is_refused_in_every_mode() {
    let genuine = self_signed(&parameters("localhost"));
    let (_folder, file) = genuine.file();
    for tls in [unverified(), pinned(genuine.fingerprint()), trusting(&file)] {
        let other = self_signed(&parameters("localhost"));
        let key = ring::sign::any_supported_type(&other.key()).expect("a key");
        let shown = CertifiedKey::new(vec![genuine.der.clone()], key);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Impostor(Arc::new(shown))));
        let scripted = refusing(Arc::new(config));
        let (session, _) = connect(Access::ImapSsl, scripted.port, tls).await;
        let error = session.expect_err("an impostor");
        assert!(matches!(error, SourceError::Net(NetError::Tls { .. })), "{error:?}");
        scripted.done();
    }
}

#[tokio::test]
async fn tls_1_2_is_spoken_with_old_servers() {
    let identity = self_signed(&parameters("localhost"));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(vec![identity.der.clone()], identity.key())
        .expect("a certificate with its key");
    let scripted = imap_ssl(Arc::new(config));
    let (session, _) = connect(Access::ImapSsl, scripted.port, pinned(identity.fingerprint())).await;
    let session = session.expect("a session");
    assert_eq!(
        session.certificate().expect("a certificate").version.as_deref(),
        Some("TLSv1.2")
    );
    scripted.done();
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_apart() {
    let scripted = Scripted::play(vec![say(&["* OK IMAP4rev1 ready"]), Move::Hang]);
    let (session, _) = connect(Access::ImapSsl, scripted.port, Tls::default()).await;
    let error = session.expect_err("no TLS");
    assert!(error.to_string().contains("no TLS on port"), "{error}");
    scripted.done();
}
