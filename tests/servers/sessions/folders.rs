//! Folders by special use and by subscription.

use dropkeep::config::{Access, Folders};

use crate::{
    sessions::{connect, messages, server},
    support::dovecot::{Dovecot, MAILBOX},
};

const SPECIAL: &str = "namespace inbox {
  inbox = yes
  mailbox Werbung {
    special_use = \\Junk
  }
  mailbox Papierkorb {
    special_use = \\Trash
  }
}";

fn owned(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn a_real_server_tells_what_folders_are_for() {
    // With the extension, and without.
    for capability in ["", "imap_capability = IMAP4rev1"] {
        let dovecot = Dovecot::start_with(&format!("{SPECIAL}\n{capability}"));
        dovecot.deliver(messages(1));
        for folder in ["Werbung", "Papierkorb", "Kunden"] {
            dovecot.deliver_to(MAILBOX, folder, messages(1));
        }
        let mut session = connect(&server(&dovecot, Access::Imap)).await;
        for (include, exclude, expected) in [
            (&["*"][..], &["\\junk", "\\Trash"][..], &["INBOX", "Kunden"][..]),
            (&["\\Junk"], &[], &["Werbung"]),
            (&["*"], &["\\Junk"], &["INBOX", "Kunden", "Papierkorb"]),
        ] {
            let patterns = Folders {
                include: owned(include),
                exclude: owned(exclude),
                subscribed: false,
            };
            let found = session.folders(&patterns).await.expect("folders");
            assert_eq!(found, expected, "{patterns:?} {capability}");
        }
        session.close().await.expect("a farewell");
    }
}

#[tokio::test]
async fn a_real_server_tells_what_is_subscribed() {
    for capability in ["", "imap_capability = IMAP4rev1"] {
        let dovecot = Dovecot::start_with(capability);
        dovecot.deliver(messages(1));
        for folder in ["Kunden", "Privat"] {
            dovecot.deliver_to(MAILBOX, folder, messages(1));
        }
        dovecot.subscribe(MAILBOX, &["Kunden", "Gone"]);
        let mut session = connect(&server(&dovecot, Access::Imap)).await;
        let patterns = Folders {
            include: owned(&["*"]),
            subscribed: true,
            ..Folders::default()
        };
        assert_eq!(session.folders(&patterns).await.expect("folders"), ["INBOX", "Kunden"]);
        session.close().await.expect("a farewell");
    }
}
