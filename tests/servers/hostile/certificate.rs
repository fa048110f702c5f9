//! A server whose certificate is another one all of a sudden.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use sha2::{Digest, Sha256};

use crate::hostile::{
    case::{Held, Kept, appliance_of, archive, mailbox, profile, run_of},
    mailserver::{Protocol, Server, at},
    support::appliance::number,
};

struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    config: Arc<ServerConfig>,
}

fn certificate() -> Certificate {
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    parameters.distinguished_name.push(DnType::CommonName, "localhost");
    let key = KeyPair::generate().expect("a key");
    let made = parameters.self_signed(&key).expect("a certificate");
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.der().clone()], private)
        .expect("a certificate with its key");
    Certificate {
        der: made.der().clone(),
        pem: made.pem(),
        config: Arc::new(config),
    }
}

/// The ways to trust the first certificate, as the value of `tls`.
fn trusting(certificate: &Certificate, folder: &std::path::Path) -> [String; 2] {
    let digest = Sha256::digest(&certificate.der);
    let pin: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join("ca.pem");
    std::fs::write(&file, &certificate.pem).expect("a file");
    [
        format!("{{ verify = \"pin\", pin = \"sha256:{pin}\" }}"),
        format!("{{ ca_file = \"{}\" }}", file.display()),
    ]
}

#[test]
fn a_certificate_that_changes_between_runs_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (certificate(), certificate());
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        for tls in trusting(&first, folder.path()) {
            let configs = vec![first.config.clone(), second.config.clone()];
            let server = Server::start_with_tls(protocol, mailbox(), configs);
            let mut profile = profile(protocol, server.port, "20s");
            (profile.access, profile.host, profile.tls) =
                (format!("{}-ssl", protocol.access()), "localhost".into(), tls);
            let appliance = appliance_of(profile);
            let run = run_of(&appliance, archive(&appliance).expect(0));
            assert_eq!(number(&run, "archived"), 7, "{run:#}");
            let refused = archive(&appliance).expect(3);
            let run = run_of(&appliance, refused);
            assert!(run["errors"].to_string().contains("certificate"), "{run:#}");
        }
    }
}

/// No message, and no password, goes over the second connection.
#[test]
fn a_certificate_that_changes_within_a_run_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (certificate(), certificate());
    for (protocol, command) in [(Protocol::Imap, "FETCH BODY"), (Protocol::Pop3, "RETR")] {
        for tls in trusting(&first, folder.path()) {
            let configs = vec![first.config.clone(), second.config.clone()];
            let server = Server::start_with_tls(protocol, mailbox(), configs);
            server.misbehave(vec![at(command).message(4).once().cut(0)]);
            let mut held = Held::default();
            held.remember(&server, protocol);
            let mut profile = profile(protocol, server.port, "20s");
            (profile.access, profile.host, profile.tls) =
                (format!("{}-ssl", protocol.access()), "localhost".into(), tls);
            let appliance = appliance_of(profile);
            let run = run_of(&appliance, archive(&appliance).expect(1));
            assert!(run["errors"].to_string().contains("certificate"), "{run:#}");
            assert_eq!(number(&run, "archived"), 3, "{run:#}");
            let logins = server.heard().into_iter();
            let logins = logins.filter(|line| line.starts_with("LOGIN") || line.starts_with("PASS"));
            assert_eq!(logins.count(), 1, "one login, over the first certificate");
            held.assert_unaltered(&Kept::of(&appliance));
        }
    }
}
