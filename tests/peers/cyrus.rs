//! Cyrus IMAP.

use std::{fs::write, path::Path, time::Duration};

use crate::{
    DROPKEEP, folders, journey, lmtp, mail,
    server::{Kind, Server, name_of},
    support::{
        appliance::{Appliance, PROFILE, number},
        dovecot::Ports,
    },
};

/// As Debian sets it up: folders are below INBOX, and dots separate them.
static BELOW_INBOX: Kind = kind(|folder, _, ports| {
    let settings = "unixhierarchysep: no\naltnamespace: no\nduplicatesuppression: no";
    configure(folder, ports, settings);
});
/// As Cyrus is by itself: folders are beside INBOX, and slashes separate them.
static BESIDE_INBOX: Kind = kind(|folder, _, ports| {
    let settings = "unixhierarchysep: yes\naltnamespace: yes\nduplicatesuppression: no";
    configure(folder, ports, settings);
});
static IMPATIENT: Kind = kind(|folder, _, ports| configure(folder, ports, "popminpoll: 1"));
/// Neither says anything of duplicates.
static DEFAULT: Kind = kind(|folder, _, ports| configure(folder, ports, ""));

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
        pop3_marks: false,
        deliver,
    }
}

fn configure(folder: &Path, ports: Ports, settings: &str) {
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
{settings}
servername: {name}
lmtpsocket: /peer/lib/socket/lmtp
tls_server_cert: /peer/cert.pem
tls_server_key: /peer/key.pem
autocreate_quota: 0
autocreate_post: yes
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

/// Hands mail over as a mail server does.
fn deliver(server: &Server, messages: Vec<Vec<u8>>) -> usize {
    lmtp::deliver(&server.folder().join("lib/socket/lmtp"), messages)
}

put_through!(BELOW_INBOX, over_starttls: BESIDE_INBOX, more_folders: &[FACE]);

#[test]
#[ignore = "make test-peers runs it"]
fn folders_beside_inbox() {
    folders::all_are_archived(&BESIDE_INBOX, "", '/', &[FACE]);
}

/// With `popminpoll`, which Debian sets, a login within a minute of the last one is refused: that is no wrong password,
/// and the run waits until it may.
#[test]
#[ignore = "make test-peers runs it"]
fn a_login_that_comes_too_soon_is_waited_for() {
    let server = Server::start(&IMPATIENT);
    assert_eq!(server.deliver(mail::more(3, 1)), 0);
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("pop3", ""));
    journey::taken(&appliance, 3);
    assert_eq!(server.deliver(mail::more(1, 2)), 0);
    let again = appliance.done(&["archive", PROFILE, "--json"]);
    assert_eq!(number(&again.json(), "archived"), 1);
    assert!(
        again.took > Duration::from_secs(30),
        "nobody refused: it took {:?}",
        again.took
    );
}

/// What Cyrus does not take, and so is never in a mailbox of it; all else that is odd it holds.
#[test]
#[ignore = "make test-peers runs it"]
fn some_odd_mail_is_refused_before_it_is_in_the_mailbox() {
    let server = Server::start(&BELOW_INBOX);
    let odd = mail::odd();
    let refused: Vec<_> = odd
        .iter()
        .filter(|(_, message)| server.deliver(vec![message.clone()]) == 1)
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(refused, REFUSED);
    assert_eq!(server.pull("imap").len(), odd.len() - REFUSED.len());
}

const REFUSED: [&str; 7] = [
    "one byte",
    "no header, not even an empty line",
    "no separator between header and body",
    "a NUL in the header",
    "NULs in the body",
    "8-bit bytes in the header",
    "fields without names and without values",
];

/// Bytes that Cyrus changes while it takes a message: what is archived is what it has then.
#[test]
#[ignore = "make test-peers runs it"]
fn some_odd_mail_is_changed_before_it_is_in_the_mailbox() {
    let server = Server::start(&BELOW_INBOX);
    for (name, changed) in [
        // 8-bit bytes in a header become X (`munge8bit`), also in addresses.
        (
            "8-bit bytes in an address's name",
            "\r\nTo: JXrg <jane@example.com>\r\n",
        ),
        // A CR alone ends a line of the header, and in a body it goes.
        ("bare CR", "\r\nSubject: bare\r\nCR: yes\r\n"),
        ("bare CR", "\r\n\r\nab\r\nc\r\n"),
    ] {
        assert_eq!(server.deliver(vec![mail::named(name)]), 0);
        let held = server.pull("imap").pop().expect("a message");
        let held = String::from_utf8_lossy(&held);
        assert!(held.contains(changed), "{name}: {held:?}");
    }
}

/// Of copies of a message that come for several people, one alone reaches a mailbox unless `duplicatesuppression` is
/// off.
#[test]
#[ignore = "make test-peers runs it"]
fn copies_for_several_people_are_dropped_by_default() {
    let copy = |who: &str| {
        format!("X-Original-To: {who}@example.com\nMessage-ID: <1@sender.example>\nSubject: to both\n\nhello\n")
            .into_bytes()
    };
    for (kind, held) in [(&DEFAULT, 1), (&BELOW_INBOX, 2)] {
        let server = Server::start(kind);
        // It says that it took both.
        assert_eq!(server.deliver(vec![copy("jane"), copy("john")]), 0);
        assert_eq!(server.pull("imap").len(), held);
    }
}
