//! The harness itself: what it starts works, and what it makes is what it says.

mod support;

use std::collections::HashSet;

use support::{
    dovecot::Dovecot,
    generator::{self, Mailbox, Settings},
    pull,
};

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

#[test]
fn the_generated_mailbox_is_the_same_for_the_same_seed_and_about_as_large_as_asked() {
    let messages: Vec<_> = Mailbox::new(Settings::messages(3_000)).collect();
    assert!(
        messages
            .iter()
            .eq(Mailbox::new(Settings::messages(3_000)).collect::<Vec<_>>().iter())
    );
    let other = Settings {
        seed: 7,
        ..Settings::messages(3_000)
    };
    assert!(!messages.iter().eq(Mailbox::new(other).collect::<Vec<_>>().iter()));

    let bytes: usize = messages.iter().map(Vec::len).sum();
    let average = bytes / messages.len();
    let distinct: HashSet<_> = messages.iter().collect();
    println!(
        "{} messages, {} distinct, {bytes} bytes, {average} on average",
        messages.len(),
        distinct.len()
    );
    assert!((2_500..20_000).contains(&average), "{average} bytes on average");
    assert!(
        (2_500..2_990).contains(&distinct.len()),
        "{} distinct messages",
        distinct.len()
    );
    assert_eq!(generator::company().len(), 25);
}
