//! A port at which another server listens than the configuration says: which access to write. Pure.

use crate::{
    config::{Access, Encryption, Family},
    net::{Found, Speaks},
    said::{Said, said},
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
    pub(super) fn words(self, port: u16, configured: Access) -> Said {
        let family = configured.family();
        let ours = name(family);
        let Some(access) = self.access(configured) else {
            let (Self::Tls(Some(speaks)) | Self::Clear(speaks) | Self::Other(speaks)) = self else {
                return said!(PortIsNot, "port {0} is no {1} server's", port, ours);
            };
            let (server, usual) = (speaks.server(), usual(port, configured));
            return match (speaks == Speaks::Smtp, matches!(self, Self::Tls(_))) {
                (false, false) => said!(PortIsOf, "port {0} is that of {1}; {2}", port, server, usual),
                (false, true) => said!(
                    PortIsOfTls,
                    "port {0} is that of {1} over TLS; {2}",
                    port,
                    server,
                    usual
                ),
                (true, false) => said!(
                    PortIsOfSmtp,
                    "port {0} is that of {1}, which takes mail and gives none out; {2}",
                    port,
                    server,
                    usual
                ),
                (true, true) => said!(
                    PortIsOfSmtpTls,
                    "port {0} is that of {1} over TLS, which takes mail and gives none out; {2}",
                    port,
                    server,
                    usual
                ),
            };
        };
        let spoken = |speaks: Speaks| speaks.family().map_or("", name);
        match self {
            Self::Tls(Some(speaks)) if speaks.family() != Some(family) => said!(
                PortSpeaksOverTls,
                "no greeting on port {0}: the port speaks {1} over TLS from the first byte; try access = \"{2}\"",
                port,
                spoken(speaks),
                access
            ),
            Self::Tls(_) => said!(
                PortProbablyTls,
                "no greeting on port {0}: the port probably speaks TLS from the first byte; try access = \"{1}\"",
                port,
                access
            ),
            Self::Clear(speaks) => said!(
                PortClear,
                "no TLS on port {0}: the server greets with {1} in clear text; try access = \"{2}\"",
                port,
                spoken(speaks),
                access
            ),
            Self::Other(speaks) => said!(
                PortSpeaks,
                "port {0} speaks {1}, not {2}; try access = \"{3}\"",
                port,
                spoken(speaks),
                ours,
                access
            ),
        }
    }
}

/// Where the configured access is to be found.
pub(super) fn usual(port: u16, configured: Access) -> Said {
    let (own, usual) = (
        access(configured.family(), configured.encryption()),
        configured.default_port(),
    );
    match port == usual {
        true => said!(
            AtAnotherPort,
            "access = \"{0}\" is at another port, or another host",
            own
        ),
        false => said!(UsuallyAt, "access = \"{0}\" is usually at port {1}", own, usual),
    }
}
