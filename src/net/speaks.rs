//! What a server speaks, recognised by its first bytes. Pure.

use crate::said::{Said, said};

/// What a server speaks, by the first bytes that it sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaks {
    Imap,
    Pop3,
    Smtp,
    Ftp,
    Ssh,
    Sieve,
    Http,
}

/// What was found at a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// TLS from the first byte, where clear text was to come first; and what greets within it.
    Tls(Option<Speaks>),
    /// Clear text, where TLS was to come first.
    Clear(Speaks),
    /// Another protocol, encrypted as it should be.
    Other(Speaks),
}

/// What a server speaks whose first bytes these are; `None` if they are not known.
pub(super) fn recognise(first: &[u8]) -> Option<Speaks> {
    let first = first.trim_ascii_start();
    let begins = |words: &str| {
        let begin = first.get(..words.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(words.as_bytes()))
    };
    let any = |words: &[&str]| words.iter().any(|word| begins(word));
    if any(&["* OK", "* PREAUTH", "* BYE"]) {
        Some(Speaks::Imap)
    } else if any(&["+OK", "-ERR"]) {
        Some(Speaks::Pop3)
    } else if any(&["220 ", "220-", "421 ", "554 ", "554-"]) {
        let line = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_ftp = line.to_ascii_uppercase().windows(3).any(|word| word == b"FTP");
        Some(if is_ftp { Speaks::Ftp } else { Speaks::Smtp })
    } else if begins("SSH-") {
        Some(Speaks::Ssh)
    } else if begins("\"IMPLEMENTATION\"") {
        Some(Speaks::Sieve)
    } else if any(&["HTTP/", "<!DOCTYPE", "<html"]) {
        Some(Speaks::Http)
    } else {
        None
    }
}

/// Whether these bytes begin a TLS record (RFC 8446, 5.1): of a handshake, or an alert.
pub(super) fn is_tls(first: &[u8]) -> bool {
    matches!(first, [0x15 | 0x16, 3, ..])
}

impl Speaks {
    /// The server, in words.
    pub(crate) fn server(self) -> Said {
        let (a, protocol) = match self {
            Self::Http => return said!(AWebServer, "a web server"),
            Self::Imap => ("an", "IMAP"),
            Self::Pop3 => ("a", "POP3"),
            Self::Smtp => ("an", "SMTP"),
            Self::Ftp => ("an", "FTP"),
            Self::Ssh => ("an", "SSH"),
            Self::Sieve => ("a", "ManageSieve"),
        };
        let server = said!(AServer, "{0} server", protocol);
        server.map_text(|server| format!("{a} {server}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_by_what_they_say_first() {
        for (first, speaks) in [
            ("* OK [CAPABILITY IMAP4rev1] ready\r\n", Some(Speaks::Imap)),
            ("* BYE too many\r\n", Some(Speaks::Imap)),
            ("\r\n+OK POP3 ready <1.2@example.com>\r\n", Some(Speaks::Pop3)),
            ("-ERR busy\r\n", Some(Speaks::Pop3)),
            ("220 mail.example.com ESMTP Postfix\r\n", Some(Speaks::Smtp)),
            ("220-mail.example.com\r\n220 ready\r\n", Some(Speaks::Smtp)),
            ("220 (vsFTPd 3.0.5)\r\n", Some(Speaks::Ftp)),
            ("SSH-2.0-OpenSSH_9.6\r\n", Some(Speaks::Ssh)),
            ("\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n", Some(Speaks::Sieve)),
            ("HTTP/1.1 400 Bad Request\r\n", Some(Speaks::Http)),
            ("*", None),
            ("", None),
            ("hello", None),
            ("\u{15}\u{3}", None),
        ] {
            assert_eq!(recognise(first.as_bytes()), speaks, "{first:?}");
        }
        assert!(is_tls(&[0x16, 3, 3]) && is_tls(&[0x15, 3, 1]) && !is_tls(b"* OK") && !is_tls(b""));
    }
}
