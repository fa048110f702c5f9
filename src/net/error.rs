//! Why there is no connection to a server, in words for the administrator.

use std::{io, time::Duration};

use super::{Mend, Speaks};
use crate::{
    config::{Fingerprint, Span},
    said::{Said, Say, error_as_said, said},
};

/// How far a connection had got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Resolve,
    Connect,
    Tls,
    /// Waiting for the answer to what was sent.
    Answer,
}

/// There is no connection, it could not be encrypted, or what came over it is not what the protocol allows.
/// No secret is in these errors.
#[derive(Debug)]
pub enum NetError {
    Resolve {
        host: String,
        source: io::Error,
    },
    Connect {
        host: String,
        port: u16,
        source: io::Error,
    },
    Timeout {
        host: String,
        phase: Phase,
        after: Duration,
    },
    Tls {
        host: String,
        detail: String,
        /// What the server spoke first on this connection, if that was recognised.
        speaks: Option<Speaks>,
    },
    Certificate {
        host: String,
        why: Said,
        mend: Mend,
        /// The certificate's own, if the configuration has a place for a pin.
        pin: Option<Box<Fingerprint>>,
    },
    CaFile {
        file: String,
        detail: String,
    },
    NoUpgrade {
        host: String,
        command: &'static str,
        /// The access with TLS from the first byte.
        access: &'static str,
    },
    Injected {
        host: String,
        command: &'static str,
    },
    Answer {
        host: String,
        detail: String,
    },
}

error_as_said!(NetError);

impl Say for NetError {
    fn said(&self) -> Said {
        match self {
            Self::Resolve { host, source } => not_found(host, source),
            Self::Connect { host, port, source } => not_connected(host, *port, source),
            Self::Timeout { host, phase, after } => silence(host, *phase, *after),
            Self::Tls { host, detail, .. } => said!(TlsFailed, "TLS with {0} failed: {1}", host, Said::from(&**detail)),
            Self::Certificate { host, why, mend, pin } => {
                let mend = match pin {
                    Some(pin) => mend.with_pin(pin),
                    None => mend.without_pin(),
                };
                said!(
                    CertificateRefused,
                    "the certificate of {0} is refused: {1}: {2}",
                    host,
                    why,
                    mend
                )
            }
            Self::CaFile { file, detail } => said!(CaFile, "ca_file {0} {1}", file, Said::from(&**detail)),
            Self::NoUpgrade { host, command, access } => said!(
                NoUpgrade,
                "{0} does not offer {1} on this port; try access = \"{2}\", without `port`",
                host,
                command,
                access
            ),
            Self::Injected { host, command } => said!(
                Injected,
                "{0} sent clear text after its answer to {1}: somebody may be tampering with the connection",
                host,
                command
            ),
            Self::Answer { host, detail } => said!(
                AnswerSenseless,
                "the answer of {0} makes no sense: {1}",
                host,
                Said::from(&**detail)
            ),
        }
    }
}

impl NetError {
    pub(crate) fn no_upgrade(host: &str, command: &'static str, access: &'static str) -> Self {
        let host = host.to_owned();
        Self::NoUpgrade { host, command, access }
    }

    pub(crate) fn injected(host: &str, command: &'static str) -> Self {
        let host = host.to_owned();
        Self::Injected { host, command }
    }

    /// How far the connection had got.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Resolve { .. } => Phase::Resolve,
            Self::Connect { .. } => Phase::Connect,
            Self::Timeout { phase, .. } => *phase,
            Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::CaFile { .. }
            | Self::NoUpgrade { .. }
            | Self::Injected { .. } => Phase::Tls,
            Self::Answer { .. } => Phase::Answer,
        }
    }

    /// Whether another attempt would end the same way: the server's answer, or our configuration, says so.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Certificate { .. } | Self::CaFile { .. } | Self::NoUpgrade { .. } | Self::Injected { .. }
        )
    }

    /// Whether nobody was reached, or nobody answered.
    pub fn is_unanswered(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::Connect { .. } | Self::Timeout { .. })
    }

    /// Whether a file that the configuration names is at fault.
    pub fn is_misconfigured(&self) -> bool {
        matches!(self, Self::CaFile { .. })
    }
}

fn not_found(host: &str, source: &io::Error) -> Said {
    const PREFIX: &str = "failed to lookup address information: ";
    let words = source.to_string();
    let words = words.strip_prefix(PREFIX).unwrap_or(&words);
    // A URL, or a port behind the name; an IPv6 address has more than one colon.
    if host.contains(['/', '@']) || host.matches(':').count() == 1 {
        return said!(
            HostIsMore,
            "cannot find {0}: host is a name alone; the port goes into port, and the protocol into access",
            host
        );
    }
    match words.contains("Temporary failure") {
        true => said!(
            NoNameServer,
            "cannot look up {0}: no name server answers ({1})",
            host,
            words
        ),
        false => said!(NoSuchHost, "there is no host {0} ({1})", host, words),
    }
}

fn not_connected(host: &str, port: u16, source: &io::Error) -> Said {
    match source.kind() {
        io::ErrorKind::ConnectionRefused => said!(
            PortRefused,
            "{0} refused the connection on port {1}: no server listens there",
            host,
            port
        ),
        io::ErrorKind::TimedOut => said!(PortSilent, "{0} does not answer on port {1}", host, port),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            said!(NoWay, "there is no way to {0} from here: {1}", host, why(source))
        }
        _ => said!(
            NotConnected,
            "cannot connect to {0} port {1}: {2}",
            host,
            port,
            why(source)
        ),
    }
}

/// What the system says.
fn why(source: &io::Error) -> Said {
    source.to_string().into()
}

fn silence(host: &str, phase: Phase, after: Duration) -> Said {
    let after = Span(after);
    match phase {
        Phase::Resolve => said!(
            ResolveSilent,
            "no name server answered within {1} where {0} is",
            host,
            after
        ),
        Phase::Connect => said!(
            ConnectSilent,
            "{0} did not answer within {1}: it is down, or a firewall is in between",
            host,
            after
        ),
        Phase::Tls => said!(
            TlsSilent,
            "{0} did not answer the TLS handshake within {1}",
            host,
            after
        ),
        Phase::Answer => said!(AnswerSilent, "{0} did not answer within {1}", host, after),
    }
}
