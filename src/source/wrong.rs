//! A port at which another server listens than the configuration says: which access to write. Pure.

use crate::{
    config::{Access, Encryption, Family},
    net::{Found, Speaks},
};

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
