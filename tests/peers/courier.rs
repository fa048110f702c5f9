//! Courier's IMAP and POP3 servers, over Maildirs.

use std::{
    fs::{self, OpenOptions, write},
    io::Write,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    deletion, folders, journey,
    server::{Kind, Server},
    support::dovecot::{MAILBOX, Ports, make_mail_file, make_mail_folder},
};

static COURIER: Kind = Kind {
    name: "courier",
    start: include_str!("courier.sh"),
    binds: &["etc=/etc/courier", "run=/run/courier"],
    configure,
    // It cannot be told to greet otherwise.
    greeting: Some("OK"),
    deliver,
};

/// Debian's own configuration, with other ports and users.
fn configure(folder: &Path, root: &Path, ports: Ports) {
    let etc = folder.join("etc");
    let copied = Command::new("cp")
        .arg("-a")
        .arg(root.join("etc/courier"))
        .arg(&etc)
        .status();
    assert!(copied.expect("cp").success());
    fs::create_dir(folder.join("run")).expect("run");
    let Ports {
        imap,
        imaps,
        pop3,
        pop3s,
    } = ports;
    for (file, lines) in [
        ("authdaemonrc", "authmodulelist=authuserdb".to_owned()),
        ("imapd", format!("ADDRESS=127.0.0.1\nPORT={imap}")),
        ("imapd-ssl", format!("SSLPORT={imaps}\nTLS_CERTFILE=/peer/both.pem")),
        ("pop3d", format!("ADDRESS=127.0.0.1\nPORT={pop3}")),
        ("pop3d-ssl", format!("SSLPORT={pop3s}\nTLS_CERTFILE=/peer/both.pem")),
    ] {
        let mut file = OpenOptions::new().append(true).open(etc.join(file)).expect(file);
        writeln!(file, "{lines}").expect("the configuration");
    }
    let maildir = folder.join("mail").join(MAILBOX);
    make_mail_folder(&folder.join("mail"));
    make_mail_folder(&maildir);
    for part in ["cur", "new", "tmp"] {
        make_mail_folder(&maildir.join(part));
    }
    write(folder.join("said"), b"").expect("said");
}

/// Writes Maildir files, as a delivery agent would: the bytes as they are. So none is refused.
fn deliver(server: &Server, messages: Vec<Vec<u8>>) -> Vec<(Vec<u8>, String)> {
    static DELIVERED: AtomicU64 = AtomicU64::new(0);
    let maildir = server.folder().join("mail").join(MAILBOX);
    for message in messages {
        let number = DELIVERED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.M{number}.localhost", 1_700_000_000 + number);
        let written = maildir.join("tmp").join(&name);
        make_mail_file(&written, &message);
        fs::rename(written, maildir.join("new").join(name)).expect("deliver");
    }
    Vec::new()
}

#[test]
#[ignore = "make test-peers runs it"]
fn imap() {
    journey::over(&COURIER, "imap");
}

#[test]
#[ignore = "make test-peers runs it"]
fn imap_tls() {
    journey::over(&COURIER, "imap-tls");
}

#[test]
#[ignore = "make test-peers runs it"]
fn imap_ssl() {
    journey::over(&COURIER, "imap-ssl");
}

#[test]
#[ignore = "make test-peers runs it"]
fn pop3() {
    journey::over(&COURIER, "pop3");
}

#[test]
#[ignore = "make test-peers runs it"]
fn pop3_tls() {
    journey::over(&COURIER, "pop3-tls");
}

#[test]
#[ignore = "make test-peers runs it"]
fn pop3_ssl() {
    journey::over(&COURIER, "pop3-ssl");
}

#[test]
#[ignore = "make test-peers runs it"]
fn folders_below_inbox() {
    folders::all_are_archived(&COURIER, "INBOX.", '.');
}

#[test]
#[ignore = "make test-peers runs it"]
fn a_folder_made_anew_is_another_one() {
    folders::made_anew(&COURIER, "INBOX.Projects");
}

#[test]
#[ignore = "make test-peers runs it"]
fn deletion_over_imap() {
    deletion::over_imap(&COURIER);
}

#[test]
#[ignore = "make test-peers runs it"]
fn deletion_over_pop3() {
    deletion::over_pop3(&COURIER);
}

#[test]
#[ignore = "make test-peers runs it"]
fn odd() {
    crate::facts(&COURIER);
}
