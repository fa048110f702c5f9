//! What can go wrong with a source, and what is to be done about it.

use std::time::Duration;

use super::ConnectStep;
use crate::{
    config::{Access, Encryption, Server},
    net::{Found, NetError, Phase},
};

/// What a failure asks of whoever meets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// The source cannot be reached: end the run and say so (exit 3 when nothing was seen yet).
    Unreachable,
    /// The connection is of no more use, though a new one may be.
    Reconnect,
    /// The command failed, the connection goes on.
    Report,
}

/// A failure of a source. Its words are for the administrator and never hold the password.
#[derive(thiserror::Error, Debug)]
pub enum SourceError {
    /// There is no connection, or it could not be encrypted.
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("{host} was silent for {}{during}", humantime::format_duration(*after))]
    Timeout {
        host: String,
        /// Empty, or " after …", " during …": the phase or command.
        during: String,
        after: Duration,
        step: Option<ConnectStep>,
    },
    /// The server took the connection, and did not greet.
    #[error("no greeting on port {port} within {}: {}", humantime::format_duration(*after), says_nothing(*access))]
    Silent { port: u16, access: Access, after: Duration },
    /// Another server listens there than the configuration says.
    #[error("{}", found.words(*port, *access))]
    WrongPort { port: u16, access: Access, found: Found },
    #[error("port {port} is not that of a mail server; it greets with {line}")]
    NoMail { port: u16, line: String },
    #[error(
        "{host} greets as if we were logged in (PREAUTH), so the connection cannot be encrypted any more: somebody may be \
         tampering with it"
    )]
    Preauth { host: String },
    #[error("{host} turns the connection away: {words}")]
    Greeting { host: String, words: String },
    #[error("{host} refuses the login of {username}: {words}")]
    Login {
        host: String,
        access: Access,
        username: String,
        words: String,
    },
    /// The tagged NO or BAD, or -ERR, to a command.
    #[error("the server refuses {command}: {words}")]
    Refused { command: String, words: String },
    /// No folder that can be opened has this name, or matches this pattern.
    #[error("{words}")]
    NoFolder { folder: String, words: String },
    /// The patterns of the configuration name no folder.
    #[error("no folder is left: {0}")]
    NoneLeft(String),
    /// A folder.
    #[error("cannot read {path}: {why}")]
    Unreadable { path: String, why: String },
    /// A file or folder of an import.
    #[error("cannot import {path}: {why}")]
    File { path: String, why: String },
    /// All of an import is for one user.
    #[error("cannot import {path} for one user: it is an export with the mail of {users} users")]
    OfSeveral { path: String, users: usize },
    /// BYE, a closed socket, or an I/O error.
    #[error("the connection was lost during {command}: {words}")]
    Lost { command: String, words: String },
    /// An answer that the protocol does not allow.
    #[error("the server's answer to {command} makes no sense: {detail}")]
    Protocol { command: String, detail: String },
    /// The mailbox is larger than dropkeep takes.
    #[error("{0}")]
    TooLarge(String),
    /// An answer that was read to its end, and does not say what is needed: the session goes on.
    #[error("the server's answer to {command} makes no sense: {detail}")]
    Unclear { command: String, detail: String },
    /// A folder whose UIDs may mean other messages tomorrow (RFC 9051, 2.3.1.1).
    #[error("{folder}: the server gives no UIDVALIDITY, without which copies have no lasting name")]
    Nameless { folder: String },
    /// More bytes than the sizes announced allow for.
    #[error("the server sent more than it announced in answer to {command}: over {allowed} bytes")]
    TooMuch { command: String, allowed: u64 },
    /// Any other failure, met while getting connected.
    #[error("{}", connecting(host, *step, failure))]
    Connecting {
        host: String,
        step: ConnectStep,
        #[source]
        failure: Box<SourceError>,
    },
}

impl SourceError {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Net(_)
            | Self::Silent { .. }
            | Self::WrongPort { .. }
            | Self::NoMail { .. }
            | Self::Preauth { .. }
            | Self::Greeting { .. }
            | Self::Login { .. }
            | Self::Connecting { .. }
            | Self::Timeout { step: Some(_), .. } => Disposition::Unreachable,
            Self::Timeout { step: None, .. } | Self::Lost { .. } | Self::Protocol { .. } | Self::TooMuch { .. } => {
                Disposition::Reconnect
            }
            Self::Refused { .. }
            | Self::NoFolder { .. }
            | Self::NoneLeft(_)
            | Self::Unreadable { .. }
            | Self::File { .. }
            | Self::OfSeveral { .. }
            | Self::TooLarge(_)
            | Self::Nameless { .. }
            | Self::Unclear { .. } => Disposition::Report,
        }
    }

    /// Whether another attempt would end the same way: the server's answer, or our configuration, says so.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Net(error) => error.is_final(),
            // A server that has too many connections, say, refuses a login too.
            Self::Login { .. } => self.is_refused_login(),
            _ => matches!(self, Self::WrongPort { .. } | Self::Preauth { .. }),
        }
    }

    /// Whether a file that the configuration names is at fault.
    pub fn is_misconfigured(&self) -> bool {
        matches!(self, Self::Net(error) if error.is_misconfigured())
    }

    /// Whether the server does not let this account read a folder that it lists (RFC 4314).
    pub fn is_denial(&self) -> bool {
        const WORDS: [&str; 8] = [
            "noperm",
            "permission",
            "denied",
            "not permitted",
            "not allowed",
            "no access",
            "not authorized",
            "acl",
        ];
        match self {
            Self::Refused { words, .. } => {
                let words = words.to_ascii_lowercase();
                WORDS.iter().any(|word| words.contains(word))
            }
            _ => false,
        }
    }

    /// The failure as one of a server at `port`: which greets with something else than a mail server does.
    pub(super) fn at_port(self, port: u16) -> Self {
        if let Self::Connecting {
            step: ConnectStep::Greeting,
            failure,
            ..
        } = &self
            && let Self::Protocol { detail, .. } = &**failure
            && let Some((_, line)) = detail.split_once(NO_GREETING)
        {
            let line = line.to_owned();
            return Self::NoMail { port, line };
        }
        self
    }

    /// The server refuses the login, or we do not send it.
    pub(super) fn login(server: &Server, words: impl Into<String>) -> Self {
        Self::Login {
            host: server.host.clone(),
            access: server.access,
            username: server.username.clone(),
            words: words.into(),
        }
    }

    /// The step of getting connected that failed, where it was one.
    pub fn step(&self) -> Option<ConnectStep> {
        match self {
            Self::Net(error) => Some(match error.phase() {
                Phase::Resolve => ConnectStep::Resolve,
                Phase::Connect => ConnectStep::Connect,
                Phase::Tls => ConnectStep::Tls,
                Phase::Answer => ConnectStep::Greeting,
            }),
            Self::WrongPort {
                found: Found::Clear(_), ..
            } => Some(ConnectStep::Tls),
            Self::WrongPort { .. } | Self::NoMail { .. } | Self::Silent { .. } => Some(ConnectStep::Greeting),
            Self::Preauth { .. } => Some(ConnectStep::Tls),
            Self::Greeting { .. } => Some(ConnectStep::Greeting),
            Self::Login { .. } => Some(ConnectStep::Login),
            Self::Timeout { step, .. } => *step,
            Self::Connecting { step, .. } => Some(*step),
            Self::Refused { .. }
            | Self::NoFolder { .. }
            | Self::NoneLeft(_)
            | Self::Unreadable { .. }
            | Self::File { .. }
            | Self::OfSeveral { .. }
            | Self::TooLarge(_)
            | Self::Lost { .. }
            | Self::Protocol { .. }
            | Self::Unclear { .. }
            | Self::Nameless { .. }
            | Self::TooMuch { .. } => None,
        }
    }

    /// The failure as one of a step of getting connected, where it does not say so already.
    pub(super) fn at(self, host: &str, at: ConnectStep) -> Self {
        match self {
            Self::Timeout {
                host,
                during,
                after,
                step,
            } => Self::Timeout {
                host,
                during,
                after,
                step: step.or(Some(at)),
            },
            failure if failure.step().is_some() => failure,
            failure => Self::Connecting {
                host: host.to_owned(),
                step: at,
                failure: Box::new(failure),
            },
        }
    }
}

fn says_nothing(access: Access) -> &'static str {
    match access.encryption() {
        Encryption::Implicit => "the server speaks TLS there, and then says nothing, as web servers do",
        Encryption::Never | Encryption::Upgrade => "what listens there takes connections and says nothing",
    }
}

/// A failure on the way to a session, by what it was on the way to.
fn connecting(host: &str, step: ConnectStep, failure: &SourceError) -> String {
    let during = match failure {
        SourceError::Lost { command, .. } => format!(" ({command})"),
        _ => String::new(),
    };
    let why = match failure {
        SourceError::Lost { words, .. } if words == CLOSED => "the server closed the connection".to_owned(),
        SourceError::Lost { words, .. } => words.clone(),
        other => other.to_string(),
    };
    match step {
        ConnectStep::Greeting => format!("{host} did not greet: {why}"),
        ConnectStep::Login => format!("the login to {host} was broken off{during}: {why}"),
        ConnectStep::Tls => format!("the connection to {host} could not be encrypted: {why}"),
        ConnectStep::Resolve | ConnectStep::Connect | ConnectStep::Token => format!("cannot connect to {host}: {why}"),
    }
}

/// What is said of a connection that the server closed without a word.
pub(super) const CLOSED: &str = "the server closed it";

/// Between the protocol and the line that is not its greeting.
const NO_GREETING: &str = " greeting: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_while_connecting_makes_the_source_unreachable() {
        let lost = || SourceError::Lost {
            command: "LOGIN".into(),
            words: "closed".into(),
        };
        assert_eq!(lost().disposition(), Disposition::Reconnect);
        let connecting = lost().at("mail.example.com", ConnectStep::Login);
        assert_eq!(connecting.disposition(), Disposition::Unreachable);
        assert_eq!(connecting.step(), Some(ConnectStep::Login));
    }
}
