//! Why a request failed, and the exit code with which a command says so.

use serde::{Deserialize, Serialize};

use super::Wrong;
use crate::{
    account::without_number,
    config::ConfigError,
    panics::Panicked,
    said::{Said, Say, Saying},
};

/// How a request or a run ended: the exit code of the command. In JSON it is the number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "i32", into = "i32")]
pub enum Exit {
    Done = 0,
    /// Copies failed, the connection was lost midway, or something else of the kind is going on.
    Errors = 1,
    /// The request or the configuration is wrong: it names a profile, user, message or run that does not exist, say.
    Usage = 2,
    /// The source could not be reached, or refused the certificate or the login.
    Source = 3,
    /// The store could not be opened, is damaged, or the disk is full.
    Store = 4,
    Interrupted = 130,
}

impl From<Exit> for i32 {
    fn from(exit: Exit) -> Self {
        exit as Self
    }
}

impl From<i32> for Exit {
    /// A number that another version may send and this one does not know counts as `Errors`.
    fn from(code: i32) -> Self {
        const ALL: [Exit; 5] = [Exit::Done, Exit::Usage, Exit::Source, Exit::Store, Exit::Interrupted];
        let known = ALL.into_iter().find(|exit| *exit as i32 == code);
        known.unwrap_or(Self::Errors)
    }
}

/// What a request failed over, as far as whoever made it can tell by more than words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Other,
    /// It names what is not there, or not for whoever asks.
    Unknown,
    /// What is there stands in its way.
    Conflict,
}

/// Why a request failed, and the exit code of the command that asked.
#[derive(thiserror::Error, Clone, Debug, Serialize, Deserialize)]
#[error("{error}")]
pub struct Failure {
    pub error: String,
    pub exit: Exit,
    #[serde(default, skip_serializing_if = "Kind::is_other")]
    pub kind: Kind,
    /// The key of a profile that it is about: `server.port`, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The same as `error`, for whoever shows it in other words; it stays in this process.
    #[serde(skip)]
    pub wrong: Option<Box<Wrong>>,
    /// Which sentence `error` is.
    #[serde(skip)]
    pub saying: Saying,
}

impl Kind {
    fn is_other(&self) -> bool {
        *self == Self::Other
    }
}

impl Failure {
    pub fn new(exit: Exit, error: impl ToString) -> Self {
        Self {
            error: without_number(&error.to_string()),
            exit,
            kind: Kind::Other,
            key: None,
            wrong: None,
            saying: Saying::default(),
        }
    }

    /// It names what is not there.
    pub fn unknown(error: impl ToString) -> Self {
        Self {
            kind: Kind::Unknown,
            ..Self::usage(error)
        }
    }

    /// What is there stands in its way.
    pub fn conflict(error: impl ToString) -> Self {
        Self {
            kind: Kind::Conflict,
            ..Self::usage(error)
        }
    }

    /// What is wrong is this key of a profile.
    pub fn of_key(key: &str, error: impl ToString) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::usage(error)
        }
    }

    /// The same, with what exactly is wrong.
    pub fn for_that(self, wrong: impl Into<Option<Wrong>>) -> Self {
        Self {
            wrong: wrong.into().map(Box::new),
            ..self
        }
    }

    /// The same, said in this sentence.
    pub fn saying(self, said: Said) -> Self {
        let (text, saying) = said.into_parts();
        Self {
            error: without_number(&text),
            saying,
            ..self
        }
    }

    /// What is to be said of it.
    pub fn said(&self) -> Said {
        Said::kept(&self.error, &self.saying)
    }

    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted")
    }

    pub fn usage(error: impl ToString) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let said = error.said();
        Self::usage(error).saying(said)
    }
}

impl From<Panicked> for Failure {
    fn from(panicked: Panicked) -> Self {
        Self::new(Exit::Errors, panicked)
    }
}

#[test]
fn an_exit_code_crosses_the_socket_as_its_number() {
    let failure = Failure::new(Exit::Interrupted, "interrupted");
    let json = serde_json::to_string(&failure).unwrap();
    assert_eq!(json, r#"{"error":"interrupted","exit":130}"#);
    for (code, exit) in [
        (0, Exit::Done),
        (1, Exit::Errors),
        (2, Exit::Usage),
        (3, Exit::Source),
        (4, Exit::Store),
    ] {
        assert_eq!((Exit::from(code), i32::from(exit)), (exit, code));
    }
    let read: Failure = serde_json::from_str(&json.replace("130", "77")).unwrap();
    assert_eq!(read.exit, Exit::Errors);
}
