//! Cyrus IMAP.

use std::{fs::write, path::Path};

use crate::{
    deletion, folders, journey, lmtp,
    server::{Kind, Server, name_of},
    support::dovecot::Ports,
};

/// Debian's own way, and the older one: folders are below INBOX, and dots separate them.
static BELOW_INBOX: Kind = kind(|folder, _, ports| configure(folder, ports, "unixhierarchysep: no\naltnamespace: no"));
/// What Cyrus has as its default since 3.0: folders beside INBOX, with slashes.
static BESIDE_INBOX: Kind =
    kind(|folder, _, ports| configure(folder, ports, "unixhierarchysep: yes\naltnamespace: yes"));

/// A name beyond the first 65,536 characters, and how it travels.
const FACE: (&str, &str) = ("😀", "&2D3eAA-");

const fn kind(configure: fn(&Path, &Path, Ports)) -> Kind {
    Kind {
        name: "cyrus",
        start: include_str!("cyrus.sh"),
        binds: &["imapd.conf=/etc/imapd.conf"],
        configure,
        greeting: None,
        pop3_first: &[],
        deliver,
    }
}

fn configure(folder: &Path, ports: Ports, namespace: &str) {
    let name = name_of(folder);
    let imapd = format!(
        "configdirectory: /peer/lib
partition-default: /peer/spool
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /peer/sasldb2
allowplaintext: yes
virtdomains: userid
{namespace}
servername: {name}
lmtpsocket: /peer/lib/socket/lmtp
tls_server_cert: /peer/cert.pem
tls_server_key: /peer/key.pem
autocreate_quota: 0
autocreate_post: yes
duplicatesuppression: no
"
    );
    write(folder.join("imapd.conf"), imapd).expect("imapd.conf");
    let Ports {
        imap,
        imaps,
        pop3,
        pop3s,
    } = ports;
    let cyrus = format!(
        "START {{
  recover cmd=\"ctl_cyrusdb -r\"
}}
DAEMON {{
  idled cmd=\"idled -d\"
}}
SERVICES {{
  imap cmd=\"imapd\" listen=\"127.0.0.1:{imap}\"
  imaps cmd=\"imapd -s\" listen=\"127.0.0.1:{imaps}\"
  pop3 cmd=\"pop3d\" listen=\"127.0.0.1:{pop3}\"
  pop3s cmd=\"pop3d -s\" listen=\"127.0.0.1:{pop3s}\"
  lmtp cmd=\"lmtpd\" listen=\"/peer/lib/socket/lmtp\"
}}
EVENTS {{
}}
"
    );
    write(folder.join("cyrus.conf"), cyrus).expect("cyrus.conf");
}

/// Hands mail over as a mail server does. What comes back was refused, with what Cyrus said.
fn deliver(server: &Server, messages: Vec<Vec<u8>>) -> Vec<(Vec<u8>, String)> {
    lmtp::deliver(&server.folder().join("lib/socket/lmtp"), messages)
}

#[test]
#[ignore = "make test-peers runs it"]
fn imap() {
    journey::over(&BELOW_INBOX, "imap");
}

#[test]
#[ignore = "make test-peers runs it"]
fn imap_tls() {
    journey::over(&BESIDE_INBOX, "imap-tls");
}

#[test]
#[ignore = "make test-peers runs it"]
fn imap_ssl() {
    journey::over(&BELOW_INBOX, "imap-ssl");
}

#[test]
#[ignore = "make test-peers runs it"]
fn pop3() {
    journey::over(&BELOW_INBOX, "pop3");
}

#[test]
#[ignore = "make test-peers runs it"]
fn pop3_tls() {
    journey::over(&BELOW_INBOX, "pop3-tls");
}

#[test]
#[ignore = "make test-peers runs it"]
fn pop3_ssl() {
    journey::over(&BELOW_INBOX, "pop3-ssl");
}

#[test]
#[ignore = "make test-peers runs it"]
fn folders_below_inbox() {
    folders::all_are_archived(&BELOW_INBOX, "INBOX.", '.', &[FACE]);
}

#[test]
#[ignore = "make test-peers runs it"]
fn folders_beside_inbox() {
    folders::all_are_archived(&BESIDE_INBOX, "", '/', &[FACE]);
}

#[test]
#[ignore = "make test-peers runs it"]
fn a_folder_made_anew_is_another_one() {
    folders::made_anew(&BELOW_INBOX, "INBOX.Projects");
}

#[test]
#[ignore = "make test-peers runs it"]
fn deletion_over_imap() {
    deletion::over_imap(&BELOW_INBOX);
}

#[test]
#[ignore = "make test-peers runs it"]
fn deletion_over_pop3() {
    deletion::over_pop3(&BELOW_INBOX);
}

#[test]
#[ignore = "make test-peers runs it"]
fn odd() {
    crate::facts(&BELOW_INBOX);
}
