//! Why there is no connection to a server, in words for the administrator.

use std::{io, time::Duration};

use super::{Mend, Speaks};
use crate::config::Fingerprint;

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
#[derive(thiserror::Error, Debug)]
pub enum NetError {
    #[error("{}", not_found(host, source))]
    Resolve { host: String, source: io::Error },
    #[error("{}", not_connected(host, *port, source))]
    Connect { host: String, port: u16, source: io::Error },
    #[error("{}", silence(host, *phase, *after))]
    Timeout {
        host: String,
        phase: Phase,
        after: Duration,
    },
    #[error("TLS with {host} failed: {detail}")]
    Tls {
        host: String,
        detail: String,
        /// What the server spoke first on this connection, if that was recognised.
        speaks: Option<Speaks>,
    },
    #[error("the certificate of {host} is refused: {why}: {}", match pin {
        Some(pin) => mend.with_pin(pin),
        None => mend.without_pin(),
    })]
    Certificate {
        host: String,
        why: String,
        mend: Mend,
        /// The certificate's own, if the configuration has a place for a pin.
        pin: Option<Box<Fingerprint>>,
    },
    #[error("ca_file {file} {detail}")]
    CaFile { file: String, detail: String },
    #[error("{host} does not offer {command} on this port; try access = \"{access}\", without `port`")]
    NoUpgrade {
        host: String,
        command: &'static str,
        /// The access with TLS from the first byte.
        access: &'static str,
    },
    #[error("{host} sent clear text after its answer to {command}: somebody may be tampering with the connection")]
    Injected { host: String, command: &'static str },
    #[error("the answer of {host} makes no sense: {detail}")]
    Answer { host: String, detail: String },
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

fn not_found(host: &str, source: &io::Error) -> String {
    const PREFIX: &str = "failed to lookup address information: ";
    let words = source.to_string();
    let words = words.strip_prefix(PREFIX).unwrap_or(&words);
    // A URL, or a port behind the name; an IPv6 address has more than one colon.
    if host.contains(['/', '@']) || host.matches(':').count() == 1 {
        return format!(
            "cannot find {host}: host is a name alone; the port goes into port, and the protocol into access"
        );
    }
    match words.contains("Temporary failure") {
        true => format!("cannot look up {host}: no name server answers ({words})"),
        false => format!("there is no host {host} ({words})"),
    }
}

fn not_connected(host: &str, port: u16, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("{host} refused the connection on port {port}: no server listens there")
        }
        io::ErrorKind::TimedOut => format!("{host} does not answer on port {port}"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("there is no way to {host} from here: {source}")
        }
        _ => format!("cannot connect to {host} port {port}: {source}"),
    }
}

fn silence(host: &str, phase: Phase, after: Duration) -> String {
    let after = humantime::format_duration(after);
    match phase {
        Phase::Resolve => format!("no name server answered within {after} where {host} is"),
        Phase::Connect => format!("{host} did not answer within {after}: it is down, or a firewall is in between"),
        Phase::Tls => format!("{host} did not answer the TLS handshake within {after}"),
        Phase::Answer => format!("{host} did not answer within {after}"),
    }
}
