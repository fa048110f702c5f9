//! The harness itself: what it starts works, and what it makes is what it says.

use std::{
    collections::HashSet,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::support::{
    dovecot::Dovecot,
    generator::{self, Business, Mailbox, SEED, Settings, Tally},
    identity::sha256,
    listening::Listening,
    mime,
    proxy::{Link, Proxy},
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

/// A property that holds for any MIME structure is worth what the structures are: each sort that must be there is.
#[test]
fn any_mime_structure_is_among_those_generated() {
    // A strategy is made by recursion, which the stack of a test's thread may be too small for.
    let counting = std::thread::Builder::new().stack_size(16 << 20).spawn(count_structures);
    counting.expect("a thread").join().expect("all sorts are there");
}

fn count_structures() {
    const COUNT: usize = 4_000;
    let mut runner = TestRunner::deterministic();
    let messages: Vec<Vec<u8>> = (0..COUNT)
        .map(|_| mime::any_message().new_tree(&mut runner).expect("a message").current())
        .collect();
    let has = |message: &[u8], bytes: &[u8]| memchr::memmem::find(message, bytes).is_some();
    let ends = |message: &[u8]| {
        let lf = memchr::memchr_iter(b'\n', message).count();
        let crlf = memchr::memmem::find_iter(message, b"\r\n").count();
        (lf, crlf)
    };
    type IsOne<'a> = &'a dyn Fn(&[u8]) -> bool;
    let sorts: [(&str, usize, IsOne); 15] = [
        ("LF only", 500, &|m| matches!(ends(m), (1.., 0))),
        ("CRLF only", 500, &|m| matches!(ends(m), (lf @ 1.., crlf) if lf == crlf)),
        ("both", 300, &|m| matches!(ends(m), (lf, crlf @ 1..) if lf > crlf)),
        ("a bare CR", 300, &|m| {
            m.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n')
        }),
        ("NUL", 300, &|m| m.contains(&0)),
        ("8 bit", 300, &|m| !m.is_ascii()),
        ("no final line end", 500, &|m| {
            m.last().is_some_and(|&byte| byte != b'\n')
        }),
        ("no bytes", 1, &|m| m.is_empty()),
        ("uuencode", 100, &|m| has(m, b"begin 644")),
        ("a message inside", 300, &|m| has(m, b"message/rfc822")),
        ("deep nesting", 100, &|m| depth(m) >= 4),
        ("base64 just below 16 KiB", 10, &|m| {
            longest_base64(m).is_some_and(|size| (16_370..16_384).contains(&size))
        }),
        ("base64 just above 16 KiB", 10, &|m| {
            longest_base64(m).is_some_and(|size| (16_384..16_398).contains(&size))
        }),
        ("larger than 1 MiB", 10, &|m| m.len() > 1 << 20),
        ("small", 2_000, &|m| m.len() < 100_000),
    ];
    for (sort, least, is_one) in sorts {
        let count = messages.iter().filter(|message| is_one(message)).count();
        println!("{sort}: {count} of {COUNT}");
        assert!(count >= least, "{sort}: {count} of {COUNT}");
    }
    let bytes: usize = messages.iter().map(Vec::len).sum();
    assert!(
        bytes / COUNT < 100_000,
        "too large for a test of many cases: {bytes} bytes"
    );
}

/// Multiparts and messages inside one another, as far as a parser sees them.
fn depth(bytes: &[u8]) -> usize {
    fn below(message: &Message, part: u32) -> usize {
        match &message.parts[part as usize].body {
            PartType::Multipart(parts) => 1 + parts.iter().map(|part| below(message, *part)).max().unwrap_or(0),
            PartType::Message(enclosed) => 1 + below(enclosed, 0),
            _ => 0,
        }
    }
    MessageParser::new()
        .parse(bytes)
        .map_or(0, |message| below(&message, 0))
}

/// The length of the longest stretch of base64 behind an empty line.
fn longest_base64(bytes: &[u8]) -> Option<usize> {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte);
    let body = |run: &[u8]| {
        let empty_line = [&b"\n\n"[..], b"\n\r\n"].map(|ends| memchr::memmem::find(run, ends));
        let at = empty_line.into_iter().flatten().min()?;
        Some(run[at..].trim_ascii().len())
    };
    bytes.split(|byte| !base64(byte)).filter_map(body).max()
}

/// A server that sends so many bytes to whoever asks it, once for each line.
fn sends(bytes: usize) -> Listening {
    Listening::start(move |mut client, _| -> io::Result<()> {
        for _ in BufReader::new(client.try_clone()?).lines() {
            client.write_all(&vec![b'x'; bytes])?;
        }
        Ok(())
    })
}

/// Asks so many times at once, and how many bytes come, and after how long.
fn asked(port: u16, times: usize, expected: usize) -> (usize, Duration) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    let start = Instant::now();
    stream.write_all("more\n".repeat(times).as_bytes()).expect("send");
    let mut got = Vec::new();
    // What was cut off is what is counted.
    let _ = stream.take(expected as u64).read_to_end(&mut got);
    (got.len(), start.elapsed())
}

#[test]
fn a_long_wire_delays_bytes_and_does_not_hold_up_those_behind_them() {
    let link = Link {
        round_trip: Duration::from_millis(200),
        rate: None,
    };
    let server = sends(100_000);
    let far = Proxy::over(server.port, link);
    let (got, took) = asked(far.port, 20, 2_000_000);
    assert_eq!(got, 2_000_000);
    assert!(took >= link.round_trip, "{took:?}");
    // One after the other they would take twenty round trips.
    assert!(took < link.round_trip * 18, "{took:?}");
}

#[test]
fn a_narrow_wire_carries_so_many_bytes_a_second() {
    let link = Link {
        round_trip: Duration::ZERO,
        rate: Some(1_000_000),
    };
    let server = sends(500_000);
    let narrow = Proxy::over(server.port, link);
    let (got, took) = asked(narrow.port, 1, 500_000);
    assert_eq!(got, 500_000);
    assert!(took >= Duration::from_millis(400), "{took:?}");
}

#[test]
fn each_connection_is_cut_where_it_was_told() {
    let server = sends(10_000);
    let proxy = Proxy::to(server.port);
    proxy.cut_each_after([10, 7_000]);
    let got = [(); 3].map(|()| asked(proxy.port, 1, 10_000).0);
    assert_eq!(got, [10, 7_000, 10_000]);
    assert_eq!((proxy.cuts_left(), proxy.connections()), (0, 3));
}
