//! The harness itself: what it starts works, and what it makes is what it says.

mod support;

use std::collections::HashSet;

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use support::{
    dovecot::Dovecot,
    generator::{self, Business, Mailbox, SEED, Settings, Tally},
    identity::sha256,
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

/// What the benchmark of the store rests on: how large this mail is, and how much of it comes back, as a parser
/// finds it that knows nothing of how it was made.
#[test]
fn the_business_mailbox_is_what_its_documentation_says() {
    let mut business = Business::new(4_000, SEED);
    let mut found = Tally::default();
    let mut seen = HashSet::new();
    for bytes in business.by_ref() {
        let message = MessageParser::new().parse(&bytes).expect("a message");
        let mut files = Vec::new();
        attached(&message, &mut files);
        // A file twice in one message does not come back, so what is in it is known only after it.
        let digests: Vec<_> = files.iter().map(|(digest, _)| digest.clone()).collect();
        for (digest, size) in files {
            found.attached += size;
            found.recurring += if seen.contains(&digest) { size } else { 0 };
        }
        seen.extend(digests);
        found.messages += 1;
        found.bytes += bytes.len();
    }
    let said = business.tally();
    assert_eq!((found.messages, found.bytes), (said.messages, said.bytes));
    let near = |found: usize, said: usize| found.abs_diff(said) * 50 < said;
    assert!(near(found.attached, said.attached), "{found:?}, {said:?}");
    assert!(near(found.recurring, said.recurring), "{found:?}, {said:?}");

    let average = said.bytes / said.messages;
    let attached = 100 * said.attached / said.bytes;
    let recurring = 100 * said.recurring / said.attached;
    println!("{average} bytes on average, {attached} % attached, {recurring} % of that recurring; {said:?}");
    assert!((65_000..90_000).contains(&average), "{average} bytes on average");
    assert!((45..58).contains(&attached), "{attached} % of the bytes are attached");
    assert!(
        (38..50).contains(&recurring),
        "{recurring} % of the attached bytes recur"
    );
    assert!(Business::new(300, SEED).eq(Business::new(300, SEED)));
    assert!(!Business::new(300, SEED).eq(Business::new(300, 7)));
}

/// Digest and encoded size of each file attached to the message, and to those attached to it.
fn attached(message: &Message, files: &mut Vec<(String, usize)>) {
    for part in &message.parts {
        let is_attached = part.content_disposition().is_some_and(|place| place.is_attachment());
        match &part.body {
            PartType::Message(enclosed) => attached(enclosed, files),
            _ if is_attached => {
                let size = (part.raw_end_offset() - part.raw_body_offset()) as usize;
                files.push((sha256(part.contents()), size));
            }
            _ => {}
        }
    }
}
