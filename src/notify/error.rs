//! Why something was not told.

use std::time::Duration;

use crate::{config::ConfigError, net::NetError};

/// Something could not be told. The words are for the administrator and never hold a secret.
#[derive(thiserror::Error, Debug)]
pub enum NotifyError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Net(#[from] NetError),
    /// Another server listens at the port than the configuration says.
    #[error("{0}")]
    WrongPort(String),
    /// An answer of 4xx or 5xx, or the end of the connection.
    #[error("{host} refused the mail ({during}): {words}{}", advice(during))]
    Smtp {
        host: String,
        during: &'static str,
        words: String,
        /// Another attempt would end the same way.
        is_final: bool,
    },
    #[error("the mail could not be written: {0}")]
    Letter(String),
    #[error("the webhook {url} answered {answer}")]
    Status {
        url: String,
        answer: String,
        is_final: bool,
        /// When the server asks to come again.
        after: Option<Duration>,
    },
}

/// What goes on when a server refuses.
pub const LOGIN: &str = "logging in";
pub const FROM: &str = "naming the sender";
pub const TO: &str = "naming the recipients";

fn advice(during: &str) -> &'static str {
    match during {
        LOGIN => "; check username and password in [mail]",
        FROM => "; check from in [mail], and whether the server wants username and password",
        TO => "; check to in [mail], and whether the server wants username and password",
        _ => "",
    }
}

impl NotifyError {
    /// Whether another attempt soon would end the same way.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Config(_) | Self::WrongPort(_) | Self::Letter(_) => true,
            Self::Net(error) => error.is_final(),
            Self::Smtp { is_final, .. } | Self::Status { is_final, .. } => *is_final,
        }
    }

    /// Whether a mail server refused, for good.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Smtp { is_final: true, .. })
    }

    /// How long the server asks to be left alone.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Status { after, .. } => *after,
            _ => None,
        }
    }
}
