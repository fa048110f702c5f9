//! TLS: which certificates are taken, why others are refused, and that nothing is said in
//! clear text where TLS is due.

mod upgrade;

use std::{path::Path, sync::Arc, time::Duration};

use dropkeep::{
    config::{Access, Fingerprint, Secret, Server, Tls, Verify},
    net::{NetError, PeerCertificate},
    source::{ConnectStep, Credential, Disposition, Session, SourceError, Steps},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{
    scripted::{Move, Scripted, answer, ok, say},
    support::tls::{Authority, Identity},
};

/// What the certificate of a host says.
fn parameters(name: &str) -> CertificateParams {
    crate::support::tls::parameters(name, &[name])
}

fn self_signed(name: &str) -> Identity {
    Identity::self_signed(&parameters(name))
}

fn authority() -> Authority {
    Authority::new("Test Authority")
}

fn fingerprint(identity: &Identity) -> Fingerprint {
    Fingerprint(identity.sha256())
}

/// What follows the greeting in an IMAP session.
fn login() -> Vec<Move> {
    vec![
        ok("CAPABILITY", &["* CAPABILITY IMAP4rev1"]),
        answer("LOGIN", &["{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS] welcome"]),
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

fn trusting(file: &Path) -> Tls {
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
    assert_eq!(certificate.fingerprint, fingerprint(identity));
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
    assert_eq!(certificate.fingerprint, fingerprint(identity));
    assert_eq!(
        (error.step(), error.disposition()),
        (Some(ConnectStep::Tls), Disposition::Unreachable)
    );
    assert!(
        error
            .to_string()
            .contains(&format!("pin = \"{}\"", fingerprint(identity))),
        "{error}"
    );
    scripted.done();
    match error {
        SourceError::Net(NetError::Certificate { why, .. }) => why.to_string(),
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_and_the_pin_is_told() {
    let why = refused(&self_signed("localhost"), Tls::default()).await;
    assert!(why.contains("self-signed"), "{why}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_by_its_name() {
    let why = refused(&authority().signs(&parameters("localhost")), Tls::default()).await;
    assert!(why.contains("Test Authority"), "{why}");
}

#[tokio::test]
async fn a_pinned_certificate_is_taken_whatever_it_says() {
    let mut wrong = parameters("elsewhere.example.com");
    wrong.not_after = date_time_ymd(2020, 1, 1);
    let identity = Identity::self_signed(&wrong);
    let certificate = taken(&identity, pinned(fingerprint(&identity))).await;
    assert!(certificate.trusted);
    assert!(certificate.subject.contains("elsewhere.example.com"));
    assert_eq!(certificate.not_after.to_string(), "2020-01-01T00:00:00Z");
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused_though_the_roots_know_it() {
    let authority = authority();
    let file = authority.own.file();
    let tls = Tls {
        ca_file: Some(file.path().to_owned()),
        ..pinned(Fingerprint([7; 32]))
    };
    let why = refused(&authority.signs(&parameters("localhost")), tls).await;
    assert!(why.contains("pinned"), "{why}");
}

#[tokio::test]
async fn any_certificate_is_taken_without_verification_and_is_not_called_trusted() {
    let certificate = taken(&self_signed("elsewhere.example.com"), unverified()).await;
    assert!(!certificate.trusted);
    let shown = serde_json::to_value(&certificate).expect("JSON");
    assert_eq!(shown["sha256"], certificate.fingerprint.to_string());
    assert_eq!(shown["trusted"], false);
}

#[tokio::test]
async fn a_certificate_of_an_authority_in_ca_file_is_taken() {
    let authority = authority();
    let file = authority.own.file();
    let certificate = taken(&authority.signs(&parameters("localhost")), trusting(file.path())).await;
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
        let identity = Identity::self_signed(&own);
        let file = identity.file();
        assert!(taken(&identity, trusting(file.path())).await.trusted);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_both_names_are_told() {
    let authority = authority();
    let file = authority.own.file();
    let other = authority.signs(&parameters("mail.example.com"));
    let why = refused(&other, trusting(file.path())).await;
    assert!(why.contains("for mail.example.com"), "{why}");

    let mut own = parameters("mail.example.com");
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = Identity::self_signed(&own);
    let file = own.file();
    let why = refused(&own, trusting(file.path())).await;
    assert!(why.contains("for mail.example.com"), "{why}");
}

#[tokio::test]
async fn certificates_out_of_their_time_are_refused_with_the_date() {
    let authority = authority();
    let file = authority.own.file();
    let mut expired = parameters("localhost");
    expired.not_before = date_time_ymd(2019, 1, 1);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let why = refused(&authority.signs(&expired), trusting(file.path())).await;
    assert!(why.contains("expired") && why.contains("2020-01-01"), "{why}");

    let own = Identity::self_signed(&expired);
    let own_file = own.file();
    let why = refused(&own, trusting(own_file.path())).await;
    assert!(why.contains("expired") && why.contains("2020-01-01"), "{why}");

    let mut early = parameters("localhost");
    early.not_before = date_time_ymd(2150, 1, 1);
    early.not_after = date_time_ymd(2160, 1, 1);
    let why = refused(&authority.signs(&early), trusting(file.path())).await;
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
    let genuine = self_signed("localhost");
    let file = genuine.file();
    for tls in [unverified(), pinned(fingerprint(&genuine)), trusting(file.path())] {
        let other = self_signed("localhost");
        let key = ring::sign::any_supported_type(&other.private_key()).expect("a key");
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
    let identity = self_signed("localhost");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(vec![identity.der.clone()], identity.private_key())
        .expect("a certificate with its key");
    let scripted = imap_ssl(Arc::new(config));
    let (session, _) = connect(Access::ImapSsl, scripted.port, pinned(fingerprint(&identity))).await;
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
