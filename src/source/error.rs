//! What can go wrong with a source, and what is to be done about it.

use std::time::Duration;

use super::ConnectStep;
use crate::{
    config::{Access, Encryption, Server, Span},
    net::{Found, NetError, Phase},
    said::{Code, Said, Say, error_as_said, said},
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
#[derive(Debug)]
pub enum SourceError {
    /// There is no connection, or it could not be encrypted.
    Net(NetError),
    Timeout {
        host: String,
        /// Empty, or " after …", " during …": the phase or command.
        during: String,
        after: Duration,
        step: Option<ConnectStep>,
    },
    /// The server took the connection, and did not greet.
    Silent {
        port: u16,
        access: Access,
        after: Duration,
    },
    /// Another server listens there than the configuration says.
    WrongPort {
        port: u16,
        access: Access,
        found: Found,
    },
    NoMail {
        port: u16,
        line: String,
    },
    Preauth {
        host: String,
    },
    Greeting {
        host: String,
        words: String,
    },
    Login {
        host: String,
        access: Access,
        username: String,
        words: Said,
    },
    /// The tagged NO or BAD, or -ERR, to a command.
    Refused {
        command: String,
        words: String,
    },
    /// No folder that can be opened has this name, or matches this pattern.
    NoFolder {
        folder: String,
        words: Said,
    },
    /// The patterns of the configuration name no folder.
    NoneLeft(Said),
    /// A folder.
    Unreadable {
        path: String,
        why: Said,
    },
    /// A file or folder of an import.
    File {
        path: String,
        why: Said,
    },
    /// All of an import is for one user.
    OfSeveral {
        path: String,
        users: usize,
    },
    /// BYE, a closed socket, or an I/O error.
    Lost {
        command: String,
        words: String,
    },
    /// An answer that the protocol does not allow.
    Protocol {
        command: String,
        detail: String,
    },
    /// The mailbox is larger than dropkeep takes.
    TooLarge(Said),
    /// An answer that was read to its end, and does not say what is needed: the session goes on.
    Unclear {
        command: String,
        detail: String,
    },
    /// A folder whose UIDs may mean other messages tomorrow (RFC 9051, 2.3.1.1).
    Nameless {
        folder: String,
    },
    /// More bytes than the sizes announced allow for.
    TooMuch {
        command: String,
        allowed: u64,
    },
    /// Any other failure, met while getting connected.
    Connecting {
        host: String,
        step: ConnectStep,
        failure: Box<SourceError>,
    },
}

impl From<NetError> for SourceError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

error_as_said!(SourceError);

impl Say for SourceError {
    fn said(&self) -> Said {
        let quoted = |words: &str| Said::quoted(words);
        let detail = |words: &str| Said::from(words);
        match self {
            Self::Net(error) => error.said(),
            Self::Timeout {
                host, during, after, ..
            } => silent(host, during, *after),
            Self::Silent { port, access, after } => said!(
                NoGreeting,
                "no greeting on port {0} within {1}: {2}",
                port,
                Span(*after),
                says_nothing(*access)
            ),
            Self::WrongPort { port, access, found } => found.words(*port, *access),
            Self::NoMail { port, line } => said!(
                NoMailServer,
                "port {0} is not that of a mail server; it greets with {1}",
                port,
                quoted(line)
            ),
            Self::Preauth { host } => said!(
                Preauth,
                "{0} greets as if we were logged in (PREAUTH), so the connection cannot be encrypted any more: somebody may \
                 be tampering with it",
                host
            ),
            Self::Greeting { host, words } => {
                said!(TurnedAway, "{0} turns the connection away: {1}", host, quoted(words))
            }
            Self::Login {
                host, username, words, ..
            } => said!(LoginRefused, "{0} refuses the login of {1}: {2}", host, username, words),
            Self::Refused { command, words } => {
                said!(CommandRefused, "the server refuses {0}: {1}", command, quoted(words))
            }
            Self::NoFolder { words, .. } | Self::TooLarge(words) => words.clone(),
            Self::NoneLeft(why) => said!(NoFolderLeft, "no folder is left: {0}", why),
            Self::Unreadable { path, why } => said!(Unreadable, "cannot read {0}: {1}", path, why),
            Self::File { path, why } => said!(CannotImport, "cannot import {0}: {1}", path, why),
            Self::OfSeveral { path, users } => said!(
                ImportOfSeveral,
                "cannot import {0} for one user: it is an export with the mail of {1} users",
                path,
                users
            ),
            Self::Lost { command, words } => said!(
                ConnectionLost,
                "the connection was lost during {0}: {1}",
                command,
                closed(words, "the server closed it")
            ),
            Self::Protocol { command, detail: why } | Self::Unclear { command, detail: why } => said!(
                Senseless,
                "the server's answer to {0} makes no sense: {1}",
                command,
                detail(why)
            ),
            Self::Nameless { folder } => said!(
                NoUidvalidity,
                "{0}: the server gives no UIDVALIDITY, without which copies have no lasting name",
                folder
            ),
            Self::TooMuch { command, allowed } => said!(
                SentTooMuch,
                "the server sent more than it announced in answer to {0}: over {1} bytes",
                command,
                allowed
            ),
            Self::Connecting { host, step, failure } => connecting(host, *step, failure),
        }
    }
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

    /// Whether the server does not let this account read a folder that it lists (RFC 4314). It says so when the folder
    /// is opened; that it repeats the folder's name says nothing.
    pub fn is_denial(&self, folder: &str) -> bool {
        const WORDS: [&str; 7] = [
            "noperm",
            "permission",
            "denied",
            "not permitted",
            "not allowed",
            "no access",
            "not authorized",
        ];
        match self {
            Self::Refused { command, words } if command == "EXAMINE" || command == "SELECT" => {
                let (words, folder) = (words.to_ascii_lowercase(), folder.to_ascii_lowercase());
                let repeated = words.matches(&folder).count();
                let says = |word| words.matches(word).count() > repeated * folder.matches(word).count();
                // "Oracle" has it in it too.
                let acls = |text: &str| {
                    text.split(|c: char| !c.is_alphanumeric())
                        .filter(|word| *word == "acl")
                        .count()
                };
                WORDS.into_iter().any(says) || acls(&words) > repeated * acls(&folder)
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
    pub(super) fn login(server: &Server, words: Said) -> Self {
        Self::Login {
            host: server.host.clone(),
            access: server.access,
            username: server.username.clone(),
            words,
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

fn says_nothing(access: Access) -> Said {
    match access.encryption() {
        Encryption::Implicit => said!(
            TlsThenNothing,
            "the server speaks TLS there, and then says nothing, as web servers do"
        ),
        Encryption::Never | Encryption::Upgrade => said!(
            TakesAndSaysNothing,
            "what listens there takes connections and says nothing"
        ),
    }
}

fn silent(host: &str, during: &str, after: Duration) -> Said {
    let span = Span(after);
    match (during.strip_prefix(" during "), during.strip_prefix(" after ")) {
        (Some(command), _) => said!(SilentDuring, "{0} was silent for {1} during {2}", host, span, command),
        (_, Some(done)) => said!(SilentAfter, "{0} was silent for {1} after {2}", host, span, done),
        _ => said!(SilentFor, "{0} was silent for {1}", host, span),
    }
}

/// Why a connection is lost; `text` where the server closed it without a word.
fn closed(words: &str, text: &str) -> Said {
    match words == CLOSED {
        true => Said::new(Code::ServerClosed, text, Vec::new()),
        false => words.into(),
    }
}

/// A failure on the way to a session, by what it was on the way to.
fn connecting(host: &str, step: ConnectStep, failure: &SourceError) -> Said {
    let (during, why) = match failure {
        SourceError::Lost { command, words } => (Some(command), closed(words, "the server closed the connection")),
        other => (None, other.said()),
    };
    match (step, during) {
        (ConnectStep::Greeting, _) => said!(NotGreeted, "{0} did not greet: {1}", host, why),
        (ConnectStep::Login, None) => said!(LoginBrokenOff, "the login to {0} was broken off: {1}", host, why),
        (ConnectStep::Login, Some(command)) => said!(
            LoginBrokenOffIn,
            "the login to {0} was broken off ({1}): {2}",
            host,
            command,
            why
        ),
        (ConnectStep::Tls, _) => said!(
            NotEncrypted,
            "the connection to {0} could not be encrypted: {1}",
            host,
            why
        ),
        (ConnectStep::Resolve | ConnectStep::Connect | ConnectStep::Token, _) => {
            said!(CannotConnect, "cannot connect to {0}: {1}", host, why)
        }
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

    #[test]
    fn a_refusal_that_repeats_the_folders_name_passed_for_one_to_read_it() {
        for (command, words, folder, denies) in [
            ("EXAMINE", "[NOPERM] Permission denied", "INBOX", true),
            ("EXAMINE", "ACL: no r right", "a", true),
            (
                "SELECT",
                "Permission slips: Permission denied",
                "Permission slips",
                true,
            ),
            ("EXAMINE", "Can't open mailbox Oracle: I/O error", "Oracle", false),
            ("EXAMINE", "Can't open mailbox ACL: I/O error", "ACL", false),
            (
                "EXAMINE",
                "[NONEXISTENT] Mailbox doesn't exist: Permission slips",
                "Permission slips",
                false,
            ),
            ("FETCH", "Permission denied", "INBOX", false),
        ] {
            let refused = SourceError::Refused {
                command: command.into(),
                words: words.into(),
            };
            assert_eq!(refused.is_denial(folder), denies, "{command} {words}");
        }
    }
}
