//! How a profile logs in: with its password, or with a token that is renewed where the server refuses it.

use std::time::{Duration, Instant};

use super::{Blame, TokenError, TokenKeeper};
use crate::{
    config::{Config, ConfigError, Family, Profile, Server},
    said::{Said, Say, error_as_said, said},
    source::{ConnectStep, Credential, Session, SourceError, Steps},
};

/// What a profile logs in with. Clones share one keeper of tokens.
#[derive(Clone)]
pub struct Login {
    server: Server,
    keeper: Option<TokenKeeper>,
}

/// A profile cannot log in.
#[derive(Debug)]
pub enum LoginError {
    Config(ConfigError),
    Token(TokenError),
    Source(SourceError),
    /// The server refuses a token that the endpoint gave just before.
    TokenRefused {
        refusal: SourceError,
        access: &'static str,
    },
}

error_as_said!(LoginError);

impl Say for LoginError {
    fn said(&self) -> Said {
        match self {
            Self::Config(error) => error.said(),
            Self::Token(error) => error.said(),
            Self::Source(error) => error.said(),
            Self::TokenRefused { refusal, access } => said!(
                FreshTokenRefused,
                "{0}. The token is new: check that `username` is the mailbox, that `scope` is for this server and access, \
                 that the application may use it, and that the account allows {1}. In some minutes, another token is asked \
                 for",
                refusal.said(),
                access
            ),
        }
    }
}

impl From<ConfigError> for LoginError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<TokenError> for LoginError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<SourceError> for LoginError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl LoginError {
    /// The failure of the source, where it is one.
    pub fn source_error(&self) -> Option<&SourceError> {
        match self {
            Self::Source(error) | Self::TokenRefused { refusal: error, .. } => Some(error),
            Self::Config(_) | Self::Token(_) => None,
        }
    }

    /// What to do about it; `None` where what is to be done about its step is all there is to say.
    pub fn what_to_do(&self) -> Option<Said> {
        match self {
            Self::Source(error) => error.what_to_do(),
            Self::TokenRefused { .. } => Some(said!(
                CheckWhatIsListed,
                "Check what the error lists; docs/oauth2.md says where each of it is set."
            )),
            Self::Token(TokenError::Net { failure, .. }) if failure.is_unanswered() => {
                Some(said!(CheckEndpoint, "Check token_endpoint, and firewalls in between."))
            }
            Self::Config(error) | Self::Token(TokenError::Config(error)) => error.what_to_do(),
            Self::Token(_) => None,
        }
    }

    /// Where the fault is; that of a source is at an endpoint, too.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Config(_) => Blame::Configuration,
            Self::Token(error) => error.blame(),
            Self::Source(error) if error.is_misconfigured() => Blame::Configuration,
            Self::Source(_) | Self::TokenRefused { .. } => Blame::Endpoint,
        }
    }

    /// The step of getting connected that failed.
    pub fn step(&self) -> ConnectStep {
        match self {
            Self::Config(_) | Self::Token(_) => ConnectStep::Token,
            Self::TokenRefused { .. } => ConnectStep::Login,
            Self::Source(error) => error.step().unwrap_or(ConnectStep::Connect),
        }
    }

    /// Whether another attempt soon would end the same way.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Source(error) => error.is_final(),
            Self::Token(error) => error.is_final(),
            Self::Config(_) | Self::TokenRefused { .. } => true,
        }
    }

    /// Whether the token endpoint asks to come again later, and how long it says.
    pub fn later(&self) -> Option<Option<Duration>> {
        match self {
            Self::Token(error) => error.later(),
            Self::Config(_) | Self::Source(_) | Self::TokenRefused { .. } => None,
        }
    }
}

impl Login {
    /// How `profile`, one of `config`, logs in. Nothing is read or asked yet.
    pub fn new(config: &Config, profile: &Profile) -> Self {
        Self {
            server: profile.server.clone(),
            keeper: TokenKeeper::new(config, profile),
        }
    }

    /// Has a session that is logged in. `steps` gets each step that succeeded; where a token was refused and renewed,
    /// those of the second attempt.
    ///
    /// # Errors
    /// The password or token cannot be read, or the source cannot be reached.
    pub async fn connect(&self, steps: &mut Steps) -> Result<Session, LoginError> {
        let Some(keeper) = &self.keeper else {
            let password = Credential::Password(self.server.secret()?);
            return Ok(Session::connect(&self.server, &password, steps).await?);
        };
        let began = Instant::now();
        let token = keeper.token().await?;
        let detail = said!(TokenAtHand, "an access token is at hand");
        steps.did(ConnectStep::Token, detail, began);
        let credential = Credential::Token(token.clone());
        let refusal = match Session::connect(&self.server, &credential, steps).await {
            Err(error) if error.is_refused_login() => error,
            connected => return Ok(connected?),
        };
        let began = Instant::now();
        if !keeper.refused(&token).await {
            return Err(self.refused(refusal));
        }
        tracing::info!(error = %refusal, "the server refuses the access token: it is renewed");
        let token = keeper.token().await?;
        *steps = Steps {
            received: steps.received.clone(),
            told: steps.told.clone(),
            ..Steps::default()
        };
        let detail = said!(TokenRenewed, "the server refused the access token; it was renewed");
        steps.did(ConnectStep::Token, detail, began);
        let credential = Credential::Token(token.clone());
        match Session::connect(&self.server, &credential, steps).await {
            Err(error) if error.is_refused_login() => {
                // Of no more use than the one before; the next attempt begins with it all the same.
                keeper.refused(&token).await;
                Err(self.refused(error))
            }
            connected => Ok(connected?),
        }
    }

    fn refused(&self, refusal: SourceError) -> LoginError {
        LoginError::TokenRefused {
            refusal,
            access: match self.server.access.family() {
                Family::Imap => "IMAP",
                Family::Pop3 => "POP3",
            },
        }
    }
}
