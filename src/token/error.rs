//! Why there is no token, and what to do about it.

use std::{io, path::PathBuf, time::Duration};

use crate::{account, config::ConfigError, net::NetError};

/// Where the fault is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blame {
    /// In the configuration, or a file that it names.
    Configuration,
    /// At the token endpoint, on the way to it, or in what it was told.
    Endpoint,
    /// In the data directory.
    Disk,
}

/// There is no token. The words are for the administrator and never hold a secret.
#[derive(thiserror::Error, Debug)]
pub enum TokenError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("secrets.key_file {} {detail}", crate::account::absolute(file).display())]
    KeyFile { file: PathBuf, detail: String },
    #[error(
        "the refresh token of profile {profile:?} is empty: log in, and set refresh_token to what the endpoint gives"
    )]
    NoRefreshToken { profile: String },
    #[error(
        "{} is encrypted, and there is no key: set key_file under [secrets] to the one that it was encrypted with{NEW_START}",
        file.display()
    )]
    NoKey { file: PathBuf },
    #[error("{} was encrypted with another key than that of {key}: set key_file under [secrets] to that one{NEW_START}", file.display())]
    OtherKey { file: PathBuf, key: String },
    #[error("{} is damaged: {detail}{NEW_START}", file.display())]
    Damaged { file: PathBuf, detail: String },
    #[error("{doing} {}: {}", file.display(), account::plain(source))]
    File {
        doing: &'static str,
        file: PathBuf,
        source: io::Error,
    },
    #[error(
        "another process has been renewing the token for {}: it holds {}",
        humantime::format_duration(*waited),
        file.display()
    )]
    Busy { file: PathBuf, waited: Duration },
    #[error("{}", unreached(endpoint, failure))]
    Net { endpoint: String, failure: Box<NetError> },
    /// 429, 5xx, or as much in words (RFC 6749, 4.1.2.1).
    #[error(
        "the token endpoint {endpoint} asks to come again later: {words}{}",
        after.map(|after| format!(", in {}", humantime::format_duration(after))).unwrap_or_default()
    )]
    Later {
        endpoint: String,
        words: String,
        after: Option<Duration>,
    },
    /// An error of RFC 6749, 5.2, or one of the kind.
    #[error("the token endpoint {endpoint} gives no token: {words}. {advice}")]
    Refused {
        endpoint: String,
        words: String,
        advice: &'static str,
    },
    /// The process ends.
    #[error("renewing the token was interrupted")]
    Interrupted,
}

/// What helps where the stored tokens cannot be read.
const NEW_START: &str = ". Where that is not possible: delete the file, log in anew, and set refresh_token";

/// Why an endpoint was not reached, with the names that its keys have in the configuration.
fn unreached(endpoint: &str, failure: &NetError) -> String {
    match failure {
        NetError::Timeout { after, .. } => format!(
            "the token endpoint {endpoint} did not answer within {}; if it is only slow, write a longer server.timeout",
            humantime::format_duration(*after)
        ),
        NetError::Certificate { host, why, mend, .. } => format!(
            "the certificate of the token endpoint's host {host} is refused: {why}: {}",
            mend.without_pin().replace(" in ca_file", " in `ca_file` under oauth2")
        ),
        NetError::CaFile { file, detail } => format!("ca_file {file} under oauth2 {detail}"),
        NetError::Answer { detail, .. } => {
            format!("the answer of the token endpoint {endpoint} is not understood: {detail}; check token_endpoint")
        }
        failure => format!("the token endpoint: {failure}"),
    }
}

impl TokenError {
    /// An I/O error at `file`, met while `doing`.
    pub(super) fn io(doing: &'static str, file: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |source| Self::File { doing, file, source }
    }

    pub fn blame(&self) -> Blame {
        match self {
            Self::Config(_)
            | Self::KeyFile { .. }
            | Self::NoRefreshToken { .. }
            | Self::NoKey { .. }
            | Self::OtherKey { .. } => Blame::Configuration,
            Self::Net { failure, .. } if failure.is_misconfigured() => Blame::Configuration,
            Self::Damaged { .. } | Self::File { .. } => Blame::Disk,
            Self::Busy { .. } | Self::Net { .. } | Self::Later { .. } | Self::Refused { .. } | Self::Interrupted => {
                Blame::Endpoint
            }
        }
    }

    /// Whether another attempt soon would end the same way: the endpoint's answer, or what it is asked with, says so.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Net { failure, .. } => failure.is_final() || matches!(**failure, NetError::Answer { .. }),
            error => error.blame() != Blame::Endpoint,
        }
    }

    /// Whether the endpoint asks to come again later, and how long it says.
    pub fn later(&self) -> Option<Option<Duration>> {
        match self {
            Self::Later { after, .. } => Some(*after),
            _ => None,
        }
    }
}
