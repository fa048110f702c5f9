//! Courier's IMAP and POP3 servers, over Maildirs.

use std::{
    fs::{self, OpenOptions, write},
    io::Write,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    DROPKEEP, journey, mail,
    server::{Kind, Server},
    support::{
        appliance::{Appliance, number},
        complete::{assert_nothing_is_missing, stored},
        dovecot::{MAILBOX, Ports, make_mail_file, make_mail_folder},
        pull::Client,
    },
};

static COURIER: Kind = Kind {
    name: "courier",
    start: include_str!("courier.sh"),
    binds: &["etc=/etc/courier", "run=/run/courier", "var=/var/lib/courier"],
    configure,
    // It cannot be told to greet otherwise.
    greeting: Some("OK"),
    pop3_first: &["UTF8"],
    pop3_marks: true,
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
    for own in ["run", "var"] {
        fs::create_dir(folder.join(own)).expect(own);
    }
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

/// None is refused: the files are written as a delivery agent would write them.
fn deliver(server: &Server, messages: Vec<Vec<u8>>) -> usize {
    static DELIVERED: AtomicU64 = AtomicU64::new(0);
    for message in messages {
        let number = DELIVERED.fetch_add(1, Ordering::Relaxed);
        put(
            server,
            &format!("{}.M{number}.localhost", 1_700_000_000 + number),
            &message,
        );
    }
    0
}

/// Puts a message into the INBOX as a file of this name. Courier numbers new messages in the order of their names.
fn put(server: &Server, name: &str, message: &[u8]) {
    let maildir = server.folder().join("mail").join(MAILBOX);
    make_mail_file(&maildir.join("tmp").join(name), message);
    fs::rename(maildir.join("tmp").join(name), maildir.join("new").join(name)).expect("deliver");
}

put_through!(COURIER, over_starttls: COURIER, more_folders: &[]);

/// Courier numbers new mail for a session alone when a folder is opened for reading: in the next one other mail may
/// have the number.
#[test]
#[ignore = "make test-peers runs it"]
fn mail_whose_file_name_sorts_before_what_is_archived_is_lost() {
    let server = Server::start(&COURIER);
    put(&server, "1700000001.M1.localhost", b"Subject: one\n\n1\n");
    // Somebody's mail program.
    Client::imap(server.ports.imap).command("SELECT INBOX");
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("imap", ""));
    journey::taken(&appliance, 1);
    // Delivery agents of one machine, each with its own process id in the name, finish in any order.
    put(&server, "1700000009.P900.localhost", b"Subject: nine\n\n9\n");
    journey::taken(&appliance, 1);
    put(&server, "1700000005.P100.localhost", b"Subject: five\n\n5\n");
    let run = journey::taken(&appliance, 1);
    assert_eq!(number(&run, "archived"), 1, "{run:#}");
    assert_nothing_is_missing(&server.pull("imap"), &stored(&appliance.lists()));
    journey::taken(&appliance, 0);
}

/// To a client that does not say that it takes UTF-8 (RFC 6856), Courier sends mail with 8-bit bytes in its header as
/// a file attached to a message of its own, another one each time.
#[test]
#[ignore = "make test-peers runs it"]
fn mail_with_an_8_bit_header_is_wrapped_over_pop3() {
    let server = Server::start(&COURIER);
    let message = "From: Jörg <joerg@sender.example>\r\nSubject: Grüße\r\n\r\nbody\r\n".as_bytes();
    let lies_there = String::from_utf8_lossy(message).replace("\r\n", "\n");
    put(&server, "1700000001.M1.localhost", lies_there.as_bytes());
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("pop3", ""));
    journey::taken(&appliance, 1);
    assert_eq!(
        String::from_utf8_lossy(&appliance.raw(1)),
        String::from_utf8_lossy(message)
    );
}

/// Courier gives what lies in the Maildir, byte for byte but for line ends: each LF becomes CR LF, also one behind a
/// CR.
#[test]
#[ignore = "make test-peers runs it"]
fn odd_mail_comes_as_it_lies_there() {
    let server = Server::start(&COURIER);
    let odd: Vec<_> = mail::odd().into_iter().map(|(_, message)| message).collect();
    server.deliver(odd.clone());
    let mut sent: Vec<_> = odd.iter().map(|message| mail::wire(message)).collect();
    assert!(server.pull("imap") == sent);
    // Over POP3 a last line without its end gets one.
    for message in &mut sent {
        if !message.ends_with(b"\r\n") {
            message.extend_from_slice(b"\r\n");
        }
    }
    assert!(server.pull("pop3") == sent);
}
