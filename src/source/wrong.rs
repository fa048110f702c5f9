//! A port at which another server listens than the configuration says: told by what the server sends first, so that an
//! error can name the access to write. Pure.

use crate::config::{Access, Encryption, Family};

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

/// What speaks so; `None` where it cannot be told.
pub(crate) fn told_by(first: &[u8]) -> Option<Speaks> {
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

/// How an access is written in the configuration.
pub(super) fn access(family: Family, encryption: Encryption) -> &'static str {
    match (family, encryption) {
        (Family::Imap, Encryption::Never) => "imap",
        (Family::Imap, Encryption::Upgrade) => "imap-tls",
        (Family::Imap, Encryption::Implicit) => "imap-ssl",
        (Family::Pop3, Encryption::Never) => "pop3",
        (Family::Pop3, Encryption::Upgrade) => "pop3-tls",
        (Family::Pop3, Encryption::Implicit) => "pop3-ssl",
    }
}

impl Speaks {
    /// The protocol of an access, where it is one.
    pub(super) fn family(self) -> Option<Family> {
        match self {
            Self::Imap => Some(Family::Imap),
            Self::Pop3 => Some(Family::Pop3),
            Self::Smtp | Self::Ftp | Self::Ssh | Self::Sieve | Self::Http => None,
        }
    }

    pub(crate) fn server(self) -> &'static str {
        match self {
            Self::Imap => "an IMAP server",
            Self::Pop3 => "a POP3 server",
            Self::Smtp => "an SMTP server",
            Self::Ftp => "an FTP server",
            Self::Ssh => "an SSH server",
            Self::Sieve => "a ManageSieve server",
            Self::Http => "a web server",
        }
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::Imap => "IMAP",
        Family::Pop3 => "POP3",
    }
}

impl Found {
    /// The access to write in place of this one, where there is one for what listens.
    pub(super) fn access(self, configured: Access) -> Option<&'static str> {
        match self {
            Self::Tls(speaks) => {
                let family = speaks.map_or(Some(configured.family()), Speaks::family)?;
                Some(access(family, Encryption::Implicit))
            }
            Self::Clear(speaks) => Some(access(speaks.family()?, Encryption::Upgrade)),
            Self::Other(speaks) => Some(access(speaks.family()?, configured.encryption())),
        }
    }

    /// What is wrong with a port, and which access to write.
    pub(super) fn words(self, port: u16, configured: Access) -> String {
        let family = configured.family();
        let Some(access) = self.access(configured) else {
            let (Self::Tls(Some(speaks)) | Self::Clear(speaks) | Self::Other(speaks)) = self else {
                return format!("port {port} is no {} server's", name(family));
            };
            let tls = if matches!(self, Self::Tls(_)) { " over TLS" } else { "" };
            let what = if speaks == Speaks::Smtp {
                ", which takes mail and gives none out"
            } else {
                ""
            };
            return format!(
                "port {port} is that of {}{tls}{what}; {}",
                speaks.server(),
                usual(port, configured)
            );
        };
        match self {
            Self::Tls(Some(speaks)) if speaks.family() != Some(family) => {
                let spoken = speaks.family().map_or("", name);
                format!(
                    "no greeting on port {port}: the port speaks {spoken} over TLS from the first byte; try access = \"{access}\""
                )
            }
            Self::Tls(_) => format!(
                "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"{access}\""
            ),
            Self::Clear(speaks) => {
                let spoken = speaks.family().map_or("", name);
                format!(
                    "no TLS on port {port}: the server greets with {spoken} in clear text; try access = \"{access}\""
                )
            }
            Self::Other(speaks) => {
                let spoken = speaks.family().map_or("", name);
                format!(
                    "port {port} speaks {spoken}, not {}; try access = \"{access}\"",
                    name(family)
                )
            }
        }
    }
}

/// Where the configured access is to be found.
pub(super) fn usual(port: u16, configured: Access) -> String {
    let (own, usual) = (
        access(configured.family(), configured.encryption()),
        configured.default_port(),
    );
    match port == usual {
        true => format!("access = \"{own}\" is at another port, or another host"),
        false => format!("access = \"{own}\" is usually at port {usual}"),
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
            assert_eq!(told_by(first.as_bytes()), speaks, "{first:?}");
        }
        assert!(is_tls(&[0x16, 3, 3]) && is_tls(&[0x15, 3, 1]) && !is_tls(b"* OK") && !is_tls(b""));
    }
}
