//! A server whose certificate is another one all of a sudden.

use crate::{
    hostile::case::{Held, Kept, appliance_of, archive, mailbox, profile, run_of},
    mailserver::{Protocol, Server, at},
    support::{
        appliance::number,
        tls::{Identity, parameters},
    },
};

fn certificate() -> Identity {
    Identity::self_signed(&parameters("localhost", &["localhost"]))
}

/// The ways to trust the first certificate, which is in `file` too, as the value of `tls`.
fn trusting(certificate: &Identity, file: &std::path::Path) -> [String; 2] {
    [
        format!("{{ verify = \"pin\", pin = \"{}\" }}", certificate.pin()),
        format!("{{ ca_file = \"{}\" }}", file.display()),
    ]
}

#[test]
fn a_certificate_that_changes_between_runs_is_refused() {
    let (first, second) = (certificate(), certificate());
    let file = first.file();
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        for tls in trusting(&first, file.path()) {
            let configs = vec![first.config(), second.config()];
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
    let (first, second) = (certificate(), certificate());
    let file = first.file();
    for (protocol, command) in [(Protocol::Imap, "FETCH BODY"), (Protocol::Pop3, "RETR")] {
        for tls in trusting(&first, file.path()) {
            let configs = vec![first.config(), second.config()];
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
