//! What can go wrong with a source, and what is to be done about it.

use std::{cmp::Reverse, io, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Credential, Step, token};
use crate::{
    config::{Fingerprint, Secret},
    harmless::one_line,
};

/// What a failure asks of whoever meets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// The source cannot be had: end the run and say so (exit 3 when nothing was seen yet).
    Unreachable,
    /// The connection is of no more use, though a new one may be.
    Reconnect,
    /// The command failed, the connection goes on.
    Report,
}

/// A failure of a source. Its words are for the administrator and never hold the password.
#[derive(thiserror::Error, Debug)]
pub enum SourceError {
    #[error("cannot find the address of {host}: {source}")]
    Resolve { host: String, source: io::Error },
    #[error("cannot connect to {host} port {port}: {source}")]
    Connect { host: String, port: u16, source: io::Error },
    #[error("{host} was silent for {}{during}; a longer `timeout` may help", humantime::format_duration(*after))]
    Timeout {
        host: String,
        /// Empty, or " after …", " during …": the phase or command.
        during: String,
        after: Duration,
        step: Option<Step>,
    },
    #[error("TLS with {host} failed: {detail}")]
    Tls { host: String, detail: String },
    #[error(
        "the certificate of {host} is refused: {why}. If it is the right one, pin it: tls = {{ verify = \"pin\", pin = \"{fingerprint}\" }}"
    )]
    Certificate {
        host: String,
        why: String,
        fingerprint: Fingerprint,
    },
    #[error("ca_file {file}: {detail}")]
    CaFile { file: String, detail: String },
    #[error(
        "{host} does not offer {command}, so the connection cannot be encrypted; use an -ssl access, or one without TLS"
    )]
    NoUpgrade { host: String, command: &'static str },
    #[error(
        "{host} sent data in clear text behind its answer to {command}: somebody may be tampering with the connection"
    )]
    Injected { host: String, command: &'static str },
    #[error("{host} greets as already logged in (PREAUTH), so the connection can no longer be encrypted")]
    Preauth { host: String },
    #[error("{host} refuses the connection: {words}")]
    Greeting { host: String, words: String },
    #[error("{host} refuses the login of {username}: {words}")]
    Login {
        host: String,
        username: String,
        words: String,
    },
    /// The tagged NO or BAD, or -ERR, to a command.
    #[error("the server refuses {command}: {words}")]
    Refused { command: String, words: String },
    /// A folder, or of an import a file.
    #[error("cannot read {path}: {why}")]
    Unreadable { path: String, why: String },
    /// BYE, a closed socket, or an I/O error.
    #[error("the connection was lost during {command}: {words}")]
    Lost { command: String, words: String },
    /// An answer that the protocol does not allow.
    #[error("the server's answer to {command} is not understood: {detail}")]
    Protocol { command: String, detail: String },
    /// The mailbox is larger than dropkeep takes.
    #[error("{0}")]
    TooLarge(String),
    /// An answer that was read to its end, and does not say what is needed: the session goes on.
    #[error("the server's answer to {command} is not understood: {detail}")]
    Unclear { command: String, detail: String },
    /// More bytes than the sizes announced allow for.
    #[error("the server sent more than it announced in answer to {command}: over {allowed} bytes")]
    TooMuch { command: String, allowed: u64 },
    /// Any other failure, met while getting connected.
    #[error("cannot get connected to {host}: {failure}")]
    Connecting {
        host: String,
        step: Step,
        #[source]
        failure: Box<SourceError>,
    },
}

impl SourceError {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::CaFile { .. }
            | Self::NoUpgrade { .. }
            | Self::Injected { .. }
            | Self::Preauth { .. }
            | Self::Greeting { .. }
            | Self::Login { .. }
            | Self::Connecting { .. }
            | Self::Timeout { step: Some(_), .. } => Disposition::Unreachable,
            Self::Timeout { step: None, .. } | Self::Lost { .. } | Self::Protocol { .. } | Self::TooMuch { .. } => {
                Disposition::Reconnect
            }
            Self::Refused { .. } | Self::Unreadable { .. } | Self::TooLarge(_) | Self::Unclear { .. } => {
                Disposition::Report
            }
        }
    }

    /// Whether another attempt would end the same way: the server's answer, or our configuration, says so.
    pub fn is_final(&self) -> bool {
        if let Self::Login { .. } = self {
            // A server that has too many connections, say, refuses a login too.
            return self.is_refused_login();
        }
        matches!(
            self,
            Self::Certificate { .. }
                | Self::CaFile { .. }
                | Self::NoUpgrade { .. }
                | Self::Injected { .. }
                | Self::Preauth { .. }
        )
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

    /// The step of getting connected that failed, where it was one.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::Resolve { .. } => Some(Step::Resolve),
            Self::Connect { .. } => Some(Step::Connect),
            Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::CaFile { .. }
            | Self::NoUpgrade { .. }
            | Self::Injected { .. }
            | Self::Preauth { .. } => Some(Step::Tls),
            Self::Greeting { .. } => Some(Step::Greeting),
            Self::Login { .. } => Some(Step::Login),
            Self::Timeout { step, .. } => *step,
            Self::Connecting { step, .. } => Some(*step),
            Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge(_)
            | Self::Lost { .. }
            | Self::Protocol { .. }
            | Self::Unclear { .. }
            | Self::TooMuch { .. } => None,
        }
    }

    /// The failure as one of a step of getting connected, where it does not say so already.
    pub(super) fn at(self, host: &str, at: Step) -> Self {
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

/// The most characters of a server's words that an error repeats.
const MAX_WORDS: usize = 400;

/// A server's words as they may be shown: without what steers a terminal, and not endless.
pub(super) fn plain(words: &str) -> String {
    let clean: String = one_line(words).chars().take(MAX_WORDS).collect();
    match clean.trim() {
        "" => "(no words)".to_owned(),
        clean => clean.to_owned(),
    }
}

/// The most characters of a line that an error quotes.
const MAX_LINE: usize = 200;

/// What a session logs in with, in each form in which a server gets it. Some servers repeat what they were sent, in
/// whatever they say then or later.
pub(crate) struct Hidden(Vec<String>);

impl Hidden {
    pub fn of(username: &str, credential: &Credential) -> Self {
        let (secret, response) = match credential {
            Credential::Password(secret) => (secret, Some(plain_response(username, secret))),
            Credential::Token(secret) => (secret, token::response(username, secret)),
        };
        let secret = secret.reveal();
        let escaped = secret.replace('\\', "\\\\").replace('"', "\\\"");
        // What the mechanism LOGIN sends.
        let encoded = STANDARD.encode(secret);
        let mut forms = vec![secret.to_owned(), escaped, encoded];
        forms.extend(response);
        // A longer form may hold a shorter one.
        forms.sort_by_key(|form| Reverse(form.len()));
        Self(forms)
    }

    /// A server's words as they may be shown.
    pub fn plain(&self, words: &str) -> String {
        let forms: Vec<&str> = self.0.iter().map(String::as_str).collect();
        without_secrets(words, &forms)
    }

    /// A line of a server's as it may be shown, in quotes: its beginning, with what cannot be printed escaped.
    pub fn line(&self, line: &[u8]) -> String {
        // Secrets go first, so that none is cut within.
        let forms = self.0.iter().filter(|form| !form.is_empty());
        let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
        let text = forms.fold(text, |text, form| text.replace(form.as_str(), "***"));
        let mut shown: String = text.chars().take(MAX_LINE).flat_map(escaped).collect();
        if text.chars().nth(MAX_LINE).is_some() {
            shown.push('…');
        }
        format!("“{shown}”")
    }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let (as_it_is, escape) = match c.is_control() {
        true => (None, Some(c.escape_default())),
        false => (Some(c), None),
    };
    as_it_is.into_iter().chain(escape.into_iter().flatten())
}

/// What a client answers with in the mechanism PLAIN (RFC 4616), in base64.
pub(super) fn plain_response(username: &str, password: &Secret) -> String {
    STANDARD.encode(format!("\0{username}\0{}", password.reveal()))
}

/// A server's words as they may be shown, without secrets that they repeat.
pub(crate) fn without_secrets(words: &str, secrets: &[&str]) -> String {
    let hidden = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(words.to_owned(), |words, secret| words.replace(secret, "***"));
    plain(&hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_harmless() {
        assert_eq!(plain("a\x1b[31m\r\nb"), "a [31m  b");
        assert_eq!(plain(&"x".repeat(5000)).len(), MAX_WORDS);
        assert_eq!(plain(" "), "(no words)");
        assert_eq!(without_secrets("bad: PASS hunter2", &["hunter2", ""]), "bad: PASS ***");
    }

    #[test]
    fn a_lost_connection_while_connecting_makes_the_source_unreachable() {
        let lost = || SourceError::Lost {
            command: "LOGIN".into(),
            words: "closed".into(),
        };
        assert_eq!(lost().disposition(), Disposition::Reconnect);
        let connecting = lost().at("mail.example.com", Step::Login);
        assert_eq!(connecting.disposition(), Disposition::Unreachable);
        assert_eq!(connecting.step(), Some(Step::Login));
    }
}
