//! LMTP (RFC 2033): how mail comes into a mailbox of Cyrus.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use crate::support::{PATIENCE, dovecot::MAILBOX};

/// Hands messages over, and returns how many the server refused for good.
pub fn deliver<M: AsRef<[u8]>>(socket: &Path, messages: impl IntoIterator<Item = M>) -> usize {
    let stream = UnixStream::connect(socket).expect("the LMTP socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut session = BufReader::new(stream);
    assert!(reply(&mut session).starts_with("220"));
    say(&mut session, "LHLO localhost", "250");
    let mut refused = 0;
    for message in messages {
        say(&mut session, "MAIL FROM:<bounce@sender.example>", "250");
        say(&mut session, &format!("RCPT TO:<{MAILBOX}>"), "250");
        say(&mut session, "DATA", "354");
        session.get_mut().write_all(&wire(message.as_ref())).expect("send");
        let answer = reply(&mut session);
        if !answer.starts_with("250") {
            assert!(answer.starts_with("554"), "{answer}");
            refused += 1;
            say(&mut session, "RSET", "250");
        }
    }
    say(&mut session, "QUIT", "221");
    refused
}

fn say(session: &mut BufReader<UnixStream>, command: &str, code: &str) {
    session
        .get_mut()
        .write_all(format!("{command}\r\n").as_bytes())
        .expect("send");
    let answer = reply(session);
    assert!(answer.starts_with(code), "{command}: {answer}");
}

/// The last line of an answer.
fn reply(session: &mut BufReader<UnixStream>) -> String {
    loop {
        let mut line = String::new();
        session.read_line(&mut line).expect("an answer");
        assert!(line.len() > 3, "the server closed the connection: {line:?}");
        if line.as_bytes()[3] != b'-' {
            return line.trim_end().to_owned();
        }
    }
}

/// A message as a mail server hands it over: lines end with CRLF, dots are stuffed.
fn wire(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + message.len() / 16 + 5);
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        wire.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}
