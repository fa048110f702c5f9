//! The harness itself: what it starts works, and what it makes is what it says.

mod support;

use support::{dovecot::Dovecot, pull};

#[test]
fn dovecot_starts_several_times_side_by_side() {
    let servers: Vec<_> = (0..3)
        .map(|n| Dovecot::with([format!("Subject: {n}\n\nhello\n")]))
        .collect();
    for (n, server) in servers.iter().enumerate() {
        for access in ["imap", "pop3"] {
            let sent = pull::messages(server, access);
            assert_eq!(sent, [format!("Subject: {n}\r\n\r\nhello\r\n").into_bytes()]);
        }
    }
}

/// What later comparisons rest on: IMAP adds nothing at the end, POP3 ends the last line, and
/// only POP3 passes NUL on (a literal of IMAP cannot hold it).
#[test]
fn dovecot_sends_odd_messages_as_the_clients_expect() {
    let server = Dovecot::with(["".as_bytes(), b"no line end", b"\0\r\n.\r\nx"]);
    let imap: [&[u8]; 3] = [b"", b"no line end", b"\x80\r\n.\r\nx"];
    let pop3: [&[u8]; 3] = [b"\r\n", b"no line end\r\n", b"\0\r\n.\r\nx\r\n"];
    assert_eq!(pull::messages(&server, "imap"), imap);
    assert_eq!(pull::messages(&server, "pop3"), pop3);
}
