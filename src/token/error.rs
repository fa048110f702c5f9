//! Why there is no token, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    account,
    config::{ConfigError, Span},
    net::NetError,
    said::{Code, Said, Say, error_as_said, said},
};

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
#[derive(Debug)]
pub enum TokenError {
    Config(ConfigError),
    KeyFile {
        file: PathBuf,
        detail: String,
    },
    NoRefreshToken {
        profile: String,
    },
    NoKey {
        file: PathBuf,
    },
    OtherKey {
        file: PathBuf,
        key: String,
    },
    Damaged {
        file: PathBuf,
        detail: String,
    },
    File {
        doing: &'static str,
        file: PathBuf,
        source: io::Error,
    },
    Busy {
        file: PathBuf,
        waited: Duration,
    },
    Net {
        endpoint: String,
        failure: Box<NetError>,
    },
    /// 429, 5xx, or as much in words (RFC 6749, 4.1.2.1).
    Later {
        endpoint: String,
        words: String,
        after: Option<Duration>,
    },
    /// An error of RFC 6749, 5.2, or one of the kind.
    Refused {
        endpoint: String,
        words: String,
        advice: Said,
    },
    /// The process ends.
    Interrupted,
}

impl From<ConfigError> for TokenError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

error_as_said!(TokenError);

impl Say for TokenError {
    fn said(&self) -> Said {
        let shown = |file: &Path| file.display().to_string();
        let detail = |words: &str| Said::from(words);
        match self {
            Self::Config(error) => error.said(),
            Self::KeyFile { file, detail: words } => {
                let file = shown(&account::absolute(file));
                said!(SecretFile, "{0} {1} {2}", "secrets.key_file", file, detail(words))
            }
            Self::NoRefreshToken { profile } => said!(
                NoRefreshToken,
                "the refresh token of profile {0:?} is empty: log in, and set refresh_token to what the endpoint gives",
                profile
            ),
            Self::NoKey { file } => said!(
                TokensNoKey,
                "{0} is encrypted, and there is no key: set key_file under [secrets] to the one that it was encrypted with. \
                 Where that is not possible: delete the file, log in anew, and set refresh_token",
                shown(file)
            ),
            Self::OtherKey { file, key } => said!(
                TokensOtherKey,
                "{0} was encrypted with another key than that of {1}: set key_file under [secrets] to that one. Where that \
                 is not possible: delete the file, log in anew, and set refresh_token",
                shown(file),
                key
            ),
            Self::Damaged { file, detail: words } => said!(
                TokensDamaged,
                "{0} is damaged: {1}. Where that is not possible: delete the file, log in anew, and set refresh_token",
                shown(file),
                detail(words)
            ),
            Self::File { doing, file, source } => {
                let (file, why) = (shown(file), account::plain(source).to_string());
                let text = format!("{doing} {file}: {why}");
                Said::new(
                    Code::StoreFailed,
                    text,
                    vec![detail(&format!("{doing}: {why}")).into(), file.into()],
                )
            }
            Self::Busy { file, waited } => said!(
                TokensBusy,
                "another process has been renewing the token for {0}: it holds {1}",
                Span(*waited),
                shown(file)
            ),
            Self::Net { endpoint, failure } => unreached(endpoint, failure),
            Self::Later {
                endpoint,
                words,
                after: None,
            } => said!(
                EndpointLater,
                "the token endpoint {0} asks to come again later: {1}",
                endpoint,
                Said::quoted(words)
            ),
            Self::Later {
                endpoint,
                words,
                after: Some(after),
            } => said!(
                EndpointLaterIn,
                "the token endpoint {0} asks to come again later: {1}, in {2}",
                endpoint,
                Said::quoted(words),
                Span(*after)
            ),
            Self::Refused {
                endpoint,
                words,
                advice,
            } => said!(
                EndpointRefused,
                "the token endpoint {0} gives no token: {1}. {2}",
                endpoint,
                Said::quoted(words),
                advice
            ),
            Self::Interrupted => said!(Interrupted, "renewing the token was interrupted"),
        }
    }
}

/// Why an endpoint was not reached, with the names that its keys have in the configuration.
fn unreached(endpoint: &str, failure: &NetError) -> Said {
    match failure {
        NetError::Timeout { after, .. } => said!(
            EndpointSilent,
            "the token endpoint {0} did not answer within {1}; if it is only slow, write a longer server.timeout",
            endpoint,
            Span(*after)
        ),
        NetError::Certificate { host, why, mend, .. } => said!(
            EndpointCertificate,
            "the certificate of the token endpoint's host {0} is refused: {1}: {2}",
            host,
            why,
            mend.without_pin()
                .map_text(|text| text.replace(" in ca_file", " in `ca_file` under oauth2"))
        ),
        NetError::CaFile { file, detail } => said!(
            CaFileOfTokens,
            "ca_file {0} under oauth2 {1}",
            file,
            Said::from(detail.as_str())
        ),
        NetError::Answer { detail, .. } => said!(
            EndpointSenseless,
            "the answer of the token endpoint {0} is not understood: {1}; check token_endpoint",
            endpoint,
            Said::from(detail.as_str())
        ),
        failure => said!(EndpointFailed, "the token endpoint: {0}", failure.said()),
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
